"""The difference of two sets of files, for people."""

import difflib

from .file_content import Files


def difference(old: Files, new: Files, a: str, b: str) -> str:
    """Return the unified difference of two sets of files; empty when they are equal."""
    said: list[str] = []
    for path in sorted({*old, *new}):
        was, now = (files[path].shown if path in files else "" for files in (old, new))
        said += difflib.unified_diff(
            was.splitlines(keepends=True),
            now.splitlines(keepends=True),
            f"{a}/{path}",
            f"{b}/{path}",
        )
    return "".join(said)
