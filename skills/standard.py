"""The Agent Skills standard (agentskills.io/specification), exactly: what the head of a SKILL.md may say.

Every skill that Lichen writes itself keeps it; what an imported one does otherwise is told to whoever imports
it, and kept as it came. Readers are lenient to different degrees: claude.ai refuses a key that is not here.
"""

from collections.abc import Mapping
from typing import Any

from . import markdown
from .errors import BadSkill
from .types import LONGEST, NAME

KEYS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
DESCRIPTION, COMPATIBILITY = 1024, 500
"""Characters at most."""


def deviations(head: Mapping[str, Any], folder: str) -> list[str]:
    """Return one sentence for each way in which a head is not the standard's.

    Args:
        head: Of a SKILL.md.
        folder: Name of the folder that it lies in.

    >>> deviations({"name": "a", "description": "b", "priority": 1}, "a")
    ["the standard has no key 'priority'"]
    """
    name, said = head.get("name"), head.get("description")
    found = [f"the standard has no key {key!r}" for key in head if key not in KEYS]
    if not isinstance(name, str) or len(name) > LONGEST or not NAME.fullmatch(name):
        found.append(f"{name!r} is no name: lower-case letters, digits, single hyphens, at most 64")
    elif name != folder:
        found.append(f"the name {name!r} is not that of the folder, {folder!r}")
    if not isinstance(said, str) or not said.strip():
        found.append("there is no description")
    elif len(said) > DESCRIPTION:
        found.append(f"the description has {len(said)} characters, more than {DESCRIPTION}")
    for key in ("license", "compatibility", "allowed-tools"):
        if key in head and not (isinstance(head[key], str) and head[key].strip()):
            found.append(f"{key} is no text")
    if len(str(head.get("compatibility", ""))) > COMPATIBILITY:
        found.append(f"compatibility has more than {COMPATIBILITY} characters")
    held = head.get("metadata", {})
    if not isinstance(held, dict) or not all(
        isinstance(part, str) for pair in held.items() for part in pair
    ):
        found.append("metadata is no map from text to text")
    return found


def deviations_of(text: str, folder: str) -> list[str]:
    """Return the same of the text of a SKILL.md."""
    try:
        return deviations(markdown.read(text, "SKILL.md")[0], folder)
    except BadSkill as error:
        return [str(error)]
