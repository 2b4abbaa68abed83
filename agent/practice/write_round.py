"""The rounds of the action writer: code, its tests in the jail, what came of it, a critique, code again.

VOYAGER's loop (arXiv 2305.16291, section 2.3) with bounded rounds; what the tests say decides, not the model.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault
from ...envs.types import Fact
from ...memory.likeness.words import words
from ...skills.admission import Admission, Verdict
from ...skills.lint import check
from ...skills.trial import run_tests
from ...skills.types import Skill
from ..llm.errors import LLMNonsense
from .code_writer import ActionWriter, Round
from .workbench import tests_in

_SHOWN = 5


class Written(NamedTuple):
    """What the rounds came to."""

    verdict: Verdict | None
    """Of admission; None when no candidate held its tests."""
    steps: int
    refused: tuple[str, ...]
    """Why each round failed."""


async def write_skill(
    writer: ActionWriter,
    admission: Admission,
    environment: Environment,
    skills: Mapping[str, Skill],
    goal: str,
    said: str,
    now: Mapping[str, Fact],
    *,
    worlds: Sequence[str],
    seed: int,
    rounds: int,
    completed: int,
) -> Written:
    """Let a model write a skill for a goal until one holds its tests, and put that to admission.

    Args:
        writer: With its model.
        admission: Of the library.
        environment: Of the worlds.
        skills: The library.
        goal: The fact that has to hold.
        said: The same in words.
        now: What holds, for the model.
        worlds: Task ids of the tests, the origin first.
        seed: Of the environment.
        rounds: Answers of the model at most.
        completed: Goals that were completed so far.

    Raises:
        EnvironmentFault: A candidate could not be tested.
    """
    shown = _near(said, skills)
    last: Round | None = None
    steps, refused = 0, []
    for _ in range(rounds):
        try:
            candidate = await writer.write(
                goal, said, environment, now, shown, last, completed=completed
            )
        except (ValueError, LLMNonsense) as error:
            last = Round(code=last.code if last else "", feedback=f"no code could be read: {error}")
            refused.append(last.feedback)
            continue
        candidate = candidate.model_copy(update={"tests": tests_in(worlds, seed, said)})
        why = "; ".join(check(candidate))
        if not why:
            runner = admission.runner.with_skills({**skills, candidate.name: candidate})
            ran = run_tests(candidate, runner, admission.make)
            steps += sum(result.steps for result in ran)
            if ran[-1].outcome == "unknown":
                raise EnvironmentFault(f"{candidate.name} could not be tested: {ran[-1].reason}")
            if ran[-1].outcome == "success":
                verdict = admission.admit(candidate, author="agent")
                return Written(verdict, steps, (*refused, *verdict.reasons))
            why = ran[-1].reason
        refused.append(why)
        critique = await writer.criticise(said, why, now)
        last = Round(code=candidate.code, feedback=why, critique=critique)
    return Written(None, steps, tuple(refused))


def _near(goal: str, skills: Mapping[str, Skill]) -> list[Skill]:
    """Return the skills whose descriptions share most words with a goal."""
    said = set(words(goal))
    order = sorted(
        skills.values(),
        key=lambda s: (-len(said & set(words(f"{s.name} {s.description}"))), s.name),
    )
    return order[:_SHOWN]
