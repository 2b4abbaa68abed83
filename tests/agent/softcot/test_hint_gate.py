"""The hint gate opens for thoughts that carry the answer, and for no others."""

from typing import Any

from lichen.agent.softcot.hint_gate import (
    GateDecision,
    measure,
)
from lichen.agent.softcot.train import Trainer


def test_the_gate_opens_for_thoughts_that_carry_the_answer_and_for_no_others(
    taught: Any, untaught: Trainer
) -> None:
    trained = taught.trainer
    targets = [example.target for example in trained.examples]
    decisions = [
        GateDecision(example, (example.target, *(t for t in targets if t != example.target)))
        for example in trained.examples
    ]

    def verdict(trainer: Trainer, count: int = 8) -> str:
        (found,), tokens = measure(
            decisions[:count],
            llm=trainer.llm,
            assistant=trainer.assistant,
            projection=trainer.projection,
            n=4,
            most=24,
            seed=0,
        )
        assert (tokens > 0) == (count == 8)
        return found.mode

    assert verdict(untaught) == "off"
    assert verdict(trained) == "soft"
    assert verdict(trained, 7) == "off"  # too few to tell
