"""The policy: the model alone without memory, what moves it, what is filtered, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent import PolicyConfig
from lichen.agent.acting.policy import Policy, situation
from lichen.agent.acting.working_memory import WorkingMemory
from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import EnvironmentFault, Observation, Task
from lichen.memory.ledger.records import Hits

NOTHING = Hits(hits=(), considered=0, abstained=True)
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


async def test_without_memory_the_policy_is_the_frozen_models_own(smollm2: LocalLLM) -> None:
    policy = Policy(PolicyConfig(novelty=0), smollm2)
    decision = await policy.decide(situation(SEEN, [], NOTHING, seed=0))
    assert decision.kl == pytest.approx(0.0, abs=1e-9)
    assert decision.scored == 3


async def test_a_model_that_prefers_an_action_gets_it_and_repetition_costs() -> None:
    def likes_cup(_: str, options: Sequence[str]) -> list[float]:
        return [0.0 if "cup" in option else -6.0 for option in options]

    policy = Policy(PolicyConfig(novelty=0), ScriptedLLM(choose=likes_cup))
    working = WorkingMemory()
    working.begin(SEEN)
    first = await policy.decide(situation(SEEN, [], NOTHING, seed=0, working=working))
    assert first.action == "take cup"
    working.note(SEEN, "take cup", SEEN)
    working.note(SEEN, "take cup", SEEN)
    second = await policy.decide(situation(SEEN, [], NOTHING, seed=0, working=working))
    assert second.action != "take cup"


async def test_hundreds_of_actions_are_filtered_and_none_at_all_is_a_fault(
    smollm2: LocalLLM,
) -> None:
    many = SEEN.model_copy(
        update={"admissible": tuple(sorted(f"take thing {i}" for i in range(900)))}
    )
    policy = Policy(PolicyConfig(candidates=8), smollm2)
    decision = await policy.decide(situation(many, [], NOTHING, seed=0))
    assert (decision.considered, decision.scored) == (900, 8)
    named = many.model_copy(update={"admissible": (*(many.admissible or ()), "take coin")})
    policy = Policy(PolicyConfig(candidates=1), None)
    decision = await policy.decide(situation(named, [], NOTHING, seed=0))
    assert decision.action == "take coin"  # shares a word with the goal
    empty = SEEN.model_copy(update={"admissible": ()})
    with pytest.raises(EnvironmentFault, match="no admissible action"):
        await policy.decide(situation(empty, [], NOTHING, seed=0))


async def test_an_observation_of_100_kb_is_shown_in_part(smollm2: LocalLLM) -> None:
    long = SEEN.model_copy(update={"text": "words and more words. " * 5000})
    policy = Policy(PolicyConfig(), smollm2)
    decision = await policy.decide(situation(long, [], NOTHING, seed=0))
    assert decision.action in (SEEN.admissible or ())


async def test_learning_episodes_explore_and_evaluations_do_not() -> None:
    config = PolicyConfig.model_validate({"explore": {"llm": False, "temperature": 5}})
    assert (config.exploring().llm, config.llm) == (False, True)

    def likes_cup(_: str, options: Sequence[str]) -> list[float]:
        return [0.0 if "cup" in option else -20.0 for option in options]

    async def chosen(learns: bool) -> set[str]:
        policy = Policy(config, ScriptedLLM(choose=likes_cup), learns=learns)
        return {
            (await policy.decide(situation(SEEN, [], NOTHING, seed=seed))).action
            for seed in range(20)
        }

    assert await chosen(False) == {"take cup"}
    assert len(await chosen(True)) > 1
