"""Questions to a library with answers that a program gives: what would do, here, what is done here next.

Where an environment has goals, a skill is right for one in a held-out world when its call there makes the
goal's fact true. Elsewhere held-out tasks are walked along their winning trajectories, and a skill is right at
a state when, under some binding, run from there in the jail it takes exactly the trajectory's next actions and
keeps its contract. What a skill says of itself is never read for that.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from ....envs.base import Environment
from ....envs.errors import EnvironmentFault, EpisodeOver
from ....envs.types import Fact, Record, Split, Transition
from ....skills.conditions import View
from ....skills.first_action import CAN, entry, read_off
from ....skills.induction.traces import effects, words_of
from ....skills.skill_runner import CallResult, Runner, view_of
from ....skills.types import Parameter, Skill

Kind = Literal["goal", "subtask"]
KINDS: tuple[Kind, ...] = ("goal", "subtask")
_SMALL = frozenset(
    {"from", "in", "into", "on", "onto", "to", "at", "with", "using", "by", "the", "a"}
)
_WINDOW = 12
"""Next actions whose words a call may be given."""
_MOST = 250
"""Bindings of one skill that are tried at a state."""


class Place(Record):
    """A state of a held-out task, and what is to be done there."""

    env: str
    task_id: str
    seed: int = 0
    taken: tuple[str, ...] = ()
    """Actions from the task's beginning."""
    ahead: tuple[str, ...] = ()
    """The winning trajectory's next actions; empty where a goal's fact decides."""
    fact: str = ""
    """The goal's fact, where the environment has goals."""
    goal: str
    """What the agent is asked for, in words."""
    segment: int = 0
    """Next actions until what holds changes: the subtask."""
    even: bool = True
    """Half of the tasks that it is of: retrieval is developed on even ones and reported on odd ones."""


def stand(environment: Environment, place: Place) -> View:
    """Bring an environment to a place, and return what can be seen there.

    Raises:
        EnvironmentFault: It broke.
    """
    environment.reset(place.task_id, seed=place.seed)
    for action in place.taken:
        environment.step(action)
    return view_of(environment)


def places(environment: Environment, split: Split, seed: int = 0) -> Iterator[Place]:
    """Yield the places of the held-out tasks of an environment, in a fixed order.

    Args:
        environment: An open one.
        split: Which fold; never the one that skills are made from.
        seed: Of the environment.
    """
    goals = environment.goals()
    if goals:
        held = environment.tasks(split, _open(environment))
        for number, task in enumerate(held):
            for fact, said in goals.items():
                yield Place(
                    env=environment.name,
                    task_id=task.id,
                    seed=seed,
                    fact=fact,
                    goal=said,
                    even=number % 2 == 0,
                )
        return
    for number, task in enumerate(environment.tasks(split)):
        environment.reset(task.id, seed=seed)
        gold = environment.gold()
        if gold:
            yield from _along(environment, task.id, gold, seed, number % 2 == 0)


def _open(environment: Environment) -> list[str] | None:
    return ["open"] if "open" in environment.families() else None


def _along(
    environment: Environment, task_id: str, gold: Sequence[str], seed: int, even: bool
) -> Iterator[Place]:
    """Yield every state of a trajectory that wins."""
    goal = environment.reset(task_id, seed=seed).goal
    held = [dict(environment.facts())]
    for action in gold:
        done = environment.step(action)
        held.append(dict(environment.facts()))
        if done.terminated or done.truncated:
            break
    if not held[-1].get("won"):
        return
    last = len(held) - 1
    for here in range(last):
        carried = (held[here].get("carried"), held[here].get("score"))
        after = range(here + 1, last + 1)
        ends = [n for n in after if (held[n].get("carried"), held[n].get("score")) != carried]
        yield Place(
            env=environment.name,
            task_id=task_id,
            seed=seed,
            taken=tuple(gold[:here]),
            ahead=tuple(gold[here:last]),
            goal=goal,
            segment=(ends[0] if ends else last) - here,
            even=even,
        )


class Judge:
    """Says, by running it, whether a skill is right at a place; remembers what it said.

    Args:
        runner: In whose jail skills run.
        skills: The library as of now.
        environment: Gives an open environment by name.
        seed: Of the skills' own random numbers.
    """

    def __init__(
        self,
        runner: Runner,
        skills: Mapping[str, Skill],
        environment: Callable[[str], Environment],
        seed: int = 0,
    ) -> None:
        self._runner = runner.with_skills(skills)
        self._skills, self._environment, self._seed = dict(skills), environment, seed
        self._length: dict[tuple[Place, str], int] = {}
        self._ran: dict[tuple[str, tuple[str, ...], str], dict[str, Fact] | None] = {}
        self.effect: dict[tuple[str, str], str] = {}
        """(task, goal's fact) -> in words, what its coming to hold brought."""
        self.runs = 0
        """Calls in the jail."""

    def length(self, skill: Skill, place: Place) -> int:
        """Return how many of the next actions a skill takes there, keeping its contract; 0: it is not right.

        Where a fact decides, 1 when it came to hold.

        Raises:
            EnvironmentFault: The environment or the jail broke.
        """
        key = (place, skill.id)
        if key not in self._length:
            if skill.contract.env != place.env:
                self._length[key] = 0
            elif place.fact:
                self._length[key] = int(bool(self._reached(skill, place).get(place.fact)))
            else:
                self._length[key] = self._followed(skill, place)
        return self._length[key]

    def right(self, place: Place, kind: Kind = "goal") -> frozenset[str]:
        """Return the names of the skills that are right at a place.

        For a subtask only those that do just that: neither less of the next actions nor more.
        """
        found = {name: self.length(skill, place) for name, skill in self._skills.items()}
        if kind == "subtask" and not place.fact:
            return frozenset(name for name, n in found.items() if n == place.segment)
        return frozenset(name for name, n in found.items() if n)

    def _reached(self, skill: Skill, place: Place) -> Mapping[str, Fact]:
        """Return what holds after a call with the default arguments, once for all goals of a world."""
        key = (place.task_id, place.taken, skill.id)
        if key not in self._ran:
            environment = self._environment(place.env)
            before = stand(environment, place)
            arguments = next(_defaults(skill), None)
            if arguments is None:
                self._ran[key] = None
            else:
                self._noted(environment, place, skill, arguments)
                now = environment.facts()
                self._ran[key] = {f: v for f, v in now.items() if not before.facts.get(f)}
        return self._ran[key] or {}

    def _noted(
        self, environment: Environment, place: Place, skill: Skill, arguments: Mapping[str, Fact]
    ) -> None:
        """Call a skill, and write down what came along with each goal's fact."""
        facts = [dict(environment.facts())]
        goals = environment.goals()

        def note(action: str, done: Transition) -> None:
            now = dict(environment.facts())
            new = [g for g in goals if now.get(g) and not facts[-1].get(g)]
            for fact in new:
                said = [
                    re.sub(r"[._]", " ", name)
                    for name, change in effects(facts[-1], now).items()
                    if change.gain > 0 and name.startswith(("inventory.", "near."))
                ]
                if said:
                    self.effect.setdefault((place.task_id, fact), ", ".join(said))
            facts.append(now)

        self._call(environment, skill, arguments, note)

    def _followed(self, skill: Skill, place: Place) -> int:
        environment = self._environment(place.env)
        for arguments in itertools.islice(self._bindings(skill, place), _MOST):
            stand(environment, place)
            taken = 0

            def follow(action: str, done: Transition) -> None:
                nonlocal taken
                if taken >= len(place.ahead) or action != place.ahead[taken]:
                    taken = -1
                    raise EpisodeOver("it does something else")
                taken += 1

            called = self._call(environment, skill, arguments, follow)
            if called.outcome == "success" and taken > 0:
                return taken
        return 0

    def _call(
        self,
        environment: Environment,
        skill: Skill,
        arguments: Mapping[str, Fact],
        watch: Callable[[str, Transition], None],
    ) -> CallResult:
        outer, environment.watcher = environment.watcher, watch
        self.runs += 1
        try:
            called = self._runner.call(skill, arguments, environment, seed=self._seed)
        finally:
            environment.watcher = outer
        if called.outcome == "unknown":
            raise EnvironmentFault(f"{skill.id} could not be run: {called.reason}")
        return called

    def _bindings(self, skill: Skill, place: Place) -> Iterator[dict[str, Fact]]:
        """Yield arguments that may make a skill do what is done next: words of the next actions.

        What a condition `can("...")` says is the first action (as `SkillSet` reads it), so it has to be the
        trajectory's next one.
        """
        rows: list[dict[str, Fact]] = [{}]
        for condition in entry(skill, self._skills):
            for _, template in CAN.findall(condition):
                rows = [
                    {**row, **new}
                    for row in rows
                    for new in read_off(template, place.ahead[:1])
                    if all(row.get(k, v) == v for k, v in new.items())
                ]
        said = [w for a in place.ahead[:_WINDOW] for w in words_of(a)[1:] if w not in _SMALL]
        words: list[Fact] = [*dict.fromkeys(said)]
        for row in rows:
            left = [n for n in skill.contract.parameters if n not in row]
            for values in itertools.product(
                *(_domain(skill.contract.parameters[n], words) for n in left)
            ):
                whole = {**row, **dict(zip(left, values, strict=True))}
                texts = [v for v in whole.values() if isinstance(v, str)]
                if len(set(texts)) == len(texts):
                    yield whole


def _domain(parameter: Parameter, words: Sequence[Fact]) -> Sequence[Fact]:
    if parameter.choices is not None:
        return parameter.choices
    if parameter.default is not None:
        return [parameter.default]
    if parameter.type == "str":
        return words
    if parameter.type == "bool":
        return [False, True]
    return [int(parameter.min if parameter.min is not None else 1)]


def _defaults(skill: Skill) -> Iterator[dict[str, Fact]]:
    """Yield what a skill is called with where nothing is said: defaults, else what its tests gave it."""
    for test in skill.tests:
        try:
            yield skill.contract.bind(test.arguments)
        except ValueError:
            continue


def question(place: Place, kind: Kind, judge: Judge) -> str:
    """Return what the agent asks at a place; empty where it would have nothing to ask.

    Args:
        place: With its goal.
        kind: The goal's own words, or what comes next in the environment's: the next actions, or the facts
            that came to hold together with the goal's.
        judge: Has run the skills there.
    """
    if kind == "goal":
        return place.goal
    if place.fact:
        return judge.effect.get((place.task_id, place.fact), "")
    return ", ".join(place.ahead[: place.segment])


def drawn(all_: Sequence[Place], n: int, rng: np.random.Generator) -> list[Place]:
    """Return places in a drawn order, at most n."""
    return [all_[int(i)] for i in rng.permutation(len(all_))[:n]]
