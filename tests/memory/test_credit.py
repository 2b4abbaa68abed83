"""Credit and the gate: known effects are recovered, wrong items are shut out, nothing known means no claim."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lichen.agent.lab.bench.credit_accuracy import OURS, bench_credit, bench_harm
from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
from lichen.memory.credit.credit import Credit, Exposure
from lichen.memory.credit.exposure import HarmGate
from lichen.memory.credit.judge_rates import JudgeRates
from lichen.memory.forgetting.why import explain
from lichen.memory.ledger.events import Recalled
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.store import Store


def lived(effect: float, episodes: int, *, seed: int = 0) -> Credit:
    rng, credit = np.random.default_rng(seed), Credit()
    for _ in range(episodes):
        shown = rng.random(2) >= 0.25
        chance = 0.5 + effect * shown[0]
        seen = [
            Exposure(item=name, exposed=bool(z), propensity=0.75)
            for name, z in zip("ab", shown, strict=True)
        ]
        credit.observe("one", seen, float(rng.random() < chance))
    return credit


@pytest.mark.parametrize("effect", [0.3, 0.0, -0.3])
def test_the_interval_of_an_uplift_covers_the_true_effect(effect: float) -> None:
    inside = 0
    for seed in range(20):
        found = lived(effect, 400, seed=seed).uplift("a")
        inside += found.low <= effect <= found.high
    assert inside >= 17
    assert lived(effect, 1600).uplift("a").high - lived(effect, 1600).uplift("a").low < 0.25


def test_an_item_shown_for_certain_tells_nothing_and_an_unknown_one_claims_nothing() -> None:
    credit = Credit()
    credit.observe("c", [Exposure(item="a", exposed=True, propensity=1.0)], 1.0)
    assert credit.uplift("a").n == 0
    assert (credit.uplift("x").low, credit.uplift("x").high) == (-1.0, 1.0)


def test_the_gate_shows_what_helps_shuts_out_what_hurts_and_explores_within_its_budget() -> None:
    helps, hurts = lived(0.3, 2000).uplift("a"), lived(-0.3, 2000).uplift("a")
    unknown = Credit().uplift("never seen")
    proven, harmless = HarmGate(rule="proven"), HarmGate()
    for admission in (proven, harmless):
        assert admission.propensity(helps, 0.1, learn=True) > 0.95
        assert admission.propensity(hurts, 0.1, learn=True) == admission.suspect
        assert admission.propensity(hurts, 0.0, learn=False) == 0.0
    assert proven.propensity(unknown, 0.1, learn=True) == proven.explore
    assert proven.propensity(unknown, 0.0, learn=False) == 0.0
    assert harmless.propensity(unknown, 0.1, learn=True) == pytest.approx(0.9)
    assert HarmGate(rule="off").propensity(hurts, 0.0, learn=False) == 1.0


def test_noisy_verdicts_are_right_on_average_once_they_are_corrected() -> None:
    rng = np.random.default_rng(0)
    judge = JudgeRates()
    assert judge.corrected(1.0) is None  # never checked: a coin
    for truth in rng.random(4000) < 0.5:
        judge.observe(bool(truth != (rng.random() < 0.25)), bool(truth))
    for share in (0.2, 0.8):
        won = rng.random(20_000) < share
        said = (won != (rng.random(len(won)) < 0.25)).astype(float)
        better = [judge.corrected(float(x)) or 0.0 for x in said]
        assert abs(float(np.mean(said)) - share) > 0.1
        assert abs(float(np.mean(better)) - share) < 0.03


def test_short_streams_already_tell_lichens_credit_from_the_others() -> None:
    found = bench_credit(episodes=(3000,), say=lambda _: None)
    by_rule = {row["what"]: row["spearman"] for row in found["rows"] if "spearman" in row}
    assert by_rule.pop(OURS) > 0.6 > 0.45 > max(by_rule.values())


def test_with_wrong_items_the_gate_does_no_harm_and_its_absence_does() -> None:
    found = bench_harm(episodes=6000, say=lambda _: None)
    none, ungated, gated = (row["success, 2nd half"] for row in found["rows"])
    assert gated >= none - 0.01
    assert ungated < none - 0.03


def test_learning_holds_single_episodes_out_logs_it_and_folds_the_credit(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "embedder": "hashing",
        "policy": {"llm": False},
        "retriever": {"holdout": 0.5},
    }
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")]
    with OpenAgent.from_config(store=tmp_path, **options) as agent:
        import_demonstrations(agent.store, from_gold(environment, ids), run="gold")
        report = agent.learn("alfworld-mini", episodes=4)
        reads = [e for r in agent.store.ledger.read() if isinstance(e := r.event, Recalled)]
        known = {
            c.episode: agent.store.credit.uplift(c.episode) for c in agent.store.episodes.values()
        }
        episode = report.episodes[0].episode
        why = explain(agent.store, episode, 0)
        single = agent.run(environment.tasks("test")[0].id)
        evaluated = [
            e
            for r in agent.store.ledger.read(episode=single.episode)
            if isinstance(e := r.event, Recalled)
        ]
    assert any(read.held for read in reads) and any(read.exposed for read in reads)
    assert {chance for read in reads for chance in read.held_propensity} <= {
        chance for read in reads for chance in (*read.propensity, *read.held_propensity)
    }
    assert all(0.4 < chance < 1 for read in reads for chance in read.propensity)
    assert any(uplift.n > 0 for uplift in known.values())
    assert {item.shown for item in why.reads[0].items} == {True, False}
    assert evaluated and all(not read.held for read in evaluated)  # only learning explores
    with Store(tmp_path, embedder=HashingEmbedder()) as store:  # the same from the ledger alone
        assert {name: store.credit.uplift(name) for name in known} == known
