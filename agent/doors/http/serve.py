"""A server in this process: it listens, says where, and ends without losing what it has acknowledged."""

import ipaddress
import signal
import socket
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING

from ....envs.errors import MissingExtra, UsageError
from ...agent import Agent
from .app import asgi_app

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .gate import ServeLimits
    from .keys import KeyRing


def serve(
    agent: Agent,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    keys: "KeyRing | None" = None,
    limits: "ServeLimits | None" = None,
    name: str = "lichen",
    beside: "Mapping[str, ASGIApp] | None" = None,
    drain: float = 30.0,
    say: Callable[[str], None] = print,
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Serve an agent until SIGTERM or SIGINT, then finish what was begun.

    Args:
        agent: Opened; its owner closes it.
        host: Address; other than loopback only with keys.
        port: 0: a free one.
        keys: Who may do what; None: this machine, everything.
        limits: Size and rate of requests.
        name: Of the agent as a model.
        beside: See `asgi_app`.
        drain: Seconds that requests have to end in after SIGTERM; then they are cut off.
        say: Told the address, as `http://HOST:PORT`.
        ending: Called when the server is told to end.

    Raises:
        UsageError: The address is not this machine's own and there are no keys, or it is taken.
        MissingExtra: FastAPI or uvicorn is not installed.
    """
    if keys is None and not _loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere, so keys are needed",
            hint="`lichen serve keys add NAME` makes one.",
        )
    app = asgi_app(agent, keys=keys, limits=limits, name=name, beside=beside)

    def end() -> None:
        app.state.draining = True
        ending()

    serve_app(app, host=host, port=port, drain=drain, say=say, ending=end)


def serve_app(
    app: "ASGIApp",
    *,
    host: str,
    port: int,
    drain: float = 5.0,
    say: Callable[[str], None] = print,
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Serve an ASGI app until SIGTERM or SIGINT; arguments and errors are those of `serve`.

    Args:
        app: It.
        host: Address.
        port: 0: a free one.
        drain: Seconds that requests have to end in.
        say: Told the address, once it is listened on.
        ending: Called when the server is told to end.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtra("the HTTP server", "serve", "uvicorn") from error

    class Draining(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            ending()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=max(1, round(drain)),
    )
    with _listening(host, port) as listening:
        address, taken = listening.getsockname()[:2]
        say(f"http://{f'[{address}]' if ':' in address else address}:{taken}")
        before = signal.signal(signal.SIGTERM, _ended)
        try:
            Draining(config).run(sockets=[listening])  # it raises the signal again when all is done
        except _Terminated:
            return
        finally:
            signal.signal(signal.SIGTERM, before)


class _Terminated(Exception):
    """SIGTERM came, and everything that was begun is done."""


def _ended(sig: int, frame: FrameType | None) -> None:
    raise _Terminated


def _listening(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(found[0], socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(found[4])
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"{host}:{port} cannot be listened on: {said}") from error
    return listening


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
