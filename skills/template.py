"""The skill that a person starts from."""

from .types import Contract, Skill, SkillTest

_CODE = """\
def {function}(api: API) -> bool:
    \"\"\"Say what it does.\"\"\"
    api.act("ACTION")
    return True
"""


def template(name: str, env: str) -> Skill:
    """Return a skill that is to be filled in: code, contract, an origin and two bindings.

    Raises:
        ValueError: The name is none.
    """
    skill = Skill(
        name=name,
        description="Say in one sentence what it does and when to use it.",
        code="",
        contract=Contract(
            env=env, maker="person", postconditions=("won",), capabilities=("act", "facts")
        ),
        tests=tuple(
            SkillTest(name=test, task_id="TASK ID", origin=test == "origin")
            for test in ("origin", "binding-1", "binding-2")
        ),
    )
    return skill.model_copy(update={"code": _CODE.format(function=skill.function)})
