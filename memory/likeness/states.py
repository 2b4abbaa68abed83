"""How memory sees an observation; one place, so that cases and queries are always made alike."""

from collections.abc import Sequence

from ...envs.types import Observation
from ..ledger.records import State
from .analogy import entities
from .grounding import ground
from .words import words

MOST_OFFERED = 64


def state_of(seen: Observation, actions: Sequence[str]) -> State:
    """Return the observation as memory sees it; the place is added where the text does not say it.

    Args:
        seen: What the agent sees now.
        actions: What it did so far, oldest first.
    """
    text = seen.text
    if seen.look and seen.look.strip() not in text:
        text = f"{seen.text}\n{seen.look}" if text.strip() else seen.look
    return State(
        goal=seen.goal,
        text=text,
        inventory=seen.inventory,
        recent=tuple(reversed(actions[-3:])),
        request=seen.request,
    )


def offered_by(seen: Observation) -> tuple[str, ...]:
    """Return what the observation offers to do, grounded, each once, at most MOST_OFFERED.

    Where there is more, actions that share words with the goal come first.
    """
    text = state_of(seen, ()).text
    found = list(dict.fromkeys(ground(action, text, seen.goal) for action in seen.admissible or ()))
    if len(found) > MOST_OFFERED:
        named = entities(seen.goal)
        found.sort(key=lambda action: (-len(named & set(words(action))), action))
    return tuple(sorted(found[:MOST_OFFERED]))
