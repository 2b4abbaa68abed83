"""The stream: task families in a suite's order, each with decisions to learn from and decisions held out.

A decision is a state on a gold trajectory with the gold action. Knows no model and no arm.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ....envs.base import Environment
from ....envs.errors import UsageError
from ....envs.suite import Suite
from ....envs.types import Observation, Record, Split
from ....memory.ledger.records import State
from ....memory.likeness.states import state_of
from ....memory.store.demonstrations import Demonstration, from_gold
from ...acting.scoring_voice import act_prompt, recent_turns

LONGEST = 300
"""Steps of the longest gold trajectory that is played whole."""
SPREAD = 3
"""Held-out decisions are drawn from so many times as many decisions, so that they come from many games."""


class GoldDecision(Record):
    """One decision: what the policy sees, and what the expert did."""

    task_id: str
    family: str
    seen: Observation
    state: State
    """The same as memory sees it."""
    history: tuple[tuple[str, str], ...]
    """(action, answer) pairs of the expert so far, oldest first."""
    gold: str
    """One of the admissible actions."""

    @property
    def prompt(self) -> str:
        """What the policy asks the LLM where nothing was recalled; every arm but `memory` reads this text."""
        return act_prompt(self.state, (), recent_turns(self.history))

    @property
    def target(self) -> str:
        """The gold action as the policy offers it to the LLM."""
        return f" {self.gold}\n"


class StreamConfig(Record):
    """How much of a suite becomes the stream."""

    examples: int = Field(default=24, ge=1)
    """Most decisions to learn from in a family: whole games, at least one."""
    tasks: int = Field(default=24, ge=1)
    """Decisions held out in a family."""
    split: Split = "test"
    """Where the held-out decisions come from."""
    seed: int = Field(default=0, ge=0)
    """Which games are learned from; what is held out depends on the suite alone."""


@dataclass(frozen=True)
class Stream:
    """T families, in the order in which they are learned."""

    name: str
    env: str
    families: tuple[str, ...]
    learning: tuple[tuple[GoldDecision, ...], ...]
    """Decisions to learn from, by family."""
    shown: tuple[tuple[Demonstration, ...], ...]
    """The whole games that these decisions are of, by family."""
    held: tuple[tuple[GoldDecision, ...], ...]
    """Decisions to be evaluated on, by family, equally many each."""


def families_of(suite: Suite, environment: Environment) -> tuple[str, ...]:
    """Return the families of a suite in its order.

    Raises:
        UsageError: They are fewer than two: nothing could be forgotten.
    """
    families = suite.families or environment.families()
    if len(families) < 2:
        raise UsageError(
            f"suite {suite.name!r} has {len(families)} task family, and a stream needs at least 2",
            hint="Name more under `families` in the suite's file, or take the suite twx-stream.",
        )
    return families


def build_stream(suite: Suite, environment: Environment, config: StreamConfig) -> Stream:
    """Play the gold trajectories of a suite and return its stream.

    Args:
        suite: Its families are the stages, in its order.
        environment: Of the suite, opened.
        config: How much.

    Raises:
        UsageError: There are fewer than two families, a family has no gold trajectories, or too few decisions.
    """
    families = families_of(suite, environment)
    learning, shown, held = [], [], []
    for number, family in enumerate(families):
        alone = suite.model_copy(update={"families": (family,)})
        games: list[Demonstration] = []
        items: list[GoldDecision] = []
        for task_id in alone.task_ids("train", None, config.seed, environment):
            found = play(environment, task_id)
            if games and len(items) + len(found) > config.examples:
                break
            games += from_gold(environment, [task_id])
            items += found
        learning.append(tuple(items))
        shown.append(tuple(games))
        pool: list[GoldDecision] = []
        for task_id in _held_ids(alone, environment, config):
            pool += play(environment, task_id)
            if len(pool) >= SPREAD * config.tasks:
                break
        if len(pool) < config.tasks:
            raise UsageError(
                f"{family} has {len(pool)} {config.split} decisions, {config.tasks} were asked for",
                hint="Ask for fewer with --tasks.",
            )
        # what is held out must not change with the seed of the run: runs are compared on it
        rng = np.random.default_rng([suite.seed, number])
        rows = np.sort(rng.choice(len(pool), config.tasks, replace=False))
        held.append(tuple(pool[int(row)] for row in rows))
    return Stream(suite.name, suite.env, families, tuple(learning), tuple(shown), tuple(held))


def play(environment: Environment, task_id: str) -> list[GoldDecision]:
    """Play the gold trajectory of a task and return its decisions, those with a choice only.

    Raises:
        UsageError: The task has no gold trajectory.
    """
    cap = environment.max_steps
    environment.max_steps = max(cap, LONGEST)  # the cap is for agents, not for experts
    try:
        return list(_play(environment, task_id))
    finally:
        environment.max_steps = cap


def _play(environment: Environment, task_id: str) -> Iterator[GoldDecision]:
    seen = environment.reset(task_id)
    gold = environment.gold()
    if gold is None:
        raise UsageError(
            f"{task_id} has no gold trajectory to learn from",
            hint="Take a suite whose tasks have one, such as twx-stream.",
        )
    history: list[tuple[str, str]] = []
    for action in gold:
        offered = seen.admissible or ()
        if action in offered and len(offered) > 1:
            yield GoldDecision(
                task_id=task_id,
                family=seen.task.family,
                seen=seen,
                state=state_of(seen, [done for done, _ in history]),
                history=tuple(history),
                gold=action,
            )
        step = environment.step(action)
        seen = step.observation
        history.append((action, seen.text))
        if step.terminated or step.truncated:
            break


def _held_ids(suite: Suite, environment: Environment, config: StreamConfig) -> list[str]:
    """Return all held-out tasks of a suite of one family."""
    every = suite.model_copy(update={"eval_tasks": None})
    return every.task_ids(config.split, None, config.seed, environment)
