"""The controls of an evaluation are what they say: sources, streams, placebo, and no model without asking."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lichen.agent.lab.heldout.episode_row import EpisodeRow
from lichen.agent.lab.heldout.heldout_report import Report, summarise
from lichen.agent.lab.heldout.heldout_run import HeldOutPlan, evaluate
from lichen.agent.lab.heldout.policy_arms import find_arms
from lichen.agent.lab.placebo.memory_placebo import PlaceboMemory
from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import FingerprintChanged
from lichen.agent.open_agent import OpenAgent
from lichen.envs import UsageError, load_suite, make
from lichen.memory.ledger.events import EpisodeEnded
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.store import Store


def plan(**changes: object) -> HeldOutPlan:
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 6})
    values: dict[str, object] = {
        "suite": suite,
        "arms": tuple(find_arms(["knn"])),
        "checkpoints": (3,),
        "learn": "own",
        "split": "test",
        "tasks": 1,
        "seed": 0,
    }
    return HeldOutPlan.model_validate({**values, **changes})


def evaluated(
    folder: Path, llm: object = None, planner: str = "reactive", **changes: object
) -> Report:
    model = ScriptedLLM() if llm is None else llm
    with OpenAgent.from_config(
        store=folder,
        embedder="hashing",
        llm=model,  # type: ignore[arg-type]
        planner=planner,
        policy={"explore": {"llm": False}},
    ) as agent:
        return evaluate(agent, plan(**changes), folder)


def learned(folder: Path) -> list[str]:
    with Store(folder, embedder=HashingEmbedder()) as store:
        return [case.task_id for case in sorted(store.episodes.values(), key=lambda c: c.rank)]


def test_own_experience_is_one_stream_however_the_checkpoints_came(tmp_path: Path) -> None:
    evaluated(tmp_path / "grown")
    first = learned(tmp_path / "grown")
    evaluated(tmp_path / "grown", checkpoints=(3, 5))
    evaluated(tmp_path / "whole", checkpoints=(5,))
    assert len(first) == 3
    assert learned(tmp_path / "grown") == learned(tmp_path / "whole")
    assert learned(tmp_path / "whole")[:3] == first


@pytest.mark.parametrize("learn", ["own", "demonstrations"])
def test_memory_of_another_source_is_refused(tmp_path: Path, learn: str) -> None:
    other = {"own": "demonstrations", "demonstrations": "own"}[learn]
    evaluated(tmp_path, learn=other)
    (tmp_path / "rows.jsonl").unlink()
    with pytest.raises(UsageError, match="another source"):
        evaluated(tmp_path, learn=learn)


def test_another_planner_is_another_evaluation(tmp_path: Path) -> None:
    evaluated(tmp_path)
    with pytest.raises(UsageError, match="other settings"):
        evaluated(tmp_path, planner="plan")


def test_an_arm_with_the_model_can_follow_one_without_but_not_another_model(tmp_path: Path) -> None:
    class Other(ScriptedLLM):
        async def fingerprint(self) -> str:
            return "other"

    evaluated(tmp_path)
    both = evaluated(tmp_path, arms=tuple(find_arms(["knn", "memory"])))
    assert both.fingerprint["before"] == "scripted"
    with pytest.raises(FingerprintChanged, match="scripted"):
        evaluated(tmp_path, Other(), arms=tuple(find_arms(["knn", "memory"])))


def test_no_arm_without_the_model_asks_it_also_in_the_plan_style(tmp_path: Path) -> None:
    llm = ScriptedLLM()
    report = evaluated(tmp_path, llm, planner="plan", learn="demonstrations")
    assert llm.prompts == []
    assert "no model was asked" in report.sentence()


def test_an_unknown_evaluation_episode_gets_a_new_attempt_with_events_of_its_own(
    tmp_path: Path, down_llm: Any
) -> None:
    arms = tuple(find_arms(["none"]))
    assert evaluated(tmp_path, down_llm, arms=arms, checkpoints=(0,)).arms["none"] == {}
    down_llm.down = False
    assert evaluated(tmp_path, down_llm, arms=arms, checkpoints=(0,)).arms["none"][0].n == 1
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        ends = [row for row in store.ledger.read() if isinstance(row.event, EpisodeEnded)]
    assert [row.event.outcome == "unknown" for row in ends] == [True, False]  # type: ignore[union-attr]
    assert ends[0].episode != ends[1].episode


def test_the_placebo_shows_a_planner_other_episodes_than_it_found(tmp_path: Path) -> None:
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(store, from_gold(environment, ids), run="gold")
        honest = CaseMemory(store, first=len(ids))
        placebo = PlaceboMemory(store, first=len(ids), rng=np.random.default_rng([0, 1]))
        again = PlaceboMemory(store, first=len(ids), rng=np.random.default_rng([0, 1]))
        goal = next(iter(store.episodes.values())).goal
        found = {
            name: [case.id for case, _ in memory.episodes(goal, env="alfworld-mini", k=6)]
            for name, memory in (("honest", honest), ("placebo", placebo), ("again", again))
        }
    assert len(found["honest"]) == 6
    assert found["placebo"] == found["again"] != found["honest"]


def test_an_arm_with_memory_is_never_compared_with_another_checkpoints_rows() -> None:
    def row(arm: str, checkpoint: int, outcome: str) -> EpisodeRow:
        return EpisodeRow.model_validate(
            {
                "arm": arm,
                "checkpoint": checkpoint,
                "task_id": "t",
                "family": "f",
                "outcome": outcome,
            }
            | {"score": 0, "steps": 1, "tokens_in": 0, "tokens_out": 0, "seconds": 0, "kl": None}
        )

    report = summarise(
        plan_name="p",
        learn="own",
        split="test",
        model="m",
        seed=0,
        arms=["none", "knn", "memory"],
        checkpoints=[0, 10],
        tasks=["t"],
        rows=[
            row("none", 0, "failure"),
            row("knn", 0, "failure"),
            row("memory", 10, "success"),
        ],
        fingerprint=("f", "f"),
        seconds=1.0,
    )
    assert {c.b for c in report.contrasts} == {"none"}
