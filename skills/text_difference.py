"""The difference of two sets of files, for people."""

import difflib
from collections.abc import Mapping


def difference(old: Mapping[str, str], new: Mapping[str, str], a: str, b: str) -> str:
    """Return the unified difference of two sets of files; empty when they are equal."""
    said: list[str] = []
    for path in sorted({*old, *new}):
        said += difflib.unified_diff(
            old.get(path, "").splitlines(keepends=True),
            new.get(path, "").splitlines(keepends=True),
            f"{a}/{path}",
            f"{b}/{path}",
        )
    return "".join(said)
