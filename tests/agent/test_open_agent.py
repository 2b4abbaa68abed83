"""The agent, end to end: memory helps, seeds repeat, runs go on, and a changed model is an error."""

import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import FingerprintChanged
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import load_suite, make
from lichen.memory import Store
from lichen.memory.ledger.records import StepCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def demonstrated(folder: Path) -> None:
    with Store(folder, embedder=HashingEmbedder()) as store:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(store, from_gold(environment, ids), run="gold")


def test_memory_makes_the_agent_solve_what_it_could_not(tmp_path: Path, smollm2: LocalLLM) -> None:
    demonstrated(tmp_path / "with")
    tasks = [task.id for task in make("alfworld-mini").tasks("test")][:4]
    results = {}
    for name in ("with", "without"):
        with agent(tmp_path / name, smollm2) as run:
            results[name] = [run.run(task, max_steps=9).outcome for task in tasks]
    assert results["with"].count("success") >= 3 > results["without"].count("success")


def test_learning_twice_with_one_seed_gives_the_same_events(
    tmp_path: Path, smollm2: LocalLLM
) -> None:
    hashes, events = [], []
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 6})
    for name in ("a", "b"):
        with agent(tmp_path / name, smollm2, seed=3) as run:
            report = run.learn(suite, episodes=2)
            assert len(report.episodes) == 2
            assert report.fingerprint_before == report.fingerprint_after != ""
            hashes.append(run.store.state_hash())
            events.append([str(row.event) for row in run.store.ledger.read()])
    assert hashes[0] == hashes[1]
    assert events[0] == events[1]


def test_a_second_learn_goes_on_with_the_next_tasks(tmp_path: Path) -> None:
    with agent(tmp_path, policy={"llm": False}) as run:
        first = run.learn("alfworld-mini", episodes=2)
        second = run.learn("alfworld-mini", episodes=2)
    assert first.run != second.run
    assert {e.task_id for e in first.episodes}.isdisjoint(e.task_id for e in second.episodes)
    assert second.resumed == 0


def test_a_model_that_changes_during_a_run_is_an_error(tmp_path: Path) -> None:
    class Drifting(ScriptedLLM):
        async def fingerprint(self) -> str:
            self.usage.calls += 1
            return str(self.usage.calls)

    with agent(tmp_path, Drifting()) as run, pytest.raises(FingerprintChanged):
        run.learn("alfworld-mini", episodes=1)


LICHEN = [sys.executable, "-m", "lichen.agent"]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_a_bounded_agent_keeps_its_capacity_while_it_learns(tmp_path: Path) -> None:
    options = {"policy": {"llm": False}, "retriever": {"capacity": 2}}
    with agent(tmp_path, **options) as run:
        run.learn("alfworld-mini", episodes=4)
        assert len(run.store.episodes) == 2 and len(run.store.evicted) == 2
        assert len(run.store.index(StepCase)) == len(run.store.steps)
