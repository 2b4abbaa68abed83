"""A value of a parameter, from the text in which a person gives it."""

import json
from typing import Any

from ..envs.errors import UsageError


def typed_value(text: str, kind: str, what: str) -> Any:
    """Return the value of a type that a text says; `"text in quotes"` is a text that has blanks at its ends.

    Raises:
        UsageError: It says none.

    >>> typed_value("3", "int", "n"), typed_value('" a"', "str", "n"), typed_value("yes", "bool", "n")
    (3, ' a', True)
    """
    text = text.strip()
    if kind == "str":
        if len(text) > 1 and text[0] == text[-1] == '"':
            try:
                return json.loads(text)
            except ValueError:
                return text
        return text
    if kind == "bool":
        said = {"true": True, "yes": True, "false": False, "no": False}.get(text.casefold())
        if said is None:
            raise UsageError(f"{what} is {text!r}, neither true nor false")
        return said
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError as error:
        raise UsageError(f"{what} is {text!r}, no {kind}") from error
