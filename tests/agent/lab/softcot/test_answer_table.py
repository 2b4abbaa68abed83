"""Chains vote, and one answer is left of each poll."""

from pathlib import Path

from lichen.agent.config import load_config
from lichen.agent.lab.softcot.answer_table import evaluate_source
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot import TrainConfig
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.sources import open_source
from lichen.agent.softcot.train import Trainer


def test_chains_vote_and_one_answer_is_left_of_each_poll(tiny: Frozen, tmp_path: Path) -> None:
    source = open_source("words", load_config(store=tmp_path), examples=4, held_out=3)
    assistant = SoftAssistant(tiny)
    config = TrainConfig(n=(2,), epochs=1, chains=2)
    trainer = Trainer(assistant, tiny, source.learned, config=config)
    trainer.run()
    table = evaluate_source(
        source,
        assistant=assistant,
        reader=SoftReader(tiny),
        projections={"soft": trainer.projection},
        n=2,
        arms=("none", "soft"),
        votes=4,
        chains=2,
    )
    votes = [a for a in table.answers if a.decoding == "vote"]
    assert len(votes) == 2 * 3 and len(table.answers) == 2 * 2 * 3
    greedy = [a for a in table.answers if a.decoding == "greedy"]
    assert min(a.tokens for a in votes) > max(a.tokens for a in greedy)  # four answers each
