"""Closes the process that calls it in, for good: limits, namespaces, identity, Landlock, seccomp.

Runs in the child before any foreign code. Every wall that was ordered and cannot be built is an error here;
what stands is returned, so that the parent can say it. Order matters: each step takes away what the next
would need. Sources: kernel Documentation/userspace-api/landlock.rst and seccomp_filter.rst.
"""

import ctypes
import errno
import os
import resource
import struct
from typing import Any

from .syscalls import (
    AUDIT_ARCH,
    CAPSET,
    FILES,
    LANDLOCK_ADD_RULE,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    RUNNING,
    SECCOMP,
    SHARED_FROM,
)

NOBODY = 65534
"""User and group of jailed code."""

_NEW_NS, _NEW_USER, _NEW_IPC, _NEW_NET, _NEW_UTS, _NEW_CGROUP = (
    0x00020000,
    0x10000000,
    0x08000000,
    0x40000000,
    0x04000000,
    0x02000000,
)
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9

# Landlock rights (linux/landlock.h): what is handled by ABI, and what holds in the scratch folder
_HANDLED = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_IN_SCRATCH = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8)
_REFER, _TRUNCATE = 1 << 13, 1 << 14

_libc = ctypes.CDLL(None, use_errno=True)


class NoWall(Exception):
    """A wall cannot be built; the message begins with its name."""


def confine(order: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Build the ordered walls around this process; return what stands and what does not, by name.

    Args:
        order: `limits` (cpu_seconds, memory_mb, file_mb), `walls` (names that must stand), `optional` (names
            that are built where they can be), `missing` (names to be treated as absent, for tests), `parent`
            (process id, 0 when it is not the parent), `mount` (folder over which the scratch is mounted).

    Raises:
        NoWall: One of `walls` cannot be built.
    """
    stands: dict[str, str] = {}
    lacks: dict[str, str] = {}
    wanted = [*order["walls"], *order["optional"]]
    for name, build in (
        ("rlimits", _rlimits),
        ("namespaces", _namespaces),
        ("scratch", _scratch),
        ("identity", _identity),
        ("no_new_privs", _no_new_privs),
        ("landlock", _landlock),
        ("seccomp", _seccomp),
    ):
        if name == "no_new_privs":
            _dies_with_parent(order["parent"])  # after the identity: a change of it clears this
        if name not in wanted:
            continue
        try:
            if name in order["missing"]:
                raise NoWall("treated as missing")
            stands[name] = build(order, stands)
        except (OSError, NoWall) as error:
            if name in order["walls"]:
                raise NoWall(f"{name}: {error}") from error
            lacks[name] = str(error)
    return stands, lacks


def _call(number: int, *arguments: Any) -> int:
    done = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if done < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return done


def _check(done: int, what: str) -> None:
    if done != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _machine() -> str:
    name = os.uname().machine if struct.calcsize("P") == 8 else "32 bit"
    if name not in AUDIT_ARCH:
        raise NoWall(f"there is no table of system calls for {name}")
    return name


def _rlimits(order: dict[str, Any], stands: dict[str, str]) -> str:
    limits = order["limits"]
    cpu, memory, size = limits["cpu_seconds"], limits["memory_mb"] << 20, limits["file_mb"] << 20
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, size, size),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 64, 64),
        (resource.RLIMIT_NPROC, 0, 0),  # binds every user but root
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(kind, (soft, hard))
    return f"{cpu} s of processor, {limits['memory_mb']} MB, {limits['file_mb']} MB a file"


def _namespaces(order: dict[str, Any], stands: dict[str, str]) -> str:
    """Leave the network, mounts, names and messages of the machine behind."""
    parts = _NEW_NS | _NEW_IPC | _NEW_NET | _NEW_UTS | _NEW_CGROUP
    user, group = os.getuid(), os.getgid()
    if user == 0:
        _check(_libc.unshare(parts), "unshare")
        return "mount, network, ipc, uts, cgroup"
    _check(_libc.unshare(_NEW_USER | parts), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    return "user, mount, network, ipc, uts, cgroup"


def _scratch(order: dict[str, Any], stands: dict[str, str]) -> str:
    """Make a small file system in memory the whole of what this process can see; it ends with it."""
    if "namespaces" not in stands:
        raise NoWall("it needs a mount namespace")
    most = order["limits"]["file_mb"] * 4
    where = os.fsencode(order["mount"])
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    said = f"size={most}m,nr_inodes=256,mode=700,uid={NOBODY},gid={NOBODY}".encode()
    _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mount")
    _check(_libc.mount(b"lichen", where, b"tmpfs", flags, said), "mount")
    os.chroot(where)
    os.chdir("/")
    return f"{most} MB in memory, and no other file"


def _identity(order: dict[str, Any], stands: dict[str, str]) -> str:
    """Become nobody, without any capability."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)
    _call(CAPSET[_machine()], header, ctypes.create_string_buffer(24))
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    if 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid()):
        raise NoWall("this process is still root")
    return f"user {os.getuid()}, no capabilities"


def _dies_with_parent(parent: int) -> None:
    if parent:
        _check(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "prctl")
        if os.getppid() != parent:  # it died before this was set
            os._exit(0)


def _no_new_privs(order: dict[str, Any], stands: dict[str, str]) -> str:
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    return "no program that is run gains rights"


def _landlock(order: dict[str, Any], stands: dict[str, str]) -> str:
    """Allow files below the scratch folder only, no TCP, and no signal or abstract socket to the outside."""
    try:
        abi = _call(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    except OSError as error:
        raise NoWall(f"this kernel has none ({error.strerror})") from error
    handled = sum(rights for since, rights in _HANDLED.items() if abi >= since)
    network, scope = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", handled, network, scope)[:size])
    rules = _call(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if "scratch" in stands:
        folder = os.open("/", os.O_PATH | os.O_CLOEXEC)
        rights = (_IN_SCRATCH | _REFER | _TRUNCATE) & handled
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, folder), 12)
        _call(LANDLOCK_ADD_RULE, rules, 1, rule, 0)
        os.close(folder)
    _call(LANDLOCK_RESTRICT_SELF, rules, 0)
    os.close(rules)
    return f"ABI {abi}: files{', TCP' if network else ''}{', signals, abstract sockets' if scope else ''}"


def filter_program(machine: str, files: bool) -> bytes:
    """Return the seccomp program that allows the calls of the tables and refuses all others.

    Args:
        machine: `x86_64` or `aarch64`.
        files: Whether calls that name a path are among the allowed.

    A foreign architecture and the x32 calls end the process; calls newer than the tables say ENOSYS, so that
    a C library falls back; the rest say EPERM.
    """
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    allow, kill, refuse = 0x7FFF0000, 0x80000000, 0x00050000
    allowed = set(RUNNING[machine].values()) | (set(FILES[machine].values()) if files else set())
    steps = [
        (load, 0, 0, 4),
        (equal, 1, 0, AUDIT_ARCH[machine]),
        (answer, 0, 0, kill),
        (load, 0, 0, 0),
        (at_least, 0, 1, 0x40000000),
        (answer, 0, 0, kill),
    ]
    for number in sorted(allowed):
        steps += [(equal, 0, 1, number), (answer, 0, 0, allow)]
    steps += [
        (at_least, 0, 1, SHARED_FROM),
        (answer, 0, 0, refuse | errno.ENOSYS),
        (answer, 0, 0, refuse | errno.EPERM),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _seccomp(order: dict[str, Any], stands: dict[str, str]) -> str:
    machine = _machine()
    files = "scratch" in stands
    code = filter_program(machine, files)
    held = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("H6xQ", len(code) // 8, ctypes.addressof(held))
    _call(SECCOMP[machine], 1, 0, ctypes.create_string_buffer(head, len(head)))
    count = len(RUNNING[machine]) + (len(FILES[machine]) if files else 0)
    return f"{count} system calls allowed" + ("" if files else ", none that names a file")
