"""Skills as tools, in the form in which models are told of tools."""

from typing import Any

from ...envs.tools import ToolSpec
from ...skills.types import Parameter, Skill

_KINDS = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}


def tool_of(skill: Skill) -> ToolSpec:
    """Return a skill's contract as a tool's.

    >>> from ...skills.types import Contract
    >>> contract = Contract(env="e", parameters={"thing": Parameter(type="str", about="what to take")})
    >>> tool_of(Skill(name="take", description="Take it.", code="", contract=contract)).properties
    {'thing': {'type': 'string', 'description': 'what to take'}}
    """
    given = skill.contract.parameters
    return ToolSpec(
        name=skill.name,
        description=skill.description,
        parameters={
            "type": "object",
            "properties": {name: _schema(parameter) for name, parameter in given.items()},
            "required": [name for name, p in given.items() if p.default is None],
        },
        version=str(skill.contract.version),
    )


def _schema(parameter: Parameter) -> dict[str, Any]:
    known = {
        "enum": None if parameter.choices is None else list(parameter.choices),
        "minimum": parameter.min,
        "maximum": parameter.max,
        "default": parameter.default,
        "description": parameter.about or None,
    }
    given = {name: value for name, value in known.items() if value is not None}
    return {"type": _KINDS[parameter.type], **given}
