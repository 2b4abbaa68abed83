"""The benches of skill retrieval and retention, small, on a library that is induced here."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.agent.lab.bench.skill_questions import Judge, places, question
from lichen.agent.skill_actions.open_library import OpenLibrary
from lichen.memory.likeness.embedder import open_embedder
from lichen.skills.first_action import entry, ways
from lichen.skills.skill_index import Vectored
from lichen.skills.skill_retriever import SkillRetriever
from lichen.skills.skill_runner import view_of
from lichen.skills.types import Contract, Parameter, Skill

FETCH = '''
def fetch(api: API, what: str, where: str) -> bool:
    """Take a thing from where it is."""
    return api.skill("go-to-take-from@1", place=where, thing=what)
'''


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library induced from the small household's training tasks."""
    folder = tmp_path_factory.mktemp("library") / "skills"
    done = CliRunner().invoke(
        app, ["skills", "induce", "alfworld-mini", "-n", "40", "--library", str(folder)]
    )
    assert done.exit_code == 0, done.output
    return folder


def test_a_skill_is_right_where_a_run_of_it_does_what_is_done_next(grown: Path) -> None:
    with OpenLibrary(grown, warm=1) as shop:
        skills = shop.library.all()
        judge = Judge(shop.runner(), skills, shop.environment)
        taking = {n for n in skills if n in ("go-to-take-from", "go-to-open-take-from")}
        assert taking
        seen = {True: 0, False: 0}
        for place in list(places(shop.environment("alfworld-mini"), "dev"))[:40]:
            right = judge.right(place, "subtask")
            verbs = [action.split()[0] for action in place.ahead[: place.segment]]
            assert question(place, "subtask", judge) == ", ".join(place.ahead[: place.segment])
            if right & taking:
                assert "take" in verbs
            if verbs == ["go", "take"]:
                assert "go-to-take-from" in right
            seen[bool(right)] += 1
        assert min(seen.values()) > 0  # some states are nobody's


def test_what_a_composed_skill_needs_is_what_its_first_part_needs(grown: Path) -> None:
    with OpenLibrary(grown) as shop:
        skills = shop.library.all()
        environment = shop.environment("alfworld-mini")
        environment.reset(environment.tasks("dev")[0].id)
        view = view_of(environment)
        needs = {name: entry(skill, skills) for name, skill in skills.items()}
        ready = {name for name, conditions in needs.items() if ways(conditions, view)}
        laying = {name for name, said in needs.items() if any("has(" in c for c in said)}
        assert ready
        assert laying
        assert not ready & laying  # nothing is carried yet
        above = Skill(
            name="fetch",
            description="Takes a thing from where it is.",
            code=FETCH,
            contract=Contract(
                env="alfworld-mini",
                parameters={"what": Parameter(type="str"), "where": Parameter(type="str")},
            ),
        )
        assert entry(above, skills) == ('can("go to {where}")',)
        assert str(ways(entry(above, skills), view)[0]["where"]) in " ".join(view.admissible or ())


def test_a_skill_that_does_more_than_was_asked_for_comes_later(grown: Path) -> None:
    with OpenLibrary(grown) as shop:
        skills = shop.library.all()
        index = Vectored(None, open_embedder("minilm"))
        asked = "go to desk 1, take pencil 2 from desk 1"
        retriever = SkillRetriever(skills, index)
        hits = retriever.search(asked, env="alfworld-mini").hits
        assert [hit.skill for hit in hits][0] == "go-to-take-from@1"
        assert hits[0].named == 1.0
        assert any(hit.skill.startswith("go-to-") and hit.named < 1 for hit in hits[1:])
        index.close()


def test_both_benches_measure_and_a_folder_that_is_none_is_named(
    grown: Path, tmp_path: Path
) -> None:
    file = tmp_path / "found.json"
    run = CliRunner().invoke
    done = run(
        app,
        ["bench", "skills", "--library", str(grown), "--queries", "10", "--json", str(file)],
    )
    found = json.loads(file.read_text())
    assert done.exit_code == 1  # ten questions are not the three hundred that the bar asks for
    assert found["holds"] is False
    sides = [row for row in found["rows"] if row["env"] == "all"]
    assert [row["what"] for row in sides][0] == "Lichen"
    assert len(sides) == 5
    assert {row["questions"] for row in sides} == {sides[0]["questions"]}
    assert 0 < sides[0]["questions"] <= 10

    done = run(
        app,
        ["bench", "retention", "--library", str(grown), "--queries", "6", "--additions", "1"]
        + ["--json", str(file)],
    )
    found = json.loads(file.read_text())
    assert found["rows"][0]["mastered"] > 0, done.output
    assert found["rows"][0]["added"] <= 1
    assert done.exit_code == (0 if found["holds"] else 1)

    for bench in ("skills", "retention"):
        done = run(app, ["bench", bench, "--library", str(tmp_path / "none")])
        assert done.exit_code != 0
        assert "is no skill library" in str(done.exception or done.output)
