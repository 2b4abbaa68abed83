"""What an attack is to spare: canaries in the parent's world, and whether they still sing.

Only loopback addresses and files of a temporary folder are offered.
"""

import contextlib
import os
import resource
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ....skills.jail.errors import Denied
from ....skills.jail.types import JSON

VARIABLE = "LICHEN_CANARY"
_NOBODY = 65534
_GROWTH_MB = 96
"""Growth of the parent's largest size that an attack may cause."""


class Scene:
    """Canary file, variable, sockets and process; a context manager.

    Attributes:
        here: What an attack is told of them.
    """

    def __init__(self) -> None:
        self._token = f"canary-{secrets.token_hex(12)}"
        self._root = Path(tempfile.mkdtemp(prefix="lichen-scene-"))
        self._root.chmod(0o777)  # the walls have to hold where the file modes would not
        self._laid_out()
        self._before_variable = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self._token
        self._sockets = self._listening()
        self._victim = self._started()
        self._forbidden = 0
        self._signals = 0
        self._before_signal: Any = None
        if threading.current_thread() is threading.main_thread():
            self._before_signal = signal.signal(signal.SIGUSR1, self._signalled)
        self._state = self._seen()
        self._size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @property
    def here(self) -> dict[str, JSON]:
        """What is offered, by name."""
        tcp, udp, _, _ = self._sockets
        return {
            "folder": str(self._root),
            "secret": str(self._root / "secret"),
            "victim": str(self._root / "victim"),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": str(self._root / "unix"),
            "abstract": self._abstract,
            "pid": self._victim.pid,
            "parent": os.getpid(),
            "guesses": [self._root.name, "etc", "root", "proc", "usr"],
            "limits": list(resource.getrlimit(resource.RLIMIT_NOFILE)),
        }

    def serve(self, method: str, args: tuple[JSON, ...], kwargs: Mapping[str, JSON]) -> JSON:
        """Answer as an environment with two methods: `echo`, and `big`, which answers much.

        Raises:
            Denied: It is asked for another one, which the jail should never let through.
        """
        if method == "echo":
            return args[0] if args else None
        if method == "big":
            return "x" * 200_000
        self._forbidden += 1
        raise Denied(f"api.{method}")

    def hurt(self, told: str) -> str:
        """Return what has leaked since the last time, empty when nothing has.

        Args:
            told: All that came out of the jail as text.
        """
        found = []
        if self._token in told:
            found.append("the canary's text came out")
        if self._seen() != self._state:
            found.append("the canary folder was changed")
            self._laid_out()
            self._state = self._seen()
        ready = select.select(self._sockets, [], [], 0)[0]
        for part in ready:
            found.append("a canary socket was reached")
            with contextlib.suppress(OSError):
                part.accept()[0].close() if part.type == socket.SOCK_STREAM else part.recv(4096)
        if self._forbidden:
            found.append("the broker was asked for what was not declared")
            self._forbidden = 0
        if self._signals:
            found.append("the parent was signalled")
            self._signals = 0
        if self._victim.poll() is not None:
            found.append("the canary process was ended")
            self._victim = self._started()
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if size - self._size > _GROWTH_MB << 10:
            found.append(f"the parent grew by {(size - self._size) >> 10} MB")
        self._size = size
        return "; ".join(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in self._sockets:
            part.close()
        self._victim.kill()
        self._victim.wait()
        if self._before_signal is not None:
            signal.signal(signal.SIGUSR1, self._before_signal)
        if self._before_variable is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = self._before_variable
        shutil.rmtree(self._root)

    def _laid_out(self) -> None:
        """Lay out the canary files, and nothing besides them and the socket."""
        for path in self._root.iterdir():
            if path.name != "unix":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in ("secret", "victim"):
            (self._root / name).write_text(self._token, encoding="utf-8")
            (self._root / name).chmod(0o666)

    def _listening(self) -> tuple[socket.socket, socket.socket, socket.socket, socket.socket]:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        named, abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
        named.bind(str(self._root / "unix"))
        (self._root / "unix").chmod(0o777)
        self._abstract = f"lichen-{secrets.token_hex(8)}"
        abstract.bind(f"\0{self._abstract}")
        for part in (named, abstract):
            part.listen()
        return tcp, udp, named, abstract

    @staticmethod
    def _started() -> "subprocess.Popen[bytes]":
        """Start a process of the very user that jailed code becomes."""
        sleep = shutil.which("sleep") or "sleep"
        user = _NOBODY if os.getuid() == 0 else None
        return subprocess.Popen([sleep, "600"], user=user, cwd="/", stdout=subprocess.DEVNULL)

    def _signalled(self, number: int, frame: object) -> None:
        self._signals += 1

    def _seen(self) -> list[tuple[Any, ...]]:
        """Return all that can be changed in the folder."""
        found: list[tuple[Any, ...]] = []
        for path in sorted([self._root, *self._root.rglob("*")]):
            about = path.lstat()
            text = path.read_bytes() if path.is_file() else b""
            marks = tuple(os.listxattr(path)) if not path.is_symlink() else ()
            owner = (about.st_uid, about.st_gid, about.st_nlink, about.st_mtime_ns)
            found.append((str(path), about.st_mode, *owner, text, marks))
        return found
