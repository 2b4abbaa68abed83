"""The rivals: what each keeps of an episode and gives to the next, with a scripted model where one writes."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from lichen.agent.lab.compare.contestants import RIVALS
from lichen.agent.lab.rivals.rival import Rival, RivalTools
from lichen.agent.lab.rivals.trace import EpisodeTrace, TraceStep
from lichen.agent.llm import ScriptedLLM
from lichen.envs.types import Task
from lichen.memory.likeness.embedder import HashingEmbedder

TASK = Task(id="shop/t/1", env="shop", family="f", split="test")


def trace(goal: str, *, won: bool = True, action: str = "open box") -> EpisodeTrace:
    step = TraceStep(text="a box", action=action, answer="it opens", error="", reward=1.0)
    return EpisodeTrace(
        episode=goal,
        task_id=goal,
        family="f",
        goal=goal,
        steps=(step,),
        outcome="success" if won else "failure",
        score=float(won),
    )


def made(
    name: str, replies: Sequence[str] = (), tokens: int = 800, **dials: float
) -> tuple[Rival, ScriptedLLM]:
    llm = ScriptedLLM(replies)
    embed = HashingEmbedder().encode
    tools = RivalTools(llm=llm, embed=embed, tokens=tokens, context=4 * tokens, seed=0)
    return RIVALS[name](tools, dials), llm


def brief(rival: Rival, goal: str = "open the red box") -> str:
    return asyncio.run(rival.brief(TASK, goal))


def learn(rival: Rival, *traces: EpisodeTrace) -> None:
    for one in traces:
        asyncio.run(rival.learn(one))


@pytest.mark.parametrize("name", sorted(RIVALS))
def test_an_empty_rival_says_nothing_and_a_cut_off_model_breaks_nothing(name: str) -> None:
    rival, _ = made(name)  # its script has no replies: every answer is nonsense
    assert brief(rival) == ""
    learn(rival, trace("open the box"), trace("close the box", won=False))
    assert isinstance(brief(rival), str)


def test_icl_gives_the_last_episodes_that_fit_and_icl_full_more() -> None:
    (short, _), (full, _) = made("icl", tokens=60), made("icl-full", tokens=60)
    for number in range(9):
        learn(short, trace(f"task {number}"))
        learn(full, trace(f"task {number}"))
    assert "task 8" in brief(short) and "task 2" not in brief(short)
    assert "task 8" in brief(full) and "task 2" in brief(full)


def test_ace_adds_counts_and_merges_bullets_scripted() -> None:
    said = [
        "The lid sticks.",
        "- Open the lid first.",
        "B1 harmful. B1 harmful.",
        "- Open the lid first.",
    ]
    rival, llm = made("ace", said)
    learn(rival, trace("a"), trace("b", won=False))
    assert [i["text"] for i in rival.kept] == ["Open the lid first."]
    assert (rival.kept[0]["harmful"], rival.kept[0]["helpful"]) == (2, 1)  # told again: merged
    assert "[B1] Open the lid first." in brief(rival)
    assert "[B1]" in llm.prompts[2]  # the reflector reads the playbook
    rival.kept[0]["harmful"] = 5
    assert brief(rival) == ""


def test_the_bank_keeps_at_most_three_items_and_gives_those_of_the_nearest_task_scripted() -> None:
    item = "Title: Lids\nDescription: About lids.\nContent: Lift {}.\n"
    rival, llm = made("reasoningbank", [item.format("it") * 4, item.format("the chain")])
    learn(rival, trace("open the red box"), trace("feed the dog", won=False))
    assert len(rival.kept[0]["items"]) == 3
    assert "Lift it." in brief(rival) and "chain" not in brief(rival)
    assert "chain" in brief(rival, "feed the dog")
    assert "did not solve" in llm.prompts[1]  # failures have a prompt of their own


def test_workflows_come_of_successes_alone_and_once_scripted() -> None:
    rival, llm = made("awm", ["To open {thing}:\nopen {thing}"] * 2)
    learn(rival, trace("a", won=False), trace("b"), trace("c"))
    assert len(llm.prompts) == 2 and len(rival.kept) == 1
    assert "open {thing}" in brief(rival)


def test_facts_are_added_updated_and_deleted_scripted() -> None:
    said = [
        "- Boxes are red.\n- Lids stick.",
        "ADD",
        "- Boxes are blue.",
        "UPDATE 1",
        "- No lids.",
        "DELETE 1",
    ]
    rival, _ = made("mem0", said)
    learn(rival, trace("a"))
    assert [i["text"] for i in rival.kept] == ["Boxes are red.", "Lids stick."]
    learn(rival, trace("b"))
    assert "Boxes are blue." in [i["text"] for i in rival.kept] and len(rival.kept) == 2
    learn(rival, trace("c"))
    assert len(rival.kept) == 1


def test_voyager_keeps_programs_of_successes_by_their_description_scripted() -> None:
    rival, _ = made("voyager", ["Opens a box.", "Feeds a dog.", "Open it by the lid."])
    learn(rival, trace("x", won=False), trace("open it"), trace("feed it", action="feed dog"))
    assert len(rival.kept) == 2
    said = brief(rival, "a box")
    assert said.index("open box") < said.index("feed dog")  # the nearer description first


@pytest.mark.parametrize("given", [1, 2])
def test_a_dial_says_how_much_is_given_scripted(given: int) -> None:
    rival, _ = made("voyager", ["Opens.", "Feeds.", "Somehow."], given=given)
    learn(rival, trace("open it"), trace("feed it", action="feed dog"))
    assert brief(rival).count("# Task") == given


def test_a_trace_says_what_happened() -> None:
    lines = trace("open it", won=False).lines()
    assert lines[0] == "Task: open it" and "Action: open box" in lines
    assert lines[-1] == "It was NOT solved (score 0.00)."


def test_every_rival_names_its_source() -> None:
    assert all("arXiv:" in kind.source and kind.says for kind in RIVALS.values())
    assert np.isfinite(len(RIVALS))
