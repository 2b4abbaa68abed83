"""Starts a child of some level, sends it its own code, and ends it again.

Knows how each level wraps the same child; what is said to a child that stands is in `supervise`.
"""

import contextlib
import functools
import importlib.resources
import json
import marshal
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from ...envs.types import Record
from .errors import JailUnavailable
from .inside import PARTS
from .types import MODULES, Level, Limits
from .wire import Ended, Wire

BUILDING = 20.0
"""Seconds that a child may take until its walls stand."""
IMAGE = "python:3.13-slim"
"""Docker image of a child; it has to be on the machine already."""

WALLS = ("rlimits", "namespaces", "scratch", "identity", "no_new_privs", "landlock", "seccomp")
"""All walls that a child can build itself, in the order of building."""

_INSIDE = (
    ("rlimits", "identity", "no_new_privs", "seccomp"),
    ("namespaces", "scratch", "landlock"),
)
_ORDERS: Mapping[Level, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "kernel": (
        ("rlimits", "identity", "no_new_privs", "landlock", "seccomp"),
        ("namespaces", "scratch"),
    ),
    "bubblewrap": _INSIDE,
    "docker": _INSIDE,
    "none": (("rlimits",), ()),
}
"""Walls that a level must have, and those that it takes where they can be had."""

_BOOT = """
import marshal, os, sys
def take(n):
    parts = []
    while n:
        part = os.read(0, min(n, 65536))
        if not part:
            os._exit(0)
        parts.append(part)
        n -= len(part)
    return b"".join(parts)
given = marshal.loads(take(int.from_bytes(take(4), "big")))
kind = type(sys)
package = sys.modules["inside"] = kind("inside")
package.__path__ = []
for name, code in given["parts"]:
    part = kind("inside." + name)
    part.__package__ = "inside"
    sys.modules["inside." + name] = part
    exec(code, part.__dict__)
part.main(given["order"])
"""


class Setting(Record):
    """How the children of a jail are made."""

    level: Level = "kernel"
    limits: Limits = Limits()
    modules: tuple[str, ...] = MODULES
    """Loaded before the walls close."""
    scratch: bool = True
    """Whether there may be a scratch folder; without one no file can be named at all."""
    missing: tuple[str, ...] = ()
    """Walls that are treated as if this machine had none of them."""
    probing: bool = False
    """Whether every wall is tried and none has to stand, to see which can."""


class Child:
    """One process, from its start to its end.

    Args:
        setting: How it is made.

    Attributes:
        wire: To talk with it.
        stands: Its walls by name, after `ready`.
        lacks: Why it has not the others that it tried.
        output: What it printed, after `end`.
        usage: Seconds of processor time, after `end`.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.stands: dict[str, str] = {}
        self.lacks: dict[str, str] = {}
        self._folder: str | None = None
        self._name = f"lichen-{os.getpid()}-{time.monotonic_ns()}"
        if setting.level == "none":
            self._folder = tempfile.mkdtemp(prefix="lichen-scratch-")
        try:
            self.process = subprocess.Popen(
                command(setting.level, self._name, setting.limits),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                close_fds=True,
                start_new_session=True,
                cwd=self._folder or "/",
                env=_environment(setting.level),
            )
        except BaseException:
            self._tidy()
            raise
        pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        inward, outward, printed = (pipe.fileno() for pipe in pipes if pipe is not None)
        deadline = time.monotonic() + BUILDING
        self.wire = Wire(inward, outward, printed, setting.limits, deadline)
        self.usage = 0.0
        self.output = ""

    def ready(self) -> None:
        """Send the child its code and wait until its walls stand.

        Raises:
            JailUnavailable: A wall cannot be built here.
            Ended: It died, or did not get ready in time.
        """
        self.wire.send(_payload(self.setting, os.getpid()))
        said = self.wire.receive()
        if "missing" in said:
            raise JailUnavailable(
                f"this machine has not every wall of the jail: {said['missing']}",
                hint="Name a weaker level yourself (bubblewrap, docker, none) or mend this layer; "
                "`lichen skills jail doctor` shows all.",
            )
        self.stands, self.lacks = dict(said["stands"]), dict(said["lacks"])

    def program(self, given: dict[str, Any]) -> None:
        """Send the one program that this child will run.

        Raises:
            Ended: It has gone.
        """
        self.wire.send(json.dumps(given, allow_nan=False, separators=(",", ":")).encode())

    def end(self, patience: float = 0.0) -> int:
        """End the child and all that it may have started, and return its exit code (negative: a signal).

        Args:
            patience: Seconds to wait for an end of its own first, so that the code is the child's own.
        """
        if self.process.returncode is None:
            until = time.monotonic() + patience
            while not self._reaped(os.WNOHANG) and time.monotonic() < until:
                time.sleep(0.002)
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self._reaped(0)
        if self.setting.level == "docker":
            subprocess.run(["docker", "kill", self._name], capture_output=True, check=False)
        if not self.process.stderr.closed:  # type: ignore[union-attr]
            self.output = self.wire.output()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self._tidy()
        return self.process.returncode or 0

    def _reaped(self, flags: int) -> bool:
        pid, status, used = os.wait4(self.process.pid, flags)
        if pid:
            self.process.returncode = os.waitstatus_to_exitcode(status)
            self.usage = used.ru_utime + used.ru_stime
        return bool(pid)

    def _tidy(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def command(level: Level, name: str, limits: Limits) -> list[str]:
    """Return the command line of a child.

    Args:
        level: What it is wrapped in.
        name: Of the container.
        limits: Memory, for the container.
    """
    flags = ["-P", "-s", "-S", "-B", "-X", "utf8", "-c", _BOOT]
    python = [getattr(sys, "_base_executable", "") or sys.executable, *flags]
    if level == "bubblewrap":
        folders = dict.fromkeys([sys.base_prefix, "/usr", "/lib", "/lib64"])
        bound = [part for folder in folders for part in ("--ro-bind-try", folder, folder)]
        return [
            *("bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"),
            *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "jail"),
            *("--clearenv", "--setenv", "PYTHONHASHSEED", "0", *bound, "--dev", "/dev"),
            *("--proc", "/proc", "--dir", "/scratch", "--remount-ro", "/", "--chdir", "/scratch"),
            *python,
        ]
    if level == "docker":
        return [
            *("docker", "run", "--rm", "-i", "--pull", "never", "--name", name),
            *("--network", "none", "--read-only", "--cap-drop", "ALL", "--pids-limit", "16"),
            *("--security-opt", "no-new-privileges", "--memory", f"{limits.memory_mb}m"),
            *("--user", "65534:65534", "--env", "PYTHONHASHSEED=0"),
            *("--tmpfs", "/scratch:size=4k,nr_inodes=4", IMAGE, "python"),
            *flags,
        ]
    return python


def _environment(level: Level) -> dict[str, str]:
    """Return what the started command sees; the child itself empties it."""
    if level in ("bubblewrap", "docker"):  # these look for themselves, and pass nothing on
        return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {"PYTHONHASHSEED": "0"}


@functools.cache
def _parts(compiled: bool) -> tuple[tuple[str, Any], ...]:
    """Return the child's code: compiled for the same interpreter, as text for another."""
    folder = importlib.resources.files(__package__) / "inside"
    found = [(name, (folder / f"{name}.py").read_text(encoding="utf-8")) for name in PARTS]
    if not compiled:
        return tuple(found)
    return tuple((name, compile(text, f"<jail {name}>", "exec")) for name, text in found)


def _payload(setting: Setting, parent: int) -> bytes:
    walls, optional = ((), WALLS) if setting.probing else _ORDERS[setting.level]
    wrapped = setting.level in ("bubblewrap", "docker")
    order = {
        "limits": setting.limits.model_dump(),
        "modules": list(setting.modules),
        "walls": list(walls),
        "optional": [name for name in optional if setting.scratch or name != "scratch"],
        "missing": list(setting.missing),
        "parent": 0 if wrapped else parent,
        "mount": "/scratch" if wrapped else tempfile.gettempdir(),
    }
    return marshal.dumps({"parts": _parts(not wrapped), "order": order})


def started(setting: Setting) -> Child:
    """Return a child whose walls stand.

    Raises:
        JailUnavailable: A wall cannot be built here, or the child dies while it builds them.
    """
    try:
        child = Child(setting)
    except OSError as error:
        raise JailUnavailable(f"a child of the jail cannot be started: {error}") from error
    try:
        child.ready()
    except Ended as error:
        child.end(patience=1.0)
        lines = child.output.strip().splitlines()
        said = lines[0 if setting.level == "docker" else -1][:300] if lines else ""
        text = f" ({said})" if said else ""
        raise JailUnavailable(
            f"a child of the jail ({setting.level}) did not get ready: {error}{text}"
        ) from error
    except BaseException:
        child.end()
        raise
    return child
