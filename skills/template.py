"""The skill that a person starts from, and what in it is still to be filled in."""

from ..envs.base import Environment
from .types import Contract, Skill, SkillTest

_DESCRIPTION = "Say in one sentence what it does and when to use it."
_ACTION = '"ACTION"'
_TASK = "TASK ID"
_CODE = """\
def {function}(api: API) -> bool:
    \"\"\"Say what it does.\"\"\"
    api.act("ACTION")
    return True
"""
_TESTS = ("origin", "binding-1", "binding-2")


def template(name: str, environment: Environment) -> Skill:
    """Return a skill that is to be filled in: code, contract, tests on three tasks of its environment.

    Raises:
        ValueError: The name is none.
    """
    tasks = [task.id for task in environment.tasks("train")[: len(_TESTS)]]
    skill = Skill(
        name=name,
        description=_DESCRIPTION,
        code="",
        contract=Contract(
            env=environment.name, maker="person", postconditions=("won",), capabilities=("act",)
        ),
        tests=tuple(
            SkillTest(name=test, task_id=task, origin=test == "origin")
            for test, task in zip(_TESTS, [*tasks, *[_TASK] * 3], strict=False)
        ),
    )
    return skill.model_copy(update={"code": _CODE.format(function=skill.function)})


def unfilled(skill: Skill) -> list[str]:
    """Return what its author has still to say, one sentence each; empty when all is said."""
    found = []
    if skill.description == _DESCRIPTION:
        found.append(
            f"{skill.name}/SKILL.md: say in the description what it does and when to use it"
        )
    if _ACTION in skill.code:
        found.append(
            f"{skill.name}/skill.py: write the actions that it takes in the place of {_ACTION}"
        )
    found += [
        f"{skill.name}/tests/{test.name}.yaml: write a task's id in the place of {_TASK} "
        f"(`lichen envs show {skill.contract.env}` lists some)"
        for test in skill.tests
        if test.task_id == _TASK
    ]
    return found
