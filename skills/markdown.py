"""SKILL.md: the head (YAML) and the body of the Agent Skills standard (agentskills.io), read and written."""

from typing import Any

from ..envs.plain_yaml import plain_yaml, written_yaml
from .errors import BadSkill

_FENCE = "---"


def read(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Return head and body.

    Raises:
        BadSkill: There is no head, or it is not what the standard says.

    >>> read("---\\nname: a\\ndescription: b\\n---\\n# A\\n", "SKILL.md")
    ({'name': 'a', 'description': 'b'}, '# A\\n')
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        raise BadSkill(f"{where} does not begin with a head between two lines of ---")
    place = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), 0)
    if not place:
        raise BadSkill(f"the head of {where} has no closing line of ---")
    try:
        head = plain_yaml("\n".join(lines[1:place]))
    except ValueError as error:
        raise BadSkill(f"the head of {where} is no YAML: {error}") from error
    if not isinstance(head, dict):
        raise BadSkill(f"the head of {where} is no list of NAME: VALUE")
    for key in ("name", "description"):
        if not isinstance(head.get(key), str) or not head[key].strip():
            raise BadSkill(f"the head of {where} has no {key}")
    return head, "\n".join(lines[place + 1 :]).lstrip("\n")


def write(head: dict[str, Any], body: str) -> str:
    """Return the text of a SKILL.md."""
    return f"{_FENCE}\n{written_yaml(head)}{_FENCE}\n\n{body.rstrip()}\n"
