"""Practice in Crafter, the agent with skills as actions, the action writer: the real jail, the real worlds."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lichen.agent.lab.practice.practice_evaluation import run_frozen
from lichen.agent.llm.scripted_llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.agent.practice.code_writer import ActionWriter, candidate_of
from lichen.agent.practice.curriculum import Curriculum, shown_facts
from lichen.agent.practice.practice_loop import PracticeConfig
from lichen.agent.practice.practice_run import PracticeResult, run_practice
from lichen.agent.practice.write_round import write_skill
from lichen.envs import Environment, UnknownName, make
from lichen.memory.ledger.events import Recalled, SkillCalled, Stepped
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.skills.admission import Admission
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.watch import traced
from lichen.skills.jail import Jail, Ran, open_jail
from lichen.skills.library import Library
from lichen.skills.lint import check
from lichen.skills.skill_runner import Runner

WORLDS = [f"crafter/open/train/{n}" for n in range(6)]


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail(warm=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def crafter() -> Environment:
    made = make("crafter")
    made.max_steps = 120  # enough to learn something in
    return made


def test_practice_grows_a_library_that_a_killed_run_goes_on_with(
    crafter: Environment, jail: Jail, tmp_path: Path
) -> None:
    def practise(folder: Path, iterations: int) -> tuple[object, Library]:
        with asyncio.Runner() as loop:
            result, library = run_practice(
                "skills",
                PracticeConfig(),
                crafter,
                WORLDS,
                folder,
                iterations=iterations,
                seed=0,
                runner=Runner({}, jail),
                run=loop.run,
            )
        assert library is not None
        return result, library

    whole, library = practise(tmp_path / "whole", 3)
    practise(tmp_path / "parts", 1)  # as if it had been killed after one
    parts, again = practise(tmp_path / "parts", 3)
    assert whole.reached == parts.reached  # type: ignore[attr-defined]
    assert {n: s.code for n, s in library.all().items()} == {
        n: s.code for n, s in again.all().items()
    }
    skills = library.all()
    assert "collect-wood" in skills or len(skills) >= 2
    for skill in skills.values():
        assert check(skill) == [] and len(skill.tests) >= 3
        assert len({test.task_id for test in skill.tests}) >= 3
    frozen = run_frozen(
        crafter, ["crafter/open/test/0"], Runner({}, jail), library, moves=10, seed=0
    )
    assert frozen["skills-frozen"].episodes[0].called > 0
    assert frozen["no library"].episodes[0].called == 0


def test_the_curriculum_shows_little_first_and_leaves_what_fails() -> None:
    goals = {f"unlocked.g{n}": f"Goal {n}." for n in range(8)}
    curriculum = Curriculum(goals)
    rng = np.random.default_rng(0)
    first = asyncio.run(curriculum.next_goal({}, {}, rng))
    for _ in range(5):
        curriculum.note(first, completed=False)
    assert first not in curriculum.shortlist({}, rng)
    assert "food" not in shown_facts({"food": 3, "inventory.wood": 1}, 0)
    assert "food" in shown_facts({"food": 3}, 5)

    async def person(prompt: str, options: object) -> int:
        assert "Failed so far: Goal" in prompt
        return 2

    curriculum.choose = person
    assert asyncio.run(curriculum.next_goal({}, {}, rng)) in goals


@pytest.fixture(scope="module")
def household_library(jail: Jail, tmp_path_factory: pytest.TempPathFactory) -> Library:
    environment = make("alfworld-mini")
    library = Library(tmp_path_factory.mktemp("skills") / "library")
    traces = []
    for task in environment.tasks("train"):
        environment.reset(task.id)
        trace = traced(environment, task.id, environment.gold() or ())
        assert trace is not None
        traces.append(trace)
    admission = Admission(library, Runner({}, jail), lambda _: environment)
    induce(traces, admission, InduceConfig(least=3, most=4))
    return library


def test_an_agent_is_offered_skills_calls_them_and_the_ledger_says_what_came_of_it(
    household_library: Library, tmp_path: Path
) -> None:
    settings = {"library": household_library.root, "trust": 60.0, "threshold": 0.0}
    with OpenAgent.from_config(
        store=tmp_path / "s", embedder="hashing", policy={"llm": False}, skills=settings
    ) as agent:
        environment = agent.environment(None, "alfworld-mini/x")
        tasks = [task.id for task in environment.tasks("train")]
        import_demonstrations(agent.store, list(from_gold(environment, tasks)), run="gold")
        # a skill that always held is favoured: say so to the ledger's fold
        for name, skill in household_library.all().items():
            agent.store.fold.uses.called(skill.id, "", "success", 2)
            assert name
        task = next(t.id for t in environment.tasks("test") if "simple" in t.id)
        result = agent.run(task)
        rows = [row.event for row in agent.store.ledger.read()]
        called = [event for event in rows if isinstance(event, SkillCalled)]
        offered = [e for e in rows if isinstance(e, Recalled) and e.grain == "skills"]
        steps = [event for event in rows if isinstance(event, Stepped) and event.skill]
        assert offered and called and called[0].level == "kernel"
        assert sum(call.steps for call in called) == len(steps)
        own = [e for e in rows if isinstance(e, Stepped)][-result.steps :]
        assert [event.action for event in own] == list(result.actions)
        agent.store.absorb()
        used = agent.store.fold.uses.total(called[0].skill)
        assert used.called >= 1 and used.exposed >= 1


def test_a_written_function_becomes_a_candidate_or_says_why_not() -> None:
    said = 'Sure:\n```python\ndef go(api, kind="tree", n: int = 2):\n    "Go."\n    api.goto(kind)\n```'
    skill = candidate_of(
        said, "collect-wood", "unlocked.collect_wood", "Collect wood.", "crafter", {}
    )
    assert check(skill) == []
    assert {n: p.type for n, p in skill.contract.parameters.items()} == {"kind": "str", "n": "int"}
    assert skill.contract.capabilities == ("goto",)
    for bad, why in (
        ("no code here at all", "line 1"),
        ("x = 1", "no function"),
        ("def a(api):\n    pass\n\ndef b(api):\n    pass\n", "has to begin with _"),
        ("def a(api, x):\n    pass\n", "needs a type"),
    ):
        with pytest.raises(ValueError, match=why):
            candidate_of(bad, "a", "won", "g", "crafter", {})


def test_an_unknown_practice_arm_is_named() -> None:
    from lichen.agent.lab.practice.practice_arms import FROZEN, find_practice_arms

    with pytest.raises(UnknownName, match="did you mean 'skills'"):
        find_practice_arms(["skill"])
    assert [arm.name for arm in find_practice_arms([FROZEN])] == ["skills"]


def test_scripted_code_is_written_tested_criticised_and_admitted(
    crafter: Environment, jail: Jail, tmp_path: Path
) -> None:
    wrong = "```python\ndef collect_wood(api):\n    api.act('noop')\n```"
    right = (
        "```python\ndef collect_wood(api, count: int = 1):\n"
        "    for _ in range(20):\n        api.goto('tree')\n        api.act('do')\n"
        "        if api.facts()['inventory.wood'] >= count:\n            return True\n```"
    )
    llm = ScriptedLLM([wrong, "Go to a tree first.", right])
    library = Library(tmp_path / "library")
    admission = Admission(library, Runner({}, jail), lambda _: crafter)
    crafter.reset(WORLDS[0])
    written = asyncio.run(
        write_skill(
            ActionWriter(llm),
            admission,
            crafter,
            {},
            "unlocked.collect_wood",
            "Collect wood.",
            crafter.facts(),
            worlds=WORLDS[:3],
            seed=0,
            rounds=4,
            completed=0,
        )
    )
    assert written.verdict is not None and written.verdict.outcome == "success"
    assert "unlocked.collect_wood" in written.refused[0]
    assert "Go to a tree first." in llm.prompts[2] and "api.act('noop')" in llm.prompts[2]
    assert library.get("collect-wood").contract.capabilities == ("act", "facts", "goto")


def test_an_outage_of_the_jail_is_an_unknown_iteration_that_is_tried_again(
    crafter: Environment, jail: Jail, tmp_path: Path
) -> None:
    class Broken(Jail):
        def run(self, *args: object, **kwargs: object) -> Ran:
            return Ran(end="broken", error="no process could be made", level="kernel")

    def practise(runner: Runner) -> PracticeResult:
        with asyncio.Runner() as loop:
            return run_practice(
                "skills",
                PracticeConfig(),
                crafter,
                WORLDS,
                tmp_path / "arm",
                iterations=1,
                seed=0,
                runner=runner,
                run=loop.run,
            )[0]

    assert practise(Runner({}, Broken.__new__(Broken))).unknown == 1
    again = practise(Runner({}, jail))
    assert again.unknown == 0 and again.steps > 0
