"""The ASGI app: an agent behind HTTP, to be served by itself or mounted in an app of the user's own."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....envs.errors import MissingExtra
from ...agent import Agent

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from .gate import ServeLimits
    from .keys import KeyRing


def asgi_app(
    agent: Agent,
    *,
    keys: "KeyRing | Path | str | None" = None,
    limits: "ServeLimits | None" = None,
    name: str = "lichen",
    beside: "Mapping[str, ASGIApp] | None" = None,
) -> "FastAPI":
    """Return an ASGI app that serves an agent: chat completions of OpenAI's form, and REST over its memory.

    Mount it in an app of your own (`app.mount("/agent", asgi_app(agent, keys="keys.json"))`) or serve it by
    itself. The agent stays the caller's, who closes it.

    Args:
        agent: Opened.
        keys: Who may do what: a file of `lichen serve keys add`, or a `KeyRing`. None: only who comes from this
            machine by the name of localhost is served.
        limits: Size and rate of requests.
        name: Of the agent as a model.
        beside: Apps that are served below a path of theirs and ask for keys themselves, as the inspector does.

    Raises:
        MissingExtra: FastAPI is not installed (`pip install 'lichen[serve]'`).
        BadFile: The file of keys is none, or others can read it.
    """
    try:
        from fastapi import FastAPI
    except ImportError as error:
        raise MissingExtra("the HTTP server", "serve", "fastapi") from error
    from . import chat, rest_episodes, rest_memory, rest_skills, rest_state
    from .callers import Served
    from .faults import told_by
    from .gate import Gate, ServeLimits
    from .keys import KeyRing

    ring = KeyRing(Path(keys)) if isinstance(keys, str | Path) else keys
    app = FastAPI(
        title="Lichen",
        version=version("lichen"),
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.served = Served(agent, name)
    app.state.draining = False
    routers: Sequence[Any] = (chat, rest_episodes, rest_memory, rest_skills, rest_state)
    for room in routers:
        app.include_router(room.router)
    told_by(app)
    for path, other in (beside or {}).items():
        app.mount(path, other)
    app.add_middleware(
        Gate, keys=ring, limits=limits or ServeLimits(), own_keys=tuple(beside or ())
    )
    return app
