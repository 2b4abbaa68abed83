"""From a pattern to a skill: code, contract, tests.

Repetition becomes a loop, a count that differed becomes a parameter, and what every piece gained becomes the
postcondition.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import combining, normalize

from ...envs.types import Fact
from ..lint import capabilities_of
from ..types import LONGEST, Contract, Parameter, Skill, SkillTest
from .antiunify import Pattern, Slot, antiunify
from .text import lines_of, source_of
from .traces import ACT, CALL, Effect, Trace, common_gain, effects

_ROOM = 2
"""How many times the most that was seen a count may be."""


@dataclass(frozen=True)
class Piece:
    """A part of a trajectory: moves first to last - 1."""

    trace: Trace
    first: int
    last: int

    @property
    def effects(self) -> dict[str, Effect]:
        """What it changed."""
        return effects(self.trace.facts[self.first], self.trace.facts[self.last])


def write(
    pieces: Sequence[Piece],
    *,
    name: str = "",
    goal: str = "",
    upkeep: bool = False,
    fixed: frozenset[str] = frozenset(),
    brings: Sequence[str] = (),
) -> Skill:
    """Return the skill that all pieces are calls of; its version and its admission are admission's matter.

    Args:
        pieces: At least one, of one shape; the first is the origin.
        name: Of the skill; made of what it gains when empty.
        goal: The fact that the pieces were to bring about, where it is known: then the skill is for that, or
            for what the last move brought with it (what is carried, what can be worked at).
        upkeep: Whether the environment knows how to stay alive meanwhile (`text.UPKEEP`).
        fixed: Values that are never generalised.
        brings: Lines that bring what the pieces use up, where it is not at hand.

    Raises:
        ValueError: The pieces differ in shape, or nothing that a program could check came of all of them.
    """
    env = pieces[0].trace.env
    pattern = antiunify([p.trace.moves[p.first : p.last] for p in pieces], fixed=fixed)
    counts = _counts(pattern)
    gains, items = _gains(pieces, pattern)
    if goal:
        gains = _aimed(pieces, goal)
    held = _held(pieces, pattern)
    laid = tuple(said.removeprefix("not ") for said in held if said.startswith("not "))
    if not gains and not held:
        raise ValueError("nothing was gained in all pieces that a program could check")
    for slot, values in {**items, **counts}.items():
        pattern.slots.setdefault(slot, values)
    parameters = {
        slot: _parameter(values, slot in counts) for slot, values in pattern.slots.items()
    }
    listed = any(any(p.trace.offered) for p in pieces)
    calls = any(line.move.method == CALL for line in pattern.lines)
    aim = "" if listed or calls else _goal(gains)
    if aim.startswith("inventory") and "count" not in parameters:
        parameters["count"] = Parameter(type="int", min=1, max=9, default=1, about="how many")
    body = [
        said
        for line, count in zip(pattern.lines, _loops(pattern, counts), strict=True)
        for said in lines_of(line, "" if aim and count == "count" else count, listed)
    ]
    body = [*brings, *body]
    named = name or _name(gains, pattern)
    function = Skill(name=named, description="-", code="", contract=Contract(env=env)).function
    what = _description(pattern, gains, pieces)
    code = source_of(function, what, parameters, body, listed, aim, upkeep)
    capabilities = capabilities_of(code)
    return Skill(
        name=named,
        description=what,
        code=code,
        contract=Contract(
            env=env,
            parameters=parameters,
            preconditions=(*(() if brings else _needs(pieces)), *_offered(pattern, listed), *laid),
            postconditions=(*_promises(gains, "count" in parameters, whole=calls), *held),
            capabilities=tuple(capabilities),
            maker="induced",
            origin=pieces[0].trace.task_id,
        ),
        tests=tuple(_tests(pieces, pattern)),
    )


def arguments_of(
    pieces: Sequence[Piece], *, fixed: frozenset[str] = frozenset()
) -> list[dict[str, Fact]]:
    """Return what the skill that `write` makes of pieces is called with, in each of them."""
    pattern = antiunify([p.trace.moves[p.first : p.last] for p in pieces], fixed=fixed)
    _, items = _gains(pieces, pattern)
    for slot, values in {**items, **_counts(pattern)}.items():
        pattern.slots.setdefault(slot, values)
    return [pattern.values(number) for number in range(len(pieces))]


def _counts(pattern: Pattern) -> dict[str, tuple[Fact, ...]]:
    """Return a variable for every move whose repetitions differ; the same one where they differ alike."""
    found: dict[tuple[Fact, ...], str] = {}
    for line in pattern.lines:
        if len(set(line.counts)) > 1 and line.counts not in found:
            found[line.counts] = "count" if not found else f"count{len(found) + 1}"
    return {name: values for values, name in found.items()}


def _loops(pattern: Pattern, counts: Mapping[str, tuple[Fact, ...]]) -> list[str]:
    """Return how often each line runs, as code; empty for once."""
    names = {values: name for name, values in counts.items()}
    return [
        names.get(line.counts, "" if line.counts[0] == 1 else str(line.counts[0]))
        for line in pattern.lines
    ]


def _parameter(values: tuple[Fact, ...], counted: bool) -> Parameter:
    if counted:
        most = max(int(v) for v in values)
        return Parameter(type="int", min=1, max=most * _ROOM, default=1, about="how often")
    if all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return Parameter(type="int", min=0)
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return Parameter(type="float")
    seen = ", ".join(dict.fromkeys(map(str, values)))
    return Parameter(type="str", about=f"for example {seen}"[:120])


def _gains(
    pieces: Sequence[Piece], pattern: Pattern
) -> tuple[dict[str, float], dict[str, tuple[Fact, ...]]]:
    """Return what all pieces gained, by fact; a fact that varies with the pieces names a variable for it."""
    each = [p.effects for p in pieces]
    gains = common_gain(each)
    items: dict[str, tuple[Fact, ...]] = {}
    if not any(fact.startswith("inventory.") for fact in gains) and len(pieces) > 1:
        kept = [
            sorted(
                f.removeprefix("inventory.")
                for f, e in one.items()
                if f.startswith("inventory.") and e.gain > 0
            )
            for one in each
        ]
        if all(len(one) == 1 for one in kept):
            values: tuple[Fact, ...] = tuple(one[0] for one in kept)
            same = next((s for s, known in pattern.slots.items() if _alike(known, values)), "item")
            if same == "item":
                items["item"] = values
            least = min(each[n][f"inventory.{v}"].gain for n, v in enumerate(values))
            gains[f"inventory[{same}]"] = least
    return gains, items


def _aimed(pieces: Sequence[Piece], goal: str) -> dict[str, float]:
    """Return what the last move of every piece brought and the goal names, or else the goal.

    `unlocked.collect_wood` is for `inventory.wood`, which can be brought again.
    """
    last = [effects(p.trace.facts[p.last - 1], p.trace.facts[p.last]) for p in pieces]
    acted = all(p.trace.moves[p.last - 1].method == ACT for p in pieces)
    brought = {
        fact: gain
        for fact, gain in common_gain(last).items()
        if fact.startswith(("inventory.", "near.") if acted else "inventory.")
        and fact.partition(".")[2] in goal
    }
    if brought:
        best = max(brought, key=len)
        return {best: brought[best]}
    return {goal: 1.0}


def _alike(known: tuple[Fact, ...], values: tuple[Fact, ...]) -> bool:
    return all(str(k).replace(" ", "_") == v for k, v in zip(known, values, strict=True))


def _held(pieces: Sequence[Piece], pattern: Pattern) -> tuple[str, ...]:
    """Return what every piece picked up or laid down, as conditions over the text of what is carried."""
    found = []
    for slot, values in pattern.slots.items():
        had = [
            str(v) in str(p.trace.facts[p.first].get("carried", ""))
            for p, v in zip(pieces, values, strict=True)
        ]
        has = [
            str(v) in str(p.trace.facts[p.last].get("carried", ""))
            for p, v in zip(pieces, values, strict=True)
        ]
        if all(has) and not any(had):
            found.append(f'has("{{{slot}}}")')
        elif all(had) and not any(has):
            found.append(f'not has("{{{slot}}}")')
    return tuple(found)


def _goal(gains: Mapping[str, float]) -> str:
    """Return the one fact that says best what a skill is for: carried, near, told, or another that grew."""
    for beginning in ("inventory", "near.", "won", "unlocked.", "crafted."):
        for fact in gains:
            if fact.startswith(beginning):
                return fact
    return next(iter(gains), "")


def _promises(gains: Mapping[str, float], counted: bool, *, whole: bool = False) -> tuple[str, ...]:
    """Return what is promised of what all pieces gained: the one fact that says it best, or the whole."""
    if whole:
        grown = (fact for fact in gains if fact != "score")
        return tuple(f"{fact} - before.{fact} >= {gains[fact]:g}" for fact in grown)
    goal = _goal(gains)
    if not goal:
        return ()
    if goal.startswith("inventory"):
        wanted = "count" if counted else f"{gains[goal]:g}"
        return (f"{goal} - before.{goal} >= {wanted}",)
    if goal in ("won",) or goal.partition(".")[0] in ("near", "unlocked", "crafted"):
        return (goal,)
    return (f"{goal} > before.{goal}",)


def _needs(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Return what was carried at the beginning of all pieces and was used up."""
    lost = set.intersection(*({f for f, e in p.effects.items() if e.gain < 0} for p in pieces))
    used = []
    for fact in sorted(lost):
        if not fact.startswith("inventory."):
            continue
        most = max(-p.effects[fact].gain for p in pieces)
        used.append(f"{fact} >= {most:g}")
    return tuple(used)


def _offered(pattern: Pattern, listed: bool) -> tuple[str, ...]:
    """Return that the first action is offered, where the environment says what is."""
    first = pattern.lines[0]
    if not listed or first.move.method != ACT:
        return ()
    said = " ".join(f"{{{p.name}}}" if isinstance(p, Slot) else str(p) for p in first.parts)
    return (f'can("{said}")',)


def _name(gains: Mapping[str, float], pattern: Pattern) -> str:
    """Return a name: what it was first known to bring, or its verbs."""
    told = [
        f.partition(".")[2]
        for f in gains
        if f.partition(".")[0] in ("unlocked", "crafted") and "." in f
    ]
    if told:
        prefix = "" if gains.get(f"unlocked.{told[0]}") else "craft-"
        return _hyphened(prefix + told[0])
    verbs = []
    for line in pattern.lines:
        if line.move.method == ACT:
            verbs += [str(p) for p in line.parts if not isinstance(p, Slot)]
        elif line.move.method in ("skill", CALL):
            verbs.append(line.move.skill.partition("@")[0])
        else:
            verbs.append(line.move.method)
    return _hyphened("-".join(dict.fromkeys(verbs))) or "skill"


def _hyphened(text: str) -> str:
    plain = normalize("NFKD", text.lower().replace("ß", "ss"))
    bare = "".join(letter for letter in plain if not combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:LONGEST].strip("-")


def _description(pattern: Pattern, gains: Mapping[str, float], pieces: Sequence[Piece]) -> str:
    steps = []
    for line in pattern.lines:
        parts = [f"<{p.name}>" if isinstance(p, Slot) else str(p) for p in line.parts]
        called = line.move.skill.partition("@")[0]
        head = {"skill": called, CALL: called, ACT: ""}.get(line.move.method, line.move.method)
        steps.append(" ".join([head, *parts]).strip())
    goals = list(dict.fromkeys(p.trace.goal for p in pieces))[:3]
    brought = ", ".join(re.sub(r"[._]", " ", fact) for fact in gains)
    said = f"{'; '.join(steps)[:400]}. Brings: {brought[:200]}. For goals like: {' / '.join(goals)[:380]}"
    return " ".join(said.split())[:1024]


def _tests(pieces: Sequence[Piece], pattern: Pattern) -> list[SkillTest]:
    found, seen = [], set()
    for number, piece in enumerate(pieces):
        test = SkillTest(
            name="origin" if number == 0 else f"binding-{number}",
            task_id=piece.trace.task_id,
            seed=piece.trace.seed,
            setup=piece.trace.before(piece.first),
            arguments=pattern.values(number),
            origin=number == 0,
            goal=piece.trace.goal,
        )
        key = test.model_copy(update={"name": "", "origin": False}).model_dump_json()
        if key not in seen:
            seen.add(key)
            found.append(test)
    return found
