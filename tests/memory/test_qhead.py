"""The parametric head: it learns which cases help which tasks, the same twice, and says how well."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lichen.envs import make
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Recalled, RecalledItem
from lichen.memory.ledger.ledger import Entry
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.q_head import QConfig, QHead
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.recall.selection import mix, pick
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.store import Store

D = 16


def world(n: int, seed: int = 0) -> list[tuple[str, np.ndarray, np.ndarray, float, float]]:
    """Tasks of four kinds; a case helps when it is of the task's kind, whatever else it looks like."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        kinds = rng.integers(4, size=2)
        pair = []
        for kind in kinds:
            vector = rng.normal(size=D) * 0.6
            vector[kind] += 2.0
            pair.append(vector / np.linalg.norm(vector))
        outcome = float(rng.random() < (0.9 if kinds[0] == kinds[1] else 0.2))
        found.append((f"task {i}", pair[0], pair[1], float(rng.random() < 0.5), outcome))
    return found


def learned(pairs: list[tuple[str, np.ndarray, np.ndarray, float, float]]) -> QHead:
    head = QHead(D, QConfig(seed=1))
    for pair in pairs:
        head.observe(*pair)
    return head


def test_it_predicts_queries_that_it_never_saw_better_than_the_mean() -> None:
    fit = learned(world(1500)).fit()
    assert fit.loss is not None and fit.base is not None
    assert fit.validation > 200 < fit.pairs
    assert fit.loss < fit.base - 0.1


def test_the_same_events_give_the_same_theta_and_others_another() -> None:
    assert np.array_equal(learned(world(300)).theta, learned(world(300)).theta)
    assert not np.array_equal(learned(world(300)).theta, learned(world(299)).theta)


def test_all_pairs_of_one_query_are_learned_or_all_are_kept() -> None:
    head = QHead(D)
    _, query, case, win, _ = world(1)[0]
    for text in ("one", "two", "three", "four", "five", "six", "seven"):
        before = head.fit().pairs, head.fit().validation
        for outcome in (0.0, 1.0, 1.0):
            head.observe(text, query, case, win, outcome)
        after = head.fit().pairs - before[0], head.fit().validation - before[1]
        assert after in ((3, 0), (0, 3))


def test_before_anything_was_learned_it_prefers_nothing() -> None:
    _, query, case, _, _ = world(1)[0]
    assert QHead(D).q(query, np.stack([case, -case]), np.array([0.0, 1.0])) == pytest.approx(0.5)
    assert QHead(D).fit().loss is None


def test_the_mix_is_blind_to_scales_and_sampling_follows_the_temperature() -> None:
    similarity, q = np.array([0.9, 0.8, 0.1]), np.array([0.01, 0.02, 0.03])
    one, other = {"q": (0.5, q)}, {"q": (0.5, 100 * q + 5)}
    assert mix(similarity, one) == pytest.approx(mix(10 * similarity, other))
    assert mix(similarity, {"q": (0.5, np.ones(3))}).argmax() == 0
    rng = np.random.default_rng(0)
    assert pick(np.array([1.0, 3.0, 2.0]), 2, 0.0, rng) == [1, 2]
    drawn = [pick(np.array([0.0, 1.0]), 1, 1.0, rng)[0] for _ in range(4000)]
    assert np.mean(drawn) == pytest.approx(np.e / (1 + np.e), abs=0.03)
    assert sorted(pick(np.zeros(5), 5, 1.0, rng)) == [0, 1, 2, 3, 4]


def acted(store: Store, name: str, goal: str, shown: Sequence[str], score: float) -> None:
    """Write an episode of the agent's that saw some cases, without making a case of it."""
    started = EpisodeStarted(
        env="alfworld-mini", family="f", split="train", task_id=name, goal=goal, source="own"
    )
    recalled = Recalled(
        step=0,
        considered=len(shown),
        items=tuple(
            RecalledItem(case=case, exposed=True, similarity=1.0, propensity=0.9) for case in shown
        ),
        abstained=False,
    )
    ended = EpisodeEnded(
        outcome="success" if score else "failure", score=score, steps=1, learn=False
    )
    events: list[Event] = [started, recalled, ended]
    store.append([Entry(f"{name}/{i}", "run", name, event) for i, event in enumerate(events)])
    store.absorb()


def test_a_case_that_ended_badly_for_others_is_not_shown_first_and_forgetting_unlearns_it(
    tmp_path: Path,
) -> None:
    config = RetrieverConfig(parametric=0.9)
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(store, from_gold(environment, ids), run="gold")
        cases = list(store.episodes.values())
        goal = cases[0].goal
        plain = CaseMemory(store).episodes(goal, env="alfworld-mini", k=1)[0][0]
        assert (
            CaseMemory(store, config).episodes(goal, env="alfworld-mini", k=1)[0][0].id == plain.id
        )
        step = {case.episode: case.id for case in store.steps.values()}
        for i in range(60):
            case = cases[i % len(cases)]
            bad = case.id == plain.id
            acted(store, f"act-{i}", f"{goal} {i}", [step[case.episode]], 0.0 if bad else 1.0)
        memory = CaseMemory(store, config)
        assert memory.episodes(goal, env="alfworld-mini", k=1)[0][0].id != plain.id
        assert CaseMemory(store, config, first=3).head().fit().pairs == 0  # nothing of later
        theta = memory.head().theta.copy()
        assert np.array_equal(CaseMemory(store, config).head().theta, theta)
        forget(store, plain.id, cascade=True)
        unlearned = memory.head().theta
        assert not np.array_equal(unlearned, theta)
        assert np.array_equal(CaseMemory(store, config).head().theta, unlearned)
