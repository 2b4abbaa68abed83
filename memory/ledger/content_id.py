"""Names made from content, so that the same content has the same name on every machine."""

import hashlib
from collections.abc import Sequence


def content_id(*parts: str) -> str:
    """Return 16 hex digits that name the content.

    >>> content_id("a", "b") == content_id("a", "b") != content_id("ab")
    True
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def evidence_of(task_id: str, actions: Sequence[str]) -> str:
    """Return the hash of what an episode is evidence of: these actions in this task."""
    return content_id("evidence", task_id, *actions)
