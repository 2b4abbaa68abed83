"""What each way of learning changes, and what it leaves as it was."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lichen.agent.acting.policy import Policy, PolicyConfig
from lichen.agent.acting.priors import prior_of
from lichen.agent.acting.situation import situation
from lichen.agent.lab.continual.learner import LearnConfig, Learner, StreamSetting, expert_policy
from lichen.agent.lab.continual.lora_learner import Adapted, LoraLearner, SelfLoraLearner
from lichen.agent.lab.continual.memory_learner import MemoryLearner
from lichen.agent.lab.continual.soft_learner import SoftLearner, SoftLLM, Thinker
from lichen.agent.lab.continual.stream import GoldDecision, Stream
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.slots import for_cue
from lichen.agent.llm.soft_reader import Row, SoftReader
from lichen.agent.softcot import ProjectionConfig
from lichen.agent.softcot.projection import Projection, embedding_norm
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.talking.open_voice import open_voice
from lichen.memory.recall.retriever import RetrieverConfig


@pytest.fixture
def setting(tiny: Frozen, stream: Stream, tmp_path: Path) -> StreamSetting:
    return StreamSetting(
        llm=tiny,
        stream=stream,
        folder=tmp_path,
        policy=expert_policy(PolicyConfig()),
        retriever=RetrieverConfig(),
        embedder="hashing",
        learn=LearnConfig(epochs=6, lora_lr=1e-2),
        seed=0,
    )


def options(item: GoldDecision) -> list[str]:
    return [f" {action}\n" for action in item.seen.admissible or ()]


def test_a_stream_is_whole_games_to_learn_from_and_other_decisions_held_out(stream: Stream) -> None:
    assert stream.families == ("simonsays", "sorting")
    for learning, shown, held in zip(stream.learning, stream.shown, stream.held, strict=True):
        assert {i.task_id for i in learning} == {game.task_id for game in shown}
        assert len(held) == 3 and all("/test/" in item.task_id for item in held)
        assert all(item.gold in (item.seen.admissible or ()) for item in (*learning, *held))
    assert "Good action:" in stream.held[0][0].prompt


def test_lora_lowers_the_loss_moves_away_off_stream_and_leaves_the_base_weights(
    setting: StreamSetting,
) -> None:
    before = setting.llm.identity(again=True).weights
    arm = LoraLearner(setting)
    item = setting.stream.held[0][0]
    untrained = asyncio.run(arm.client().choose(item.prompt, options(item)))
    base = asyncio.run(Learner(setting).client().choose(item.prompt, options(item)))
    assert untrained.tolist() == base.tolist() and arm.drift().silent == 0.0
    learned = arm.learn(1)
    assert learned.steps == 6 * -(-learned.targets // 2) and len(learned.losses) == 6
    assert learned.losses[-1] < learned.losses[0] - 0.1
    assert arm.drift().silent > 0.0 and arm.drift().forced is None
    assert setting.llm.identity(again=True).weights == before == arm.adapted.base_hash()
    trained = asyncio.run(arm.client().choose(item.prompt, options(item)))
    other = LoraLearner(setting)
    other.load(1)
    assert asyncio.run(other.client().choose(item.prompt, options(item))).tolist() == (
        trained.tolist()
    )
    assert trained.tolist() != base.tolist()


def test_self_generated_targets_are_gold_actions_that_the_frozen_model_samples(
    setting: StreamSetting,
) -> None:
    arm = SelfLoraLearner(setting)
    learned = arm.learn(1)
    of = len(setting.stream.learning[0])
    assert 0 < learned.targets <= of  # a model of random weights finds some of them by chance
    assert learned.note == f"{learned.targets} of {of} states are right in 8 samples"
    again = SelfLoraLearner(setting)
    assert again.learn(1).model_dump(exclude={"seconds"}) == learned.model_dump(exclude={"seconds"})
    for ours, theirs in zip(
        arm.adapted.adapter().values(), again.adapted.adapter().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_stage_without_self_generated_targets_trains_nothing_and_says_so(
    setting: StreamSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(
        self: SelfLoraLearner, items: object, stage: int
    ) -> tuple[list[GoldDecision], int]:
        return [], 7

    monkeypatch.setattr(SelfLoraLearner, "_own", none)
    arm = SelfLoraLearner(setting)
    learned = arm.learn(1)
    assert (learned.targets, learned.steps, learned.tokens) == (0, 0, 7)
    assert learned.note.endswith("nothing was trained") and arm.drift().silent == 0.0


def test_silent_soft_thoughts_leave_off_stream_text_exactly_alone(setting: StreamSetting) -> None:
    arm = SoftLearner(setting)
    assert arm.drift().forced is None
    first = arm.learn(1)
    after = arm.projection
    assert after is not None
    kept = {name: value.clone() for name, value in after.state_dict().items()}
    drift = arm.drift()
    assert drift.silent == 0.0 and drift.forced is not None and drift.forced > 0.0
    assert first.steps == 6 * -(-first.targets // 2) and arm.weights > 0
    second = arm.learn(2)
    assert second.steps > 0 and arm.projection is not None
    centre = arm.projection.state_dict()
    assert torch.equal(centre["mean"], kept["mean"])  # it went on from stage 1
    assert not torch.equal(centre["linear.weight"], kept["linear.weight"])
    arm.load(1)
    assert torch.equal(arm.projection.state_dict()["linear.weight"], kept["linear.weight"])


def test_memory_learns_stage_by_stage_and_abstains_elsewhere(setting: StreamSetting) -> None:
    arm = MemoryLearner(setting)
    try:
        assert arm.hits(setting.stream.held[0][0]).abstained
        arm.learn(1)
        assert arm.hits(setting.stream.held[0][0]).hits
        assert all(h.case.family == "simonsays" for h in arm.hits(setting.stream.held[1][0]).hits)
        assert arm.drift().silent == 0.0
        arm.learn(2)
        assert any(h.case.family == "sorting" for h in arm.hits(setting.stream.held[1][0]).hits)
        arm.load(1)  # as it was then
        assert all(h.case.family == "simonsays" for h in arm.hits(setting.stream.held[1][0]).hits)
    finally:
        arm.close()


def test_a_bounded_memory_lets_go_of_games_between_stages(setting: StreamSetting) -> None:
    arm = MemoryLearner(replace(setting, retriever=RetrieverConfig(capacity=1)))
    try:
        for stage in (1, 2):
            arm.learn(stage)
            assert len(arm.store.episodes) == 1
        assert arm.hits(setting.stream.held[1][0]).hits
    finally:
        arm.close()


def test_smollm2_scores_options_behind_soft_thoughts_as_its_reader_does(
    frozen: Frozen, stream: Stream
) -> None:
    reader = SoftReader(frozen)
    form = Projection(
        ProjectionConfig(init="random"), frozen.d, frozen.d, norm=embedding_norm(frozen), seed=0
    )
    thinker = Thinker(SoftAssistant(frozen), reader, form, 4)
    client = SoftLLM(thinker)
    for item in (stream.held[0][0], stream.held[0][1]):  # the second finds the first's words cached
        row = for_cue(frozen, reader.marks, item.prompt, 4)
        soft = thinker.thoughts(item.prompt)
        rows = [Row(row, tuple(frozen.ids(option))) for option in options(item)]
        wanted = reader.log_likelihoods(rows, soft.expand(len(rows), -1, -1))
        found = asyncio.run(client.choose(item.prompt, options(item)))
        torch.testing.assert_close(torch.from_numpy(found).float(), wanted, atol=2e-3, rtol=1e-4)


def test_the_policy_of_the_arms_takes_what_the_model_finds_likeliest(
    setting: StreamSetting,
) -> None:
    arm = Learner(setting)
    item = setting.stream.held[1][0]
    scores = asyncio.run(arm.client().choose(item.prompt, options(item)))
    client, config = arm.client(), arm.policy()
    policy = Policy(config, open_voice(client, config), prior_of(client.name).mean)
    decision = asyncio.run(
        policy.decide(
            situation(
                item.seen,
                [action for action, _ in item.history],
                arm.hits(item),
                seed=0,
                history=item.history,
            )
        )
    )
    assert decision.action == (item.seen.admissible or ())[int(scores.argmax())]
    assert decision.scored == decision.considered == len(item.seen.admissible or ())


def test_an_adapter_is_the_same_for_the_same_seed(tiny: Frozen) -> None:
    one, two = (Adapted(tiny, LearnConfig(), seed=3).adapter() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
