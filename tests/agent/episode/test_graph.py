"""The graph in the plan style: next subtask, replan, and the real small model through it."""

import json
from collections.abc import Sequence
from pathlib import Path

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
from lichen.memory import Store
from lichen.memory.ledger.events import Planned
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def demonstrated(folder: Path) -> None:
    with Store(folder, embedder=HashingEmbedder()) as store:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(store, from_gold(environment, ids), run="gold")


def test_recorded_replies_walk_the_plan_style_through_next_subtask_and_replan(
    tmp_path: Path,
) -> None:
    environment = make("alfworld-mini")
    task = next(t.id for t in environment.tasks("test") if "simple" in t.id)
    environment.reset(task)
    gold = list(environment.gold() or ())
    turn = [0]

    def follow(prompt: str, options: Sequence[str]) -> list[float]:
        wanted = gold[turn[0]] if turn[0] < len(gold) else ""
        turn[0] += any(option.strip() == wanted for option in options)
        return [0.0 if option.strip() == wanted else -30.0 for option in options]

    def verdict(status: str) -> str:
        return json.dumps({"status": status, "critique": f"it is {status}"})

    replies = ['{"subtasks": ["find the fork", "store it"]}', verdict("done"), verdict("stuck")]
    replies += ['{"subtasks": ["open the drawer", "put it in"]}'] + [verdict("going")] * 10
    llm = ScriptedLLM(replies, choose=follow)
    options = {"planner": "plan"}
    with agent(tmp_path, llm, **options) as run:
        result = run.run(task)
        planned = [row.event for row in run.store.ledger.read() if isinstance(row.event, Planned)]
    assert result.outcome == "success"
    assert [p.subtasks[0] for p in planned] == ["find the fork", "open the drawer"]
    assert planned[1].reason == "it is stuck"
    assert any("Now: store it" in prompt for prompt in llm.prompts)


def test_the_plan_style_runs_with_the_small_model_itself(smollm2: LocalLLM, tmp_path: Path) -> None:
    demonstrated(tmp_path)
    with agent(tmp_path, smollm2, planner="plan") as run:
        result = run.run(make("alfworld-mini").tasks("test")[0].id, max_steps=3)
        planned = [row.event for row in run.store.ledger.read() if isinstance(row.event, Planned)]
    assert (result.outcome, result.steps) == ("failure", 3)
    assert planned and planned[0].subtasks
