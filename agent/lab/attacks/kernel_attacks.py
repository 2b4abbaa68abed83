"""Attacks on the kernel's seldom used calls, with arguments that do nothing even where they are taken.

A call that says anything but EPERM or ENOSYS has reached the kernel's code behind it.
"""

from ....skills.jail.types import End
from .attack import Attack


def _reached(name: str, tries: str, *calls: str) -> Attack:
    source = f"\ndef attack(api, here):\n    return reached({', '.join(calls)},)\n"
    return Attack(name=name, theme="kernel", tries=tries, source=source)


def _machine_code(name: str, tries: str, source: str, ends: tuple[End, ...]) -> Attack:
    return Attack(
        name=name, theme="kernel", tries=tries, source=source, ends=ends, machines=("x86_64",)
    )


KERNEL = (
    _reached("io-uring", "do forbidden things by a ring of requests", '("io_uring_setup", 0, 0)'),
    _reached("userfaultfd", "stop the kernel at a page of memory", '("userfaultfd", -1)'),
    _reached("bpf", "load a program into the kernel", '("bpf", -1, 0, 0)'),
    _reached(
        "keyring",
        "read and add keys",
        '("keyctl", -1, 0, 0, 0, 0)',
        '("add_key", 0, 0, 0, 0, 0)',
        '("request_key", 0, 0, 0, 0)',
    ),
    _reached("perf", "measure other processes", '("perf_event_open", 0, -1, -1, -1, -1)'),
    _reached(
        "namespaces",
        "make and enter namespaces",
        '("unshare", 0)',
        '("setns", -1, 0)',
        '("unshare", 0x10000000)',
    ),
    _reached(
        "mount",
        "mount, unmount and change the root",
        '("mount", 0, 0, 0, 0, 0)',
        '("umount2", 0, 0)',
        '("pivot_root", 0, 0)',
        '("fsopen", 0, 0)',
        '("open_tree", -1, 0, -1)',
    ),
    _reached(
        "modules",
        "load kernel modules and another kernel",
        '("init_module", 0, 0, 0)',
        '("finit_module", -1, 0, 0)',
        '("delete_module", 0, 0)',
        '("kexec_load", 0, 0, 0, -1)',
    ),
    _reached("reboot", "restart the machine (with a wrong magic number)", '("reboot", 0, 0, 0, 0)'),
    _reached(
        "clock",
        "set the clock",
        '("settimeofday", 0, 0)',
        '("clock_settime", -1, 0)',
        '("adjtimex", 0)',
    ),
    _reached(
        "machine-settings",
        "set the machine's name, swap, accounting and quotas",
        '("sethostname", 0, -1)',
        '("swapon", 0, -1)',
        '("acct", -1)',
        '("quotactl", -1, 0, 0, 0)',
    ),
    _reached(
        "machine-facts",
        "read the kernel's log, load and version",
        '("syslog", 10, 0, 0)',
        '("sysinfo", ctypes.create_string_buffer(512))',
        '("uname", ctypes.create_string_buffer(1024))',
    ),
    _reached(
        "file-handles",
        "open files by number, not by name",
        '("open_by_handle_at", -1, 0, 0)',
        '("name_to_handle_at", -1, 0, 0, 0, 0)',
    ),
    _reached("watch-files", "watch files", '("fanotify_init", -1, 0)', '("inotify_init1", 0)'),
    _reached(
        "own-walls",
        "change its own filters and execution domain",
        '("seccomp", 99, 0, 0)',
        '("personality", -1)',
        '("landlock_create_ruleset", 0, 0, 1)',
    ),
    _reached(
        "memory-between-processes",
        "share memory with others and move their pages",
        '("shmget", 0, 0, 0o1600)',
        '("move_pages", here["pid"], 0, 0, 0, 0, 0)',
    ),
    _reached(
        "scheduling",
        "set schedulers and timers",
        '("sched_setscheduler", 0, -1, 0)',
        '("timer_create", 0, 0, 0)',
    ),
    _machine_code(
        "x32-calls",
        "call the kernel by the numbers of the x32 interface",
        """
def attack(api, here):
    result = libc.syscall(ctypes.c_long(0x40000000 + 39))
    if result != -1 or ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM):
        return leak(result)
    return leak("the x32 call was not fatal")
""",
        ("denied",),
    ),
    _machine_code(
        "old-calls",
        "call the kernel by the gate of 32-bit programs, in machine code of its own",
        """
import mmap
def attack(api, here):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return leak(ctypes.CFUNCTYPE(ctypes.c_long)(place)())
""",
        ("denied", "died", "raised"),
    ),
)
"""On the kernel."""
