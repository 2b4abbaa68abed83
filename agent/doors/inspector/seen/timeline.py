"""One episode as it went: what was seen, recalled, chosen and by whom, called, answered, and judged."""

from typing import Any

from .....envs.types import Outcome, Record
from .....memory.credit.channel_weights import CHANNELS
from .....memory.forgetting.why import Read, Trust, Why, explain_all, trust
from .....memory.ledger.call_events import ApprovalGiven
from .....memory.ledger.cost_event import CostNoted
from .....memory.ledger.events import (
    EpisodeEnded,
    EpisodeStarted,
    Judged,
    Planned,
    SkillCalled,
    Stepped,
    SubtaskEnded,
)
from .....memory.ledger.feedback_event import Feedback
from .....memory.ledger.ledger import LedgerRow
from .....memory.store.store import Store
from ....acting.priors import prior_of
from ....palette import SPEAKER, Channel


class ChannelBar(Record):
    """How much one channel said for the action that was taken."""

    channel: Channel
    nats: float
    width: float
    """Of its bar, in [0, 1]."""


class CalledSkill(Record):
    """A skill that was called at a step."""

    skill: str
    arguments: dict[str, Any]
    outcome: Outcome
    reason: str
    steps: int
    within: str


class Moment(Record):
    """One step."""

    step: int
    at: float
    saw: str
    inventory: str
    thought: str
    action: str
    tool: str
    """Empty where no tool was called."""
    arguments: dict[str, Any]
    answer: str
    error: str
    skill: str
    """The skill that took the step."""
    subtask: str
    gained: float
    """Score after it less score before it."""
    kl: float | None
    bars: tuple[ChannelBar, ...]
    """By which channel it was chosen; none where there was no choice."""
    reads: tuple[Read, ...]
    skills: tuple[CalledSkill, ...]
    plan: tuple[str, ...]
    """What was planned before it."""
    subtasks: tuple[SubtaskEnded, ...]
    """What of the plan ended after it."""
    number: int
    """Of its row in the ledger."""


class Verdicts(Record):
    """How it ended, and what was said of it."""

    ended: EpisodeEnded | None
    judged: tuple[Judged, ...]
    feedback: tuple[Feedback, ...]
    approvals: tuple[ApprovalGiven, ...]
    costs: tuple[CostNoted, ...]


class Timeline(Record):
    """An episode, whole."""

    id: str
    run: str
    at: float
    started: EpisodeStarted
    moments: tuple[Moment, ...]
    verdicts: Verdicts
    trust: str
    """How far model and memory are trusted where it took place, in words; empty where nothing is known."""
    rules: tuple[str, ...]
    """Of the playbook, that the model read before its first step."""
    events: int


def timeline(store: Store, episode: str) -> Timeline | None:
    """Return an episode as the ledger has it; None where none of this id began, or it was forgotten."""
    rows = [row for row in store.rows_of(episode) if row.event is not None]
    first = next((row for row in rows if isinstance(row.event, EpisodeStarted)), None)
    if first is None or not isinstance(first.event, EpisodeStarted):
        return None
    whys = {why.step: why for why in explain_all(store, episode)}
    known = trust(store, episode, prior_of)
    weights = dict(zip(CHANNELS, known.weights.vector, strict=True)) if known is not None else {}
    return Timeline(
        id=episode,
        run=first.run,
        at=first.at,
        started=first.event,
        moments=_moments(rows, whys, weights),
        verdicts=_verdicts(rows),
        trust=_trusted(known),
        rules=known.rules if known is not None else (),
        events=len(rows),
    )


def _moments(
    rows: list[LedgerRow], whys: dict[int, Why], weights: dict[str, float]
) -> tuple[Moment, ...]:
    found: list[Moment] = []
    skills: list[CalledSkill] = []
    plan: tuple[str, ...] = ()
    for row in rows:
        event = row.event
        match event:
            case Planned():
                plan = event.subtasks
            case SkillCalled():
                use = CalledSkill(
                    skill=event.skill,
                    arguments=event.arguments,
                    outcome=event.outcome,
                    reason=event.reason,
                    steps=event.steps,
                    within=event.within,
                )
                if found and event.steps:  # written after the steps that it took
                    found[-1] = found[-1].model_copy(update={"skills": (*found[-1].skills, use)})
                else:
                    skills.append(use)
            case SubtaskEnded() if found:
                ended = (*found[-1].subtasks, event)
                found[-1] = found[-1].model_copy(update={"subtasks": ended})
            case Stepped():
                found.append(_moment(row, event, whys.get(event.step), weights, skills, plan))
                skills, plan = [], ()
    return tuple(found)


def _moment(
    row: LedgerRow,
    event: Stepped,
    why: Why | None,
    weights: dict[str, float],
    skills: list[CalledSkill],
    plan: tuple[str, ...],
) -> Moment:
    return Moment(
        step=event.step,
        at=row.at,
        saw=event.text,
        inventory=event.inventory,
        thought=event.thought,
        action=event.action,
        tool=event.call.tool if event.call is not None else "",
        arguments=dict(event.call.arguments) if event.call is not None else {},
        answer=event.observation,
        error=event.error,
        skill=event.skill,
        subtask=event.subtask if event.subtask != event.goal else "",
        gained=event.score_after - event.score_before,
        kl=event.kl,
        bars=_bars(why.said if why is not None else None, weights),
        reads=why.reads if why is not None else (),
        skills=tuple(skills),
        plan=plan,
        subtasks=(),
        number=row.seq,
    )


def _bars(said: dict[str, float] | None, weights: dict[str, float]) -> tuple[ChannelBar, ...]:
    if said is None:
        return ()
    nats: dict[Channel, float] = {}
    for term, value in said.items():
        channel = SPEAKER[term]
        nats[channel] = nats.get(channel, 0.0) + weights.get(term, 0.0) * value
    most = max(map(abs, nats.values()), default=0.0) or 1.0
    return tuple(
        ChannelBar(channel=channel, nats=value, width=abs(value) / most)
        for channel, value in nats.items()
    )


def _verdicts(rows: list[LedgerRow]) -> Verdicts:
    events = [row.event for row in rows]
    return Verdicts(
        ended=next((event for event in events if isinstance(event, EpisodeEnded)), None),
        judged=tuple(event for event in events if isinstance(event, Judged)),
        feedback=tuple(event for event in events if isinstance(event, Feedback)),
        approvals=tuple(event for event in events if isinstance(event, ApprovalGiven)),
        costs=tuple(event for event in events if isinstance(event, CostNoted)),
    )


def _trusted(known: Trust | None) -> str:
    if known is None or not known.weights.known:
        return ""
    w = known.weights
    if not known.model:
        return f"Of {w.known} known decisions here memory alone was right in {w.right_with_memory}."
    return (
        f"Of {w.known} known decisions here the first choice of {known.model} was right in {w.right}, "
        f"the policy with memory in {w.right_with_memory}."
    )
