"""How fast a model reads and writes on this machine, measured by asking it."""

import asyncio
import time
from collections.abc import Callable

from ...envs.types import Record
from .protocol import FrozenLLM
from .talking import TalkingLLM

READ = 30
"""Lines of the text that is read; some fifteen tokens each."""
WRITTEN = 48
"""Tokens that are asked for."""


class ModelSpeed(Record):
    """What one model did in one measurement."""

    name: str
    load_s: float
    """Seconds until it could answer."""
    read_per_s: float
    """Tokens of a prompt in a second."""
    write_per_s: float
    """Tokens of an answer in a second, a short prompt included."""
    can: tuple[str, ...]
    """What it was found to be able to do."""


def measure(name: str, opened: Callable[[], FrozenLLM]) -> ModelSpeed:
    """Return how fast a model is.

    Args:
        name: What the user called it.
        opened: Opens it; what that takes is part of the loading.

    Raises:
        LichenError: It cannot be opened, or does not answer.
    """
    return asyncio.run(_measure(name, opened))


async def _measure(name: str, opened: Callable[[], FrozenLLM]) -> ModelSpeed:
    start = time.perf_counter()
    llm = opened()
    try:
        await llm.complete("One", max_tokens=1)  # some load at the first call
        loaded = time.perf_counter() - start
        text = "\n".join(f"Line {n}: the lamp number {n * n} is on." for n in range(READ))
        before = llm.usage.copy()
        await llm.complete(text, max_tokens=1)
        read = llm.usage.minus(before)
        before = llm.usage.copy()
        await llm.complete("Count: one, two, three, four,", max_tokens=WRITTEN)
        wrote = llm.usage.minus(before)
        return ModelSpeed(
            name=name,
            load_s=loaded,
            read_per_s=read.tokens_in / read.seconds,
            write_per_s=wrote.tokens_out / wrote.seconds,
            can=await _abilities(llm),
        )
    finally:
        await llm.close()


async def _abilities(llm: FrozenLLM) -> tuple[str, ...]:
    await llm.choose("The sky is", [" blue", " green"])  # before it nothing is known of a server
    can = ("scores",) if llm.scores_choices else ()
    if isinstance(llm, TalkingLLM):
        found = (await llm.abilities()).model_dump()
        can = (*can, *(ability for ability, there in found.items() if there is True))
    return can
