"""What the results of an experiment depend on, written where they are kept: other settings are refused.

The text is canonical JSON, so equal settings are equal bytes.
"""

import json
from pathlib import Path
from typing import Any

from ....envs.errors import BadFile, UsageError
from ....memory.ledger.whole_file import whole
from ...llm.errors import FingerprintChanged

HINT = "Use `--fresh` to begin it anew, or another `--store`."
LLM = "llm"
"""The setting that is the model's fingerprint: another one is said to be another model."""


def identity_file(path: Path, identity: dict[str, Any], what: str) -> bool:
    """Write what an experiment's results depend on, or see that the folder holds this experiment.

    Args:
        path: The file; its folder is made.
        identity: Settings as JSON; the model's fingerprint under `llm`, where there is one.
        what: The experiment, for the message.

    Returns:
        Whether it was new.

    Raises:
        BadFile: The file is damaged.
        FingerprintChanged: Only the model is another.
        UsageError: Other settings differ.
    """
    text = json.dumps(identity, sort_keys=True, indent=1) + "\n"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        whole(path, lambda p: p.write_text(text, encoding="utf-8"))
        return True
    held = path.read_text(encoding="utf-8")
    if held == text:
        return False
    try:
        known = json.loads(held)
    except json.JSONDecodeError as error:
        raise BadFile(f"{path} is damaged", hint="Begin anew in another --store.") from error
    if {**known, LLM: ""} == {**json.loads(text), LLM: ""}:
        raise FingerprintChanged(f"{path.parent} was begun with another model", hint=HINT)
    raise UsageError(f"{path.parent} holds {what} with other settings", hint=HINT)


def identity_line(identity: dict[str, Any]) -> str:
    """Return the first line of a file of rows."""
    return json.dumps({"evaluation": identity}, sort_keys=True)
