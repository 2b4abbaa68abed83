"""Why the agent did what it did: for every considered item similarity, utility, propensity, trust, origin.

Reads only. The utility is what is known now, with its interval, and what the held-out episodes did beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...envs.types import Record
from ..credit.channel_weights import CHANNELS, ChannelWeights, WeightPrior
from ..credit.credit import Uplift
from ..kinds.channel_module import ChannelModule
from ..kinds.playbook_module import PlaybookModule
from ..ledger.errors import UnknownCase
from ..ledger.events import ChannelsWeighed, EpisodeStarted, Recalled, RunStarted, Stepped
from ..ledger.ledger import LedgerRow
from ..ledger.records import StepCase
from ..store.store import Store
from .shown_to import mean_score


class HeldOut(Record):
    """How episodes ended that were shown an item, and those from which it was held out at random."""

    shown: int
    shown_score: float | None
    """Mean score, None when there is none."""
    held: int
    held_score: float | None


class Considered(Record):
    """One item that a read found."""

    case: str
    similarity: float | None
    """None for an item that was held out."""
    propensity: float
    """Probability with which it was to be shown."""
    shown: bool
    reason: str
    """Why it was shown or not, in words."""
    gain: float | None
    """Of a step case; None for others, or when it is not in memory any more."""
    trust: str
    """Trust state now; `gone` when it is not in memory any more."""
    source: str
    """Own experience or demonstration."""
    task_id: str
    """Where it comes from."""
    action: str
    uplift: Uplift
    """What showing its episode adds to the score, as far as is known now."""
    outcomes: HeldOut


class Read(Record):
    """One read: by the policy at a step, or by the planner before a plan."""

    step: int
    grain: str
    considered: int
    abstained: bool
    items: tuple[Considered, ...]


class Why(Record):
    """What stood behind one action."""

    episode: str
    step: int
    goal: str
    text: str
    action: str
    error: str
    kl: float | None
    reads: tuple[Read, ...]
    said: dict[str, float] | None = None
    """What each channel said of the action (see `credit.channel_weights`); None where there was no choice."""


class Trust(NamedTuple):
    """How far model and memory are trusted in the environment of an episode, as far as is known now."""

    env: str
    model: str
    """As the settings named it; empty where none was asked."""
    weights: ChannelWeights
    rules: tuple[str, ...] = ()
    """Of the playbook, that the model read before its first step, as they were said then."""


def explain(store: Store, run: str, step: int) -> Why:
    """Return what was recalled, seen and done at a step.

    Args:
        store: Where the episode was recorded.
        run: Id of an episode or a run, or the beginning of one that has the step.
        step: From 0.

    Raises:
        UnknownCase: No recorded episode has this step.
    """
    for found in explain_all(store, run):
        if found.step == step:
            return found
    raise UnknownCase(f"no recorded episode or run {run!r} has a step {step}")


def explain_all(store: Store, run: str) -> Iterator[Why]:
    """Yield what stood behind every action of an episode, or of all episodes of a run.

    Args:
        store: Where it was recorded.
        run: Id of an episode or a run, or the beginning of one.
    """
    if not run:
        return
    outcomes = _outcomes(store)
    reads: list[Recalled] = []
    said: dict[int, dict[str, float]] = {}
    episode = family = ""
    for row in _of(store, run):
        if row.episode != episode:
            episode, reads, said, family = row.episode, [], {}, ""
        if isinstance(row.event, EpisodeStarted):
            family = row.event.family
        elif isinstance(row.event, Recalled):
            reads.append(row.event)
        elif isinstance(row.event, ChannelsWeighed):
            taken = row.event.options[row.event.taken][1:]
            said[row.event.step] = dict(zip(CHANNELS, taken, strict=True))
        elif isinstance(row.event, Stepped):
            event = row.event
            yield Why(
                episode=row.episode,
                step=event.step,
                goal=event.goal,
                text=event.text,
                action=event.action,
                error=event.error,
                kl=event.kl,
                reads=tuple(
                    _read(store, read, outcomes, family)
                    for read in reads
                    if read.step == event.step
                ),
                said=said.get(event.step),
            )
            reads = []


def trust(store: Store, episode: str, prior_of: Callable[[str], WeightPrior]) -> Trust | None:
    """Return how far model and memory are trusted where an episode took place; None if it is not recorded.

    Args:
        store: Where it was recorded.
        episode: Its id.
        prior_of: The prior of a model by its name; of the empty name: of none.
    """
    begun = next(
        (row for row in store.rows_of(episode) if isinstance(row.event, EpisodeStarted)), None
    )
    if begun is None or not isinstance(begun.event, EpisodeStarted):
        return None
    runs = (
        row.event for row in store.ledger.read(run=begun.run, episode="", types=("run_started",))
    )
    run = next((event for event in runs if isinstance(event, RunStarted)), None)
    model = str(run.config.get("model", "")) if run is not None and begun.event.llm else ""
    weights = store.module(ChannelModule).weights(
        prior_of(model), env=begun.event.env, family=begun.event.family, llm=begun.event.llm
    )
    return Trust(begun.event.env, model, weights, _rules(store, begun, begun.event.bullets))


def _rules(store: Store, begun: LedgerRow, read: Sequence[str]) -> tuple[str, ...]:
    """Return what bullets said when an episode began; those that are forgotten since are left out."""
    then = PlaybookModule()
    for row in store.ledger.read(until=begun.seq, types=("bullet_written",)) if read else ():
        then.fold(row)
    return tuple(then.bullets[name].text for name in read if name in then.bullets)


def _of(store: Store, run: str) -> Iterator[LedgerRow]:
    """Yield the rows of a run, or of the first episode whose id begins so."""
    whole = list(store.rows_of(run))
    if whole:  # an episode by its whole id: the others need not be read
        yield from whole
        return
    for row in store.ledger.read():
        if row.episode and (row.episode.startswith(run) or row.run.startswith(run)):
            yield row


def _outcomes(store: Store) -> dict[str, HeldOut]:
    shown: dict[str, list[float]] = {}
    held: dict[str, list[float]] = {}
    for found in store.fold.observed:
        for exposure in found.exposures:
            if exposure.propensity < 1.0:
                into = shown if exposure.exposed else held
                into.setdefault(exposure.item, []).append(found.outcome)

    return {
        item: HeldOut(
            shown=len(shown.get(item, [])),
            shown_score=mean_score(shown.get(item, [])),
            held=len(held.get(item, [])),
            held_score=mean_score(held.get(item, [])),
        )
        for item in shown.keys() | held.keys()
    }


_NONE = HeldOut(shown=0, shown_score=None, held=0, held_score=None)


def _read(store: Store, read: Recalled, outcomes: Mapping[str, HeldOut], family: str) -> Read:
    items = []
    for item in read.items:
        case = store.held.find(item.case)
        whole = store.whole(case.episode) if case is not None else None
        items.append(
            Considered(
                case=item.case,
                similarity=item.similarity,
                propensity=item.propensity,
                shown=item.exposed,
                reason=_reason(item.exposed, item.propensity),
                gain=case.gain if isinstance(case, StepCase) else None,
                trust=store.trust(case) if case is not None else "gone",
                source=whole.source if whole is not None else "gone",
                task_id=whole.task_id if whole is not None else "",
                action=case.action if isinstance(case, StepCase) else "",
                uplift=store.credit.uplift(case.episode if case is not None else "", family),
                outcomes=outcomes.get(case.episode, _NONE) if case is not None else _NONE,
            )
        )
    return Read(
        step=read.step,
        grain=read.grain,
        considered=read.considered,
        abstained=read.abstained,
        items=tuple(items),
    )


def _reason(shown: bool, chance: float) -> str:
    if chance >= 1.0:
        return "above the gate"
    if chance <= 0.0:
        return "below the gate"
    if chance < 0.5:
        return "below the gate, within the exploration budget" if shown else "below the gate"
    return "above the gate" if shown else "held out at random"
