"""Proposes moves for a goal: words in common, skills, what followed what in earlier successes, chance.

No model is needed; where one is given, it chooses among the proposals.
"""

import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...envs.base import Environment
from ...envs.types import Fact
from ...memory.likeness.words import words
from ...skills.call_graph import depth
from ...skills.conditions import names
from ...skills.induction.traces import ACT, Move, effects
from ...skills.skill_runner import CallResult
from ...skills.types import Skill
from .needs import brought_by
from .possible import Possible, first_value, move_of, text_of, words_in
from .skill_values import SkillValues, call_of, open_parameters, variant
from .tried_actions import TriedActions, where

_Kind = tuple[str, str]
_MORE = 0.3
"""Share of calls that ask for more than a count's default."""


WEIGHTS = {"act": 0.35, "go": 0.25, "other": 0.05, "skill": 0.3, "value": 0.3, "named": 0.25}
"""How often each kind of move is proposed, relative to the others: `act` acts on what is faced, drawn by what
such actions brought (Thompson 1933); `go` calls with an argument (going to something); `other` without; `skill`
calls a skill; `value` calls one with a value that it may work for, the more often the more that brought;
`named` shares a word with the goal."""
IN_SIGHT = 0.9
"""Share of `go` moves that go to what is in sight, where something is."""
BEGIN = 0.5
"""Share of attempts that begin with a skill, where there are any: from the frontier of what is known."""
LACKED = 3
"""Times that what a call lacks is made before it is given up."""
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
    acts: TriedActions = field(default_factory=TriedActions)
    """What single actions brought."""
    called: Counter[str] = field(default_factory=Counter)
    """How often each skill was called."""
    tried: SkillValues = field(default_factory=SkillValues)
    """What skills brought with which values."""
    made: dict[str, Move] = field(default_factory=dict)
    """Thing that is carried -> the move that brought it last; for what a call lacks."""
    next: list[Move] = field(default_factory=list)
    """Moves that come before any other, last first."""
    said: list[str] = field(default_factory=list)
    """What was learned since it was drained last, to be kept in the ledger (see `apply`)."""
    _lacked: Counter[Move] = field(default_factory=Counter)
    _offer: "Possible | None" = None
    _sources: tuple[Mapping[str, Skill], Mapping[str, Skill]] | None = None

    def begin(self) -> None:
        """Begin an attempt: nothing is waiting."""
        self.next, self._lacked = [], Counter()

    def note(
        self,
        before: Mapping[str, Fact],
        move: Move,
        after: Mapping[str, Fact],
        call: CallResult | None = None,
        *,
        new: bool = False,
    ) -> None:
        """Count whether a move brought something.

        Args:
            before: What held.
            move: What was done.
            after: What holds.
            call: What it came to, for a skill.
            new: Whether a goal came to hold.
        """
        changed = effects(before, after).values()
        grown = [effect.fact for effect in changed if effect.gain > 0]
        if move.method == ACT:
            came = str(self.acts.came_to(grown, self._brings()))
            here = where(before, self._brings())
            self._learned("act", here, first_value(move.values), came, str(int(new)))
        if not self.skills:
            return
        if move.method == "skill":
            self._learned("called", move.skill.partition("@")[0])
        for fact in grown:
            thing = fact.removeprefix("inventory.").replace("_", " ")
            known = self.made.get(thing)
            if thing != fact and (known is None or (known.method != ACT and known != move)):
                self._learned("made", thing, move.model_dump_json())
        if call is not None:
            self._note_call(move, call)

    def know(self, skill: Skill) -> None:
        """Take that what a skill does by default brought something."""
        which, values = variant(skill, call_of(skill, {}))
        self._learned("tried", which, values[0], "1")

    def _note_call(self, move: Move, call: CallResult) -> None:
        """Count what a call with a value brought; what it lacked is made first, and it is called again."""
        skill = self.skills[move.skill.partition("@")[0]]
        if not open_parameters(skill):
            return
        which, values = variant(skill, move)
        if call.ran is not None and call.ran.value is False:
            sources = [s for s in map(self._source, values) if s is not None and s != move]
            self._lacked[move] += 1
            if sources and self._lacked[move] <= LACKED and len(self.next) < 2 * LACKED:
                self.next += [move, *sources]
                return
        self._learned("tried", which, values[0], str(int(call.outcome == "success")))

    def _source(self, thing: str) -> Move | None:
        """Return what brought a thing before, or what is offered like the action that brought another."""
        if thing in self.made:
            return self.made[thing]
        offered = set(self._offered().single)
        for other, move in self.made.items():
            text = first_value(move.values)
            like = text.removesuffix(other) + thing
            if move.method == ACT and text.endswith(f" {other}") and like in offered:
                return move_of((ACT, (like,)))
        return None

    def _brings(self) -> Mapping[str, Skill]:
        """Return what skills bring that can be carried or worked at; it changes with the library only."""
        if self._sources is None or self._sources[0] is not self.skills:
            self._sources = (self.skills, brought_by(self.skills))
        return self._sources[1]

    def _learned(self, *lesson: str) -> None:
        text = json.dumps(lesson)
        self.said.append(text)
        self.apply(text)

    def apply(self, lesson: str) -> None:
        """Learn again what was learned before, from the ledger."""
        match json.loads(lesson):
            case ["act", here, action, came, new]:
                self.tried.others[0 if new == "1" else 1] += 1
                self.acts.note(here, action, int(came))
            case ["called", skill]:
                self.called[skill] += 1
            case ["made", thing, move]:
                self.made[thing] = Move.model_validate_json(move)
            case ["tried", skill, value, good]:
                self.tried.note(skill, value, good=good == "1")
            case ["followed", method, value, then, what]:
                self.followed.setdefault((method, value), Counter())[then, what] += 1

    def drained(self) -> tuple[str, ...]:
        """Return what was learned since the last call."""
        said, self.said = tuple(self.said), []
        return said

    def _is_means(self, move: Move) -> bool:
        """Return whether a skill leaves something that later moves can use: carried, or to work at."""
        skill = self.skills[move.skill.partition("@")[0]]
        return any(
            condition.startswith(("inventory", "near."))
            for condition in skill.contract.postconditions
        )

    def _shares(self, moves: Sequence[Move], now: Mapping[str, Fact]) -> NDArray[np.float64]:
        """Return with which chance each skill is called.

        Those that stand on others lead further; what is at hand need not be brought.
        """
        called = [self.skills[move.skill.partition("@")[0]] for move in moves]
        found = np.array(
            [
                ((1.0 + depth(self.skills, s.name)) / (1.0 + _at_hand(s, now))) ** 2
                / (1.0 + self.called[s.name])
                for s in called
            ]
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
        if self.next:
            return self.next.pop()
        offer = self._offered()
        skills = [move for skill in self.skills.values() for move in bindings(skill, goal, rng)]
        means = [move for move in skills if self._is_means(move)]
        free = [skill for skill in self.skills.values() if open_parameters(skill)]
        if not done and means and rng.random() < BEGIN:
            return means[int(rng.choice(len(means), p=self._shares(means, now)))]
        if done and rng.random() < FOLLOW:
            after = self.followed.get(_before(done[-1]))
            if after:
                kinds, counts = zip(*sorted(after.items()), strict=True)
                share = np.array(counts, dtype=float) / sum(counts)
                wanted = kinds[int(rng.choice(len(kinds), p=share))]
                fit = [move_of(c) for c in offer.calls if (c[0], first_value(c[1])) == wanted]
                fit += [move for move in skills if _kind(move) == wanted]
                if fit:
                    return fit[int(rng.integers(len(fit)))]
        said = set(words(goal))
        named = offer.names(said) or bool(
            said & {w for move in skills for w in words_in(text_of(move))}
        )
        has = {
            "act": offer.acts,
            "go": offer.go,
            "other": offer.other,
            "skill": means,
            "value": free,
            "named": named,
        }
        there = [name for name, found in has.items() if found]
        weights = np.array([WEIGHTS[name] for name in there], dtype=float)
        weights[[name == "value" for name in there]] *= self.tried.worth
        picked = there[int(rng.choice(len(there), p=weights / weights.sum()))]
        if picked == "act":
            worths = self.acts.worths(offer, where(now, self._brings()), rng)
            return move_of(offer.acts[int(worths.argmax())])
        if picked == "value":
            return self.tried.propose(free, offer.single, rng)
        if picked == "skill":
            return means[int(rng.choice(len(means), p=self._shares(means, now)))]
        if picked == "named":
            nearest = offer.named(said, skills)
            return nearest[int(rng.integers(len(nearest)))]
        away = offer.go if picked == "go" else offer.other
        if picked == "go" and rng.random() < IN_SIGHT:
            away = [call for call in away if now.get(f"near.{call[1][0]}")] or away
        return move_of(away[int(rng.integers(len(away)))])

    def _offered(self) -> "Possible":
        """Return the calls that there are; they are sorted anew only where they changed."""
        calls = self.environment.calls()
        if self._offer is None or self._offer.source is not calls:
            self._offer = Possible(calls, primitives=self.primitives)
        return self._offer


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
    return (move.method, first_value(move.values))


def _at_hand(skill: Skill, now: Mapping[str, Fact]) -> float:
    """Return how much there is of what a skill promises."""
    promised = {fact for said in skill.contract.postconditions for fact in names(said)}
    there = (now.get(fact, 0) for fact in promised if fact.startswith(("inventory.", "near.")))
    return float(max((n for n in there if isinstance(n, int | float)), default=0))


def _before(move: Move) -> _Kind:
    """Return what a move counts as for what follows it: going somewhere is alike, wherever it goes."""
    return _kind(move) if move.method in (ACT, "skill") else (move.method, "")


def attempt_rng(seed: int, iteration: int, arm: str) -> np.random.Generator:
    """Return the generator of one iteration: the same after a kill."""
    return np.random.default_rng([seed, iteration, zlib.crc32(arm.encode())])
