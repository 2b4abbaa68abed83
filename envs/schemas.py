"""JSON Schemas as tools have them, made plain: references put in their places, choices and limits read.

Pydantic writes an enum as a reference, an optional value as a choice with null. What looks at one parameter
(candidates, checks, prompts) reads it through this file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}
_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


def resolved(schema: Any, root: Schema, inside: tuple[str, ...] = ()) -> Any:
    """Return a schema with its references put in their places; one inside itself is any value.

    Args:
        schema: A part of `root`.
        root: Holds what is referred to (`#/$defs/NAME`).
        inside: The references that this part stands in.

    >>> resolved({"$ref": "#/$defs/C"}, {"$defs": {"C": {"enum": ["a", "b"]}}})
    {'enum': ['a', 'b']}
    """
    if isinstance(schema, list):
        return [resolved(part, root, inside) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    held = dict(schema)
    name = held.get("$ref")
    if isinstance(name, str):
        del held["$ref"]
        target = None if name in inside else _target(name, root)
        found = resolved(target, root, (*inside, name)) if target is not None else {}
        return {**found, **resolved(held, root, inside)}
    alone: Sequence[Any] = held.get("allOf") or ()
    if len(alone) == 1:
        del held["allOf"]
        return {**resolved(alone[0], root, inside), **resolved(held, root, inside)}
    return {
        key: part
        if key in ("enum", "const", "default", "examples")
        else resolved(part, root, inside)
        for key, part in held.items()
        if key not in ("$defs", "definitions")
    }


def ways(schema: Schema) -> Iterator[Schema]:
    """Yield the schemas of which a value has to fit one; those of a plain one are itself.

    >>> [way["type"] for way in ways({"anyOf": [{"type": "string"}, {"type": ["integer", "null"]}]})]
    ['string', 'integer', 'null']
    """
    for name in ("anyOf", "oneOf"):
        if name in schema:
            common = {k: v for k, v in schema.items() if k not in (name, "default", "title")}
            for way in schema[name]:
                yield from ways({**common, **way})
            return
    kinds = schema.get("type")
    if isinstance(kinds, list):
        for kind in kinds:
            yield {**schema, "type": kind}
    else:
        yield schema


def members(schema: Schema) -> list[Any] | None:
    """Return the values that a schema lists, None where it leaves others open.

    >>> members({"anyOf": [{"enum": ["red", "blue"]}, {"type": "null"}]})
    ['red', 'blue', None]
    """
    found: list[Any] = []
    for way in ways(schema):
        if "const" in way:
            found.append(way["const"])
        elif "enum" in way:
            found += way["enum"]
        elif way.get("type") == "null":
            found.append(None)
        else:
            return None
    return [value for i, value in enumerate(found) if not _among(value, found[:i])]


def kind_of(schema: Schema) -> str:
    """Return the kind of a value that is not null, the first where there are several; empty: any."""
    kinds = [str(way.get("type", "")) for way in ways(schema) if way.get("type") != "null"]
    return kinds[0] if kinds else "null"


def misfit(schema: Schema, value: Any) -> str:
    """Return what a value must be and is not, an empty text where it fits.

    Kinds, listed values, limits, patterns, and the same of a list's items are looked at; what an object holds
    is not.

    >>> misfit({"type": "integer", "minimum": 1}, 0), misfit({"type": "string"}, 3)
    ('must be at least 1, not 0', 'must be of the kind string, not int')
    """
    listed = members(schema)
    if listed is not None:
        fits = _among(value, listed)
        return "" if fits else f"must be one of {', '.join(map(repr, listed))}"
    open_ways = list(ways(schema))
    of_kind = [way for way in open_ways if _is_kind(way, value)]
    if not of_kind:
        kinds = " or ".join(dict.fromkeys(str(way.get("type", "?")) for way in open_ways))
        return f"must be of the kind {kinds}, not {type(value).__name__}"
    problems = [_over(way, value) for way in of_kind]
    return "" if not all(problems) else problems[0]


def _is_kind(schema: Schema, value: Any) -> bool:
    kinds = _KINDS.get(str(schema.get("type")))
    if kinds is None:
        return True
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (
        int in kinds and isinstance(value, float) and value.is_integer()
    )


def _over(schema: Schema, value: Any) -> str:
    """Return which limit of a schema a value of its kind breaks."""
    listed = members(schema)
    if listed is not None and not _among(value, listed):
        return f"must be one of {', '.join(map(repr, listed))}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for name, said in _LIMITS.items():
            if name in schema and _breaks(name, value, schema[name]):
                return f"must be {said} {schema[name]}, not {value}"
    if isinstance(value, (str, list, tuple)):
        of = "Length" if isinstance(value, str) else "Items"
        unit = "characters" if isinstance(value, str) else "items"
        if len(value) < schema.get(f"min{of}", 0):
            return f"must have at least {schema[f'min{of}']} {unit}"
        if len(value) > schema.get(f"max{of}", len(value)):
            return f"must have at most {schema[f'max{of}']} {unit}"
    if isinstance(value, str) and not _matches(schema.get("pattern"), value):
        return f"must match {schema['pattern']!r}"
    if isinstance(value, (list, tuple)) and isinstance(items := schema.get("items"), Mapping):
        for item in value:
            if problem := misfit(items, item):
                return f"must have items that fit: {item!r} {problem}"
    return ""


def _breaks(name: str, value: float, limit: float) -> bool:
    return {
        "minimum": value < limit,
        "maximum": value > limit,
        "exclusiveMinimum": value <= limit,
        "exclusiveMaximum": value >= limit,
    }[name]


def _matches(pattern: Any, value: str) -> bool:
    try:
        return not isinstance(pattern, str) or re.search(pattern, value) is not None
    except re.error:  # another dialect
        return True


def _among(value: Any, values: Sequence[Any]) -> bool:
    """Return whether a value is one of some, where True is not 1."""
    return any(
        value == other and isinstance(value, bool) == isinstance(other, bool) for other in values
    )


def _target(name: str, root: Schema) -> Any:
    found: Any = root
    for part in name.removeprefix("#").strip("/").split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found
