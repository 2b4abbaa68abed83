"""Questions about goals: the real small model answers, the real MiniLM says which questions are alike."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.llm.scripted_llm import ScriptedLLM
from lichen.agent.practice.answers import Answers, questions
from lichen.agent.practice.code_writer import ActionWriter
from lichen.agent.practice.curriculum import Curriculum, GoalOffer
from lichen.agent.practice.practice_loop import PracticeConfig
from lichen.agent.practice.practice_run import run_practice
from lichen.envs import make
from lichen.envs.suite import load_suite
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.ledger.practice_events import Practised
from lichen.memory.likeness.embedder import Embedder, open_embedder
from lichen.skills.jail import open_jail
from lichen.skills.skill_runner import Runner

NOW = {"near.tree": True, "near.grass": True, "near.cow": False}


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return open_embedder("minilm")


def test_a_question_is_asked_once_however_it_is_worded_and_another_one_again(
    smollm2: LocalLLM, minilm: Embedder
) -> None:
    answers = Answers(smollm2, minilm, max_tokens=4)

    def calls(goal: str, env: str = "crafter") -> int:
        before = smollm2.usage.calls
        lines = asyncio.run(answers.about(env, goal, NOW, "near tree, near grass", []))
        assert len(lines) == len(questions(env, goal, NOW)) == 3
        return smollm2.usage.calls - before

    assert calls("Collect wood.") == 3
    assert calls("Collect wood.") == 0
    assert calls("Collect some wood.") == 0  # nearer than 0.95, about the same things
    assert calls("Collect stone.") == 3
    assert [one.goal for one in answers.drained()] == ["Collect wood."] * 3 + ["Collect stone."] * 3
    # nearer than 0.95, about other things: what makes gray glass does not make light gray glass
    gray, light = "Craft gray stained glass pane.", "Craft light gray stained glass pane."
    near = minilm.encode([questions("textcraft", goal, {})[0] for goal in (gray, light)])
    assert float(near[0] @ near[1]) > 0.95
    assert calls(gray, "textcraft") == 3 and calls(light, "textcraft") == 3


def test_answers_are_in_the_events_and_a_later_call_asks_only_what_is_new(
    smollm2: LocalLLM, minilm: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lichen.agent.practice.practice_loop.ROUNDS", 1)  # of long prompts
    suite = load_suite("textcraft-open")
    environment = make(suite.env, **suite.env_options)
    worlds = suite.task_ids("train", None, 0, environment)

    def practise(folder: Path, iterations: int) -> None:
        writer = ActionWriter(smollm2, Answers(smollm2, minilm, max_tokens=3), max_tokens=3)
        with open_jail(warm=1) as jail, asyncio.Runner() as loop:
            run_practice(
                "skills",
                PracticeConfig(),
                environment,
                worlds,
                folder,
                iterations=iterations,
                seed=0,
                runner=Runner({}, jail),
                writer=writer,
                run=loop.run,
            )

    def told(folder: Path) -> list[Practised]:
        events = [row.event for row in open_ledger(folder).read()]
        return [e.model_copy(update={"library": ""}) for e in events if isinstance(e, Practised)]

    practise(tmp_path / "parts", 1)
    (first,) = told(tmp_path / "parts")
    assert {one.goal for one in first.answers} == {environment.goals()[first.goal]}
    how, needed = questions("textcraft", first.answers[0].goal, {})
    assert [one.question for one in first.answers][:2] == [how, needed]
    assert first.answers[2].question.startswith("Which of coal, ")  # carried in this world
    asked = smollm2.usage.calls
    practise(tmp_path / "parts", 1)
    assert smollm2.usage.calls == asked
    practise(tmp_path / "parts", 2)
    practise(tmp_path / "whole", 2)
    parts = told(tmp_path / "parts")
    assert parts == told(tmp_path / "whole") and len(parts) == 2
    again = Answers(smollm2, minilm)
    again.recall(first.answers)
    assert again.known("textcraft", first.answers[0].goal) == first.answers[0].answer


def test_scripted_answers_are_in_the_prompts_of_writer_and_curriculum(minilm: Embedder) -> None:
    llm = ScriptedLLM(["Walk to a tree and hit it.", "Nothing.", "The tree.", "no code"])
    answers = Answers(llm, minilm)
    crafter = make("crafter")
    crafter.reset("crafter/open/train/0")
    goals = {"unlocked.collect_wood": "Collect wood.", "unlocked.place_table": "Place a table."}
    with pytest.raises(ValueError, match="line 1"):
        asyncio.run(
            ActionWriter(llm, answers).write(
                "unlocked.collect_wood", "Collect wood.", crafter, crafter.facts(), []
            )
        )
    assert "What is needed before one can collect wood in crafter?" in llm.prompts[1]
    assert "How to collect wood in crafter? Walk to a tree and hit it." in llm.prompts[3]
    seen: list[str] = []

    async def choose(prompt: str, offers: list[GoalOffer]) -> int:
        seen.append(prompt)
        return 0

    curriculum = Curriculum(
        goals,
        choose=choose,  # type: ignore[arg-type]
        known_of=lambda goal: answers.known("crafter", goal),
    )
    asyncio.run(curriculum.next_goal({}, {}, np.random.default_rng(0)))
    assert "Known: Collect wood. Walk to a tree and hit it.\n" in seen[0]
    assert "Known: Place" not in seen[0]
