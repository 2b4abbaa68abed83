"""The arms of an evaluation: which channels of the policy are on, and what memory it sees."""

from collections.abc import Mapping

from ...envs.errors import UnknownName
from ...envs.types import Record
from ..policy import PolicyConfig


class Arm(Record):
    """A set of channels."""

    name: str
    says: str
    """What it is, in a few words, for tables and pictures."""
    llm: bool = True
    memory: bool = True
    placebo: bool = False

    def policy(self, base: PolicyConfig) -> PolicyConfig:
        """Return the policy of this arm, its dials those of `base`."""
        return base.model_copy(
            update={
                "llm": self.llm,
                "context": base.context and self.memory,
                "value": base.value and self.memory,
            }
        )


ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(name="none", says="frozen LLM alone", memory=False),
        Arm(name="placebo", says="same number of cases, shuffled", placebo=True),
        Arm(name="knn", says="memory without the LLM", llm=False),
        Arm(name="memory", says="frozen LLM with memory"),
    )
}


def find_arms(names: list[str]) -> list[Arm]:
    """Return the arms of these names, in this order, each once.

    Raises:
        UnknownName: There is no such arm.
    """
    for name in names:
        if name not in ARMS:
            raise UnknownName("arm", name, ARMS)
    return [ARMS[name] for name in dict.fromkeys(names)]
