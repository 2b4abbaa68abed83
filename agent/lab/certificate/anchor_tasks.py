"""Anchors: small tasks that no suite of Lichen's holds, for what memory must leave alone.

Each is one question with four answers to choose from and a sentence that follows. They pose as tasks of the
run's own environment, of a family that it does not have: memory is free to answer, and should not.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ....envs.base import Environment
from ....envs.errors import UnknownName, UsageError
from ....envs.types import Observation, Split, Task, Transition

FAMILY = "off-task"


class Anchor(NamedTuple):
    """One anchor."""

    goal: str
    text: str
    options: tuple[str, ...]
    reference: str
    """What a reader might write next; the tokens of the drift are its tokens."""


ANCHORS: tuple[Anchor, ...] = (
    Anchor(
        "Name the capital of Portugal.",
        "A geography quiz, question one.",
        ("Lisbon", "Madrid", "Porto", "Rome"),
        "The capital of Portugal is Lisbon, on the river Tagus.",
    ),
    Anchor(
        "Say what seven times eight is.",
        "A test of arithmetic without a calculator.",
        ("48", "54", "56", "64"),
        "Seven times eight is fifty-six.",
    ),
    Anchor(
        "Translate the French word 'chat'.",
        "A list of French vocabulary for beginners.",
        ("bird", "cat", "dog", "horse"),
        "The French word 'chat' means cat in English.",
    ),
    Anchor(
        "Finish the proverb: a stitch in time saves ...",
        "A page of old proverbs.",
        ("face", "money", "nine", "ten"),
        "A stitch in time saves nine.",
    ),
    Anchor(
        "Give the past tense of 'to bring'.",
        "An exercise in English grammar.",
        ("bringed", "brang", "brought", "brung"),
        "Yesterday she brought her sister along.",
    ),
    Anchor(
        "Name the author of 'Hamlet'.",
        "A lecture on the theatre of the sixteenth century.",
        ("Goethe", "Marlowe", "Moliere", "Shakespeare"),
        "Hamlet was written by William Shakespeare.",
    ),
    Anchor(
        "Tell which gas plants take in for photosynthesis.",
        "Notes of a biology class.",
        ("carbon dioxide", "helium", "nitrogen", "oxygen"),
        "In photosynthesis plants take in carbon dioxide and give off oxygen.",
    ),
    Anchor(
        "Tell the mood of the review: 'I would watch it twice a day.'",
        "Reviews of films, unlabelled.",
        ("angry", "bored", "delighted", "sad"),
        "The reviewer was delighted with the film.",
    ),
    Anchor(
        "Complete the Python expression that sorts the list named numbers.",
        "A programming tutorial.",
        ("numbers.order()", "order(numbers)", "sort numbers", "sorted(numbers)"),
        "result = sorted(numbers)",
    ),
    Anchor(
        "Name the largest planet of the solar system.",
        "A children's book of astronomy.",
        ("Earth", "Jupiter", "Mars", "Saturn"),
        "Jupiter is the largest planet of the solar system.",
    ),
    Anchor(
        "Give the chemical symbol of gold.",
        "The periodic table, second lesson.",
        ("Ag", "Au", "Go", "Gd"),
        "The chemical symbol of gold is Au, from the Latin aurum.",
    ),
    Anchor(
        "Say in which year the Berlin Wall fell.",
        "A timeline of the twentieth century.",
        ("1979", "1985", "1989", "1993"),
        "The Berlin Wall fell in November 1989.",
    ),
    Anchor(
        "Find the rhyme to 'light'.",
        "A poem with its last line missing.",
        ("lamp", "late", "night", "noon"),
        "The owl flew softly through the night.",
    ),
    Anchor(
        "Answer politely that the meeting is moved to Tuesday.",
        "An email from a colleague: 'Does Monday still suit everyone?'",
        ("Dear Sam, could we meet on Tuesday?", "No.", "Who are you?", "Yes, Monday."),
        "Dear Sam, I am sorry, the meeting had to be moved to Tuesday.",
    ),
    Anchor(
        "Continue the sequence 2, 4, 8, 16.",
        "A puzzle page of a newspaper.",
        ("18", "24", "30", "32"),
        "Each number is twice the one before, so 32 comes next.",
    ),
    Anchor(
        "Summarise: rain fell for six days, and the festival was called off.",
        "Local news, short.",
        ("Festival cancelled over rain", "Festival opens", "Six festivals", "Sun returns"),
        "The festival was cancelled because of a week of rain.",
    ),
    Anchor(
        "State whether whales are fish.",
        "A myth a day.",
        ("no, they are mammals", "only the blue whale", "perhaps", "yes, all of them"),
        "Whales are mammals: they breathe air and nurse their young.",
    ),
    Anchor(
        "Choose the synonym of 'rapid'.",
        "A thesaurus, letter R.",
        ("fast", "heavy", "quiet", "round"),
        "A rapid stream is a fast one.",
    ),
    Anchor(
        "Convert two hours into minutes.",
        "Units of time.",
        ("100", "120", "160", "200"),
        "Two hours are one hundred and twenty minutes.",
    ),
    Anchor(
        "Name the instrument with 88 keys.",
        "Music lessons for adults.",
        ("drum", "flute", "piano", "violin"),
        "A full-sized piano has 88 keys.",
    ),
)


class AnchorEnvironment(Environment):
    """Anchors as tasks of one step.

    Args:
        name: Of the environment that they pose as.
        anchors: Which.
    """

    def __init__(self, name: str, anchors: Sequence[Anchor] = ANCHORS) -> None:
        self.name = name
        self._anchors = {f"{name}/{FAMILY}/{number}": a for number, a in enumerate(anchors)}
        self._now = ""

    def families(self) -> tuple[str, ...]:
        """See `Environment.families`."""
        return (FAMILY,)

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """See `Environment.tasks`; all anchors are held out."""
        return tuple(map(self.task, self._anchors)) if split == "test" else ()

    def task(self, task_id: str) -> Task:
        """See `Environment.task`."""
        if task_id not in self._anchors:
            raise UnknownName("anchor", task_id, self._anchors)
        return Task(id=task_id, env=self.name, family=FAMILY, split="test")

    def reset(self, task_id: str, *, seed: int = 0) -> Observation:
        """See `Environment.reset`."""
        task, anchor = self.task(task_id), self._anchors[task_id]
        self._now = task_id
        return Observation(
            text=anchor.text,
            goal=anchor.goal,
            admissible=tuple(sorted(anchor.options)),
            score=0.0,
            won=False,
            task=task,
            steps=0,
        )

    def step(self, action: str) -> Transition:
        """Refuse: an anchor is a question of one decision, and nothing comes of it."""
        raise UsageError("an anchor has no steps")

    def reference(self, task_id: str) -> str:
        """Return the text that follows an anchor."""
        return self._anchors[task_id].reference
