"""Who calls whom: callers, dependents, the program that a skill is together with what it calls."""

import graphlib
from collections.abc import Iterable, Mapping

from .errors import BadSkill
from .lint import calls_of
from .types import Skill, split_id


def callees(skill: Skill) -> set[str]:
    """Return the names of the skills it calls."""
    return {split_id(called)[0] for called in calls_of(skill.code)}


def callers(skills: Iterable[Skill]) -> dict[str, set[str]]:
    """Return, for every skill that is called, the names of those that call it."""
    found: dict[str, set[str]] = {}
    for skill in skills:
        for name in callees(skill):
            found.setdefault(name, set()).add(skill.name)
    return found


def dependents(skills: Mapping[str, Skill], name: str) -> list[tuple[str, ...]]:
    """Return the paths from a skill to all that call it, directly or not, callees before their callers.

    Returns:
        One path a dependent, the skill itself first, the dependent last; the shortest there is.
    """
    above = callers(skills.values())
    paths: dict[str, tuple[str, ...]] = {name: (name,)}
    queue = [name]
    for here in queue:
        for caller in sorted(above.get(here, ())):
            if caller not in paths:
                paths[caller] = (*paths[here], caller)
                queue.append(caller)
    order = [n for n in ordered(skills) if n in paths and n != name]
    return [paths[n] for n in order]


def ordered(skills: Mapping[str, Skill]) -> list[str]:
    """Return the names, callees before their callers.

    Raises:
        BadSkill: Skills call each other in a circle.
    """
    graph = {name: callees(skill) & skills.keys() for name, skill in sorted(skills.items())}
    try:
        return list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise BadSkill(
            f"skills call each other in a circle: {' -> '.join(error.args[1])}"
        ) from error


def closure(skills: Mapping[str, Skill], skill: Skill) -> list[Skill]:
    """Return a skill and all that it calls, directly or not, callees first.

    Args:
        skills: By name; the skill itself need not be among them.
        skill: Where to begin.

    Raises:
        BadSkill: A call names a skill or a version that is not there, or there is a circle.
    """
    found: dict[str, Skill] = {}
    waiting = [skill]
    while waiting:
        here = waiting.pop()
        if here.name in found:
            continue
        found[here.name] = here
        for called in sorted(calls_of(here.code)):
            name, version = split_id(called)
            other = skill if name == skill.name else skills.get(name)
            if other is None:
                raise BadSkill(f"{here.id} calls {called}, which is not in the library")
            if other.contract.version != version:
                raise BadSkill(f"{here.id} calls {called}; the library has {other.id}")
            waiting.append(other)
    return [found[name] for name in ordered(found)]


def allowed(skills: Mapping[str, Skill], skill: Skill) -> Skill:
    """Return a skill that may do itself what those that it calls may do."""
    wider = {c for name in callees(skill) for c in skills[name].contract.capabilities}
    capabilities = tuple(sorted({*skill.contract.capabilities, *wider}))
    contract = skill.contract.model_copy(update={"capabilities": capabilities})
    return skill.model_copy(update={"contract": contract})


def depth(skills: Mapping[str, Skill], name: str) -> int:
    """Return how many skills stand under a skill on the longest way down; 0 when it calls none."""
    deep: dict[str, int] = {}
    for here in ordered(_under(skills, name)):
        under = [deep[called] for called in callees(skills[here]) if called in deep]
        deep[here] = 1 + max(under) if under else 0
    return deep[name]


def _under(skills: Mapping[str, Skill], name: str) -> dict[str, Skill]:
    """Return a skill and all that it calls and that are there, in any order, whatever versions are named."""
    found, waiting = {name: skills[name]}, [name]
    while waiting:
        for called in callees(skills[waiting.pop()]):
            if called in skills and called not in found:
                found[called] = skills[called]
                waiting.append(called)
    return found
