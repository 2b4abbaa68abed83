"""Skills as actions: which ones an episode is offered, with which arguments, and what calling one comes to.

A_skills(M) of design.md, section 1. Knows nothing of graphs; what was offered and called goes into the ledger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from ...envs.base import Environment
from ...envs.errors import UsageError
from ...envs.tools import read_call
from ...envs.types import Fact, Observation, Record, Transition
from ...memory.credit.credit import Credit
from ...memory.credit.skill_uses import SkillUses
from ...memory.likeness.analogy import entities
from ...memory.likeness.embedder import Embedder
from ...memory.likeness.words import words
from ...skills.conditions import holds
from ...skills.errors import BadSkill
from ...skills.first_action import CAN, NUMBERED, SLOT, read_off
from ...skills.library import Library
from ...skills.skill_index import Vectored
from ...skills.skill_retriever import SkillRetriever, SkillRetrieverConfig
from ...skills.skill_runner import CallResult, Runner, view_of
from ...skills.types import Skill
from .skill_tools import tool_of

OFFERED = 3
"""Skills that are offered at a step."""
BINDINGS = 3
"""Calls of one skill that are offered at a step, with different arguments."""
DOUBT = 0.5
"""Nats less for every binding of the same skill that fits the goal's words better."""
MOST_FAILURES = 8
"""Calls that failed after which an episode is offered no more; the same call is never offered again."""


class SkillConfig(Record):
    """Whether skills are actions, and where they are."""

    on: bool = True
    """Offer skills as actions, where there is a library. Measured by `lichen skills audit`: +5.4
    [+4.1, +6.8] achievements in Crafter, 0.00 [-0.12, +0.12] on ALFWorld."""
    library: Path | None = None
    """Folder of the library; None: `skills` in the store; a place, nothing to measure."""
    jail: str | None = None
    """Level of the jail; None: the strongest safe one here. Measured by `lichen skills jail
    attack`: 131 of 131 hostile programs blocked."""
    trust: float = Field(default=3.0, ge=0)
    """Nats given, over the action it begins with, to a call whose skill always kept its contract; none to one
    that does half the time. Hand-set, not measured by itself."""
    threshold: float | None = None
    """Score below which a skill is not offered; None: calibrated from the library's tests. Measured by
    `lichen bench skills`: it keeps 93% of the right ones."""


class Offer(Record):
    """A call that the policy may choose."""

    action: str
    """How it reads among the actions."""
    skill: str
    """`name@version`."""
    arguments: Mapping[str, Fact]
    score: float
    """Of the retriever."""
    first: str
    """The action it begins with, as far as its preconditions say; empty where they do not."""
    favour: float
    """Nats for it over that action."""
    propensity: float = 1.0
    offered: Skill
    """The skill as it was when it was offered: that is what a call runs."""


class Offered(NamedTuple):
    """What an episode is offered at a step."""

    calls: Mapping[str, Offer]
    """By how they read."""
    held: Mapping[str, float]
    """Skills that were found and held out, with the probability of being shown."""
    considered: int
    """Skills of the environment."""

    def named(self, action: str) -> Offer | None:
        """Return the call that an action is; None where it is none of a skill that is offered.

        One whose arguments are open is called with what the action says, in Python's form.
        """
        if action in self.calls:
            return self.calls[action]
        name, _, said = action.partition("(")
        offer = next((o for o in self.calls.values() if o.offered.name == name), None)
        if offer is None or offer.arguments:
            return None
        spec = tool_of(offer.offered).model_copy(update={"name": "skill"})
        try:
            given = read_call(f"skill({said}", [spec])
        except UsageError:  # no call that can be made, as of an argument that is no number
            return None
        return offer.model_copy(update={"action": action, "arguments": given.arguments})


NOTHING = Offered({}, {}, 0)


@dataclass
class Called:
    """What a call came to."""

    result: CallResult
    taken: list[tuple[str, Transition]] = field(default_factory=list)
    """The environment's steps, in order."""


class SkillSet:
    """The skills of one agent.

    Args:
        library: Where they are.
        runner: Opened over them.
        embedder: Of goals and descriptions.
        uses: What the ledger says of each skill.
        config: Dials.
        index: Of the skills' vectors; None: the one beside the library.
    """

    most_failures = MOST_FAILURES

    def __init__(
        self,
        library: Library,
        runner: Callable[[], Runner],
        embedder: Embedder,
        uses: Callable[[], SkillUses],
        config: SkillConfig,
        index: Vectored | None = None,
    ) -> None:
        self.library, self.config = library, config
        self.runner, self._uses = runner, uses
        self._index = index if index is not None else Vectored(library.root, embedder)
        self._head, self._llm, self._skills = "", "", dict[str, Skill]()
        self._retriever: SkillRetriever | None = None

    def _refresh(self) -> None:
        head = self.library.repository.head()
        if head == self._head and self._retriever is not None:
            return
        self._head = head
        self._search_in(self.library.all())

    def _search_in(self, skills: dict[str, Skill]) -> None:
        self._skills = skills
        self._retriever = SkillRetriever(
            self._skills,
            self._index,
            SkillRetrieverConfig(threshold=self.config.threshold),
            self._utility,
        )

    def _utility(self, skill: str) -> float | None:
        known = self._uses().uplift(skill, self._llm)
        return known.mean if known.n >= _KNOWN else None

    @property
    def credit(self) -> Credit:
        """What being offered a skill brought, by `SkillUses.item`."""
        return self._uses().credit

    def offers(
        self,
        environment: Environment,
        seen: Observation,
        llm: str,
        without: Sequence[str] = (),
        shows: Callable[[str], tuple[bool, float]] = lambda _: (True, 1.0),
    ) -> Offered:
        """Return the calls to choose among now.

        Args:
            environment: Where it is now.
            seen: The last observation.
            llm: Of the agent: its own record with a skill counts.
            without: Actions that came to nothing in this episode.
            shows: Whether this episode is shown a skill (`SkillUses.item`), and with which probability.
        """
        self._llm = llm
        self._refresh()
        assert self._retriever is not None
        view = view_of(environment)
        hits = self._retriever.search(seen.goal, env=environment.name, view=view, k=OFFERED)
        found: list[Offer] = []
        held: dict[str, float] = {}
        for hit in hits.hits:
            skill = self._skills[hit.skill.partition("@")[0]]
            shown, chance = shows(SkillUses.item(skill.id, llm))
            if not shown:
                held[skill.id] = chance
                continue
            use = self._uses().of(skill.id, llm)
            good = use.succeeded + len(skill.tests)
            kept = (good + 1) / (good + use.failed + 2)
            calls = "call" in skill.contract.capabilities  # then who calls it says the arguments
            for rank, arguments in enumerate([{}] if calls else bound(skill, seen)[:BINDINGS]):
                action = written(skill, arguments)
                try:
                    ready = all(holds(c, view, arguments) for c in skill.contract.preconditions)
                except BadSkill:
                    ready = False
                if ready and action not in without:
                    found.append(
                        Offer(
                            action=action,
                            skill=skill.id,
                            offered=skill,
                            arguments=arguments,
                            score=hit.score,
                            propensity=chance,
                            first=first_of(skill, arguments),
                            favour=self.config.trust * (2 * kept - 1) - DOUBT * rank,
                        )
                    )
        return Offered({offer.action: offer for offer in found}, held, hits.considered)

    def call(self, offer: Offer, environment: Environment, *, seed: int) -> Called:
        """Run a skill where the environment is now."""
        called = Called(
            CallResult(skill=offer.skill, arguments=dict(offer.arguments), outcome="unknown")
        )
        outer = environment.watcher

        def note(action: str, done: Transition) -> None:
            called.taken.append((action, done))
            if outer is not None:
                outer(action, done)

        environment.watcher = note
        try:
            skill, around = self._runs(offer)
            runner = self.runner().with_skills(around)
            called.result = runner.call(skill, offer.arguments, environment, seed=seed)
        finally:
            environment.watcher = outer
        return called

    def _runs(self, offer: Offer) -> tuple[Skill, Mapping[str, Skill]]:
        """Return what a call runs, and the library around it."""
        return offer.offered, self._skills

    def close(self) -> None:
        """Free the index."""
        self._index.close()


def written(skill: Skill, arguments: Mapping[str, Fact]) -> str:
    """Return how a call reads among the actions.

    >>> from ...skills.types import Contract
    >>> written(Skill(name="go-take", description="-", code="", contract=Contract(env="e")), {"thing": "cup 1"})
    'go-take(thing=cup 1)'
    """
    return f"{skill.name}({', '.join(f'{name}={value}' for name, value in arguments.items())})"


def first_of(skill: Skill, arguments: Mapping[str, Fact]) -> str:
    """Return the action that a call begins with, by its precondition `can("...")`; empty without one."""
    for condition in skill.contract.preconditions:
        for _, template in CAN.findall(condition):
            return SLOT.sub(lambda slot: str(arguments[slot[1]]), str(template))
    return ""


def bound(skill: Skill, seen: Observation) -> list[dict[str, Fact]]:
    """Return arguments a skill could be called with here, those that the goal names first.

    What a precondition `can("...")` leaves open is read off the actions that are accepted; the rest comes
    from the domains, and from things that are named by goal and view.
    """
    parameters = skill.contract.parameters
    rows: list[dict[str, Fact]] = [{}]
    for condition in skill.contract.preconditions:
        for _, template in CAN.findall(condition):
            rows = [
                {**row, **values}
                for row in rows
                for values in read_off(template, seen.admissible or ())
                if all(row.get(k, v) == v for k, v in values.items())
            ]
    things = _things(seen)
    for name, parameter in parameters.items():
        if all(name in row for row in rows) and rows:
            continue
        if parameter.choices is not None:
            values: Sequence[Fact] = parameter.choices
        elif parameter.default is not None:
            values = [parameter.default]
        elif parameter.type == "str":
            values = things
        elif parameter.type == "bool":
            values = [False, True]
        else:
            lowest = parameter.min if parameter.min is not None else min(1, parameter.max or 1)
            values = [int(lowest)]
        rows = [
            {**row, name: value}
            for row in rows
            for value in values[:_WIDE]
            if isinstance(value, int | float) or value not in row.values()
        ][:_MOST]
    said = set(words(seen.goal))

    def named(row: Mapping[str, Fact]) -> int:
        return -sum(len(said & set(words(str(value)))) for value in row.values())

    whole = [row for row in rows if len(row) == len(parameters) and _fits(skill, row)]
    return sorted(whole, key=named)


def _fits(skill: Skill, row: Mapping[str, Fact]) -> bool:
    try:
        skill.contract.bind(row)
    except ValueError:
        return False
    return True


_KNOWN = 8
"""Randomised offers of a skill below which its uplift says nothing."""
_WIDE = 12
_MOST = 400


def _things(seen: Observation) -> list[Fact]:
    """Return what the goal names or the player carries: things with numbers, then the goal's own words.

    A thing that was not seen yet has no number; an induced skill finds the one that is there.
    """
    text = " ".join([seen.text, seen.look, seen.inventory, *(seen.admissible or ())]).lower()
    said = entities(seen.goal)
    held = set(words(seen.inventory))
    found = dict.fromkeys(NUMBERED.findall(text))
    numbered = [thing for thing in found if set(words(thing)) & (said | held)]
    numbered.sort(key=lambda thing: (-len(said & set(words(thing))), thing))
    have = {word for thing in numbered for word in words(thing)}
    return [*numbered, *sorted(word for word in said - have if not word.isdigit())]
