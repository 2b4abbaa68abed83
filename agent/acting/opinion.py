"""What a frozen model says of one decision, whichever way it was asked.

A model that scores says a log-probability of every action; a model that talks names one. The policy takes
either, and weighs it by what is known of the model (see `memory.credit.channel_weights`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ..llm.talking import OnText, Turn

if TYPE_CHECKING:
    from .situation import Situation

Way = Literal["scores", "tool", "number", "text"]


@dataclass(frozen=True)
class Opinion:
    """A model's opinion of one decision."""

    way: Way = "scores"
    """How it was asked: scores of all actions, a native tool call, a numbered choice, free text."""
    named: str = ""
    """Its first choice as an action; empty where it named none that can be done."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Log-probabilities in nats of the actions that it scored; empty where it only named one."""
    match: str = ""
    """How free text became `named`: `exact`, or `nearest 0.87`; empty where nothing was matched."""
    talk: tuple[Turn, ...] = ()
    """The whole conversation up to and with the model's answer; empty for a model that scores."""


SILENT_OPINION = Opinion()
"""Of a model that was not asked, or had nothing to say."""


class Voice(Protocol):
    """Asks one frozen model for its opinions, in one way. It keeps nothing of one call for the next."""

    def hear(self, on_text: OnText) -> None:
        """Tell this of a model's words as it writes them, from now on; of scores there is nothing to tell."""
        ...

    async def opinion(self, at: "Situation", talk: Sequence[Turn] = ()) -> Opinion:
        """Return the model's opinion of a decision.

        Args:
            at: The decision. Its admissible actions are what a model chooses among; where there are none, it
                writes a call of a tool.
            talk: The conversation so far, as the last opinion of this episode left it; empty: it is built
                from the history (at the first step, after a resume).

        Raises:
            LLMUnavailable: The model did not answer (LLMNonsense: not in a usable way).
        """
        ...
