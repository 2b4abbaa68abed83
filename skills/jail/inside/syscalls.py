"""System call numbers that a jailed program may use, for x86_64 and aarch64; everything else is refused.

Sources: the kernel's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (6.x). A
number of 0 or more is a call; a name that one architecture lacks is missing from its table.
"""

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What seccomp sees as architecture (linux/audit.h)."""

SECCOMP = {"x86_64": 317, "aarch64": 277}
"""seccomp(2)."""
CAPSET = {"x86_64": 126, "aarch64": 91}
"""capset(2)."""
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
"""Landlock's calls; from 424 on numbers are the same on every architecture."""

SHARED_FROM = 424
"""From here on a call is answered with ENOSYS, so that a C library falls back to the older one."""

RUNNING = {
    "x86_64": {
        "read": 0,
        "write": 1,
        "close": 3,
        "fstat": 5,
        "poll": 7,
        "lseek": 8,
        "mmap": 9,
        "mprotect": 10,
        "munmap": 11,
        "brk": 12,
        "rt_sigaction": 13,
        "rt_sigprocmask": 14,
        "rt_sigreturn": 15,
        "pread64": 17,
        "pwrite64": 18,
        "readv": 19,
        "writev": 20,
        "sched_yield": 24,
        "mremap": 25,
        "madvise": 28,
        "nanosleep": 35,
        "getpid": 39,
        "exit": 60,
        "gettimeofday": 96,
        "getuid": 102,
        "getgid": 104,
        "geteuid": 107,
        "getegid": 108,
        "sigaltstack": 131,
        "gettid": 186,
        "time": 201,
        "futex": 202,
        "restart_syscall": 219,
        "clock_gettime": 228,
        "clock_getres": 229,
        "clock_nanosleep": 230,
        "exit_group": 231,
        "ppoll": 271,
        "getrandom": 318,
    },
    "aarch64": {
        "close": 57,
        "lseek": 62,
        "read": 63,
        "write": 64,
        "readv": 65,
        "writev": 66,
        "pread64": 67,
        "pwrite64": 68,
        "ppoll": 73,
        "fstat": 80,
        "exit": 93,
        "exit_group": 94,
        "futex": 98,
        "nanosleep": 101,
        "clock_gettime": 113,
        "clock_getres": 114,
        "clock_nanosleep": 115,
        "sched_yield": 124,
        "restart_syscall": 128,
        "sigaltstack": 132,
        "rt_sigaction": 134,
        "rt_sigprocmask": 135,
        "rt_sigreturn": 139,
        "gettimeofday": 169,
        "getpid": 172,
        "getuid": 174,
        "geteuid": 175,
        "getgid": 176,
        "getegid": 177,
        "gettid": 178,
        "brk": 214,
        "munmap": 215,
        "mremap": 216,
        "mmap": 222,
        "mprotect": 226,
        "madvise": 233,
        "getrandom": 278,
    },
}
"""What an interpreter needs to run code and to talk over descriptors that are open already."""

FILES = {
    "x86_64": {
        "open": 2,
        "stat": 4,
        "lstat": 6,
        "access": 21,
        "fsync": 74,
        "fdatasync": 75,
        "ftruncate": 77,
        "getcwd": 79,
        "rename": 82,
        "mkdir": 83,
        "rmdir": 84,
        "unlink": 87,
        "getdents64": 217,
        "openat": 257,
        "mkdirat": 258,
        "newfstatat": 262,
        "unlinkat": 263,
        "renameat": 264,
        "faccessat": 269,
        "renameat2": 316,
        "statx": 332,
    },
    "aarch64": {
        "getcwd": 17,
        "mkdirat": 34,
        "unlinkat": 35,
        "renameat": 38,
        "ftruncate": 46,
        "faccessat": 48,
        "openat": 56,
        "getdents64": 61,
        "newfstatat": 79,
        "fsync": 82,
        "fdatasync": 83,
        "renameat2": 276,
        "statx": 291,
    },
}
"""What it needs besides for files; allowed only where the scratch folder is all that there is to see."""
