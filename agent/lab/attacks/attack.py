"""What an attack is, and the words that all hostile programs share."""

from typing import Literal

from ....envs.types import Record
from ....skills.jail.types import MODULES, End

Theme = Literal["files", "processes", "network", "kernel", "resources", "protocol"]

MODULES_OF_ATTACKS = (
    *MODULES,
    *("ctypes", "fcntl", "gc", "mmap", "os", "pickle", "resource", "select", "signal", "socket"),
    *("stat", "struct", "subprocess", "sys", "threading", "encodings.idna"),
)
"""Loaded for hostile programs, so that walls stop them and not a missing module."""

QUIET: tuple[End, ...] = ("returned", "raised")
"""How an attack ends that asks for something and is refused."""


class Attack(Record):
    """One hostile program; bounded, so that it cannot hurt this machine even without a jail.

    Its function `attack(api, here)` returns `leak(text)` when it saw that a wall is open; the parent looks
    at its canaries besides.
    """

    name: str
    theme: Theme
    tries: str
    """What it tries, in words."""
    source: str
    """Body after `PRELUDE`."""
    ends: tuple[End, ...] = QUIET
    """How it may end; another end is a leak."""
    errors: tuple[str, ...] = ()
    """Errors besides OSErrors that may end it; others mean that the attack itself is wrong."""
    machines: tuple[str, ...] = ("x86_64", "aarch64")
    """Where it can be tried."""


PRELUDE = '''
import ctypes, errno, gc, os, sys, time

NUMBERS = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "chroot": (161, 51),
    "clock_settime": (227, 112), "clone3": (435, 435), "delete_module": (176, 106), "fanotify_init": (300, 262),
    "finit_module": (313, 273), "fsopen": (430, 430), "init_module": (175, 105), "inotify_init1": (294, 26),
    "io_uring_setup": (425, 425), "kcmp": (312, 272), "kexec_load": (246, 104), "keyctl": (250, 219),
    "memfd_create": (319, 279), "mount": (165, 40), "move_pages": (279, 239), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "personality": (135, 92), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41),
    "prctl": (157, 167), "prlimit64": (302, 261), "process_vm_readv": (310, 270), "ptrace": (101, 117),
    "quotactl": (179, 60), "reboot": (169, 142), "request_key": (249, 218), "sched_setscheduler": (144, 119),
    "seccomp": (317, 277), "sethostname": (170, 161), "setns": (308, 268), "settimeofday": (164, 170),
    "shmget": (29, 194), "swapon": (167, 224), "sysinfo": (99, 179), "syslog": (103, 116),
    "tgkill": (234, 131), "timer_create": (222, 107), "umount2": (166, 39), "uname": (63, 160),
    "unshare": (272, 97), "userfaultfd": (323, 282), "landlock_create_ruleset": (444, 444),
}
libc = ctypes.CDLL(None, use_errno=True)

def leak(text):
    return {"leak": str(text)[:300]}

def call(name, *args):
    """Make a system call by name; return (result, errno)."""
    number = NUMBERS[name][int(sys.maxsize > 2**32 and MACHINE == "aarch64")]
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *wide)
    return result, ctypes.get_errno()

def reached(*calls):
    """Leak when the kernel took any call, be it only to find its arguments wrong."""
    for name, *args in calls:
        result, code = call(name, *args)
        if result >= 0 or code not in (errno.EPERM, errno.ENOSYS):
            return leak(f"{name}: {result}, {errno.errorcode.get(code, code)}")

def wire(api):
    """Return the protocol's descriptors, found as any program can find them."""
    return next((o._inward, o._outward) for o in gc.get_objects() if type(o).__name__ == "Pipe")

def forge(api, body):
    """Send a frame of the attacker's own."""
    body = body if isinstance(body, bytes) else body.encode()
    rest = len(body).to_bytes(4, "big") + body
    while rest:
        rest = rest[os.write(wire(api)[1], rest):]

def attempt(what):
    """Return what a call returns, or the error that refused it."""
    try:
        return what()
    except OSError as error:
        return error
    except ValueError as error:  # what the module resource makes of EPERM
        return OSError(str(error))

def any_done(*whats):
    """Leak when any of the calls went through."""
    for place, what in enumerate(whats):
        result = attempt(what)
        if not isinstance(result, OSError):
            return leak(f"call {place + 1} went through: {result!r}")
'''
"""Begins the source of every attack; `MACHINE` is put before it."""
