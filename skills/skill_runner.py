"""Runs a skill in the jail against an environment, and says whether it kept its contract.

The broker: what the code asks for comes here, is held to the declared capabilities, and takes its steps in
the environment. A fault of the jail or of the environment is `unknown`, never the skill's failure.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..envs.approval import ApprovalNeeded
from ..envs.base import Environment
from ..envs.errors import EnvironmentFault, EpisodeOver, UsageError
from ..envs.types import Fact, Outcome, Record, Transition
from .call_graph import closure
from .conditions import View, holds
from .errors import BadSkill
from .jail import Denied, Jail, Limits, Program, Ran, Stop
from .types import Skill

STEPS = 1000
"""Steps of one call in the environment; more fail it."""


class CallResult(Record):
    """How one call of a skill ended."""

    skill: str
    """`name@version`."""
    arguments: dict[str, Fact]
    outcome: Outcome
    """By its postconditions; unknown when the jail or the environment broke."""
    reason: str = ""
    """Why it is no success, in words."""
    actions: tuple[str, ...] = ()
    """The steps it took, in order."""
    ran: Ran | None = None
    """What the jail says; None when it was not begun."""
    broke: bool = False
    """Whether it was the environment that broke."""


class Runner:
    """Calls skills.

    Args:
        skills: The library by name, as of now; what a skill calls is looked up here.
        jail: Where code runs.
        steps: Of one call in the environment; more fail it.
    """

    def __init__(self, skills: Mapping[str, Skill], jail: Jail, *, steps: int = STEPS) -> None:
        self.skills, self.jail, self.steps = skills, jail, steps

    def with_skills(self, skills: Mapping[str, Skill]) -> "Runner":
        """Return a runner over other skills in the same jail."""
        return Runner(skills, self.jail, steps=self.steps)

    def call(
        self,
        skill: Skill,
        arguments: Mapping[str, object],
        environment: Environment,
        *,
        seed: int = 0,
        strict: bool = True,
    ) -> CallResult:
        """Run a skill where the environment is now.

        Args:
            skill: What to run.
            arguments: By parameter.
            environment: Reset, and not at its end.
            seed: Of the code's random numbers.
            strict: Fail a call whose preconditions do not hold, without running it.

        Raises:
            ApprovalNeeded: A call in it waits for a person; what it called before is in the journal.
        """
        try:
            bound = skill.contract.bind(arguments)
            program = program_of(self.skills, skill, seed)
        except (ValueError, BadSkill) as error:
            said = {k: v for k, v in arguments.items() if isinstance(v, bool | int | float | str)}
            return CallResult(skill=skill.id, arguments=said, outcome="failure", reason=str(error))
        try:
            before = view_of(environment)
            missing = unmet(skill.contract.preconditions, before, bound)
        except EnvironmentFault as error:
            return CallResult(
                skill=skill.id, arguments=bound, outcome="unknown", reason=str(error), broke=True
            )
        except BadSkill as error:
            return CallResult(skill=skill.id, arguments=bound, outcome="failure", reason=str(error))
        if missing and strict:
            return CallResult(
                skill=skill.id,
                arguments=bound,
                outcome="failure",
                reason=f"the precondition {missing!r} does not hold",
            )
        broker = _Broker(environment, program.api, self.steps)
        with broker.watching():
            ran = self.jail.run(program, bound, broker.serve, Limits())
        if broker.waits is not None:
            raise broker.waits
        outcome, reason = self._judged(skill, bound, environment, before, broker, ran)
        return CallResult(
            skill=skill.id,
            arguments=bound,
            outcome=outcome,
            reason=reason,
            actions=tuple(broker.actions),
            ran=ran,
            broke=broker.fault is not None,
        )

    @staticmethod
    def _judged(
        skill: Skill,
        bound: Mapping[str, Fact],
        environment: Environment,
        before: View,
        broker: "_Broker",
        ran: Ran,
    ) -> tuple[Outcome, str]:
        if broker.fault is not None:
            return "unknown", f"{type(broker.fault).__name__}: {broker.fault}"
        if ran.end == "broken":
            return "unknown", f"the jail broke: {ran.error}"
        try:
            missing = unmet(skill.contract.postconditions, view_of(environment, before), bound)
        except EnvironmentFault as error:
            return "unknown", str(error)
        except BadSkill as error:
            return "failure", str(error)
        if broker.exhausted:
            return "failure", f"it took more than {broker.most} steps"
        if ran.end not in ("returned", "stopped"):
            return "failure", ran.error or ran.end
        if missing:
            return "failure", f"the postcondition {missing!r} does not hold"
        return "success", ""


def program_of(skills: Mapping[str, Skill], skill: Skill, seed: int = 0) -> Program:
    """Return what the jail is given: the skill, all that it calls, and what they may ask for.

    Raises:
        BadSkill: It calls what is not there, or something it calls may do more than it may itself.
    """
    parts = closure(skills, skill)
    for part in parts:
        wider = set(part.contract.capabilities) - set(skill.contract.capabilities)
        if wider:
            raise BadSkill(
                f"{skill.id} calls {part.id}, which uses {', '.join(sorted(wider))}: name them among its "
                "capabilities"
            )
    return Program(
        entry=skill.id,
        modules={part.id: part.code for part in parts},
        functions={part.id: part.function for part in parts},
        api=skill.contract.capabilities,
        seed=seed,
    )


def view_of(environment: Environment, before: View | None = None) -> View:
    """Return the place where an environment is, for conditions.

    Args:
        environment: Reset.
        before: The place at the call's beginning.
    """
    seen = environment.seen()
    return View(
        facts=dict(environment.facts()),
        admissible=seen.admissible,
        text=f"{seen.text}\n{seen.look}",
        inventory=seen.inventory,
        before=before.facts if before is not None else {},
    )


def unmet(conditions: tuple[str, ...], view: View, arguments: Mapping[str, Fact]) -> str:
    """Return the first condition that does not hold, empty when all do.

    Raises:
        BadSkill: One cannot be checked.
    """
    return next((c for c in conditions if not holds(c, view, arguments)), "")


class _Broker:
    """Answers what the jailed code asks for."""

    def __init__(self, environment: Environment, allowed: tuple[str, ...], most: int) -> None:
        self._environment, self._allowed, self.most = environment, allowed, most
        self._api: Mapping[str, Callable[..., Any]] = environment.api()
        self.actions: list[str] = []
        self.exhausted = False
        self.fault: EnvironmentFault | None = None
        self.waits: ApprovalNeeded | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note every step that is taken meanwhile."""
        outer = self._environment.watcher

        def note(action: str, done: Transition) -> None:
            self.actions.append(action)
            if outer is not None:
                outer(action, done)

        self._environment.watcher = note
        try:
            yield
        finally:
            self._environment.watcher = outer

    def serve(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Answer one request.

        Raises:
            Denied: The method is not among the capabilities, or the environment has no such method.
            Stop: The episode is over, the steps are used up, or the environment broke.
        """
        if method not in self._allowed or method not in self._api:
            raise Denied(f"api.{method} is not among the declared capabilities")
        if len(self.actions) >= self.most:
            self.exhausted = True
            raise Stop("the steps are used up")
        try:
            return self._api[method](*args, **kwargs)
        except EpisodeOver as error:
            raise Stop(str(error)) from error
        except EnvironmentFault as error:
            self.fault = error
            raise Stop(str(error)) from error
        except ApprovalNeeded as error:
            self.waits = error
            raise Stop(str(error)) from error
        except (TypeError, ValueError, AttributeError) as error:  # arguments that it does not take
            raise UsageError(f"api.{method}: {error}") from error
