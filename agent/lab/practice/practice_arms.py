"""The arms of a practice evaluation: the same explorer and curriculum, with and without the library."""

from dataclasses import dataclass

from ...practice.practice_loop import PracticeConfig
from ..kernel.cells import named


@dataclass(frozen=True)
class PracticeArm:
    """What an arm may use."""

    name: str
    primitives: bool
    """Whether it calls the environment's control primitives, or takes single actions only."""
    library: bool
    """Whether it learns and calls skills."""
    says: str

    @property
    def config(self) -> PracticeConfig:
        """Return how it practises."""
        return PracticeConfig(library=self.library, primitives=self.primitives)


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


def find_practice_arms(names: list[str]) -> list[PracticeArm]:
    """Return arms by name; `skills-frozen` is none of them and needs `skills`.

    Raises:
        UnknownName: There is no such arm.
    """
    found = named("practice arm", [n for n in names if n != FROZEN], ARMS, also=[FROZEN])
    if FROZEN in names and ARMS["skills"] not in found:
        found.append(ARMS["skills"])
    return found
