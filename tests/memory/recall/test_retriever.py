"""The exact kernel, and cases adapted to what can be done here."""

import pytest

from lichen.memory import State
from lichen.memory.ledger.records import StepCase
from lichen.memory.likeness.features import Idf
from lichen.memory.recall.retriever import STRANGER, RetrieverConfig, rank
from lichen.memory.recall.value import advantages


def test_a_case_is_adapted_to_the_likest_thing_that_can_be_done_here() -> None:
    case = StepCase(
        id="c",
        episode="e",
        rank=0,
        env="x",
        family="f",
        index=0,
        gain=1.0,
        source="demonstration",
        state=State(goal="find a plant", text="You see a tree."),
        action="focus on lemon tree",
        events=(),
    )
    here = State(goal="find a plant", text="You see a tree and a table.")
    config = RetrieverConfig()
    offered = ["focus on cherry tree", "focus on table", "wait"]
    hits = rank(here, [case], Idf(), config, admissible=offered)
    scores = advantages(here, hits, offered)
    assert scores.argmax() == 0
    other = rank(here, [case], Idf(), config, counts=lambda _: STRANGER, admissible=offered)
    assert other.hits[0].similarity == pytest.approx(STRANGER * hits.hits[0].similarity)
