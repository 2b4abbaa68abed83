"""What one episode may cost: it is looked at before each decision, and time also while a model writes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ..llm.errors import BudgetSpent
from ..llm.protocol import Usage


@dataclass(frozen=True)
class EpisodeLimits:
    """EpisodeLimits of one episode; None: no limit."""

    tokens: int | None = None
    """Read and written."""
    dollars: float | None = None
    seconds: float | None = None
    used: Callable[[], Usage] = Usage
    """What the episode used so far."""
    cost: Callable[[Usage], float] = lambda used: 0.0
    """The same in dollars."""
    begun: float = field(default_factory=time.monotonic)

    @asynccontextmanager
    async def around(self, estimated: int = 0) -> AsyncIterator[None]:
        """Make a decision within what is left.

        Args:
            estimated: Tokens used so far, for servers that do not tell.

        Raises:
            BudgetSpent: Nothing is left.
        """
        used = self.used()
        tokens = max(used.tokens_in + used.tokens_out, estimated)
        if self.tokens is not None and tokens >= self.tokens:
            raise BudgetSpent(f"the budget of {self.tokens:,} tokens is used up ({tokens:,})")
        dollars = self.cost(used)
        if self.dollars is not None and dollars >= self.dollars:
            raise BudgetSpent(f"the budget of ${self.dollars:g} is used up (${dollars:.4f})")
        if self.seconds is None:
            yield
            return
        left = self.seconds - (time.monotonic() - self.begun)
        said = f"the budget of {self.seconds:g} seconds is used up"
        if left <= 0:
            raise BudgetSpent(said)
        try:
            async with asyncio.timeout(left):
                yield
        except TimeoutError as error:
            raise BudgetSpent(said) from error


NO_LIMITS = EpisodeLimits()
