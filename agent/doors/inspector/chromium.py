"""A headless Chromium over the pages, served on this machine for as long as it is looked at."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ....envs.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_START = 20.0
"""Seconds that the server has to start in."""


def chromium_here() -> str:
    """Return the path of a Chromium; empty where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), "")


@contextmanager
def served(app: "ASGIApp") -> Iterator[str]:
    """Serve an app in a thread on a free port of the loopback; yield its address."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, name="lichen-pages", daemon=True)
    thread.start()
    until = time.monotonic() + _START
    while not server.started:
        if time.monotonic() > until or not thread.is_alive():
            raise UsageError("the pages could not be served on this machine")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(5)


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a headless Chromium (playwright's `Browser`).

    Raises:
        MissingExtra: Playwright is not installed.
        UsageError: There is no Chromium.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise MissingExtra("pictures of pages", "dev", "playwright") from error
    path = chromium_here()
    if not path:
        raise UsageError("there is no Chromium here", hint="`apt-get install chromium` brings one.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield opened
        finally:
            opened.close()
