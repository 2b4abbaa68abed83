"""What is known of each model's word, and of memory's: decisions of which the right action is known.

Folded from `ChannelsWeighed` events: those along a demonstration are right, those of own episodes are right as
far as something was gained from them on, and wrong where the episode was lost. They go with their episode when
it is forgotten.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..credit.channel_weights import ChannelWeights, KnownDecision, WeightPrior, fit
from ..ledger.events import ChannelsWeighed
from ..ledger.ledger import LedgerRow
from ..ledger.records import MemoryRecord
from .case_module import gains
from .ended_episode import EndedEpisode
from .module import MemoryModule

MOST_KEPT = 4000
"""Known decisions that are kept, the latest: older ones tell of a memory that was smaller."""
MOST_ODDS = 4.0
"""Most that a rarely taken action counts (1 / propensity is cut there)."""
LOST = 0.25
"""How much a step of a lost episode counts against its action: it need not have been the fault."""


class Weighing(NamedTuple):
    """A known decision, and when and of whom it is known."""

    env: str
    family: str
    llm: str
    learned: int
    step: int
    decision: KnownDecision


class ChannelModule(MemoryModule):
    """Holds the known decisions of every model and environment, and fits the weights of the channels."""

    name = "channels"
    folds = (ChannelsWeighed,)

    def __init__(self) -> None:
        self.known: list[Weighing] = []
        self._fitted: dict[tuple[WeightPrior, str, str, int | None], ChannelWeights] = {}

    def fold(self, row: LedgerRow) -> None:
        """Take what was weighed along a demonstration; an own episode's waits for its end."""
        event = row.event
        if isinstance(event, ChannelsWeighed) and row.origin == "demonstration":
            decision = KnownDecision(episode=row.episode, options=event.options, taken=event.taken)
            self._keep(
                [Weighing(event.env, event.family, event.llm, event.learned, event.step, decision)]
            )

    def derive(self, episode: EndedEpisode) -> Sequence[MemoryRecord]:
        """Take what was weighed in an own episode, now that its outcome is known; derives no records."""
        if episode.started.source == "own":
            self._keep(_own(episode))
        return ()

    def _keep(self, found: Iterable[Weighing]) -> None:
        self.known.extend(found)
        del self.known[: max(0, len(self.known) - MOST_KEPT)]
        self._fitted.clear()

    def weights(
        self,
        prior: WeightPrior,
        *,
        env: str,
        family: str,
        llm: str,
        first: int | None = None,
    ) -> ChannelWeights:
        """Return the weights for a model in an environment: the prior in a family of which nothing is known.

        Args:
            prior: Before any evidence.
            env: Name of the environment.
            family: Of the task; evidence of the environment's other families counts with its own.
            llm: The model's fingerprint; empty: no model is asked, and decisions with any model count.
            first: Only what was weighed when memory had learned at most so many episodes; None: all.
        """
        found = self.of(env=env, llm=llm, first=first)
        if not any(one.family == family for one in found):
            return prior.mean
        key = (prior, env, llm, first)
        if key not in self._fitted:
            decisions = [one.decision for one in found]
            self._fitted[key] = fit(prior, decisions, model=bool(llm))
        return self._fitted[key]

    def of(self, *, env: str, llm: str, first: int | None = None) -> list[Weighing]:
        """Return what is known of a model in an environment; see `weights`."""
        found = {
            # asked again with more in memory: the later answer counts
            (one.decision.episode, one.step): one
            for one in self.known
            if one.env == env
            and (not llm or one.llm == llm)
            and (first is None or one.learned <= first)
        }
        return list(found.values())

    def weighed(self, *, env: str, llm: str, learned: int) -> set[str]:
        """Return the demonstrations along which a model was asked when memory was as large."""
        return {
            one.decision.episode
            for one in self.known
            if (one.env, one.llm, one.learned) == (env, llm, learned)
        }

    def state(self) -> dict[str, Any]:
        """See `MemoryModule.state`."""
        return {"known": [[*one[:5], one.decision.model_dump()] for one in self.known]}

    def restore(self, state: dict[str, Any]) -> None:
        """See `MemoryModule.restore`."""
        self._fitted.clear()
        self.known = [
            Weighing(env, family, llm, learned, step, KnownDecision.model_validate(decision))
            for env, family, llm, learned, step, decision in state["known"]
        ]


def _own(episode: EndedEpisode) -> Iterator[Weighing]:
    """Yield the decisions of an own episode: right as far as they gained, wrong where it was lost."""
    taken = {event.step: i for i, (_, event) in enumerate(episode.steps)}
    gained = gains(
        [event.score_before for _, event in episode.steps],
        max(episode.steps[-1][1].score_after, episode.ended.score),
    )
    lost = episode.ended.outcome == "failure"
    for _, event in episode.of(ChannelsWeighed):
        row = taken.get(event.step)
        if row is None or len(event.options) < 2:
            continue
        gain = max(0.0, gained[row])
        wrong = lost and gain == 0.0
        weight = LOST if wrong else gain
        if weight == 0.0:
            continue
        odds = min(MOST_ODDS, 1.0 / max(event.propensity, 1e-6))
        decision = KnownDecision(
            episode=episode.id,
            options=event.options,
            taken=event.taken,
            weight=round(weight * odds, 6),
            wrong=wrong,
            demonstrated=False,
        )
        yield Weighing(event.env, event.family, event.llm, event.learned, event.step, decision)
