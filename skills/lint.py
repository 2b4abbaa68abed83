"""Static checks of a skill's code, and what can be read off it: calls, capabilities, a fingerprint.

No security: the jail is the wall. This catches early what would fail late, with the line.
"""

import ast
import copy
import hashlib
from functools import lru_cache

from .conditions import problem
from .types import Contract, Skill, split_id

ALLOWED = (
    "collections",
    "dataclasses",
    "functools",
    "heapq",
    "itertools",
    "json",
    "math",
    "random",
    "re",
    "string",
    "typing",
)
"""Modules a skill may import: those that the jail has ready."""
_PYTHON = {"int": "int", "float": "float", "str": "str", "bool": "bool"}


def check(skill: Skill) -> list[str]:
    """Return what is wrong with a skill's code and contract, one sentence each; empty when nothing is."""
    try:
        tree = parsed(skill.code)
    except ValueError as error:
        return [f"{skill.name}/skill.py, {error}"]
    found = [
        f"{skill.name}/skill.py, {said}"
        for said in (
            *_shape(tree, skill.function, skill.contract),
            *_imports(tree),
            *_uses(tree, skill.contract),
        )
    ]
    for kind in ("preconditions", "postconditions"):
        for condition in getattr(skill.contract, kind):
            if said := problem(condition):
                found.append(f"{skill.name}/contract.yaml, {kind}: {said}")
    if not skill.contract.postconditions:
        found.append(f"{skill.name} has no postcondition: nothing could tell whether it succeeded")
    return found


def parsed(code: str) -> ast.Module:
    """Return the tree of a code.

    Raises:
        ValueError: It cannot be read, or is nested too deep; the sentence names the line where there is one.
    """
    try:
        tree = ast.parse(code)
        ast.dump(tree)  # what cannot be walked through is refused here, and nowhere later
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno or 1}: {error.msg}") from error
    except ValueError as error:  # a NUL, half of a surrogate pair
        raise ValueError(f"its code is no text of Python: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("its code is nested too deep to be read") from error
    return tree


@lru_cache(maxsize=4096)  # asked for every skill at every move of practice
def calls_of(code: str) -> frozenset[str]:
    """Return the skills a code calls, as `name@version`; empty for code that cannot be parsed.

    >>> sorted(calls_of("def f(api):\\n    api.skill('go@2', kind='tree')"))
    ['go@2']
    """
    try:
        tree = parsed(code)
    except ValueError:
        return frozenset()
    return frozenset(
        node.args[0].value
        for node in ast.walk(tree)
        if is_api(node, "skill")
        and isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


def capabilities_of(code: str) -> set[str]:
    """Return the names of the environment's methods that a code uses itself."""
    return {
        node.func.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and is_api(node, None)
        and node.func.attr != "skill"
    }


def repinned(code: str, versions: dict[str, int]) -> str:
    """Return code in which calls of these skills name these versions.

    >>> repinned("api.skill('go@2', n=1)", {"go": 3})
    "api.skill('go@3', n=1)"
    """
    for called in calls_of(code):
        name, _ = split_id(called)
        if name in versions:
            for quote in "'\"":
                code = code.replace(
                    f"{quote}{called}{quote}", f"{quote}{name}@{versions[name]}{quote}"
                )
    return code


def fingerprint(code: str) -> str:
    """Return a hash of what code does, blind to layout, comments, docstrings, types and names of its own.

    Two skills that differ only in these have the same; used to refuse what was retired.
    """
    try:
        said = ast.dump(_Canonical().visit(copy.deepcopy(parsed(code))))
    except (ValueError, RecursionError):
        said = code  # no code: only the same text is the same
    return hashlib.sha256(said.encode()).hexdigest()


def _shape(tree: ast.Module, function: str, contract: Contract) -> list[str]:
    found, public = [], []
    for node in tree.body:
        match node:
            case ast.FunctionDef():
                if not node.name.startswith("_") or node.name == function:
                    public.append(node)
            case ast.Import() | ast.ImportFrom() | ast.Assign() | ast.AnnAssign():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                found.append(
                    f"line {node.lineno}: only imports, constants and functions may stand here"
                )
    if [node.name for node in public] != [function]:
        named = ", ".join(node.name for node in public) or "none"
        return [*found, f"it needs exactly one public function, {function}; it has: {named}"]
    arguments = public[0].args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        found.append(f"line {public[0].lineno}: {function} may not take * or ** arguments")
    said = [a for a in (*arguments.args, *arguments.kwonlyargs)]
    if not said or said[0].arg != "api":
        return [*found, f"line {public[0].lineno}: the first parameter of {function} has to be api"]
    named_here = [a.arg for a in said[1:]]
    if sorted(named_here) != sorted(contract.parameters):
        found.append(
            f"line {public[0].lineno}: it takes ({', '.join(named_here)}), "
            f"its contract names ({', '.join(contract.parameters)})"
        )
    for argument in said[1:]:
        known = contract.parameters.get(argument.arg)
        if argument.annotation is None:
            found.append(f"line {argument.lineno}: the parameter {argument.arg} has no type")
        elif known is not None:
            kind = ast.unparse(argument.annotation)
            if kind != _PYTHON[known.type] and not kind.startswith(("Literal", "Annotated")):
                found.append(
                    f"line {argument.lineno}: {argument.arg} is {kind} here and {known.type} "
                    "in the contract"
                )
    return found


def _imports(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        named = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        found += [
            f"line {getattr(node, 'lineno', 0)}: it may not import {name}; it may: {', '.join(ALLOWED)}"
            for name in named
            if name.partition(".")[0] not in ALLOWED
        ]
    return found


def _uses(tree: ast.Module, contract: Contract) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            found.append(f"line {node.lineno}: it may not use {node.attr}")
        if is_api(node, "skill") and isinstance(node, ast.Call):
            called = node.args[0] if node.args else None
            text = called.value if isinstance(called, ast.Constant) else None
            if not isinstance(text, str) or split_id(text)[1] is None or len(node.args) != 1:
                found.append(
                    f'line {node.lineno}: call a skill as api.skill("name@version", parameter=value)'
                )
        elif isinstance(node, ast.Call) and is_api(node, None):
            used = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if used not in contract.capabilities:
                found.append(
                    f"line {node.lineno}: it uses api.{used}, which its capabilities do not name"
                )
    return found


def is_api(node: ast.AST, method: str | None) -> bool:
    """Return whether code calls the API here: this method, or any."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "api"
        and (method is None or node.func.attr == method)
    )


class _Canonical(ast.NodeTransformer):
    """Gives the names that code itself makes others, by their order, and drops what does nothing."""

    def __init__(self) -> None:
        self._named: dict[str, str] = {}

    def _name(self, name: str) -> str:
        return self._named.setdefault(name, f"v{len(self._named)}")

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Find the names that the code itself makes, and go on inside."""
        own = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)}
        own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        own |= {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        self._own = own - {"api"}
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Rename a function, without docstring, decorators and result type."""
        node.name = self._name(node.name)
        node.returns, node.decorator_list = None, []
        if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
            node.body = node.body[1:] or [ast.Pass()]
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Rename a parameter, without its type."""
        node.annotation = None
        node.arg = self._name(node.arg) if node.arg in self._own else node.arg
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Rename a name of its own."""
        node.id = self._name(node.id) if node.id in self._own else node.id
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Drop the type of an assignment."""
        if node.value is None:
            return ast.Pass()
        plain: ast.AST = self.visit(ast.Assign(targets=[node.target], value=node.value, lineno=0))
        return plain

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """Drop the version of a skill that is called."""
        if isinstance(node.value, str) and (split := split_id(node.value))[1] is not None:
            node.value = split[0]
        node.kind = None
        return node
