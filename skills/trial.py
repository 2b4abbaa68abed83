"""Runs a skill's tests: from a clean state, the setup's actions, the call, the postconditions."""

from collections.abc import Callable, Sequence

from ..envs.base import Environment
from ..envs.errors import EnvironmentFault, UnknownName, UsageError
from ..envs.types import Outcome, Record
from .skill_runner import Runner
from .types import Skill, SkillTest

MakeEnvironment = Callable[[str], Environment]
"""Returns a ready environment by name; it keeps and closes what it makes."""


class TestResult(Record):
    """How one test ended."""

    __test__ = False  # for pytest: it is no test class

    skill: str
    """`name@version`."""
    test: str
    outcome: Outcome
    reason: str = ""
    steps: int = 0
    level: str = ""
    """Of the jail."""


OnResult = Callable[[TestResult], None]
"""Told of every test that ended."""


def run_test(skill: Skill, test: SkillTest, runner: Runner, environment: Environment) -> TestResult:
    """Run one test of a skill.

    Returns:
        `unknown` when the environment, the task or the jail is what failed.
    """

    def ended(outcome: Outcome, reason: str, steps: int = 0, level: str = "") -> TestResult:
        return TestResult(
            skill=skill.id, test=test.name, outcome=outcome, reason=reason, steps=steps, level=level
        )

    try:
        environment.reset(test.task_id, seed=test.seed)
        for action in test.setup:
            done = environment.step(action)
            if done.terminated or done.truncated:
                return ended("failure", f"the episode ended in the setup, at {action!r}")
    except UnknownName as error:
        return ended("failure", f"its task is none: {error}")
    except UsageError as error:
        return ended("failure", f"its setup cannot be played: {error}")
    except EnvironmentFault as error:
        return ended("unknown", str(error))
    called = runner.call(skill, test.arguments, environment, seed=test.seed)
    level = called.ran.level if called.ran is not None else ""
    return ended(called.outcome, called.reason, len(called.actions), level)


def run_tests(
    skill: Skill,
    runner: Runner,
    make: MakeEnvironment,
    on_result: OnResult | None = None,
    *,
    tests: Sequence[SkillTest] | None = None,
    whole: bool = False,
) -> list[TestResult]:
    """Run the tests of a skill until one does not succeed.

    Args:
        skill: What to test.
        runner: With the library that it calls.
        make: Gives its environment.
        on_result: Told of every test that ended.
        tests: Only these; None: all.
        whole: Go on after one that does not succeed.
    """
    found = []
    for test in skill.tests if tests is None else tests:
        result = run_test(skill, test, runner, make(skill.contract.env))
        found.append(result)
        if on_result is not None:
            on_result(result)
        if result.outcome != "success" and not whole:
            break
    return found
