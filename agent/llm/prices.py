"""What a model's tokens cost, by prices that the user sets; without them nothing is said of money."""

from collections.abc import Mapping

from pydantic import Field

from ...envs.types import Record
from .protocol import Usage


class Price(Record):
    """Dollars for a million tokens of one model."""

    input: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of a prompt's beginning that the server had in its cache; None: as `input`."""
    output: float = Field(ge=0)
    """Of thoughts too."""

    def cost(self, used: Usage) -> float:
        """Return what was used in dollars.

        >>> used = Usage(tokens_in=1000, cached=500, tokens_out=100)
        >>> round(Price(input=1, cached=0.1, output=2).cost(used), 6)
        0.00075
        """
        cached = self.input if self.cached is None else self.cached
        fresh = used.tokens_in - used.cached
        return (fresh * self.input + used.cached * cached + used.tokens_out * self.output) / 1e6


def cost_of(used: Usage, model: str, prices: Mapping[str, Price]) -> float:
    """Return what was used in dollars; 0 where the model has no price.

    Args:
        used: What is paid for.
        model: As in the settings; a price may name it with its scheme (`openai:NAME`) or without.
        prices: Of models, by name.
    """
    price = prices.get(model) or prices.get(model.partition(":")[2])
    return price.cost(used) if price else 0.0


def spent(used: Usage, model: str, prices: Mapping[str, Price]) -> str:
    """Return in words what was used: tokens, and dollars where the model has a price (see `cost_of`).

    >>> spent(Usage(tokens_in=1200, cached=800, tokens_out=30), "openai:m", {"m": Price(input=1, output=2)})
    '1,200 tokens read (800 from a cache), 30 written, $0.0013'
    """
    read = f"{used.tokens_in:,} tokens read"
    if used.cached:
        read += f" ({used.cached:,} from a cache)"
    wrote = f"{used.tokens_out:,} written"
    if used.reasoning:
        wrote += f" ({used.reasoning:,} of them thoughts)"
    cost = cost_of(used, model, prices)
    return ", ".join([read, wrote, *([f"${cost:.4f}"] if cost else [])])
