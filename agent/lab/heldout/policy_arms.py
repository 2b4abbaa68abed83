"""The arms of an evaluation: which channels of the policy are on, and what memory it sees."""

from collections.abc import Collection, Mapping
from typing import Any

from ....envs.errors import UsageError
from ....envs.types import Record
from ....memory.recall.retriever import RetrieverConfig
from ...acting.policy import PolicyConfig
from ..kernel.cells import named


class Arm(Record):
    """A set of channels."""

    name: str
    says: str
    """What it is, in a few words, for tables and pictures."""
    llm: bool = True
    memory: bool = True
    placebo: bool = False
    recent: bool = False
    """Whether its memory is the last episodes, whatever the task is."""
    budget: bool = False
    """Asks the model as often as the tokens allow that the arm `memory` spent on the same task."""
    channels: tuple[str, ...] = ("context", "value", "gate", "tools")
    """Parts of the memory that are on; the arms whose names begin with - or + differ from `memory` in one."""
    rule: bool = False
    """A trivial rule that trains by itself over the same tasks (see `rivals`)."""
    scrambled: bool = False
    """Whether its skills are a placebo (see `placebo.skill_placebo`)."""
    without: tuple[str, ...] = ()
    """Names of skills that are left out."""

    @property
    def grows(self) -> bool:
        """Whether it is another one at every checkpoint."""
        return self.memory or self.rule

    @property
    def soft(self) -> bool:
        """Whether the assistant may think."""
        return "soft" in self.channels

    @property
    def skilled(self) -> bool:
        """Whether skills are offered."""
        return "skills" in self.channels

    def policy(self, base: PolicyConfig) -> PolicyConfig:
        """Return the policy of this arm, its dials those of `base`; a model is asked only if `base` asks."""
        return base.model_copy(
            update={
                "llm": base.llm and self.llm,
                "context": base.context and self.memory and "context" in self.channels,
                "value": base.value and self.memory and "value" in self.channels,
            }
        )

    def retriever(self, base: RetrieverConfig) -> RetrieverConfig:
        """Return the dials of the reads of this arm."""
        changed: dict[str, Any] = {}
        if "gate" not in self.channels:
            changed["harm"] = base.harm.model_copy(update={"rule": "off"})
        if "tools" not in self.channels:
            changed["tools"] = False
        return base.model_copy(update=changed)


WITHOUT = "+skills without "
"""How the name of an arm begins that leaves a skill out."""
_ALL = ("context", "value", "gate", "tools")

ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(name="none", says="frozen LLM alone", memory=False),
        Arm(name="placebo", says="same number of cases, shuffled", placebo=True),
        Arm(
            name="icl",
            says="the last episodes, raw, in the prompt",
            recent=True,
            channels=("context",),
        ),
        Arm(name="knn", says="memory without the LLM", llm=False),
        Arm(name="memory", says="frozen LLM with memory"),
        Arm(name="budget", says="no memory, the tokens of memory", memory=False, budget=True),
        Arm(
            name="+skills",
            says="memory, and the skills of --set skills.library=FOLDER as actions",
            channels=(*_ALL, "skills"),
        ),
        Arm(
            name="+skills-placebo",
            says="memory, and the same calls offered, which do other things",
            channels=(*_ALL, "skills"),
            scrambled=True,
        ),
        Arm(
            name="+soft",
            says="memory, and an assistant's thoughts where their gate is open",
            channels=(*_ALL, "soft"),
        ),
        *(
            Arm(name=name, says=said, llm=False, memory=False, rule=True)
            for name, said in (
                ("random", "any action"),
                ("action-table", "epsilon-greedy over mean returns of actions"),
                ("least-used", "the action that was taken least"),
            )
        ),
        *(
            Arm(
                name=f"-{part}",
                says=f"memory without {said}",
                channels=tuple(channel for channel in _ALL if channel != part),
            )
            for part, said in (
                ("context", "cases in the prompt"),
                ("value", "the value channel"),
                ("gate", "the do-no-harm gate"),
                ("tools", "subtask and tool memory"),
            )
        ),
    )
}


def audit_arms(without: Mapping[str, Collection[str]]) -> tuple[Arm, ...]:
    """Return the arms that say what a library is worth: off, on, placebo, and on without each skill.

    Args:
        without: `name@version` of a skill -> names that go with it, its own and its dependents'.
    """
    on = ARMS["+skills"]
    return (
        ARMS["memory"],
        on,
        ARMS["+skills-placebo"],
        *(
            on.model_copy(
                update={
                    "name": f"{WITHOUT}{skill}",
                    "says": "memory, and the other skills",
                    "without": tuple(sorted(gone)),
                }
            )
            for skill, gone in without.items()
        ),
    )


def find_arms(names: list[str]) -> list[Arm]:
    """Return the arms of these names, each once, in this order; `budget` comes last.

    Raises:
        UnknownName: There is no such arm.
        UsageError: `budget` was asked for without the arms that it is measured by.
    """
    chosen = sorted(named("arm", names, ARMS), key=lambda arm: arm.budget)
    if any(arm.budget for arm in chosen) and not {"none", "memory"} <= set(names):
        raise UsageError(
            "the arm 'budget' spends what 'memory' spends, in steps of 'none'",
            hint="Ask for the arms none, memory and budget together.",
        )
    return chosen
