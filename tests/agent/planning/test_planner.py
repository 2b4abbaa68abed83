"""The planner: plans are parsed, and made from what worked elsewhere."""

from pathlib import Path

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.agent.planning.planner import PlanRequest, SubtaskPlanner
from lichen.envs import Observation, Task

TASK = Task(id="x/1", env="x", family="x", split="dev")
SEEN = Observation(
    text="You are here. You see a coin.",
    goal="take the coin",
    admissible=("look", "take coin", "take cup"),
    score=0.0,
    won=False,
    task=TASK,
    steps=0,
)


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


async def test_recorded_plans_are_parsed_and_shown_similar_episodes(tmp_path: Path) -> None:
    llm = ScriptedLLM(['Sure:\n```json\n{"subtasks": ["find the coin", "take it"]}\n```'])
    planner = SubtaskPlanner(llm)
    assert await planner.plan(PlanRequest(SEEN, reason="no progress", old_plan=["wait"])) == [
        "find the coin",
        "take it",
    ]
    assert "no progress" in llm.prompts[0]
    assert "take the coin" in llm.prompts[0]


async def test_the_small_model_makes_a_plan_by_itself(smollm2: LocalLLM) -> None:
    seen = Observation(
        text="You are in the kitchen.",
        goal="take the coin in the pantry, put it in the box",
        task=Task(id="t", env="e", family="f", split="dev"),
        admissible=("take coin", "move north"),
        score=0.0,
        won=False,
        steps=0,
    )
    subtasks = await SubtaskPlanner(smollm2).plan(PlanRequest(seen))
    assert 1 <= len(subtasks) <= 6
