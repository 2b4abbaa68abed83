"""What works on this machine: packages, models, environments, and what to do about what does not."""

import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from ..envs.errors import LichenError
from ..envs.types import Record

PACKAGES = ("torch", "transformers", "langgraph", "openai", "chromadb", "sentence-transformers")


class Finding(Record):
    """One thing that was looked at."""

    what: str
    works: bool
    needed: bool
    """Whether the default run needs it."""
    says: str
    do: str = ""
    """What to do about it, when it does not work."""


def health(store: Path, *, quick: bool, trying: Callable[[str], None] = print) -> Iterator[Finding]:
    """Yield what was found, one thing after another.

    Args:
        store: Where the store is, or would be.
        quick: Only look at what is installed; start no model and no Java.
        trying: Told what is tried next, where that takes a while.
    """
    yield _python()
    yield from (_package(name) for name in PACKAGES)
    yield _disk(store)
    if quick:
        return
    checks: tuple[tuple[str, bool, Callable[[], str]], ...] = (
        ("model smollm2-135m", True, _model),
        ("embedder minilm", True, _embedder),
        ("environment twx", True, lambda: _environment("twx")),
        ("environment scienceworld", False, lambda: _environment("scienceworld")),
        ("environment alfworld", False, lambda: _environment("alfworld")),
        ("environment alfworld-mini", False, lambda: _environment("alfworld-mini")),
        ("environment support", False, lambda: _environment("support")),
    )
    for what, needed, check in checks:
        trying(what)
        yield _try(what, needed, check)


def _python() -> Finding:
    return Finding(what="Python", works=True, needed=True, says=platform.python_version())


def _package(name: str) -> Finding:
    try:
        return Finding(what=name, works=True, needed=True, says=installed(name))
    except PackageNotFoundError:
        return Finding(
            what=name,
            works=False,
            needed=True,
            says="not installed",
            do="make setup, or pip install lichen",
        )


def _disk(store: Path) -> Finding:
    near = next(path for path in (store.absolute(), *store.absolute().parents) if path.exists())
    free = shutil.disk_usage(near).free / 2**30
    return Finding(
        what="disk",
        works=free > 1,
        needed=True,
        says=f"{free:.1f} GiB free where the store is",
        do="" if free > 1 else "free some space, or choose another --store",
    )


def _try(what: str, needed: bool, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, works=True, needed=needed, says=check())
    except LichenError as error:
        return Finding(what=what, works=False, needed=needed, says=str(error), do=error.hint)
    except Exception as error:  # a broken installation can raise anything; the doctor names it
        return Finding(
            what=what,
            works=False,
            needed=needed,
            says=f"{type(error).__name__}: {error}",
            do="make setup, in a fresh clone",
        )


def _model() -> str:
    import asyncio

    from .llm.open_llm import open_llm

    async def ask() -> str:
        llm = open_llm("smollm2-135m")
        try:
            scores = await llm.choose("The sky is", [" blue", " a spoon"])
            return f"answers; fingerprint {(await llm.fingerprint())[:16]}, blue {scores[0]:.1f}"
        finally:
            await llm.close()

    return asyncio.run(ask())


def _embedder() -> str:
    from ..memory.likeness.embedder import PackagedEmbedder

    return f"{PackagedEmbedder().encode(['a coin']).shape[1]} dimensions"


def _environment(name: str) -> str:
    from ..envs.registry import make

    environment = make(name)
    try:
        tasks = environment.tasks("test", environment.families()[:1])
        seen = environment.reset(tasks[0].id)
        return f"{tasks[0].id}: {len(seen.admissible or ())} actions at the start"
    finally:
        environment.close()
