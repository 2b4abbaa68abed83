"""Does a PDDL goal hold? Exists, forall, and, or, not, equality, over facts.

Knows expressions and facts, and no rules of the game.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection

from .problem import BadProblem, Expression

Binding = dict[str, str]

_SELECTIVE = frozenset(("holds", "inreceptacle", "isclean", "ishot", "iscool", "istoggled"))
"""Predicates with few facts: joining through them first keeps the search small."""


class Facts(ABC):
    """Anything that can say which facts hold."""

    @abstractmethod
    def known(self, predicate: str) -> Collection[tuple[str, ...]]:
        """Return the argument tuples for which the predicate holds."""


def holds(goal: Expression, facts: Facts, binding: Binding | None = None) -> bool:
    """Return whether the goal holds, its free variables bound by `binding`."""
    binding = binding or {}
    match goal:
        case ["and", *parts]:
            return _join(parts, facts, binding)
        case ["or", *parts]:
            return any(holds(part, facts, binding) for part in parts)
        case ["not", part]:
            return not holds(part, facts, binding)
        case ["exists", _, _]:
            return _join([goal], facts, binding)
        case ["forall", variables, part]:
            return not holds(["exists", variables, ["not", part]], facts, binding)
        case ["=", left, right]:
            return _value(left, binding) == _value(right, binding)
        case [str(predicate), *arguments]:
            wanted = tuple(_value(a, binding) for a in arguments)
            known = facts.known(predicate)
            return wanted in known
    return False


def _join(parts: list[Expression], facts: Facts, binding: Binding) -> bool:
    """Return whether all parts hold together for some binding of their variables."""
    flat: list[Expression] = []
    waiting = list(parts)
    while waiting:
        part = waiting.pop(0)
        match part:
            case ["and", *inner]:
                waiting = list(inner) + waiting
            case ["exists", _, inner]:
                waiting.insert(0, inner)
            case _:
                flat.append(part)
    return _search(flat, facts, binding)


def _search(parts: list[Expression], facts: Facts, binding: Binding) -> bool:
    if not parts:
        return True
    for i, part in enumerate(parts):
        if not _free(part, binding):  # ground checks first
            return holds(part, facts, binding) and _search(
                parts[:i] + parts[i + 1 :], facts, binding
            )
    atoms = [p for p in parts if isinstance(p, list) and p[0] not in ("not", "or", "=", "forall")]
    if not atoms:
        raise BadProblem("the goal has a variable that no positive condition binds")
    atom = min(atoms, key=lambda p: (len(_free(p, binding)), p[0] not in _SELECTIVE))
    rest = [part for part in parts if part is not atom]
    for fact in list(facts.known(str(atom[0]))):
        bound = _unify(atom[1:], fact, binding)
        if bound is not None and _search(rest, facts, bound):
            return True
    return False


def _unify(pattern: list[Expression], fact: tuple[str, ...], binding: Binding) -> Binding | None:
    bound = dict(binding)
    for term, value in zip(pattern, fact, strict=False):
        known = _value(term, bound)
        if known.startswith("?"):
            bound[known] = value
        elif known != value:
            return None
    return bound


def _value(term: Expression, binding: Binding) -> str:
    return binding.get(term, term) if isinstance(term, str) else ""


def _free(part: Expression, binding: Binding) -> list[str]:
    if isinstance(part, str):
        return [part] if part.startswith("?") and part not in binding else []
    return [variable for inner in part[1:] for variable in _free(inner, binding)]
