"""Working memory of one episode: what was tried where, what came of it, and the map this makes.

It lives as long as the episode, is rebuilt from the actions on resume, and feeds repetition control and
exploration. All arms of an evaluation have it, with or without long-term memory.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...envs.types import Observation
from ...memory.likeness.analogy import FILLER
from ...memory.likeness.words import words

FAR = 0.8
"""Discount per step on the way to a place that is not explored yet."""


class WorkingMemory:
    """Counts of actions by place, and the graph of places seen in this episode (cf. Go-Explore).

    Args:
        calls: Actions are calls of tools: there are no places, and a call counts as repeated under one goal.
    """

    def __init__(self, *, calls: bool = False) -> None:
        self._calls = calls
        self.tried: Counter[tuple[str, str]] = Counter()
        self.leads: defaultdict[str, dict[str, str]] = defaultdict(dict)
        """Place -> action -> place it led to (also itself)."""
        self.offered: dict[str, tuple[str, ...]] = {}
        """Place -> the actions it offered when last seen."""
        self.last: dict[str, Observation] = {}
        """Place -> what was seen there last."""
        self._movers: Counter[str] = Counter()
        self._named: dict[str, str] = {}

    def begin(self, seen: Observation) -> None:
        """Note the place where the episode begins."""
        self._see(seen)

    def note(self, before: Observation, action: str, after: Observation) -> None:
        """Note one step."""
        here, there = place(before), place(after)
        self.tried[self._moment(before), action] += 1
        if self._calls:
            return
        if here == there and before.look != after.look:  # what was shut may be open now
            self.leads[here] = {a: to for a, to in self.leads[here].items() if to != here}
        self.leads[here][action] = there
        if here != there:
            self._movers[_verb(action)] += 1
            if _names(action, there):
                self._named[action] = there
        self._see(after)

    def _see(self, seen: Observation) -> None:
        here = place(seen)
        self.offered[here] = seen.admissible or ()
        self.last[here] = seen

    def repetitions(self, seen: Observation, actions: Sequence[str]) -> NDArray[np.float64]:
        """Return how often each action was tried in this very situation (place, view, things carried).

        Returns:
            Shape (n,), in tries.
        """
        here = self._moment(seen)
        return np.array([float(self.tried[here, action]) for action in actions])

    def _moment(self, seen: Observation) -> str:
        return seen.goal if self._calls else moment(seen)

    def destination(self, here: str, action: str) -> str | None:
        """Return where an action leads from a place, None when that is not known yet."""
        return self.leads[here].get(action) or self._named.get(action)

    def novelty(self, seen: Observation, actions: Sequence[str]) -> NDArray[np.float64]:
        """Return how near each action brings something that was never tried, in [0, 1].

        1 for a way never taken, FAR ** d for a way from whose end such a way is d steps off, 0 for a way
        into the explored, and 0.5 for an action that is no way at all as far as is known.

        Returns:
            Shape (n,).
        """
        here = place(seen)
        distance = self._distances()
        out = np.full(len(actions), 0.5)
        for i, action in enumerate(actions):
            if not self._movers[_verb(action)]:
                continue
            there = self.destination(here, action)
            if there is None:
                out[i] = 1.0
            elif there == here or there not in distance:
                out[i] = 0.0
            else:
                out[i] = FAR ** (distance[there] + 1)
        return out

    def _distances(self) -> dict[str, int]:
        """Return for every place the number of known steps to the nearest untried way."""
        back: defaultdict[str, set[str]] = defaultdict(set)
        frontier = []
        for here, offered in self.offered.items():
            for action in offered:
                if not self._movers[_verb(action)]:
                    continue
                there = self.destination(here, action)
                if there is None:
                    frontier.append(here)
                elif there != here:
                    back[there].add(here)
        distance = dict.fromkeys(frontier, 0)
        queue = deque(dict.fromkeys(frontier))
        while queue:
            here = queue.popleft()
            for before in sorted(back[here]):
                if before not in distance:
                    distance[before] = distance[here] + 1
                    queue.append(before)
        return distance


def place(seen: Observation) -> str:
    """Return what names the place: the first sentence of what is around.

    >>> _first_sentence("You are in the pantry. You also see a coin.")
    'You are in the pantry'
    """
    return _first_sentence(seen.look or seen.text)


def moment(seen: Observation) -> str:
    """Return what makes two moments the same: what is around, and what is carried."""
    return f"{seen.look or seen.text}\n{seen.inventory}"


_SENTENCE = re.compile(r"[.!?:\n]")


def _first_sentence(text: str) -> str:
    return _SENTENCE.split(text.strip(), maxsplit=1)[0].strip()


def _verb(action: str) -> str:
    return action.split(" ", 1)[0]


def _names(action: str, place_name: str) -> bool:
    """Say whether an action says where it leads: `go to cabinet 1` -> `You are facing the cabinet 1`."""
    named = [w for w in words(action)[1:] if w not in FILLER]
    return bool(named) and set(named) <= set(words(place_name))
