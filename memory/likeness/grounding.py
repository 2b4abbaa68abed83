"""Grounding: what an action is about, in terms of the task, so that it transfers to other tasks.

`move north` means nothing in another house; `move` towards the place that the task names does. An action
is described by its verb and the phrases that mention something of the task, or else by what of the task
stands beside its arguments in what is seen ("To the North you see the pantry"); where there is neither, by
its own words without numbers.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .analogy import FILLER, SAME, Analogy, entities
from .origins import origin_of
from .words import words

_CALL = re.compile(r"\s*(?P<tool>[^\W\d]\w*)\(.*\)\s*$", re.DOTALL)
_CLAUSE = re.compile(r"[.,;:!?\n。，、；：！？،؛؟।]")


TOLD = "told"
"""What an action is about that what is seen tells to do."""
_ARTICLES = frozenset(("a", "an", "the"))


@lru_cache(maxsize=2048)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(words(text))


@lru_cache(maxsize=2048)
def _clauses(text: str) -> tuple[frozenset[str], ...]:
    parts = (frozenset(words(part)) for part in _CLAUSE.split(text))
    return tuple(part for part in parts if part)


@lru_cache(maxsize=65536)
def ground(action: str, text: str, goal: str) -> str:
    """Return what the action is about: a verb and its arguments, comparable across tasks.

    The i-th argument stands behind the i-th `>`, its words sorted: to move a box into a cup is not to move
    a cup into a box.

    Args:
        action: In the environment's words.
        text: What is seen.
        goal: The task in words.

    >>> goal = "take the coin in the side yard, put it in the box"
    >>> ground("move north", "You are outside. To the North you see the side yard.", goal)
    'move > side yard'
    >>> ground("take green coin from shelf 2", "You see a coin.", goal)
    'take > coin green'
    >>> ground("move cup to box", "You see a cup.", goal)
    'move > > box'
    >>> ground("go to cabinet 4", "You are in a room.", goal)
    'go to cabinet'
    >>> ground("eat plum", "Simon says, 'eat the plum'.", "do as Simon says")
    'told'

    Of a call it is the tool, and for every argument its name and where its value comes from, or the value
    itself where it is said nowhere.

    >>> ground("cd(folder='coins')", "", "go to coins")
    'cd > folder goala'
    """
    if called := _CALL.match(action):
        return _ground_call(called["tool"], action, text, goal)
    own = [word for word in words(action) if not word.isdigit()]
    if not own:
        return action.strip().lower()
    named = entities(goal)
    phrases = _phrases(own[1:])
    about = [set(phrase) if named & set(phrase) else set() for phrase in phrases]
    if not any(about) and _told(words(action), text):
        return TOLD
    if phrases and not any(about):  # it points at something: what is said of that?
        pointed = {word for phrase in phrases for word in phrase}
        about = [{w for clause in _clauses(text) if pointed <= clause for w in clause & named}]
    if not any(about):
        return " ".join(own)
    while not about[-1]:
        about.pop()
    return " ".join([own[0], *(" ".join([">", *sorted(said)]) for said in about)])


def _told(own: Sequence[str], text: str) -> bool:
    """Return whether an action is what the text tells to do: its very words, and nothing else with its verb.

    A list of what could be done says the verb again and again; what was just done is said of `you`.
    """
    said = [word for word in _words_of(text) if word not in _ARTICLES]
    wanted = [word for word in own if word not in _ARTICLES]
    if len(wanted) < 2 or said.count(wanted[0]) != 1:
        return False
    at = said.index(wanted[0])
    return said[at : at + len(wanted)] == wanted and said[max(0, at - 1)] != "you"


def _ground_call(tool: str, action: str, text: str, goal: str) -> str:
    try:
        node = ast.parse(action.strip(), mode="eval").body
        given = [(k.arg or "", ast.literal_eval(k.value)) for k in getattr(node, "keywords", ())]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return tool
    places = {name: goal.lower().find(str(value).lower()) for name, value in given}
    order = sorted({place for place in places.values() if place >= 0})
    parts = []
    for name, value in sorted(given):
        origin = origin_of(value, goal, text)
        said = " ".join(words(str(value))[:6]) if origin == "made" else origin
        if origin == "goal" and places[name] >= 0:  # the first that is named, the second ...
            said = f"{said}{'abcdefgh'[min(order.index(places[name]), 7)]}"
        parts.append(f"{name} {said}")
    return " > ".join([tool, *parts])


def exchange(about: str, change: Analogy) -> str:
    """Return a grounded action in the words of another task, in the form in which equal ones are equal."""
    return " > ".join(
        " ".join(sorted(set(change.words(part)))) for part in about.split(">")
    ).strip()


@lru_cache(maxsize=65536)
def plain(action: str, text: str, goal: str) -> str:
    """Return what an action is about, in the form in which equal ones are equal."""
    return exchange(ground(action, text, goal), SAME)


@lru_cache(maxsize=65536)
def slotted(about: str) -> tuple[str, ...]:
    """Return the words of a grounded action, each with the number of its place.

    >>> slotted("move > > box green")
    ('0 move', '2 box', '2 green')
    """
    return tuple(f"{i} {word}" for i, part in enumerate(about.split(">")) for word in part.split())


def _phrases(arguments: list[str]) -> list[list[str]]:
    """Return the runs of words between prepositions and other filler."""
    found: list[list[str]] = [[]]
    for word in arguments:
        if word in FILLER:
            found.append([])
        else:
            found[-1].append(word)
    return [phrase for phrase in found if phrase]


class Wordings:
    """The word sets of n actions, as one matrix, so that another action is compared with all at once.

    Args:
        wordings: The words of each action.

    >>> Wordings([{"take", "coin"}, {"go", "north"}]).likeness({"take", "cup"}).round(2).tolist()
    [0.33, 0.0]
    """

    def __init__(self, wordings: Sequence[Iterable[str]]) -> None:
        self._columns: dict[str, int] = {}
        cells = [
            (row, self._columns.setdefault(word, len(self._columns)))
            for row, said in enumerate(wordings)
            for word in dict.fromkeys(said)
        ]
        self._said = np.zeros((len(wordings), len(self._columns)), np.float32)
        if cells:
            rows, columns = zip(*cells, strict=True)
            self._said[rows, columns] = 1.0
        self._sizes = self._said.sum(axis=1)

    def likeness(self, said: Iterable[str]) -> NDArray[np.float64]:
        """Return the Jaccard likeness of a word set with each action's, shape (n,), in [0, 1]."""
        wanted = set(said)
        columns = [self._columns[word] for word in wanted if word in self._columns]
        both = self._said[:, columns].sum(axis=1)
        either = self._sizes + len(wanted) - both
        found: NDArray[np.float64] = np.divide(both, np.maximum(either, 1.0), dtype=np.float64)
        return found
