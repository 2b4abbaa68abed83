"""A search finds the skill for a new goal and abstains from another world."""

import itertools

from lichen.envs import Environment
from lichen.memory.likeness.embedder import open_embedder
from lichen.skills.admission import Admission
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.traces import Trace
from lichen.skills.induction.watch import winning
from lichen.skills.library import Library
from lichen.skills.skill_index import Vectored
from lichen.skills.skill_retriever import SkillRetriever


def gold(household: Environment) -> list[Trace]:
    """The winning trajectories of the small household."""
    return winning(household, [task.id for task in household.tasks("train")])


def test_a_search_finds_the_skill_for_a_new_goal_and_abstains_from_another_world(
    admission: Admission, library: Library, household: Environment
) -> None:
    induce(gold(household), admission, InduceConfig(least=3, most=6))
    retriever = SkillRetriever(library.all(), Vectored(library.root, open_embedder("minilm")))
    found = retriever.search("put some fork on drawer", env="alfworld-mini")
    assert found.hits and not found.abstained
    assert all(
        hit.cosine <= 1 and 0 <= hit.lexical <= 1 and 0 <= hit.named <= 1 for hit in found.hits
    )
    assert retriever.search("put some fork on drawer", env="crafter").hits == ()
    off = retriever.search("buy ten shares of Omega and cancel the flight", env="alfworld-mini")
    assert off.abstained and off.below
    scores = [hit.score for hit in found.hits]
    assert all(a >= b for a, b in itertools.pairwise(scores))
