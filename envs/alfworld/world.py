"""The rules of ALFWorld's text games: what can be done, what it changes, and what is seen.

Own implementation of ALFRED's PDDL domain in words; differential tests against `textworld[pddl]` gave equal
admissible commands, observations (as sets) and wins on all of 627 steps (shared/reference/alfworld_check.py).
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

from .goal import Facts, holds
from .problem import Problem

FLAGS = ("isclean", "ishot", "iscool", "istoggled", "ison", "issliced")


@dataclass
class Changing:
    """The part of the world that actions change."""

    at: str
    held: str | None
    inside: dict[tuple[str, str], None]
    """(object, receptacle) pairs in order; ALFRED lets an object be in two receptacles at once."""
    location: dict[str, str]
    opened: set[str]
    flags: dict[str, set[str]] = field(default_factory=dict)

    def copy(self) -> "Changing":
        """Return an independent copy."""
        return Changing(
            self.at,
            self.held,
            dict(self.inside),
            dict(self.location),
            set(self.opened),
            {name: set(objects) for name, objects in self.flags.items()},
        )


class Household(Facts):
    """One game: the problem, the present state, and the commands."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.names = problem.names
        one = problem.one
        facts = problem.facts
        self._place = {r: where for r, where in facts["receptacleatlocation"]}
        self._kinds = _many(facts.get("objecttype", ()))
        self._places = _many(facts.get("receptacletype", ()))
        self._fits = facts.get("cancontain", set())
        self._openable = one.get("openable", frozenset())
        self._pickupable = one.get("pickupable", frozenset())
        self._able = {
            name: one.get(name, frozenset())
            for name in ("cleanable", "heatable", "coolable", "sliceable", "toggleable")
        }
        self._containers = one.get("isreceptacleobject", frozenset())
        self.now = self._initial()

    def _initial(self) -> Changing:
        facts, one = self.problem.facts, self.problem.one
        return Changing(
            at=min(fact[1] for fact in facts["atlocation"]),
            held=None,
            inside=dict.fromkeys((f[0], f[1]) for f in sorted(facts.get("inreceptacle", ()))),
            location={f[0]: f[1] for f in facts.get("objectatlocation", ())},
            opened=set(one.get("opened", ())),
            flags={name: set(one.get(name, ())) for name in FLAGS},
        )

    def reset(self) -> None:
        """Go back to the start."""
        self.now = self._initial()

    @property
    def won(self) -> bool:
        """Whether the goal holds now."""
        return holds(self.problem.goal, self)

    def opening(self, task: str) -> str:
        """Return the text that a game begins with."""
        around = self._listed(self.problem.receptacles)
        here = (
            self.look()
            if self._here()
            else f"You are in the middle of a room. Looking quickly around you, you see {around}."
        )
        return f"-= Welcome to TextWorld, ALFRED! =-\n\n{here}\n\n{task}"

    def look(self) -> str:
        """Return what the command `look` says."""
        here = [self.names[r] for r in self._here()]
        if not here:
            return "You are in the middle of a room. Looking quickly around you, you see nothing."
        return f"You are facing the {_joined(here)}. Next to it, you see nothing."

    def carried(self) -> str:
        """Return what the command `inventory` says."""
        held = self.now.held
        return (
            f"You are carrying: a {self.names[held]}." if held else "You are not carrying anything."
        )

    def commands(self) -> dict[str, Callable[[], str]]:
        """Return every admissible command with what carries it out and tells the answer."""
        names, now = self.names, self.now
        found: dict[str, Callable[[], str]] = {
            "look": self.look,
            "inventory": self.carried,
            "help": _help,
        }
        here = self._here()
        for r in self.problem.receptacles:
            if self._place[r] != now.at:
                found[f"go to {names[r]}"] = partial(self._go, r)
        for r in here:
            found[f"examine {names[r]}"] = partial(self._contents, r)
            if r in self._openable:
                if r in now.opened:
                    found[f"close {names[r]}"] = partial(self._close, r)
                else:
                    found[f"open {names[r]}"] = partial(self._open, r)
        near = set(here)
        for o, r in now.inside:
            if r not in near:
                continue
            if now.held is None and o in self._pickupable and self._accessible(r):
                found[f"take {names[o]} from {names[r]}"] = partial(self._take, o, r)
            if o in self._able["toggleable"]:
                found[f"use {names[o]}"] = partial(self._use, o)
        if now.held is not None:
            self._with_held(now.held, here, found)
        return found

    def _with_held(self, o: str, here: list[str], found: dict[str, Callable[[], str]]) -> None:
        names, name = self.names, self.names[o]
        found[f"examine {name}"] = partial(self._examine, o)
        kinds = self._kinds.get(o, frozenset())
        for r in here:
            places = self._places.get(r, frozenset())
            if self._accessible(r) and any((p, k) in self._fits for p in places for k in kinds):
                found[f"move {name} to {names[r]}"] = partial(self._put, o, r)
            if o in self._able["cleanable"] and places & {"sinktype", "sinkbasintype"}:
                found[f"clean {name} with {names[r]}"] = partial(self._clean, o, r)
            if o in self._able["heatable"] and "microwavetype" in places:
                found[f"heat {name} with {names[r]}"] = partial(self._heat, o, r)
            if o in self._able["coolable"] and "fridgetype" in places:
                found[f"cool {name} with {names[r]}"] = partial(self._cool, o, r)
        if kinds & {"knifetype", "butterknifetype"}:
            for x in self._able["sliceable"]:
                if self.now.location.get(x) == self.now.at:
                    found[f"slice {names[x]} with {name}"] = partial(self._slice, x, o)

    def _here(self) -> list[str]:
        return [r for r in self.problem.receptacles if self._place[r] == self.now.at]

    def _accessible(self, r: str) -> bool:
        return r not in self._openable or r in self.now.opened

    def _listed(self, objects: Iterable[str]) -> str:
        return _joined([f"a {self.names[o]}" for o in objects]) or "nothing"

    def _contents(self, r: str) -> str:
        inside = self._listed(o for o, where in self.now.inside if where == r)
        name = self.names[r]
        if r not in self._openable:
            return f"On the {name}, you see {inside}."
        if r in self.now.opened:
            return f"The {name} is open. In it, you see {inside}."
        return f"The {name} is closed."

    def _go(self, r: str) -> str:
        self.now.at = self._place[r]
        return f"You arrive at {self.names[r]}. {self._contents(r)}"

    def _open(self, r: str) -> str:
        self.now.opened.add(r)
        return f"You open the {self.names[r]}. {self._contents(r)}"

    def _close(self, r: str) -> str:
        self.now.opened.discard(r)
        return f"You close the {self.names[r]}."

    def _take(self, o: str, r: str) -> str:
        del self.now.inside[o, r]
        self.now.held = o
        self.now.location.pop(o, None)
        return f"You pick up the {self.names[o]} from the {self.names[r]}."

    def _put(self, o: str, r: str) -> str:
        self.now.inside[o, r] = None
        self.now.location[o] = self.now.at
        self.now.held = None
        return f"You move the {self.names[o]} to the {self.names[r]}."

    def _clean(self, o: str, r: str) -> str:
        self.now.flags["isclean"].add(o)
        return f"You clean the {self.names[o]} using the {self.names[r]}."

    def _heat(self, o: str, r: str) -> str:
        self.now.flags["ishot"].add(o)
        self.now.flags["iscool"].discard(o)
        return f"You heat the {self.names[o]} using the {self.names[r]}."

    def _cool(self, o: str, r: str) -> str:
        self.now.flags["iscool"].add(o)
        self.now.flags["ishot"].discard(o)
        return f"You cool the {self.names[o]} using the {self.names[r]}."

    def _slice(self, o: str, knife: str) -> str:
        self.now.flags["issliced"].add(o)
        return f"You sliced the {self.names[o]} with the {self.names[knife]}."

    def _use(self, o: str) -> str:
        self.now.flags["ison"] ^= {o}
        self.now.flags["istoggled"].add(o)
        return f"You turn on the {self.names[o]}."

    def _examine(self, o: str) -> str:
        name, flags = self.names[o], self.now.flags
        if o in self._containers:
            return f"This is a normal {name}. In it, you see nothing."
        hot, clean, cool, sliced = (
            o in flags[x] for x in ("ishot", "isclean", "iscool", "issliced")
        )
        words = [
            w
            for w, is_so in (("hot", hot), ("cool", cool and (clean or sliced) and not hot))
            if is_so
        ]
        if cool and not words and not hot:
            words = ["cold"]
        if clean:
            words.append("clean")
        state = " and ".join(words) + " " if words else ""
        if words or sliced:
            return f"This is a {state}{'sliced ' if sliced else ''}{name}."
        if o in self._able["toggleable"]:
            return f"This {name} is {'on' if o in flags['istoggled'] else 'off'}."
        return f"There's nothing special about {name}."

    def known(self, predicate: str) -> Collection[tuple[str, ...]]:
        """Return the argument tuples for which a predicate holds now (for the goal check)."""
        now = self.now
        match predicate:
            case "inreceptacle":
                return now.inside.keys()
            case "objectatlocation":
                return now.location.items()
            case "atlocation":
                return [("agent1", now.at)]
            case "holds":
                return [("agent1", now.held)] if now.held else []
            case name if name in FLAGS:
                return [(o,) for o in now.flags[name]]
            case name:
                return self.problem.facts.get(name, ())


def _many(pairs: Iterable[tuple[str, ...]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def _joined(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + ", and " + parts[-1]


def _help() -> str:
    return (
        "Available commands: look, inventory, go to, open, close, take .. from .., move .. to .., examine, "
        "use, heat/clean/cool .. with .., slice .. with .."
    )
