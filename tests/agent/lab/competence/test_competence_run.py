"""The laboratory of competence, small: a perfect model keeps it all in every way, and memory only adds."""

import json
from pathlib import Path

import pytest

from lichen.agent.lab.competence.candidates import bench_candidates
from lichen.agent.lab.competence.competence_report import kept, levels
from lichen.agent.lab.competence.competence_run import CompetenceRow, run_suite
from lichen.agent.lab.competence.expert import Expert
from lichen.agent.lab.competence.simulated_llm import WAYS
from lichen.agent.lab.kernel.rows import RowFile
from lichen.envs.suite import load_suite


def rows_of(folder: Path) -> RowFile[CompetenceRow]:
    return RowFile(folder / "rows.jsonl", {}, CompetenceRow.model_validate_json)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[CompetenceRow]:
    folder = tmp_path_factory.mktemp("competence")
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 20})
    held = rows_of(folder)
    said: list[str] = []
    for _ in range(2):  # the second call finds all of it done
        run_suite(
            suite,
            folder / "store",
            held,
            ways=WAYS,
            levels=[0.0, 0.6, 1.0],
            tasks=6,
            demonstrations=8,
            seed=0,
            say=said.append,
        )
    again = rows_of(folder)
    assert again.rows == held.rows
    return list(again.rows.values())


def test_a_perfect_model_keeps_its_competence_in_every_way(rows: list[CompetenceRow]) -> None:
    found = kept(rows)
    assert {way for _, way in found} == set(WAYS)
    assert all(alone == inside == 1.0 for alone, inside in found.values())


def test_memory_is_no_worse_than_model_or_knn_and_better_in_the_middle(
    rows: list[CompetenceRow],
) -> None:
    found = {level.competence: level for level in levels(rows, seed=0)}
    assert all(level.no_worse for level in found.values())
    middle = found[0.6]
    assert middle.memory > max(middle.none, middle.knn)
    assert found[0.0].memory > found[0.0].none + 0.3  # a model that knows nothing is carried
    assert found[1.0].lost == 0.0  # no negative transfer
    assert middle.won - middle.lost == pytest.approx(middle.memory - middle.none)


def test_text_actions_and_calls_keep_a_perfect_models_word(tmp_path: Path) -> None:
    for name in ("textcraft", "support"):
        held = rows_of(tmp_path / name)
        run_suite(
            load_suite(name),
            tmp_path / name / "store",
            held,
            ways=("scores-3", "tool", "text"),
            levels=[1.0],
            tasks=2,
            demonstrations=2,
            seed=0,
            say=lambda _: None,
        )
        assert all(
            alone == inside == 1.0 for alone, inside in kept(list(held.rows.values())).values()
        )


def test_what_the_expert_does_is_always_an_option() -> None:
    suites = [load_suite("alfworld-mini"), load_suite("bfcl")]
    made = bench_candidates(suites, tasks=2, seed=0, say=lambda _: None)
    assert made["holds"], json.dumps(made["rows"])


def test_the_expert_finds_the_way_back() -> None:
    hall, coin = ("move east", "move west"), ("take coin", "move west")
    expert = Expert(["move east", "take coin"], calls=False)
    assert expert.next([], [], hall) == "move east"
    assert expert.next(["move west"], [True], hall) == "move east"  # back from a detour
    assert expert.next(["move east"], [True], coin) == "take coin"
    assert expert.next(["move east", "take coin"], [True, False], coin) == ""
