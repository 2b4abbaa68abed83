"""What has to hold where a skill begins: its preconditions, and those of the skill that it calls first.

A composed skill seldom says what the first part of it needs; that part does. Pure text and views; nothing is
run, and no score is made here.
"""

import ast
import re
from collections.abc import Mapping, Sequence

from ..envs.types import Fact
from .conditions import View, holds
from .errors import BadSkill
from .lint import parsed
from .types import Skill, split_id

CAN = re.compile(r"""can\((["'])(.*?)\1\)""")
"""A condition that an action is accepted; group 2 is the action, with slots."""
SLOT = re.compile(r"\{(\w+)\}")
"""A parameter in an action."""
NUMBERED = re.compile(r"[^\W\d_]+ \d+")
"""A thing as the text environments name it."""
_HAS = re.compile(r"""has\((["'])\{(\w+)\}\1\)""")
_MOST = 60
"""Bindings that are looked at."""
_DEEP = 8


def entry(skill: Skill, skills: Mapping[str, Skill]) -> tuple[str, ...]:
    """Return the conditions that hold when a skill may be called, in its own parameters.

    Args:
        skill: With code.
        skills: The library by name, where what it calls is looked up.
    """
    found = list(skill.contract.preconditions)
    here: Skill | None = skill
    table: dict[str, str] = {}
    for _ in range(_DEEP):
        first = _first_call(here) if here is not None else None
        if first is None:
            break
        name, given = first
        here = skills.get(name)
        if here is None:
            break
        known = {p: _said(value, table) for p, value in given.items()}
        if any(p not in known and v.default is None for p, v in here.contract.parameters.items()):
            break
        table = known
        for condition in here.contract.preconditions:
            translated = _translated(condition, table)
            if translated and translated not in found:
                found.append(translated)
    return tuple(found)


def _first_call(skill: Skill) -> tuple[str, dict[str, ast.expr]] | None:
    """Return the skill that a skill begins with and what it gives it; None when it begins otherwise."""
    try:
        tree = parsed(skill.code)
    except ValueError:
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == skill.function:
            body = [n for n in node.body if not _is_text(n)]
            call = getattr(body[0], "value", None) if body else None
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "skill"
                and call.args
                and isinstance(call.args[0], ast.Constant)
            ):
                name = split_id(str(call.args[0].value))[0]
                return name, {k.arg: k.value for k in call.keywords if k.arg}
    return None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _said(value: ast.expr, table: Mapping[str, str]) -> str:
    """Return an argument as it stands in a condition: `{parameter}`, or the text itself."""
    if isinstance(value, ast.Name):
        return table.get(value.id, f"{{{value.id}}}")
    return str(value.value) if isinstance(value, ast.Constant) else ""


def _translated(condition: str, table: Mapping[str, str]) -> str:
    """Return a condition of a called skill in its caller's words; empty where that cannot be said."""
    if any(not table.get(name) for name in SLOT.findall(condition)):
        return ""
    if not SLOT.search(condition) and any(
        re.search(rf"\b{re.escape(name)}\b", condition) for name in table
    ):
        return ""  # it compares a parameter: only texts with slots are translated
    return SLOT.sub(lambda slot: table[slot[1]], condition)


def read_off(template: str, admissible: Sequence[str]) -> list[dict[str, Fact]]:
    """Return the values of a template's slots under which it is one of these actions.

    >>> read_off("go to {place}", ("go to desk 1", "look"))
    [{'place': 'desk 1'}]
    """
    pattern, named = "", set[str]()
    for part in re.split(r"(\{\w+\})", template):
        name = part.strip("{}")
        if part.startswith("{"):
            pattern += f"(?P={name})" if name in named else f"(?P<{name}>.+)"
            named.add(name)
        else:
            pattern += re.escape(part)
    found = [match for action in admissible if (match := re.fullmatch(pattern, action))]
    return [dict(match.groupdict()) for match in found]


def ways(conditions: Sequence[str], view: View) -> list[dict[str, Fact]]:
    """Return values of the parameters that conditions name, under which they all hold in a place.

    What `can` and `has` leave open is read off what is accepted and carried. A condition that compares a
    parameter in another way is not looked at.

    Args:
        conditions: As of `entry`.
        view: The place.

    Returns:
        Rows of values; one empty row when nothing is left open and all hold; none when they cannot all hold.
    """
    rows: list[dict[str, Fact]] = [{}]
    carried: list[Fact] = [*dict.fromkeys(NUMBERED.findall(view.inventory.lower()))]
    for condition in conditions:
        for _, template in CAN.findall(condition):
            if not SLOT.search(template) or view.admissible is None:
                continue
            read = read_off(template, view.admissible)
            rows = [
                {**row, **new}
                for row in rows
                for new in read
                if all(row.get(k, v) == v for k, v in new.items())
            ][:_MOST]
        for _, name in _HAS.findall(condition):
            if "not " not in condition:
                rows = [
                    {**row, name: thing}
                    for row in rows
                    for thing in ([row[name]] if name in row else carried)
                ][:_MOST]
    return [row for row in rows if all(_kept(c, view, row) for c in conditions)]


def _kept(condition: str, view: View, row: Mapping[str, Fact]) -> bool:
    try:
        return holds(condition, view, row)
    except BadSkill:
        return True  # it asks for an argument that nothing here says
