"""One case with all that belongs to it: where it is from, what became of it, and whom it helped."""

from typing import Any, NamedTuple

from .....memory.forgetting.shown_to import ShownEffect, effect
from .....memory.kinds.edited import editable
from .....memory.kinds.tool_module import ToolModule
from .....memory.ledger.curation_events import CaseEdited, FieldChange, Pinned, Quarantined
from .....memory.ledger.events import Event, Reverified, Stepped
from .....memory.ledger.feedback_event import Feedback
from .....memory.ledger.records import EpisodeCase, MemoryRecord, StepCase, SubtaskCase, Trust
from .....memory.store.store import Store
from .memory_list import GRAINS
from .memory_map import MapPoint, neighbours


class SourceRow(NamedTuple):
    """A row of the ledger that a case was derived from."""

    seq: int
    at: float
    type: str
    step: int | None
    """Of an episode's step: its number."""


class HandLine(NamedTuple):
    """What somebody did with it after it was learned."""

    seq: int
    at: float
    actor: str
    what: str
    reason: str
    changes: tuple[FieldChange, ...] = ()


class CaseView(NamedTuple):
    """One case, for its page."""

    case: MemoryRecord
    grain: str
    title: str
    trust: Trust
    pinned: bool
    apart: str | None
    """Why a person quarantined it; None: nobody did."""
    facts: list[tuple[str, Any]]
    """Its other fields, by name."""
    texts: dict[str, str]
    """What can be edited."""
    rows: list[SourceRow]
    hand: list[HandLine]
    replayed: Reverified | None
    """Its last replay under the contracts of then."""
    whole: EpisodeCase | None
    steps: list[StepCase]
    subtasks: list[SubtaskCase]
    effect: ShownEffect
    near: list[MapPoint]


_SHOWN_ELSEWHERE = {"id", "events", "edited", "episode"}


def view_of(store: Store, case: MemoryRecord, spaces: list[str]) -> CaseView:
    """Return a case with what belongs to it.

    Args:
        store: Where it is held.
        case: Of any grain.
        spaces: Namespaces whose cases may stand on the map; none: it is not drawn.
    """
    texts = editable(case)
    rows = [row for row in store.rows_of(case.episode) if row.seq <= store.fold.seq]
    told = set(getattr(case, "events", ()))
    hand = [
        line
        for row in rows
        if row.event is not None
        and (line := _by_hand(row.seq, row.at, row.actor, row.event, case.id)) is not None
    ]
    held = store.held.of_episode
    return CaseView(
        case=case,
        grain=next((name for name, kind in GRAINS.items() if type(case) is kind), ""),
        title=title_of(case),
        trust=store.trust(case),
        pinned=case.episode in store.pinned,
        apart=store.set_apart.get(case.episode),
        facts=[
            (name, "\n".join(value) if _are_texts(value) else value)
            for name, value in case.model_dump(mode="json").items()
            if name not in texts and name not in _SHOWN_ELSEWHERE and value not in ("", [], None)
        ],
        texts=texts,
        rows=[
            SourceRow(
                row.seq,
                row.at,
                row.event.type,
                row.event.step if isinstance(row.event, Stepped) else None,
            )
            for row in rows
            if row.key in told and row.event is not None
        ],
        hand=hand,
        replayed=next(
            (
                module.contracts.replayed.get(case.episode)
                for module in store.fold.modules
                if isinstance(module, ToolModule)
            ),
            None,
        ),
        whole=store.whole(case.episode),
        steps=sorted(held(StepCase, case.episode), key=lambda one: one.index),
        subtasks=held(SubtaskCase, case.episode),
        effect=effect(store, case.episode),
        near=neighbours(store, case, spaces) if spaces else [],
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def title_of(case: MemoryRecord) -> str:
    """Return what a case is about, in its own words."""
    if isinstance(case, EpisodeCase):
        return case.goal
    if isinstance(case, StepCase):
        return case.action
    text = getattr(case, "text", "")
    return str(text) or case.id


def _by_hand(seq: int, at: float, actor: str, event: Event, case: str) -> HandLine | None:
    match event:
        case CaseEdited():
            what = "edited" if event.target == case else "another case of the episode was edited"
            return HandLine(seq, at, actor, what, event.reason, event.changes)
        case Pinned():
            return HandLine(seq, at, actor, "pinned" if event.on else "unpinned", event.reason)
        case Quarantined():
            what = "quarantined" if event.on else "released"
            return HandLine(seq, at, actor, what, event.reason)
        case Feedback():
            what = f"judged: score {event.score:.2f}"
            said = event.note or (f"right would be: {event.correct}" if event.correct else "")
            return HandLine(seq, at, actor, what, said)
    return None
