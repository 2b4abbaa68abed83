"""What looks like a key: found, and taken out of what is told elsewhere."""

import os
import re

_SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
    rb"|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{35}|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{60}"
    rb"|\bglpat-[\w-]{20}|\bhf_[A-Za-z0-9]{30}|\bnpm_[A-Za-z0-9]{36}|\bxox[abposr]-[A-Za-z0-9-]{20}"
    rb"|\bsk-[\w-]{32}|\b[sr]k_live_[A-Za-z0-9]{20}|\bpypi-AgEIcHlwaS5vcmc[\w-]{50}"
)
_DISTINCT = 10
"""Different characters of a key; what has fewer is a placeholder, like sk-xxxx."""
_VARIABLES = ("LICHEN_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_LEAST = 8
"""Characters of a key from a variable."""


def secret_in(data: bytes) -> str:
    """Return what in a file looks like a key, in words that do not repeat it; empty when nothing does."""
    for found in _SECRET.finditer(data):
        said = found[0]
        if b"EXAMPLE" not in said and (said[:1] == b"-" or len(set(said[3:])) >= _DISTINCT):
            line = data.count(b"\n", 0, found.start()) + 1
            return f"what looks like a secret ({said[:4].decode()}... in line {line})"
    return ""


def without_secrets(text: str) -> str:
    """Return a text in which what looks like a key, and the keys of the environment, are hidden.

    >>> without_secrets("use AKIAABCDEFGHIJKLMNOP")
    'use [secret]'
    """
    for name in _VARIABLES:
        if len(held := os.environ.get(name, "")) >= _LEAST:
            text = text.replace(held, "[secret]")
    return _SECRET.sub(b"[secret]", text.encode("utf-8", "replace")).decode("utf-8", "replace")
