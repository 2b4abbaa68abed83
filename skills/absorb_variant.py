"""A new skill that a parameterised one already covers but for a value of its domain: the domain grows."""

import ast
from collections.abc import Mapping
from typing import Any

from ..envs.types import Fact
from .merge import Merged, Unlike, plain
from .types import Skill


def absorb(general: Skill, special: Skill) -> Merged:
    """Return the general skill with the special one's constants among its choices.

    Args:
        general: A skill with parameters.
        special: One that does the same with constants in their place.

    Raises:
        Unlike: The special one is no instance of the general one.
    """
    if general.contract.env != special.contract.env or general.name == special.name:
        raise Unlike("they are of different environments")
    free = {
        name: p
        for name, p in general.contract.parameters.items()
        if name not in special.contract.parameters
    }
    if not free or any(p.choices is None for p in free.values()):
        raise Unlike("the general skill has no listed values that could grow")
    match = _Match(set(free))
    match.same(plain(general), plain(special))
    for kind in ("postconditions", "preconditions"):
        ours, theirs = getattr(general.contract, kind), getattr(special.contract, kind)
        if len(ours) != len(theirs):
            raise Unlike(f"their {kind} differ in number")
        for a, b in zip(ours, theirs, strict=True):
            match.same(ast.parse(a, mode="eval").body, ast.parse(b, mode="eval").body)
    if set(match.bound) != set(free):
        raise Unlike("a parameter of the general skill is not bound")
    parameters = dict(general.contract.parameters)
    for name, value in match.bound.items():
        known = parameters[name]
        choices = tuple(dict.fromkeys((*(known.choices or ()), value)))
        parameters[name] = known.model_copy(update={"choices": choices})
    new = [
        test.model_copy(
            update={
                "name": f"{special.name}-{test.name}",
                "arguments": {**match.bound, **test.arguments},
                "origin": False,
            }
        )
        for test in special.tests
    ]
    said = general.description
    if special.description not in said:
        said = f"{said} / {special.description}"[:1024]
    skill = general.model_copy(
        update={
            "description": said,
            "contract": general.contract.model_copy(update={"parameters": parameters}),
            "tests": (*general.tests, *new),
        }
    )
    return Merged(skill, {special.name: match.bound})


class _Match:
    """Walks two trees side by side and binds parameters to constants."""

    def __init__(self, free: set[str]) -> None:
        self._free = free
        self.bound: dict[str, Fact] = {}

    def same(self, general: Any, special: Any) -> None:
        """Bind what has to be bound so that both are the same.

        Raises:
            Unlike: Nothing makes them so.
        """
        match general, special:
            case ast.Name(id=name), ast.Constant(value=value) if name in self._free:
                self._bind(name, value)
            case ast.JoinedStr(
                values=[ast.Constant(value=head), ast.FormattedValue(value=ast.Name(id=name))]
            ), ast.Constant(value=str(text)) if name in self._free and text.startswith(str(head)):
                self._bind(name, text.removeprefix(str(head)))
            case ast.Subscript(value=inner, slice=ast.Name(id=name)), ast.Attribute(
                value=other, attr=word
            ) if name in self._free:
                self._bind(name, word)
                self.same(inner, other)
            case list(), list() if len(general) == len(special):
                for a, b in zip(general, special, strict=True):
                    self.same(a, b)
            case ast.arguments(), ast.arguments():
                kept = [a for a in general.args if a.arg not in self._free]
                if [a.arg for a in kept] != [a.arg for a in special.args]:
                    raise Unlike("their parameters differ")
                self.same(general.defaults, special.defaults)
            case ast.AST(), ast.AST() if type(general) is type(special):
                for name in general._fields:
                    self.same(getattr(general, name, None), getattr(special, name, None))
            case _:
                if isinstance(general, ast.AST) or general != special:
                    raise Unlike("their code differs in more than values")

    def _bind(self, name: str, value: object) -> None:
        if not isinstance(value, bool | int | float | str):
            raise Unlike(f"{value!r} is no value of a parameter")
        if self.bound.setdefault(name, value) != value:
            raise Unlike(f"{name} would have two values")


def covers(skills: Mapping[str, Skill], special: Skill) -> Merged | None:
    """Return the first skill that can absorb a special one, None when none can."""
    for general in skills.values():
        try:
            return absorb(general, special)
        except Unlike:
            continue
    return None
