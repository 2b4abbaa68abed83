"""Proposes moves for a goal: words in common, skills, what followed what in earlier successes, chance.

No model is needed; where one is given, it chooses among the proposals.
"""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...envs.base import Environment
from ...envs.types import Fact
from ...memory.likeness.words import words
from ...skills.call_graph import depth
from ...skills.induction.traces import ACT, Move, effects
from ...skills.types import Skill

_Kind = tuple[str, str]
_ELSEWHERE = 4.0
"""What all that is known of an action elsewhere counts for at a new place, in tries."""
_MORE = 0.3
"""Share of calls that ask for more than a count's default."""


WEIGHTS = {"act": 0.35, "go": 0.25, "other": 0.05, "skill": 0.3, "named": 0.25}
"""How often each kind of move is proposed, relative to the others: `act` acts on what is faced, drawn by what
such actions brought (Thompson 1933); `go` calls with an argument (going to something); `other` without; `skill`
calls a skill; `named` shares a word with the goal."""
IN_SIGHT = 0.9
"""Share of `go` moves that go to what is in sight, where something is."""
SIMPLE = 3.0
"""Failures that an action counts as having for each further thing that it names, before it was tried: what is
simple is tried first."""
BEGIN = 0.5
"""Share of attempts that begin with a skill, where there are any: from the frontier of what is known."""
FOLLOW = 0.4
"""Share of moves that do what followed the last move in an earlier success."""


@dataclass
class Explorer:
    """Proposes moves.

    Args:
        environment: Whose calls there are.
        skills: That may be called; empty for an agent without a library.
        primitives: Whether calls besides single actions are proposed.
    """

    environment: Environment
    skills: Mapping[str, Skill] = field(default_factory=dict)
    primitives: bool = True
    """Whether calls besides single actions are proposed."""
    followed: dict[_Kind, Counter[_Kind]] = field(default_factory=dict)
    """What followed what in moves that were needed."""
    brought: dict[tuple[str, _Kind], list[int]] = field(default_factory=dict)
    """How often an action brought something and how often not, by what was faced; "" is anywhere."""

    said: list[str] = field(default_factory=list)
    """What was learned since it was drained last, to be kept in the ledger (see `apply`)."""

    def note(self, before: Mapping[str, Fact], move: Move, after: Mapping[str, Fact]) -> None:
        """Count whether an action brought something."""
        if move.method == ACT:
            good = any(
                effect.gain > 0 and effect.fact.startswith(("inventory.", "unlocked."))
                for effect in effects(before, after).values()
            )
            self._learned("brought", _where(before), *_kind(move), str(int(good)))

    def _learned(self, *lesson: str) -> None:
        text = json.dumps(lesson)
        self.said.append(text)
        self.apply(text)

    def apply(self, lesson: str) -> None:
        """Learn again what was learned before, from the ledger."""
        match json.loads(lesson):
            case ["brought", where, method, value, good]:
                for place in {"", where}:
                    counts = self.brought.setdefault((place, (method, value)), [0, 0])
                    counts[0 if good == "1" else 1] += 1
            case ["followed", method, value, then, what]:
                self.followed.setdefault((method, value), Counter())[then, what] += 1

    def drained(self) -> tuple[str, ...]:
        """Return what was learned since the last call."""
        said, self.said = tuple(self.said), []
        return said

    def _worths(
        self, moves: Sequence[Move], here: str, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Return draws of the chance that each action brings something here; where it is new, as anywhere."""
        counts = np.array([self._counts(move, here) for move in moves])
        draws: NDArray[np.float64] = rng.beta(1 + counts[:, 0], 1 + counts[:, 1])
        return draws

    def _counts(self, move: Move, here: str) -> tuple[float, float]:
        known = self.brought.get((here, _kind(move)))
        if known is not None:
            return known[0], known[1]
        good, bad = self.brought.get(("", _kind(move)), [0, 0])
        share = min(1.0, _ELSEWHERE / max(good + bad, 1))
        more = SIMPLE * str(move.values[0]).count(",") if move.values else 0.0
        return share * good, share * bad + more

    def _is_means(self, move: Move) -> bool:
        """Return whether a skill leaves something that later moves can use: carried, or to work at."""
        skill = self.skills[move.skill.partition("@")[0]]
        return any(
            condition.startswith(("inventory", "near."))
            for condition in skill.contract.postconditions
        )

    def _shares(self, moves: Sequence[Move]) -> NDArray[np.float64]:
        """Return with which chance each skill is called: those that stand on others lead further."""
        found = np.array(
            [(1.0 + depth(self.skills, move.skill.partition("@")[0])) ** 2 for move in moves]
        )
        shares: NDArray[np.float64] = found / found.sum()
        return shares

    def learn(self, moves: Sequence[Move]) -> None:
        """Remember what followed what in moves that reached a goal."""
        for a, b in zip(moves, moves[1:], strict=False):
            self._learned("followed", *_before(a), *_kind(b))

    def propose(
        self,
        goal: str,
        now: Mapping[str, Fact],
        done: Sequence[Move],
        rng: np.random.Generator,
    ) -> Move:
        """Return the next move.

        Args:
            goal: In words.
            now: What holds.
            done: The moves of this attempt so far.
            rng: Of chance.
        """
        calls = [_call(m, v) for m, v in self.environment.calls() if self.primitives or m == ACT]
        skills = [move for skill in self.skills.values() for move in bindings(skill, goal, rng)]
        means = [move for move in skills if self._is_means(move)]
        if not done and means and rng.random() < BEGIN:
            return means[int(rng.choice(len(means), p=self._shares(means)))]
        if done and rng.random() < FOLLOW:
            after = self.followed.get(_before(done[-1]))
            if after:
                kinds, counts = zip(*sorted(after.items()), strict=True)
                share = np.array(counts, dtype=float) / sum(counts)
                wanted = kinds[int(rng.choice(len(kinds), p=share))]
                fit = [move for move in (*calls, *skills) if _kind(move) == wanted]
                if fit:
                    return fit[int(rng.integers(len(fit)))]
        acts = [move for move in calls if move.method == ACT]
        said = set(words(goal))
        shared = [len(said & _words_of(move)) for move in (*calls, *skills)]
        most = max(shared, default=0)
        kinds_of = {
            "act": acts,
            "go": [move for move in calls if move.method != ACT and move.values],
            "other": [move for move in calls if not move.values],
            "skill": means,
            "named": [m for m, n in zip((*calls, *skills), shared, strict=True) if n == most > 0],
        }
        there = [name for name, moves in kinds_of.items() if moves]
        weights = np.array([WEIGHTS[name] for name in there], dtype=float)
        picked = there[int(rng.choice(len(there), p=weights / weights.sum()))]
        if picked == "act":
            here = _where(now)
            return acts[int(self._worths(acts, here, rng).argmax())]
        fit = kinds_of[picked]
        if picked == "skill":
            return fit[int(rng.choice(len(fit), p=self._shares(fit)))]
        if picked == "go" and rng.random() < IN_SIGHT:
            near = [move for move in fit if now.get(f"near.{move.values[0]}")]
            fit = near or fit
        return fit[int(rng.integers(len(fit)))]


def bindings(skill: Skill, goal: str, rng: np.random.Generator) -> list[Move]:
    """Return calls of a skill whose arguments come from its domains, one a first listed value.

    Parameters whose listed values belong together (the same number of them) are bound together.
    """
    parameters = skill.contract.parameters
    listed = {n: p.choices for n, p in parameters.items() if p.choices is not None}
    sizes = {len(c) for c in listed.values()}
    rows = max(sizes, default=1)
    found = []
    for row in range(rows):
        values: dict[str, Fact] = {}
        for name, parameter in parameters.items():
            if parameter.choices is not None:
                choices = parameter.choices
                values[name] = choices[row % len(choices)]
            elif parameter.default is not None:
                values[name] = parameter.default
                if parameter.type == "int" and parameter.max is not None and rng.random() < _MORE:
                    most = int(min(parameter.max, 5))
                    values[name] = int(rng.integers(int(parameter.min or 1), most + 1))
            else:
                break
        else:
            found.append(
                Move(
                    method="skill",
                    skill=skill.id,
                    names=tuple(values),
                    values=tuple(values.values()),
                )
            )
    return found


def _kind(move: Move) -> _Kind:
    if move.method == "skill":
        return ("skill", move.skill.partition("@")[0])
    return (move.method, str(move.values[0]) if move.values else "")


def _where(now: Mapping[str, Fact]) -> str:
    """Return what an action's worth depends on: what is faced, and the kinds of things that are carried."""
    held = [
        fact.removeprefix("inventory.")
        for fact, n in now.items()
        if fact.startswith("inventory.") and n
    ]
    return f"{now.get('facing', '')} with {','.join(sorted(held)) or 'nothing'}"


def _before(move: Move) -> _Kind:
    """Return what a move counts as for what follows it: going somewhere is alike, wherever it goes."""
    return _kind(move) if move.method in (ACT, "skill") else (move.method, "")


def _text(move: Move) -> str:
    said = [move.skill.partition("@")[0] if move.method == "skill" else move.method, *move.values]
    return " ".join(map(str, said)).replace("_", " ").replace("-", " ")


@lru_cache(maxsize=200_000)
def _call(method: str, values: tuple[Fact, ...]) -> Move:
    """Return a call as a move; a kitchen offers tens of thousands at every step."""
    return Move(method=method, values=values)


@lru_cache(maxsize=200_000)
def _words_of(move: Move) -> frozenset[str]:
    return frozenset(words(_text(move)))


def attempt_rng(seed: int, iteration: int, arm: str) -> np.random.Generator:
    """Return the generator of one iteration: the same after a kill."""
    return np.random.default_rng([seed, iteration, zlib.crc32(arm.encode())])
