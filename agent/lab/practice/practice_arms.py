"""The arms of a practice evaluation: the same explorer and curriculum, with and without the library."""

from dataclasses import dataclass

from ....envs.errors import UnknownName


@dataclass(frozen=True)
class PracticeArm:
    """What an arm may use."""

    name: str
    primitives: bool
    """Whether it calls the environment's control primitives, or takes single actions only."""
    library: bool
    """Whether it learns and calls skills."""
    about: str


ARMS = {
    arm.name: arm
    for arm in (
        PracticeArm("none", False, False, "single actions"),
        PracticeArm("primitives", True, False, "control primitives, no library"),
        PracticeArm("skills", True, True, "control primitives and a library that grows"),
    )
}
FROZEN = "skills-frozen"
"""The library of `skills` as it is at the end, in worlds that nobody practised in; nothing is learned."""


def find(names: list[str]) -> list[PracticeArm]:
    """Return arms by name; `skills-frozen` is none of them and needs `skills`.

    Raises:
        UnknownName: There is no such arm.
    """
    found = []
    for name in names:
        if name != FROZEN and name not in ARMS:
            raise UnknownName("practice arm", name, [*ARMS, FROZEN])
        if name != FROZEN:
            found.append(ARMS[name])
    if FROZEN in names and ARMS["skills"] not in found:
        found.append(ARMS["skills"])
    return found
