"""Attacks on processes: start others, reach others, outlive the run, take back rights."""

from ....skills.jail.types import End
from .attack import Attack


def _attack(
    name: str,
    tries: str,
    source: str,
    ends: tuple[End, ...] = ("returned", "raised"),
    errors: tuple[str, ...] = (),
) -> Attack:
    return Attack(
        name=name, theme="processes", tries=tries, source=source, ends=ends, errors=errors
    )


PROCESSES = (
    _attack(
        "fork",
        "fork once",
        """
def attack(api, here):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return leak("forked")
""",
    ),
    _attack(
        "fork-bomb",
        "fork as often as it goes (24 times at most)",
        """
def attack(api, here):
    made = []
    for _ in range(24):
        child = attempt(os.fork)
        if child == 0:
            os._exit(0)
        if not isinstance(child, OSError):
            made.append(child)
    for child in made:
        os.waitpid(child, 0)
    if made:
        return leak(f"{len(made)} forks")
""",
    ),
    _attack(
        "daemon",
        "leave a process behind that goes on after the run (1 s at most)",
        """
def attack(api, here):
    if os.fork() == 0:
        os.setsid()
        time.sleep(1)
        os._exit(0)
    return leak("a daemon was started")
""",
    ),
    _attack(
        "subprocess",
        "run a program",
        """
import subprocess
def attack(api, here):
    return leak(subprocess.run(["/bin/sh", "-c", "echo out"], capture_output=True).stdout)
""",
    ),
    _attack(
        "exec",
        "become another program, which writes outside",
        """
def attack(api, here):
    os.execv("/bin/sh", ["sh", "-c", f"echo evil > {here['folder']}/evil"])
""",
    ),
    _attack(
        "exec-from-memory",
        "execute a program that is only in memory",
        """
def attack(api, here):
    return reached(("memfd_create", b"x", 0))
""",
    ),
    _attack(
        "shell",
        "run a shell by the C library's system() and posix_spawn()",
        """
def attack(api, here):
    libc.system(f"echo evil > {here['folder']}/evil".encode())
    return any_done(lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0))
""",
    ),
    _attack(
        "threads",
        "start threads",
        """
import threading
def attack(api, here):
    threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    return leak("threads run")
""",
        errors=("RuntimeError: can't start new thread",),
    ),
    _attack(
        "clone3",
        "fork by the newest call",
        """
def attack(api, here):
    return reached(("clone3", 0, 0))
""",
    ),
    _attack(
        "kill-sibling",
        "end a process of the same user",
        """
def attack(api, here):
    return any_done(lambda: os.kill(here["pid"], 15))
""",
    ),
    _attack(
        "kill-parent",
        "signal the parent and the own group",
        """
import signal
def attack(api, here):
    return any_done(
        lambda: os.kill(here["parent"], signal.SIGUSR1),
        lambda: os.kill(os.getppid(), 0),
        lambda: os.kill(1, 0),
        lambda: os.killpg(0, 0),
    )
""",
    ),
    _attack(
        "signal-thread",
        "signal single threads of others, and by descriptor",
        """
def attack(api, here):
    return reached(("tgkill", here["pid"], here["pid"], 0), ("pidfd_open", here["pid"], 0))
""",
    ),
    _attack(
        "signal-by-descriptor-owner",
        "let a pipe's readiness signal the parent",
        """
import fcntl
def attack(api, here):
    inward, outward = wire(api)
    return any_done(
        lambda: fcntl.fcntl(inward, fcntl.F_SETOWN, here["pid"]),
        lambda: fcntl.fcntl(outward, fcntl.F_SETFL, os.O_NONBLOCK),
    )
""",
    ),
    _attack(
        "trace",
        "attach to a process of the same user as its debugger",
        """
def attack(api, here):
    return reached(("ptrace", 0x4206, here["pid"], 0, 0), ("kcmp", os.getpid(), here["pid"], 0, 0, 0))
""",
    ),
    _attack(
        "read-memory",
        "read another process's memory",
        """
def attack(api, here):
    found = any_done(
        lambda: open(f"/proc/{here['pid']}/mem", "rb"), lambda: open(f"/proc/{here['parent']}/maps").read()
    )
    return found or reached(("process_vm_readv", here["pid"], 0, 0, 0, 0, 0))
""",
    ),
    _attack(
        "steal-descriptor",
        "take a descriptor out of another process",
        """
def attack(api, here):
    return reached(("pidfd_getfd", -1, 0, 0))
""",
    ),
    _attack(
        "become-root",
        "become root again",
        """
def attack(api, here):
    if os.getuid() == 0 or os.geteuid() == 0:
        return leak("it is root")
    return any_done(lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]))
""",
    ),
    _attack(
        "raise-limits",
        "raise its own limits",
        """
import resource
def attack(api, here):
    return any_done(
        lambda: resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000)),
        lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40)),
        lambda: resource.setrlimit(resource.RLIMIT_NPROC, (100, 100)),
    )
""",
    ),
    _attack(
        "limits-of-others",
        "read and set the limits of another process",
        """
def attack(api, here):
    return reached(("prlimit64", here["pid"], 7, 0, 0), ("prlimit64", here["parent"], 7, 0, 0))
""",
    ),
    _attack(
        "outlive-parent",
        "undo that it dies with its parent, and become traceable",
        """
def attack(api, here):
    return reached(("prctl", 1, 0, 0, 0, 0), ("prctl", 4, 1, 0, 0, 0))
""",
    ),
    _attack(
        "priority",
        "set priorities and processors of itself and others",
        """
def attack(api, here):
    return any_done(
        lambda: os.setpriority(os.PRIO_PROCESS, here["pid"], 1),
        lambda: os.sched_setaffinity(0, {0}),
        lambda: os.sched_setaffinity(here["pid"], {0}),
    )
""",
    ),
    _attack(
        "leave-session",
        "leave the group of processes that is ended together",
        """
def attack(api, here):
    return any_done(lambda: os.setpgid(0, 0), lambda: os.setsid(), lambda: os.getsid(here["parent"]))
""",
    ),
)
"""On processes."""
