"""The policy: the model alone without memory, what moves it, what is filtered, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent import PolicyConfig
from lichen.agent.acting.policy import Policy
from lichen.agent.acting.priors import UNKNOWN, prior_of
from lichen.agent.acting.scoring_voice import ScoringVoice
from lichen.agent.acting.situation import situation
from lichen.agent.acting.working_memory import WorkingMemory
from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import EnvironmentFault, Observation, Task
from lichen.memory.credit.channel_weights import CHANNELS
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


def scorer(scores: dict[str, float]) -> ScoringVoice:
    """A model that scores actions by a word in them; the script says how."""

    def chosen(_: str, options: Sequence[str]) -> list[float]:
        return [next((s for word, s in scores.items() if word in o), 0.0) for o in options]

    return ScoringVoice(ScriptedLLM(choose=chosen), shown=2)


def tried(action: str, times: int) -> WorkingMemory:
    working = WorkingMemory()
    working.begin(SEEN)
    for _ in range(times):
        working.note(SEEN, action, SEEN)
    return working


async def test_without_memory_the_policy_is_the_frozen_models_own(smollm2: LocalLLM) -> None:
    weights = prior_of("smollm2-135m").mean.model_copy(update={"novelty": 0.0})
    policy = Policy(PolicyConfig(), ScoringVoice(smollm2, shown=2), weights)
    decision = await policy.decide(situation(SEEN, [], NOTHING, seed=0))
    assert decision.kl == pytest.approx(0.0, abs=1e-9)
    assert decision.scored == 3


@pytest.mark.parametrize("nats", [0.01, 3.0, 30.0])
async def test_an_unknown_models_first_choice_stands_however_sharp_its_scripted_scores(
    nats: float,
) -> None:
    policy = Policy(PolicyConfig(), scorer({"cup": 0.0, "": -nats}), UNKNOWN.mean)
    decision = await policy.decide(situation(SEEN, [], NOTHING, seed=0))
    assert (decision.action, decision.scored) == ("take cup", 3)
    assert decision.kl == pytest.approx(0.0, abs=0.01)


async def test_a_scripted_model_that_repeats_itself_is_left_and_one_try_again_is_not() -> None:
    policy = Policy(PolicyConfig(), scorer({"cup": 0.0, "": -6.0}), UNKNOWN.mean)
    took = [
        (await policy.decide(situation(SEEN, [], NOTHING, seed=0, working=working))).action
        for working in (tried("take cup", 1), tried("take cup", 4))
    ]
    assert took[0] == "take cup" != took[1]


async def test_the_model_is_asked_only_about_what_it_can_bring_to_win(smollm2: LocalLLM) -> None:
    many = SEEN.model_copy(
        update={"admissible": tuple(sorted(f"take thing {i}" for i in range(900)))}
    )
    voice = ScoringVoice(smollm2, shown=2)
    policy = Policy(PolicyConfig(), voice, prior_of("smollm2-135m").mean)
    decision = await policy.decide(situation(many, [], NOTHING, seed=0))
    assert (decision.considered, decision.scored) == (900, 900)
    decision = await policy.decide(
        situation(SEEN, [], NOTHING, seed=0, working=tried("take cup", 2))
    )
    assert (decision.considered, decision.scored) == (3, 2)  # tried twice: it cannot win
    empty = SEEN.model_copy(update={"admissible": ()})
    with pytest.raises(EnvironmentFault, match="no admissible action"):
        await policy.decide(situation(empty, [], NOTHING, seed=0))


async def test_an_observation_of_100_kb_is_shown_in_part(smollm2: LocalLLM) -> None:
    long = SEEN.model_copy(update={"text": "words and more words. " * 5000})
    policy = Policy(PolicyConfig(), ScoringVoice(smollm2, shown=2), UNKNOWN.mean)
    decision = await policy.decide(situation(long, [], NOTHING, seed=0))
    assert decision.action in (SEEN.admissible or ())


async def test_learning_episodes_explore_and_evaluations_do_not() -> None:
    config = PolicyConfig.model_validate({"explore": {"llm": False, "temperature": 5}})
    assert (config.exploring().llm, config.llm) == (False, True)

    weights = prior_of("smollm2-135m").mean

    async def chosen(learns: bool) -> set[str]:
        policy = Policy(config, scorer({"cup": 0.0, "": -20.0}), weights, learns=learns)
        return {
            (await policy.decide(situation(SEEN, [], NOTHING, seed=seed))).action
            for seed in range(20)
        }

    assert await chosen(False) == {"take cup"}
    assert len(await chosen(True)) > 1


async def test_what_was_refused_is_not_tried_again_and_again_where_the_place_has_changed() -> None:
    said = ("take cup", "You cannot reach it.")
    policy = Policy(PolicyConfig(llm=False), None)

    async def chosen(refused: list[tuple[str, str]]) -> list[str]:
        moved = situation(SEEN, [], NOTHING, seed=0, history=[said] * 3, refused=refused)
        made = await policy.weighted(moved)
        least = made.features[:, CHANNELS.index("repetition")]
        return [a for a, x in zip(made.actions, least, strict=True) if x == least.min()]

    assert await chosen([said]) == ["take cup"]
    assert len(await chosen([])) == 3
