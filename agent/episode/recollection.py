"""What one step of an episode recalled, as it flows from the node that made it to those behind."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...envs.types import Observation
from ...memory.ledger.records import Hits
from ...memory.told.remembered import NOTHING_REMEMBERED, Remembered
from ..acting.situation import Favour
from ..skill_actions.skill_set import Offered
from ..skill_actions.skill_tools import tool_of

NO_HITS = Hits(hits=(), considered=0, abstained=True)


@dataclass(frozen=True)
class Recollection:
    """What was recalled at one step."""

    seen: Observation
    candidates: tuple[str, ...]
    """Calls to choose among, where the environment takes any call."""
    hits: Hits
    """The step cases that are shown, and those held out."""
    warned: Mapping[str, str]
    """Actions that tool memory knows to fail, each with the reason."""
    skills: Offered
    """Calls of skills that the policy may choose."""
    remembered: Remembered = NOTHING_REMEMBERED
    """Of the whole task, where a conversation begins with it."""

    @property
    def favoured(self) -> dict[str, Favour]:
        """The calls of skills as the policy weighs them."""
        return {
            action: Favour(offer.first, offer.favour, tool_of(offer.offered), offer.arguments)
            for action, offer in self.skills.calls.items()
        }
