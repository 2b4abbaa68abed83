"""A placebo of a library: skills of the same structure, with what they say to the environment exchanged.

What a skill promises stays as it is, so that it is found and offered like the real one; what it does is wrong.
"""

import ast
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ....skills.lint import is_api
from ....skills.types import Skill

_log = logging.getLogger(__name__)


class _Said(NamedTuple):
    """A text that code says to the environment: an argument of a call."""

    group: tuple[str, int]
    """The method or helper that it is said with, and how many values it leaves open."""
    words: tuple[str, ...]
    """What stands around those values, one more than there are."""
    call: ast.Call
    place: int
    """Which argument of the call it is."""


def scrambled(skills: Mapping[str, Skill], seed: int) -> dict[str, Skill]:
    """Return skills of the same structure in which what they say to the environment is exchanged.

    All that is said with a method and as many open values anywhere in the library is permuted; none stays
    where it was, unless there is no other. Skills that stay as they are, since all that they say comes by
    their arguments or is said nowhere else, are named in a warning: for them there is no placebo.

    Args:
        skills: The library.
        seed: Of the permutations.
    """
    trees = {name: ast.parse(skill.code) for name, skill in skills.items()}
    said: dict[tuple[str, int], dict[tuple[str, ...], None]] = {}
    for tree in trees.values():
        for one in _said(tree):
            said.setdefault(one.group, {})[one.words] = None
    rng = np.random.default_rng(seed)
    other: dict[tuple[str, int], dict[tuple[str, ...], tuple[str, ...]]] = {}
    for group, known in sorted(said.items()):
        listed = sorted(known)
        order = [listed[int(n)] for n in rng.permutation(len(listed))]
        other[group] = dict(zip(order, [*order[1:], order[0]], strict=True))
    found = {}
    for name, skill in skills.items():
        for one in list(_said(trees[name])):
            one.call.args[one.place] = _text(other[one.group][one.words], one.call.args[one.place])
        code = ast.unparse(ast.fix_missing_locations(trees[name])) + "\n"
        found[name] = skill.model_copy(update={"code": code})
    same = [s.id for s in skills.values() if _dump(s) == _dump(found[s.name])]
    if same:
        _log.warning(
            "no placebo of %s (%d of %d skills): nothing they say could be exchanged",
            ", ".join(same),
            len(same),
            len(skills),
        )
    return found


def _dump(skill: Skill) -> str:
    return ast.dump(ast.parse(skill.code))


def _said(tree: ast.Module) -> Iterator[_Said]:
    """Yield what code says: `api.METHOD(TEXT)`, and `HELPER(api, TEXT)`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and is_api(node, None):
            method, place = node.func.attr, 0
        elif isinstance(node.func, ast.Name) and node.args and _is_name(node.args[0], "api"):
            method, place = node.func.id, 1
        else:
            continue
        if method != "skill" and len(node.args) > place:
            words = _words(node.args[place])
            if words is not None:
                yield _Said((method, len(words) - 1), words, node, place)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _words(node: ast.expr) -> tuple[str, ...] | None:
    """Return what stands around the open values of a text; None where it is none."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    words = [""]
    for part in node.values:
        if isinstance(part, ast.Constant):
            words[-1] += str(part.value)
        else:
            words.append("")
    return tuple(words)


def _text(words: Sequence[str], old: ast.expr) -> ast.expr:
    """Return a text of other words around the same values."""
    if not isinstance(old, ast.JoinedStr):
        return ast.Constant(words[0])
    values = [part for part in old.values if not isinstance(part, ast.Constant)]
    parts: list[ast.expr] = [ast.Constant(words[0])]
    for value, after in zip(values, words[1:], strict=True):
        parts += [value, ast.Constant(after)]
    return ast.JoinedStr([p for p in parts if not isinstance(p, ast.Constant) or p.value])
