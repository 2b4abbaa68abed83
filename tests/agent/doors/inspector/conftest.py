"""A furnished store that is made once, and a real browser over its pages."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from filelock import FileLock

from lichen.agent.config import load_config
from lichen.agent.doors.inspector.chromium import browser, chromium_here, served
from lichen.agent.doors.inspector.inspector_app import inspector_app
from lichen.agent.doors.inspector.seen.inspected import Inspected, changing
from lichen.memory.likeness.embedder import open_embedder
from lichen.memory.store.store import Store

Open = Callable[..., Any]


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def planted() -> str:
    """Text that a page must show and not obey."""
    return str(_module("furnished").PLANTED)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once a run, whichever worker comes first."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "furnished" / "desk"
    with FileLock(shared / "furnished.lock"):
        if not (done := shared / "furnished.done").exists():
            shutil.rmtree(folder.parent, ignore_errors=True)
            _module("furnished").furnish(folder)
            done.touch()
    return folder


@pytest.fixture
def furnished(_made: Path, tmp_path: Path) -> Path:
    """A store of its own with something of everything."""
    return Path(shutil.copytree(_made, tmp_path / "desk"))


@pytest.fixture(scope="module")  # playwright's loop runs in this thread until it ends
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    if not chromium_here():
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with browser() as opened:
        yield opened


@pytest.fixture
def opened(chromium: Any) -> Iterator[Open]:
    """Open the pages over a store in the browser: signed in with a key that may edit, unless told otherwise."""
    with ExitStack() as held:

        def open_pages(folder: Path, *, edit: bool = True, path: str = "", **context: Any) -> Any:
            config = load_config(None, store=folder)
            embedder = open_embedder(config.embedder)
            change = None
            if edit:
                change = changing(held.enter_context(Store(folder, embedder=embedder)))
            inspected = Inspected(config, embedder, change, "say --edit")
            held.callback(inspected.close)
            app = inspector_app(inspected)
            address = held.enter_context(served(app))
            made = chromium.new_context(**context)
            made.set_default_timeout(10_000)
            held.callback(made.close)
            page = made.new_page()
            page.inspector, page.address = app, address
            if edit:
                page.goto(f"{address}/sign-in?key={app.state.sessions.one_time()}")
            page.goto(f"{address}/{path}")
            return page

        yield open_pages
