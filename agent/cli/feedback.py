"""`lichen memory feedback`: what a person says of an answer or an episode."""

from typing import Annotated

import typer

from ...envs.errors import UsageError
from .options import DEFAULT, Store, out


def feedback(
    episode: Annotated[str, typer.Argument(help="Id of the answer or the episode.")],
    good: Annotated[bool | None, typer.Option("--good/--bad", help="Whether it was right.")] = None,
    score: Annotated[
        float | None, typer.Option("--score", help="How right it was, from 0 to 1.")
    ] = None,
    correct: Annotated[
        str, typer.Option("--correct", help="What the answer should have been.")
    ] = "",
    note: Annotated[str, typer.Option("--note", help="Why, in words.")] = "",
    store: Store = None,
) -> None:
    """Say how an answer was: it is learned from now, and an earlier verdict is void."""
    from ...memory.memory import Memory

    if not episode.strip():
        raise UsageError("no episode was named")
    with Memory(store or DEFAULT) as memory:
        memory.feedback(episode, good=good, score=score, correct=correct, note=note)
        case = memory.store.whole(episode)
    said = f"it is a {case.outcome} now" if case is not None else "it has no steps to learn from"
    out(None).print(f"{episode}: {said}", markup=False)
