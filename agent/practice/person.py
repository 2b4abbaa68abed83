"""A person as the curriculum's chooser: the shortlist with reasons, and one line for an answer.

It knows nothing of terminals: what is read and where it is said are given, so a script can answer too.
"""

from collections.abc import Callable, Sequence

from .curriculum import GoalOffer


class Stopped(Exception):
    """The person wants no more iterations; what is finished stays."""


class Person:
    """Asks a person which goal is practised next.

    Args:
        read: Returns the next line with its end, "" when there are no more (`readline`).
        say: Shows one line.
    """

    def __init__(self, read: Callable[[], str], say: Callable[[str], None]) -> None:
        self._read, self._say = read, say

    async def __call__(self, prompt: str, offers: Sequence[GoalOffer]) -> int:
        """Return the number of the goal that the person chose, from 0.

        Raises:
            Stopped: The person said `q`, or there is nobody to answer any more.
        """
        for number, offer in enumerate(offers, 1):
            self._say(f"{number}. {offer.goal}  ({offer.why})")
        asked = f"a number from 1 to {len(offers)}, Enter for 1, or q to stop"
        self._say(f"Which next? Type {asked}.")
        while line := self._read():
            said = line.strip().lower()
            if said == "q":
                break
            if not said:
                return 0
            if said.isascii() and said.isdecimal() and 1 <= int(said) <= len(offers):
                return int(said) - 1
            self._say(f"{said[:40]!r} is no choice: type {asked}.")
        raise Stopped
