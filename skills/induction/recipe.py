"""A thing made of others, as a skill for other things too: what it was made of, found by what was used up.

Backward from the result over what each move consumed (dynamic slicing, Korel and Laski 1988), so that a long
history in one world gives the few moves that count. What the last move names and uses up becomes a parameter.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...envs.types import Fact
from ..lint import capabilities_of
from ..types import LONGEST, Contract, Parameter, Skill
from .traces import ACT, Move, effects

_LINES = 100
"""Of a body at most: what several things are made of is written for each."""
_LONGEST = 12
"""Most moves of a recipe."""
_CARRIED = "inventory."
_HELD = '''

def _held(api: API, thing: str) -> int:
    """Return how many are carried."""
    return api.facts().get("inventory." + thing.replace(" ", "_"), 0)
'''


@dataclass
class _Made:
    """A move, and what it used up."""

    place: int
    used: dict[str, int] = field(default_factory=dict)
    """Thing -> how many."""
    sources: dict[str, list["_Made"]] = field(default_factory=dict)
    """Thing -> the moves that brought it, in order."""


def recipe(
    moves: Sequence[Move], facts: Sequence[Mapping[str, Fact]], env: str, origin: str
) -> Skill | None:
    """Return the skill that the last move is a call of, with what had to come before; None where it is none.

    A recipe's last move names what it uses up, and brings something that can be told without these names.

    Args:
        moves: From the beginning of the world.
        facts: What held before the first move and after each; one more than moves.
        env: Name of the environment.
        origin: The task.
    """
    last = _sliced(moves, facts)
    if last is None or moves[-1].method != ACT:
        return None
    text = str(moves[-1].values[0])
    things = {_said(fact) for held in (facts[-1], facts[-2]) for fact in held if _CARRIED in fact}
    lifted = {
        thing: f"item{n or ''}"
        for n, thing in enumerate(
            sorted((t for t in last.used if f" {t}," in f" {text},"), key=text.index)
        )
    }
    brought = [
        fact
        for fact, effect in effects(facts[-2], facts[-1]).items()
        if effect.gain > 0 and "." not in fact
    ]
    if not lifted or not brought:
        return None
    numbers = {
        thing: name.replace("item", "n")
        for thing, name in lifted.items()
        if f" {last.used[thing]} {thing}," in f" {text},"
    }
    writer = _Writer(moves, lifted, numbers, things)
    name = re.sub(r"[^a-z0-9]+", "-", writer.said(text, "").lower()).strip("-")[:LONGEST].strip("-")
    parameters = {
        name: Parameter(type="str", default=thing, about="a thing to make something of")
        for thing, name in lifted.items()
    } | {
        name: Parameter(type="int", min=1, default=last.used[thing], about="how many of it")
        for thing, name in numbers.items()
    }
    contract = Contract(
        env=env,
        parameters=parameters,
        postconditions=tuple(f"{fact} > before.{fact}" for fact in brought),
        maker="induced",
        origin=origin,
    )
    made = Skill(name=name, description="-", code="", contract=contract)
    listed = "".join(f", {n}: {p.type} = {p.default!r}" for n, p in parameters.items())
    lines = writer.body(last)
    if len(lines) > _LINES:
        return None
    body = "\n".join(f"    {line}" for line in lines)
    what = f"{writer.said(text, '').capitalize()}, made of what is at hand or is brought first."
    code = (
        f'def {made.function}(api: API{listed}) -> bool:\n    """{what}"""\n'
        f"{body}\n    return True\n{_HELD}"
    )
    return made.model_copy(
        update={
            "code": code,
            "description": f"{what} First done with {', '.join(lifted)}.",
            "contract": contract.model_copy(
                update={"capabilities": tuple(sorted(capabilities_of(code)))}
            ),
        }
    )


def _said(fact: str) -> str:
    return fact.removeprefix(_CARRIED).replace("_", " ")


def _changed(before: Mapping[str, Fact], after: Mapping[str, Fact]) -> dict[str, int]:
    """Return how many more or fewer of each thing are carried."""
    return {
        _said(fact): int(effect.gain)
        for fact, effect in effects(before, after).items()
        if fact.startswith(_CARRIED) and effect.gain
    }


def _sliced(moves: Sequence[Move], facts: Sequence[Mapping[str, Fact]]) -> _Made | None:
    """Return the last move with all that it stands on; None where it stands on what was there at first."""
    wanted: dict[str, list[tuple[_Made, int]]] = {}
    last: _Made | None = None
    found = 0
    for place in reversed(range(len(moves))):
        change = _changed(facts[place], facts[place + 1])
        made = _Made(place, {thing: -n for thing, n in change.items() if n < 0})
        if last is None:
            last = made
        elif not any(n > 0 and thing in wanted for thing, n in change.items()):
            continue
        found += 1
        for thing, number in change.items():
            left = number
            while left > 0 and wanted.get(thing):
                user, need = wanted[thing].pop()
                user.sources.setdefault(thing, []).insert(0, made)
                if need > left:
                    wanted[thing].append((user, need - left))
                left -= need
            if not wanted.get(thing):
                wanted.pop(thing, None)
        for thing, number in made.used.items():
            wanted.setdefault(thing, []).append((made, number))
        if not wanted or found > _LONGEST:
            break
    return last if not wanted and found <= _LONGEST else None


class _Writer:
    """Writes the body: what is not at hand is brought first.

    Args:
        moves: All.
        lifted: Thing -> the parameter that stands for it.
        things: All that there are: a name within a longer one is none.
    """

    def __init__(
        self,
        moves: Sequence[Move],
        lifted: Mapping[str, str],
        numbers: Mapping[str, str],
        things: set[str],
    ) -> None:
        self._moves, self._lifted, self._numbers = moves, lifted, numbers
        names = sorted({*things, *lifted}, key=lambda thing: (-len(thing), thing))
        self._names = re.compile(rf"(?<!\w)(\d+ )?({'|'.join(map(re.escape, names))})(?!\w)")

    def said(self, text: str, brace: str, *, last: bool = True) -> str:
        """Return an action in which parameters stand for what was lifted, in braces if these are given.

        Args:
            text: The action.
            brace: "{}" for a text of Python, or empty.
            last: Whether it is the last move, whose numbers are parameters too.
        """
        a, b = brace[:1], brace[1:]

        def put(match: re.Match[str]) -> str:
            number, thing = match[1] or "", match[2]
            if thing not in self._lifted:
                return match[0]
            if last and number and thing in self._numbers:
                number = f"{a}{self._numbers[thing]}{b} "
            return f"{number}{a}{self._lifted[thing]}{b}"

        return self._names.sub(put, text)

    def body(self, last: _Made) -> list[str]:
        """Return the lines."""
        lines = self._before(last, self._numbers)
        # what one thing is made of may have used up another
        if sum(map(bool, last.sources.values())) > 1:
            lines = ["for _ in range(2):", *(f"    {line}" for line in lines)]
        for thing, number in last.used.items():
            least = self._numbers.get(thing, str(number))
            lines += [f"if _held(api, {self._thing(thing)}) < {least}:", "    return False"]
        return [*lines, self._call(last, last=True)]

    def _before(self, made: _Made, numbers: Mapping[str, str] | None = None) -> list[str]:
        lines = []
        for thing, sources in made.sources.items():
            inner = [line for source in sources for line in self._made(source)]
            if inner:
                least = (numbers or {}).get(thing, str(made.used[thing]))
                test = f"_held(api, {self._thing(thing)}) < {least}"
                if thing in self._lifted and self._lifted[thing] not in " ".join(inner):
                    test = f"{self._lifted[thing]} == {thing!r} and {test}"
                lines.append(f"if {test}:")
                lines += [f"    {line}" for line in inner]
        return lines

    def _made(self, made: _Made) -> list[str]:
        return [*self._before(made), self._call(made)]

    def _thing(self, thing: str) -> str:
        return self._lifted.get(thing, repr(thing))

    def _call(self, made: _Made, *, last: bool = False) -> str:
        move = self._moves[made.place]
        if move.method == "skill":
            pairs = zip(move.names, move.values, strict=True)
            return f"api.skill({move.skill!r}{''.join(f', {n}={v!r}' for n, v in pairs)})"
        if move.method != ACT:
            return f"api.{move.method}({', '.join(map(repr, move.values))})"
        text = str(move.values[0])
        said = self.said(text, "{}", last=last)
        return f"api.act({'f' if said != text else ''}{said!r})"
