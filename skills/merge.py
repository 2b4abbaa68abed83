"""Near-duplicates become one skill with parameters: anti-unification of their code.

VOYAGER keeps `mineFiveCoal` beside `mineTenIron`; here two functions that differ only in constants are one
function that takes them. Pure text: whether the merged skill is admitted is admission's matter.
"""

import ast
import copy
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ..envs.types import Fact
from .lint import calls_of
from .types import LONGEST, Parameter, Skill, SkillTest, split_id


class Unlike(ValueError):
    """The skills differ in more than constants."""


class Merged:
    """Several skills as one.

    Attributes:
        skill: The merged skill, version 1, with the tests of all.
        arguments: Old name -> what the merged skill is called with in its place.
    """

    def __init__(self, skill: Skill, arguments: Mapping[str, Mapping[str, Fact]]) -> None:
        self.skill, self.arguments = skill, arguments


def merge(skills: Sequence[Skill], taken: Sequence[str] = ()) -> Merged:
    """Return skills that differ only in constants as one.

    Args:
        skills: At least two of one environment, best known first.
        taken: Names that the merged skill may not have.

    Raises:
        Unlike: They differ in more than constants, or in their parameters.
    """
    first = skills[0]
    if len(skills) < 2 or len({s.contract.env for s in skills}) > 1:
        raise Unlike("it takes two skills of one environment")
    if len({tuple(s.contract.parameters.items()) for s in skills}) > 1:
        raise Unlike("their parameters differ")
    work = _Work(len(skills), set(first.contract.parameters))
    trees = [plain(skill) for skill in skills]
    tree = work.node(trees, "value")
    post = _conditions([s.contract.postconditions for s in skills], work)
    pre = _conditions([s.contract.preconditions for s in skills], work)
    if not work.values:
        raise Unlike("they do the same, constant for constant")
    name = _name([s.name for s in skills], taken)
    new = {n: _parameter(v) for n, v in work.values.items()}
    arguments = [{n: v[i] for n, v in work.values.items()} for i in range(len(skills))]
    function = Skill(name=name, description="-", code="", contract=first.contract).function
    said = " / ".join(s.description for s in skills)
    return Merged(
        Skill(
            name=name,
            description=said[:1024],
            code=_source(tree, function, new, name),
            contract=first.contract.model_copy(
                update={
                    "version": 1,
                    "parameters": {**new, **first.contract.parameters},
                    "preconditions": pre,
                    "postconditions": post,
                    "capabilities": tuple(
                        sorted({c for s in skills for c in s.contract.capabilities})
                    ),
                    "maker": "merged",
                }
            ),
            tests=tuple(_tests(skills, arguments)),
        ),
        {s.name: a for s, a in zip(skills, arguments, strict=True)},
    )


def rewritten(skill: Skill, merged: Merged) -> Skill:
    """Return a caller that calls the merged skill in the place of those that it replaces."""
    tree = ast.parse(skill.code)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called = node.args[0] if node.func.attr == "skill" and node.args else None
        if not (isinstance(called, ast.Constant) and isinstance(called.value, str)):
            continue
        old = split_id(called.value)[0]
        if old in merged.arguments:
            called.value = merged.skill.id
            node.keywords = [
                *(
                    ast.keyword(arg=name, value=ast.Constant(value=value))
                    for name, value in merged.arguments[old].items()
                ),
                *node.keywords,
            ]
    code = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return (
        skill.model_copy(update={"code": code}) if calls_of(code) != calls_of(skill.code) else skill
    )


def alike(skills: Mapping[str, Skill]) -> list[list[Skill]]:
    """Return groups of skills that can be merged, largest first."""
    groups: dict[str, list[Skill]] = {}
    for skill in skills.values():
        if skill.runnable:
            groups.setdefault(_outline(skill), []).append(skill)
    return sorted((g for g in groups.values() if len(g) > 1), key=lambda g: (-len(g), g[0].name))


def _outline(skill: Skill) -> str:
    """Return code without its constants, for grouping."""
    tree = plain(skill)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            node.value = type(node.value).__name__
        if isinstance(node, ast.Constant):
            node.kind = None
    return f"{skill.contract.env}\x1f{sorted(skill.contract.parameters)}\x1f{ast.dump(tree)}"


def plain(skill: Skill) -> ast.Module:
    """Return a skill's code as a tree, its function named `skill`, without its docstring."""
    tree = copy.deepcopy(ast.parse(skill.code))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            if node.name == skill.function:
                node.name = "skill"
            head = node.body[0]
            if isinstance(head, ast.Expr) and isinstance(head.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


class _Work:
    """The variables found so far."""

    def __init__(self, n: int, taken: set[str]) -> None:
        self._n, self._taken = n, taken
        self.values: dict[str, tuple[Fact, ...]] = {}

    def variable(self, values: tuple[Fact, ...], role: str) -> ast.expr:
        """Return the expression that stands where constants differ: a name, or a text around one."""
        prefix, suffixes = _split(values)
        if prefix:
            named = self._named(suffixes, "item" if prefix == "inventory." else role)
            field = ast.FormattedValue(value=ast.Name(id=named, ctx=ast.Load()), conversion=-1)
            return ast.JoinedStr(values=[ast.Constant(value=prefix), field])
        return ast.Name(id=self._named(values, role), ctx=ast.Load())

    def _named(self, values: tuple[Fact, ...], role: str) -> str:
        for name, known in self.values.items():
            if known == values:
                return name
        name, number = role, 2
        while name in self.values or name in self._taken:
            name, number = f"{role}{number}", number + 1
        self.values[name] = values
        return name

    def node(self, nodes: Sequence[Any], role: str) -> Any:
        """Return what n nodes have in common.

        Raises:
            Unlike: They differ in more than constants.
        """
        first = nodes[0]
        if len({type(node) for node in nodes}) > 1:
            raise Unlike("their code differs in more than constants")
        if isinstance(first, list):
            if len({len(node) for node in nodes}) > 1:
                raise Unlike("their code differs in length")
            return [self.node(column, role) for column in zip(*nodes, strict=True)]
        if isinstance(first, ast.Constant):
            values = tuple(node.value for node in nodes)
            if all(v == values[0] and type(v) is type(values[0]) for v in values):
                return first
            if not _one_kind(values):
                raise Unlike("constants of different kinds stand in one place")
            return self.variable(values, role)
        if not isinstance(first, ast.AST):
            if any(node != first for node in nodes):
                raise Unlike("their code names different things")
            return first
        inner = _role(first, role)
        made = copy.copy(first)
        for name in first._fields:
            setattr(made, name, self.node([getattr(node, name, None) for node in nodes], inner))
        return made


def _role(node: ast.AST, role: str) -> str:
    if isinstance(node, ast.keyword) and node.arg:
        return node.arg
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return {"act": "action", "goto": "kind", "get": "fact"}.get(node.func.attr, role)
    return role


def _one_kind(values: tuple[Any, ...]) -> bool:
    kinds = {type(value) for value in values}
    return len(kinds) == 1 and kinds <= {str, int, float}


def _split(values: tuple[Fact, ...]) -> tuple[str, tuple[Fact, ...]]:
    """Return a dotted beginning that all share (`inventory.`), and the rest of each."""
    if not all(isinstance(value, str) and "." in value for value in values):
        return "", values
    heads = {str(value).rpartition(".")[0] for value in values}
    if len(heads) > 1:
        return "", values
    head = heads.pop() + "."
    return head, tuple(str(value).removeprefix(head) for value in values)


def _conditions(each: Sequence[tuple[str, ...]], work: _Work) -> tuple[str, ...]:
    """Return conditions that hold for all; a fact's last word that differs becomes `[variable]`."""
    found = []
    for column in zip_longest(*each):
        if any(text is None for text in column):
            raise Unlike("they promise or need a different number of things")
        if len(set(column)) == 1:
            found.append(column[0])
            continue
        trees = [ast.parse(text, mode="eval").body for text in column]
        found.append(ast.unparse(_Facts(work).common(trees)))
    return tuple(found)


class _Facts:
    """Anti-unifies conditions: there the last word of a fact may differ."""

    def __init__(self, work: _Work) -> None:
        self._work = work

    def common(self, nodes: Sequence[Any]) -> Any:
        """Return what conditions have in common."""
        first = nodes[0]
        if all(isinstance(node, ast.Attribute) for node in nodes):
            words = tuple(node.attr for node in nodes)
            inner = self.common([node.value for node in nodes])
            if len(set(words)) == 1:
                return ast.Attribute(value=inner, attr=words[0], ctx=ast.Load())
            role = "item" if ast.unparse(inner).endswith("inventory") else "fact"
            return ast.Subscript(
                value=inner, slice=self._work.variable(words, role), ctx=ast.Load()
            )
        if isinstance(first, ast.Constant | list) or not isinstance(first, ast.AST):
            if isinstance(first, list):
                if len({len(node) for node in nodes}) > 1:
                    raise Unlike("their conditions differ in length")
                return [self.common(column) for column in zip(*nodes, strict=True)]
            return self._work.node(nodes, "value")
        if len({type(node) for node in nodes}) > 1:
            raise Unlike("their conditions differ in more than a word")
        made = copy.copy(first)
        for name in first._fields:
            setattr(made, name, self.common([getattr(node, name, None) for node in nodes]))
        return made


def _parameter(values: tuple[Fact, ...]) -> Parameter:
    if isinstance(values[0], str):
        return Parameter(type="str", choices=tuple(dict.fromkeys(values)))
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    kind = "int" if all(isinstance(v, int) for v in values) else "float"
    return Parameter(type=kind, min=min(numbers), max=max(numbers))  # type: ignore[arg-type]


def _source(tree: ast.Module, function: str, new: Mapping[str, Parameter], name: str) -> str:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "skill":
            node.name = function
            node.args.args[1:1] = [
                ast.arg(arg=n, annotation=ast.Name(id=p.type, ctx=ast.Load()))
                for n, p in new.items()
            ]
            node.body.insert(
                0, ast.Expr(ast.Constant(value=f"{name.replace('-', ' ').capitalize()}."))
            )
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _name(names: Sequence[str], taken: Sequence[str]) -> str:
    each = [name.split("-") for name in names]
    common = [word for word in each[0] if all(word in other for other in each[1:])]
    name = "-".join(common) or f"{names[0]}-or-other"
    name, number, base = name[:LONGEST], 2, name[: LONGEST - 4]
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name


def _tests(skills: Sequence[Skill], arguments: Sequence[Mapping[str, Fact]]) -> list[SkillTest]:
    found = []
    for skill, known in zip(skills, arguments, strict=True):
        for test in skill.tests:
            found.append(
                test.model_copy(
                    update={
                        "name": f"{skill.name}-{test.name}",
                        "arguments": {**known, **test.arguments},
                        "origin": test.origin and skill is skills[0],
                    }
                )
            )
    return found
