"""A past call of a skill, run again from the place where it was called: what happened then, and now.

Then is played from the recorded steps, now is the skill in the jail. Nothing is written anywhere.
"""

from collections.abc import Callable, Mapping, Sequence

from ..envs.base import Environment
from ..envs.errors import EnvironmentFault, EpisodeOver, UnknownName, UsageError
from ..envs.registry import make
from ..envs.types import Fact, Outcome, Record
from ..memory.credit.past_calls import PastCall, Way, find_call, way_to
from ..memory.ledger.events import Stepped
from ..memory.ledger.ledger import Ledger
from ..memory.likeness.states import state_of
from .errors import UnknownSkill
from .library import Library
from .skill_runner import Runner
from .types import Skill, split_id

PLACEBO = "placebo:"
"""How the ledger's name of a skill begins whose call an evaluation exchanged."""


class Change(Record):
    """A fact that a call changed; None: it did not hold at all."""

    fact: str
    before: Fact | None
    after: Fact | None


class Happened(Record):
    """What a call came to."""

    skill: str
    """`name@version`."""
    outcome: Outcome
    reason: str
    actions: tuple[str, ...]
    """The steps it took, in order."""
    changed: tuple[Change, ...] | None
    """Facts, by name; None where they are not known."""
    level: str
    """Of the jail."""


class Replayed(Record):
    """A call, then and now."""

    call: PastCall
    then: Happened
    now: Happened | None
    """None: the place was not reached, so that nothing was run."""
    notes: tuple[str, ...]
    """What was not as it was then, one sentence each."""

    @property
    def same(self) -> bool:
        """Whether it came to the same: outcome, actions and, where both are known, changes."""
        if self.now is None:
            return False
        known = self.then.changed is not None and self.now.changed is not None
        return (
            self.then.outcome == self.now.outcome
            and self.then.actions == self.now.actions
            and (not known or self.then.changed == self.now.changed)
        )


class _Elsewhere(Exception):
    """The environment did not come to the place; the text says why."""


def replay_from(
    ledger: Ledger, call: str, library: Library, runner: Callable[[], Runner]
) -> Replayed:
    """Run a call that stands in a ledger again where it was made, with the code of then.

    Args:
        ledger: Where it stands.
        call: The number of its row, or its event's id.
        library: Where its skill is.
        runner: Opens the jail.

    Raises:
        UsageError: There is no such call, or it was of an evaluation's placebo.
        UnknownSkill: This library has no skill of that name.
    """
    past = find_call(ledger, call)
    if past.skill.startswith(PLACEBO):
        raise UsageError(f"call {past.id} was of a placebo, which is in no library")
    skill, around = version_of(library, past.skill)
    notes = []
    if skill.id != past.skill:
        notes.append(f"{past.skill} is not in this library's history: {skill.id} was run")
    now = library.all().get(skill.name)
    if now is None or now.id != skill.id:
        notes.append(f"the library now has {now.id if now else 'no skill of this name'}")
    environment = make(past.env, **past.options)
    try:
        environment.max_steps = past.max_steps or environment.max_steps
        around_it = runner().with_skills(around)
        return replay(past, way_to(ledger, past), skill, around_it, environment, notes)
    finally:
        environment.close()


def replay(
    call: PastCall,
    way: Way,
    skill: Skill,
    runner: Runner,
    environment: Environment,
    notes: Sequence[str] = (),
) -> Replayed:
    """Run a past call again.

    Args:
        call: From the ledger.
        way: To it.
        skill: What to run, in the version of then where that is still known.
        runner: Over the skills that it calls.
        environment: Of the task, opened as then.
        notes: What is known to differ.
    """
    said = list(notes)
    if call.seed is None:
        said.append("the beginning of its run is not in the ledger: seed 0 was taken")
    then = Happened(
        skill=call.skill,
        outcome=call.outcome,
        reason=call.reason,
        actions=tuple(step.action for step in way.taken),
        changed=None,
        level=call.level,
    )
    if len(way.taken) < call.steps:
        said.append(f"only {len(way.taken)} of the {call.steps} steps it took are in the ledger")
    try:
        before = _reached(environment, call, way)
    except _Elsewhere as why:
        said.append(f"the place could not be reached: {why}")
        return Replayed(call=call, then=then, now=None, notes=tuple(said))
    now = _now(call, skill, runner, environment, before)
    try:
        _reached(environment, call, way)
        _play(environment, way.taken)
        changed = _changed(before, environment.facts())
        then = then.model_copy(update={"changed": changed})
    except (_Elsewhere, EnvironmentFault) as why:
        said.append(f"what it changed then is not known: {why}")
    return Replayed(call=call, then=then, now=now, notes=tuple(said))


def version_of(library: Library, skill: str) -> tuple[Skill, dict[str, Skill]]:
    """Return a version of a skill and the library around it; what there is now where that version is lost.

    Raises:
        UnknownSkill: There is nothing of this name.
    """
    name, version = split_id(skill)
    here = library.all()
    if name in here and here[name].contract.version == version:
        return here[name], here
    for revision in library.history(name):
        at = library.all("skills", revision.commit)
        if name in at and at[name].contract.version == version:
            return at[name], at
    if name in here:
        return here[name], here
    raise UnknownSkill(
        f"{skill} is not in this library, nor was it ever",
        hint="Name the library of that run with --library.",
    )


def _now(
    call: PastCall,
    skill: Skill,
    runner: Runner,
    environment: Environment,
    before: Mapping[str, Fact],
) -> Happened:
    result = runner.call(skill, call.arguments, environment, seed=call.seed or 0)
    try:
        changed = _changed(before, environment.facts())
    except EnvironmentFault:
        changed = None
    return Happened(
        skill=skill.id,
        outcome=result.outcome,
        reason=result.reason,
        actions=result.actions,
        changed=changed,
        level=result.ran.level if result.ran is not None else "",
    )


def _reached(environment: Environment, call: PastCall, way: Way) -> dict[str, Fact]:
    """Bring an environment to where a call was made, and return what holds there.

    Raises:
        _Elsewhere: It does not come there.
    """
    if len(way.before) < call.step:
        raise _Elsewhere(
            f"only {len(way.before)} of the {call.step} steps before it are in the ledger"
        )
    try:
        environment.reset(call.task_id, seed=call.seed or 0)
    except (UnknownName, UsageError, EnvironmentFault) as error:
        raise _Elsewhere(str(error)) from error
    _play(environment, way.before)
    try:
        seen, facts = environment.seen(), dict(environment.facts())
    except EnvironmentFault as error:
        raise _Elsewhere(str(error)) from error
    if way.taken:
        was, known = way.taken[0], state_of(seen, [step.action for step in way.before])
        if (was.goal, was.text) != (known.goal, known.text):
            raise _Elsewhere(
                f"there {_short(f'{was.goal} {was.text}')} was seen, and now "
                f"{_short(f'{known.goal} {known.text}')}"
            )
    return facts


def _play(environment: Environment, steps: Sequence[Stepped]) -> None:
    """Take recorded steps.

    Raises:
        _Elsewhere: One is answered otherwise than it was.
    """
    for step in steps:
        try:
            done = environment.step(step.action)
        except (UsageError, EpisodeOver, EnvironmentFault) as error:
            raise _Elsewhere(f"at step {step.step}, {step.action!r}: {error}") from error
        if done.observation.text != step.observation:
            raise _Elsewhere(
                f"step {step.step}, {step.action!r}, was answered {_short(step.observation)} "
                f"and is answered {_short(done.observation.text)}"
            )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def _changed(before: Mapping[str, Fact], after: Mapping[str, Fact]) -> tuple[Change, ...]:
    """Return which facts changed; the count of steps stands elsewhere."""
    return tuple(
        Change(fact=name, before=before.get(name), after=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if name != "steps" and before.get(name) != after.get(name)
    )
