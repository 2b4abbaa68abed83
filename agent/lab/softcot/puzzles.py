"""Small question-and-answer tasks with exact checks: Countdown-3, 4x4 Sudoku, arithmetic in words.

A question is held out or not by its hash, so the two splits never meet, whatever is drawn. A check reads the
last answer in a text; a text with none is a parse failure, which is counted apart.
"""

import ast
import itertools
import operator
import re
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ....envs.errors import UnknownName, UsageError
from ...softcot.soft_config import Example
from ...softcot.sources import Check, Source, same

Rng = np.random.Generator
MISSES = 1000
"""Draws in a row without a new question after which a family is taken to have no more."""
OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


class Puzzle(NamedTuple):
    """A family of questions."""

    draw: Callable[[Rng], Example]
    check: Check


def puzzle(name: str) -> Puzzle:
    """Return the family of this name.

    Raises:
        UnknownName: There is none.
    """
    if name not in PUZZLES:
        raise UnknownName("puzzle", name, PUZZLES)
    return PUZZLES[name]


def open_puzzle(name: str, *, examples: int, held_out: int, seed: int) -> Source:
    """Return a family as a source of examples (an entry point of `lichen.softcot_sources`)."""
    return Source(
        name,
        draw(name, examples, seed=seed, held_out=False),
        draw(name, held_out, seed=seed, held_out=True) if held_out else [],
        puzzle(name).check,
    )


def draw(name: str, count: int, *, seed: int, held_out: bool) -> list[Example]:
    """Return `count` different questions of one split; a fifth of all questions is held out, by their hash.

    Args:
        name: Of the family.
        count: How many.
        seed: Of the draw; it does not move a question from one split to the other.
        held_out: Which split.

    Raises:
        UnknownName: There is no such family.
        UsageError: It has not so many questions.
    """
    family, rng = puzzle(name), np.random.default_rng(seed)
    found: dict[str, Example] = {}
    missed = 0
    while missed < MISSES:
        if len(found) == count:
            return list(found.values())
        example = family.draw(rng)
        right = (zlib.crc32(example.question.encode()) % 5 == 0) == held_out
        new = right and example.question not in found
        missed = 0 if new else missed + 1
        if new:
            found[example.question] = example
    raise UsageError(f"{name} has no {count} different questions", hint="Ask for fewer.")


def _countdown(rng: Rng) -> Example:
    a, b, c = (int(x) for x in rng.integers(1, 10, 3))
    signs = "+-*"
    first, second = signs[rng.integers(3)], signs[rng.integers(3)]
    inner = f"({a} {first} {b})"
    total = _evaluate(f"{inner} {second} {c}")
    if total is None or not 0 < total < 100:
        return _countdown(rng)
    numbers = [int(x) for x in rng.permutation([a, b, c])]
    step = _evaluate(inner)
    said = f"{a} {first} {b} = {step}. {step} {second} {c} = {total}."
    return Example(
        question=f"Use the numbers {numbers[0]}, {numbers[1]} and {numbers[2]} once each, with + - * and "
        f"brackets, to make {total}. End with the expression after 'Answer:'.",
        target=f"{said} Answer: {inner} {second} {c}",
        answer=f"{' '.join(map(str, sorted(numbers)))} = {total}",
        family="countdown3",
    )


def _read_countdown(text: str) -> str | None:
    said = text.rpartition("Answer:")[2] if "Answer:" in text else ""
    expression = re.match(r"[\s\d+*()-]+", said)
    return "".join(expression[0].split()) or None if expression else None


def _right_countdown(example: Example, answer: str) -> bool:
    numbers, _, total = example.answer.partition(" = ")
    used = " ".join(map(str, sorted(int(x) for x in re.findall(r"\d+", answer))))
    return used == numbers and _evaluate(answer) == int(total)


def _evaluate(text: str) -> int | None:
    """Return what an expression of whole numbers comes to; None when it is none."""

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        raise ValueError

    try:
        return value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _grids() -> list[str]:
    """Return all 288 solved 4x4 grids, row by row."""
    rows = list(itertools.permutations("1234"))
    found = []
    for grid in itertools.product(rows, repeat=4):
        columns = all(len(set(column)) == 4 for column in zip(*grid, strict=True))
        if columns and all(
            len({grid[r][c], grid[r][c + 1], grid[r + 1][c], grid[r + 1][c + 1]}) == 4
            for r in (0, 2)
            for c in (0, 2)
        ):
            found.append("".join("".join(row) for row in grid))
    return found


_SOLVED: list[str] = []


def _sudoku(rng: Rng) -> Example:
    if not _SOLVED:
        _SOLVED.extend(_grids())
    solved = _SOLVED[int(rng.integers(len(_SOLVED)))]
    holes = {int(x) for x in rng.choice(16, 4, replace=False)}
    shown = "".join("_" if i in holes else digit for i, digit in enumerate(solved))
    fits = [s for s in _SOLVED if all(b in ("_", a) for a, b in zip(s, shown, strict=True))]
    if len(fits) != 1:
        return _sudoku(rng)

    def rows(grid: str) -> str:
        return "\n".join(" ".join(grid[i : i + 4]) for i in range(0, 16, 4))

    return Example(
        question="Fill the blanks (_) of this 4x4 Sudoku: every row, column and 2x2 box holds 1, 2, 3 and "
        f"4.\n{rows(shown)}\nEnd with the four rows after 'Answer:'.",
        target=f"Answer:\n{rows(solved)}",
        answer=solved,
        family="sudoku4",
    )


def _read_sudoku(text: str) -> str | None:
    said = re.findall(r"[1-4]", text.rpartition("Answer:")[2]) if "Answer:" in text else []
    return "".join(said[:16]) if len(said) >= 16 else None


_NAMES = ("Ann", "Ben", "Eva", "Tom", "Mia", "Leo")
_THINGS = ("apples", "coins", "books", "cards", "shells", "pens")


def _words(rng: Rng) -> Example:
    who, what = _NAMES[rng.integers(6)], _THINGS[rng.integers(6)]
    a, b, c = (int(x) for x in rng.integers(2, 20, 3))
    kind = int(rng.integers(3))
    if kind == 0:
        asked = f"{who} has {a} {what}, finds {b} more and then {c} more."
        said, total = f"{a} + {b} = {a + b}. {a + b} + {c} = {a + b + c}.", a + b + c
    elif kind == 1:
        a += b
        asked = f"{who} has {a} {what}, gives {b} away and then gets {c}."
        said, total = f"{a} - {b} = {a - b}. {a - b} + {c} = {a - b + c}.", a - b + c
    else:
        b = b % 8 + 2
        asked = f"{who} has {b} boxes with {a} {what} in each, and {c} {what} more."
        said, total = f"{b} * {a} = {a * b}. {a * b} + {c} = {a * b + c}.", a * b + c
    return Example(
        question=f"{asked} How many {what} does {who} have now? End with the number after 'Answer:'.",
        target=f"{said} Answer: {total}",
        answer=str(total),
        family="words",
    )


def _read_words(text: str) -> str | None:
    said = re.search(r"-?\d+", text.rpartition("Answer:")[2]) if "Answer:" in text else None
    return said[0] if said is not None else None


PUZZLES: Mapping[str, Puzzle] = {
    "countdown3": Puzzle(_countdown, Check(_read_countdown, _right_countdown, 48)),
    "sudoku4": Puzzle(_sudoku, Check(_read_sudoku, same, 48)),
    "words": Puzzle(_words, Check(_read_words, same, 40)),
}
