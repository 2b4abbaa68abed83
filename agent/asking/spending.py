"""What requests cost: noted in the ledger, told with the answer, and held within the budgets."""

import time

from ...memory.ledger.cost_event import CostNoted
from ...memory.ledger.ledger import Entry
from ...memory.store.store import Store
from ..episode.limits import EpisodeLimits
from ..llm.prices import cost_of
from ..llm.protocol import Usage
from .answer import AnswerCost
from .budget import Budget, DaySpent, spent_on
from .opened import AskSettings


class Spending:
    """What the requests of one agent cost, and may cost.

    Args:
        store: Where it is noted.
        config: Budgets, and prices.
    """

    def __init__(self, store: Store, config: AskSettings) -> None:
        self._store, self._config = store, config
        self._day = DaySpent(store.ledger)

    @property
    def over(self) -> str:
        """Why nothing may be asked today any more; empty where it may."""
        name = self._left_today().used_up
        if not name:
            return ""
        limit = getattr(self._config.budget.day, name)
        return f"Nothing was done: today's budget of {limit:g} {name} is used up."

    def limits(self, episode: str, used: Usage) -> EpisodeLimits:
        """Return what a request may still cost; what it cost before it went on counts.

        Args:
            episode: Id of its answer.
            used: Counts what it uses from now on.
        """
        before = spent_on(self._store.ledger, episode)
        most = self._config.budget.ask.within(self._left_today().more(before))
        earlier = Usage(
            tokens_in=before.tokens_in, cached=before.cached, tokens_out=before.tokens_out
        )
        return EpisodeLimits(
            tokens=most.tokens,
            dollars=most.dollars,
            seconds=most.seconds,
            used=lambda: used.plus(earlier),
            cost=self._dollars,
            begun=time.monotonic() - before.seconds,
        )

    def note(self, episode: str, run: str, used: Usage, steps: int, seconds: float) -> AnswerCost:
        """Write down what a request cost since it went on last, and return it.

        Args:
            episode: Id of its answer.
            run: That it belongs to.
            used: Of the model.
            steps: Taken in all; those of earlier times are noted already.
            seconds: By the clock.
        """
        rows = self._store.rows_of(episode)
        before = [row.event for row in rows if isinstance(row.event, CostNoted)]
        spent = CostNoted(
            tokens_in=used.tokens_in,
            cached=used.cached,
            tokens_out=used.tokens_out,
            dollars=self._dollars(used),
            seconds=round(seconds, 3),
            steps=max(0, steps - sum(noted.steps for noted in before)),
        )
        self._store.append([Entry(f"{episode}/spent-{len(before)}", run, episode, spent)])
        self._day.add(spent)
        return _told(spent)

    def _dollars(self, used: Usage) -> float:
        return cost_of(used, self._config.model, self._config.prices)

    def _left_today(self) -> Budget:
        budget = self._config.budget
        return budget.day.less(self._day.today()) if budget.daily else Budget()


def cost_so_far(store: Store, episode: str) -> AnswerCost:
    """Return what a request cost, all the times that it went on; nothing where nothing was noted."""
    return _told(spent_on(store.ledger, episode))


def _told(spent: CostNoted) -> AnswerCost:
    return AnswerCost(**spent.model_dump(exclude={"version", "type"}))
