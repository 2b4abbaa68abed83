"""Conditions of a contract: small expressions over facts, checked by program.

`inventory.wood >= 1`, `inventory[item] - before.inventory[item] >= count`, `can("take {thing}")`. A dotted fact
that the environment does not name is 0: what is not carried is not told. Nothing but comparison, arithmetic and
`and`, `or`, `not` is understood: a condition cannot do anything.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..envs.types import Fact
from .errors import BadSkill

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_ASKS = ("can", "sees", "has")
_LONGEST = 300
_RAISED = (TypeError, LookupError, ValueError, ArithmeticError, RecursionError, MemoryError)
"""What computing with somebody's numbers and texts can raise; the contract is broken then, not the caller."""
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class View:
    """What a condition is checked against: a place in an episode."""

    facts: Mapping[str, Fact]
    admissible: tuple[str, ...] | None = None
    text: str = ""
    """What is seen."""
    inventory: str = ""
    before: Mapping[str, Fact] = field(default_factory=dict)
    """Facts when the skill was called; for postconditions."""


def holds(condition: str, view: View, arguments: Mapping[str, Fact]) -> bool:
    """Return whether a condition holds.

    Args:
        condition: The expression. Dotted names are facts, `before.` goes before those of the call's
            beginning, plain names are arguments; `can("...")` asks whether an action is accepted,
            `sees("...")` and `has("...")` whether a text is seen or carried, with `{argument}` filled in.
        view: The place.
        arguments: Of the call.

    Raises:
        BadSkill: It is no condition, or compares what cannot be compared.

    >>> holds("inventory.wood >= n", View({"inventory.wood": 3}), {"n": 2})
    True
    """
    try:
        return bool(_value(_parsed(condition), view, arguments))
    except _RAISED as error:
        raise BadSkill(
            f"the condition {condition!r} cannot be checked: {str(error) or type(error).__name__}"
        ) from error


def problem(condition: str) -> str:
    """Return why a text is no condition, in words; empty when it is one."""
    try:
        tree = _parsed(condition)
    except BadSkill as error:
        return str(error)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in _ASKS and len(node.args) == 1
        ):
            return f"the condition {condition!r} may call only {', '.join(_ASKS)}, with one text"
        if not isinstance(node, _KNOWN):
            return f"the condition {condition!r} may not use {type(node).__name__}"
    return ""


def names(condition: str) -> set[str]:
    """Return the facts that a condition names, as far as they are written out.

    >>> sorted(names("inventory.wood >= 1 and before.inventory[item] < n"))
    ['inventory.wood', 'n']
    """
    found, tree = set(), _parsed(condition)
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute | ast.Subscript)}
    inner |= {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    slices = {id(n.slice) for n in ast.walk(tree) if isinstance(n, ast.Subscript)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner | slices:
            found.add(ast.unparse(node).removeprefix("before."))
    return found


_KNOWN = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.BinOp,
    ast.Compare,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Tuple,
    ast.List,
    *_BINARY,
)


@lru_cache(maxsize=4096)
def _parsed(condition: str) -> ast.expr:
    if len(condition) > _LONGEST:
        raise BadSkill(f"a condition is at most {_LONGEST} characters: {condition[:60]!r}...")
    try:
        tree = ast.parse(condition.strip(), mode="eval").body
        ast.unparse(tree)  # what is nested too deep is refused here, and nowhere later
    except SyntaxError as error:
        raise BadSkill(f"{condition!r} is no condition: {error.msg}") from error
    except _RAISED as error:
        raise BadSkill(f"{condition!r} is no condition: {error or 'nested too deep'}") from error
    return tree


def _value(node: ast.expr, view: View, arguments: Mapping[str, Fact]) -> Any:
    def value(inner: ast.expr) -> Any:
        return _value(inner, view, arguments)

    match node:
        case ast.Constant(value=constant):
            return constant
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return tuple(map(value, elements))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(map(value, parts))
        case ast.BoolOp(values=parts):
            return any(map(value, parts))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not value(operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](value(left), value(right))
        case ast.Compare(left=left, ops=ops, comparators=rights):
            sides = [value(left), *map(value, rights)]
            return all(
                _BINARY[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)
            )
        case ast.Call(func=ast.Name(id=asked), args=[said]):
            text = str(value(said))
            filled = _filled(text, arguments) if isinstance(said, ast.Constant) else text
            return _asked(asked, filled, view)
        case ast.Name(id=name) if name in arguments:
            return arguments[name]
        case ast.Name(id="true" | "false" as word):
            return word == "true"
        case ast.Name() | ast.Attribute() | ast.Subscript():
            path = _path(node, view, arguments)
            facts = view.before if path.startswith("before.") else view.facts
            path = path.removeprefix("before.")
            if "." not in path and path not in view.facts:
                raise ValueError(f"there is no fact and no parameter {path!r}")
            return facts.get(path, 0)
    raise ValueError(f"{ast.unparse(node)!r} is not understood")


def _path(node: ast.expr, view: View, arguments: Mapping[str, Fact]) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            return f"{_path(inner, view, arguments)}.{name}"
        case ast.Subscript(value=inner, slice=key):
            said = str(_value(key, view, arguments)).replace(" ", "_")
            return f"{_path(inner, view, arguments)}.{said}"
    raise ValueError(f"{ast.unparse(node)!r} is no name of a fact")


def _filled(text: str, arguments: Mapping[str, Fact]) -> str:
    """Return a text with `{argument}` filled in; nothing else is done to it."""
    return _SLOT.sub(lambda slot: str(arguments[slot[1]]), text)


def _asked(what: str, text: str, view: View) -> bool:
    match what:
        case "can":
            return view.admissible is None or text in view.admissible
        case "sees":
            return text.casefold() in view.text.casefold()
        case "has":
            return text.casefold() in view.inventory.casefold()
    raise ValueError(f"there is no question {what!r}")
