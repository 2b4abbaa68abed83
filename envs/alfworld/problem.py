"""A game file's PDDL problem as Python data: objects, facts, goal, and the names that players see.

Reads text, knows no rules of the game.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

Fact = tuple[str, ...]
Expression = str | list["Expression"]

_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_COMMENT = re.compile(r";[^\n]*")


@dataclass(frozen=True)
class Problem:
    """What one game file says, in lower case."""

    facts: dict[str, set[Fact]]
    """Predicate -> the argument tuples that hold at the start."""
    goal: Expression
    names: dict[str, str]
    """Object id -> the name that players see, `apple 2`."""
    receptacles: tuple[str, ...]
    """Ids of the places, in the file's order."""
    one: dict[str, frozenset[str]] = field(default_factory=dict)
    """Predicate of one argument -> the objects it holds for."""


class BadProblem(ValueError):
    """The text is no PDDL problem of ALFWorld."""


def parse(text: str) -> Problem:
    """Return the problem that the PDDL text holds.

    Raises:
        BadProblem: It holds none.
    """
    objects: list[str] = []
    init: list[Fact] = []
    goal: Expression | None = None
    for section in _expression(text):
        match section:
            case [":objects", *rest]:
                objects = _objects(rest)
            case [":init", *rest]:
                init = [tuple(map(str, f)) for f in rest if isinstance(f, list) and f[0] != "="]
            case [":goal", inner]:
                goal = inner
    if goal is None or not init:
        raise BadProblem("the PDDL problem has no goal or no initial state")
    facts: defaultdict[str, set[Fact]] = defaultdict(set)
    for predicate, *arguments in init:
        facts[predicate].add(tuple(arguments))
    placed = {fact[0] for fact in facts["receptacleatlocation"]}
    return Problem(
        facts=dict(facts),
        goal=goal,
        names=_names(objects),
        receptacles=tuple(o for o in objects if o in placed),
        one={
            predicate: frozenset(fact[0] for fact in held if len(fact) == 1)
            for predicate, held in facts.items()
        },
    )


def _expression(text: str) -> list[Expression]:
    stack: list[list[Expression]] = [[]]
    for token in _TOKEN.findall(_COMMENT.sub("", text)):
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) < 2:
                raise BadProblem("a parenthesis is closed that was not opened")
            closed = stack.pop()
            stack[-1].append(closed)
        else:
            stack[-1].append(token.lower())
    if len(stack) != 1 or not stack[0] or not isinstance(stack[0][0], list):
        raise BadProblem("the PDDL text is not one closed expression")
    return stack[0][0]


def _objects(tokens: list[Expression]) -> list[str]:
    """Return the ids; the types after each `-` say nothing the facts do not."""
    found: list[str] = []
    rest = iter(tokens)
    for token in rest:
        if token == "-":
            next(rest, None)
        elif isinstance(token, str) and token not in found:
            found.append(token)
    return found


def _names(objects: list[str]) -> dict[str, str]:
    """Return the players' names: ids sorted, numbers handed out from the highest (ALFWorld's own rule)."""
    ids = sorted(o for o in objects if "_bar_" in o)

    def kind(name: str) -> str:
        return name.split("_bar_", 1)[0] + ("basin" if "basin" in name else "")

    left = Counter(kind(name) for name in ids)
    names = {}
    for name in ids:
        base = kind(name)
        names[name] = f"{base} {left[base]}"
        left[base] -= 1
    return names
