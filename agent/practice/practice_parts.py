"""What a practice is opened with: worlds with goals, who chooses among the goals, who writes code."""

from collections.abc import Sequence

from ...envs.base import Environment
from ...envs.errors import UsageError
from ...envs.registry import make
from ...envs.suite import Suite
from ..llm.protocol import FrozenLLM
from .answers import Answers
from .code_writer import ActionWriter
from .curriculum import Choose, GoalOffer

CALL_STEPS = 3000
"""Steps of a skill's call in practice; more fail it."""


def ground(suite: Suite, seed: int, *, hint: str) -> tuple[Environment, list[str]]:
    """Return the environment of a suite and the ids of the worlds to practise in.

    Args:
        suite: Of an environment with goals.
        seed: Of the order of the worlds.
        hint: What to do where it has none.

    Raises:
        UsageError: It has none.
    """

    environment = make(suite.env, **suite.env_options)
    environment.max_steps = suite.max_steps
    worlds = suite.task_ids("train", None, seed, environment)
    environment.reset(worlds[0])
    if not environment.goals():
        raise UsageError(f"{suite.env} names no goals to practise", hint=hint)
    return environment, worlds


def writing(llm: FrozenLLM | None, embedder: str) -> ActionWriter:
    """Return what writes code with a model.

    Args:
        llm: The model.
        embedder: Name of the embedder that finds answers again.

    Raises:
        UsageError: There is no model.
    """
    from ...memory.likeness.embedder import open_embedder

    if llm is None:
        raise UsageError("--write needs a model", hint="Leave out --no-llm.")
    return ActionWriter(llm, Answers(llm, open_embedder(embedder)))


def chooser(llm: FrozenLLM) -> Choose:
    """Return what chooses goals with a model."""

    async def choose(prompt: str, offers: Sequence[GoalOffer]) -> int:
        scores = await llm.choose(prompt, [offer.goal for offer in offers])
        return int(scores.argmax())

    return choose
