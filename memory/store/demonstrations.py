"""Demonstrations: episodes that somebody else solved, imported as cases and marked as such.

From an environment's gold trajectories, or from a JSONL file with one `Demonstration` a line.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from ...envs.base import Environment
from ...envs.errors import UsageError
from ...envs.tools import Call
from ...envs.types import Outcome, Record, Split
from ..ledger.content_id import content_id
from ..ledger.errors import BadDemonstration
from ..ledger.events import EpisodeEnded, EpisodeStarted, Origin, Stepped
from ..ledger.ledger import Entry
from ..ledger.records import EpisodeCase
from ..likeness.states import offered_by, state_of
from .store import Store

_log = logging.getLogger(__name__)

_LONGEST = 300
"""Steps of the longest gold trajectory that is imported whole."""


class DemonstratedStep(Record):
    """One step of a demonstration."""

    text: str
    """What was seen before the action."""
    inventory: str = ""
    action: str
    offered: tuple[str, ...] = ()
    """What could have been done, grounded (`go to cabinet`); empty when not known."""
    observation: str
    """What the environment answered."""
    score_before: float = Field(ge=0, le=1)
    score_after: float = Field(ge=0, le=1)
    goal: str | None = None
    """The goal at this step, where it changes during an episode; None: the task's."""
    call: Call | None = None
    """The action as the call of a tool; None where it is not known."""
    error: str = ""
    """Why it was refused."""
    request: bool = False
    """Whether the goal is a user's message in free words."""


class Demonstration(Record):
    """One line of a demonstrations file."""

    env: str
    family: str
    split: Split = "train"
    task_id: str
    goal: str
    steps: tuple[DemonstratedStep, ...] = Field(min_length=1)
    outcome: Outcome = "success"
    score: float = Field(ge=0, le=1)

    @property
    def actions(self) -> tuple[str, ...]:
        """What was done, in order."""
        return tuple(step.action for step in self.steps)


def from_gold(environment: Environment, task_ids: Sequence[str]) -> Iterator[Demonstration]:
    """Play the gold trajectory of each task and yield it as a demonstration.

    Raises:
        UsageError: A task has no gold trajectory.
    """
    cap = environment.max_steps
    environment.max_steps = max(cap, _LONGEST)  # the cap is for agents, not for demonstrations
    try:
        for task_id in task_ids:
            yield _play_gold(environment, task_id)
    finally:
        environment.max_steps = cap


def _play_gold(environment: Environment, task_id: str) -> Demonstration:
    seen = environment.reset(task_id)
    gold = environment.gold()
    if gold is None:
        raise UsageError(f"{task_id} has no gold trajectory to import")
    actions: list[str] = []
    steps: list[DemonstratedStep] = []
    best, first = seen.score, seen.goal
    for action in gold:
        known, before = state_of(seen, actions), seen
        call = environment.call(action)
        done = environment.step(action)
        seen = done.observation
        best = max(best, seen.score)
        steps.append(
            DemonstratedStep(
                text=known.text,
                inventory=known.inventory,
                action=action,
                offered=offered_by(before),
                observation=seen.text,
                score_before=before.score,
                score_after=seen.score,
                goal=known.goal if known.goal != first else None,
                call=call,
                error=done.error,
                request=known.request,
            )
        )
        actions.append(action)
        if done.terminated or done.truncated:
            break
    return Demonstration(
        env=seen.task.env,
        family=seen.task.family,
        split=seen.task.split,
        task_id=task_id,
        goal=first,
        steps=tuple(steps),
        outcome="success" if seen.won else "failure",
        score=seen.score if environment.measure == "score" else best,
    )


def read_jsonl(path: Path) -> list[Demonstration]:
    """Return the demonstrations of a file, all or none.

    Raises:
        BadDemonstration: The file is missing, or a line is not a demonstration (the line is named).
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDemonstration(f"{path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(Demonstration.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            if {"seq", "chain"} <= _names_in(line):
                raise BadDemonstration(
                    f"line {number} of {path} is a row of a ledger, not a demonstration",
                    hint="`lichen memory restore` takes an exported ledger; nothing was imported.",
                ) from error
            raise BadDemonstration(
                f"line {number} of {path} is not a demonstration: {where}: {first['msg']}"
            ) from error
    if not found:
        raise BadDemonstration(f"{path} holds no demonstration")
    return found


def _names_in(line: str) -> set[str]:
    try:
        return set(json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return set()


def import_demonstrations(
    store: Store, demonstrations: Iterable[Demonstration], *, run: str
) -> list[EpisodeCase]:
    """Write demonstrations to the ledger and return the new cases.

    A demonstration that is already there (same task, same actions) is not written again, and one that was
    forgotten is refused.
    """
    new: list[EpisodeCase] = []
    for shown in demonstrations:
        if store.forgot(shown.task_id, shown.actions):
            _log.warning("refused, because it was forgotten before: %s", shown.task_id)
            continue
        episode = "demo-" + content_id(shown.task_id, *shown.actions)
        store.append(list(_entries(shown, episode, run)))
        new.extend(store.absorb())
    return new


def _entries(shown: Demonstration, episode: str, run: str) -> Iterator[Entry]:
    started = EpisodeStarted(
        env=shown.env,
        family=shown.family,
        split=shown.split,
        task_id=shown.task_id,
        goal=shown.goal,
        source="demonstration",
    )
    origin: Origin = "demonstration"
    before = f"{episode}/start"
    yield Entry(before, run, episode, started, origin=origin)
    actions = [step.action for step in shown.steps]
    for number, step in enumerate(shown.steps):
        stepped = Stepped(
            step=number,
            goal=step.goal or shown.goal,
            text=step.text,
            inventory=step.inventory,
            recent=tuple(reversed(actions[max(0, number - 3) : number])),
            action=step.action,
            offered=step.offered,
            observation=step.observation,
            score_before=step.score_before,
            score_after=step.score_after,
            call=step.call,
            error=step.error,
            request=step.request,
        )
        key = f"{episode}/step-{number}"
        yield Entry(key, run, episode, stepped, origin=origin, parents=(before,))
        before = key
    ended = EpisodeEnded(outcome=shown.outcome, score=shown.score, steps=len(actions))
    yield Entry(f"{episode}/end", run, episode, ended, origin=origin, parents=(before,))
