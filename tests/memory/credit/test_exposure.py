"""The do-no-harm gate and items held out at random."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lichen.agent.lab.bench.credit_accuracy import bench_harm
from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
from lichen.memory.credit.credit import Credit, Exposure
from lichen.memory.credit.exposure import EXPLORE, SUSPECT, HarmGate
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


def test_the_gate_shows_what_helps_shuts_out_what_hurts_and_explores_within_its_budget() -> None:
    helps, hurts = lived(0.3, 2000).uplift("a"), lived(-0.3, 2000).uplift("a")
    unknown = Credit().uplift("never seen")
    proven, harmless = HarmGate(rule="proven"), HarmGate()
    for gate in (proven, harmless):
        assert gate.propensity(helps, 0.1, learn=True) > 0.95
        assert gate.propensity(hurts, 0.1, learn=True) == SUSPECT
        assert gate.propensity(hurts, 0.0, learn=False) == 0.0
    assert proven.propensity(unknown, 0.1, learn=True) == EXPLORE
    assert proven.propensity(unknown, 0.0, learn=False) == 0.0
    assert harmless.propensity(unknown, 0.1, learn=True) == pytest.approx(0.9)
    assert HarmGate(rule="off").propensity(hurts, 0.0, learn=False) == 1.0


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
    assert any(read.held for read in reads) and any(read.shown for read in reads)
    assert all(0.4 < item.propensity < 1 for read in reads for item in read.shown)
    assert any(uplift.n > 0 for uplift in known.values())
    assert {item.shown for item in why.reads[0].items} == {True, False}
    assert evaluated and all(not read.held for read in evaluated)  # only learning explores
    with Store(tmp_path, embedder=HashingEmbedder()) as store:  # the same from the ledger alone
        assert {name: store.credit.uplift(name) for name in known} == known
