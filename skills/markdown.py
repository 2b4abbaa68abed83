"""SKILL.md: the head (YAML) and the body of the Agent Skills standard (agentskills.io), read and written."""

from typing import Any

import yaml

from .errors import BadSkill

_FENCE = "---"
_KNOWN = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")


def read(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Return head and body.

    Raises:
        BadSkill: There is no head, or it is not what the standard says.

    >>> read("---\\nname: a\\ndescription: b\\n---\\n# A\\n", "SKILL.md")
    ({'name': 'a', 'description': 'b'}, '# A\\n')
    """
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].strip() != _FENCE:
        raise BadSkill(f"{where} does not begin with a head between two lines of ---")
    place = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == _FENCE), 0)
    if not place:
        raise BadSkill(f"the head of {where} has no closing line of ---")
    try:
        head = yaml.safe_load("".join(lines[1:place]))
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        said = " ".join(str(error).split())
        raise BadSkill(f"the head of {where} is no YAML: {said}") from error
    if not isinstance(head, dict):
        raise BadSkill(f"the head of {where} is no list of NAME: VALUE")
    for key in ("name", "description"):
        if not isinstance(head.get(key), str) or not head[key].strip():
            raise BadSkill(f"the head of {where} has no {key}")
    metadata = head.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise BadSkill(f"the metadata of {where} are no list of NAME: VALUE")
    head["metadata"] = {str(k): str(v) for k, v in metadata.items()}
    if not metadata:
        del head["metadata"]
    return head, "".join(lines[place + 1 :]).lstrip("\n")


def write(head: dict[str, Any], body: str) -> str:
    """Return the text of a SKILL.md."""
    ordered = {key: head[key] for key in _KNOWN if head.get(key)}
    ordered |= {key: value for key, value in head.items() if key not in ordered and value}
    said = yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=100)
    return f"{_FENCE}\n{said}{_FENCE}\n\n{body.rstrip()}\n"
