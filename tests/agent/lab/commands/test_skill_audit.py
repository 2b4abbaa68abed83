"""What skills add to cases: on, off, placebo, each left out; the real jail, no model unless said."""

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lichen.agent.lab.heldout.episode_row import EpisodeRow
from lichen.agent.lab.heldout.heldout_report import Report
from lichen.agent.lab.heldout.heldout_run import HeldOutPlan, Silent, evaluate
from lichen.agent.lab.heldout.policy_arms import Arm, audit_arms, find_arms
from lichen.agent.lab.placebo.skill_placebo import scrambled
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.agent.skill_actions import skill_set
from lichen.agent.skill_actions.open_library import OpenLibrary
from lichen.envs import UsageError, load_suite
from lichen.memory.ledger.events import Recalled, SkillCalled
from lichen.memory.ledger.ledger import open_ledger
from lichen.skills.library import Library
from lichen.skills.replay_call import PLACEBO
from lichen.skills.types import Skill

LICHEN = [sys.executable, "-m", "lichen.agent"]
ON_OFF_PLACEBO = ("memory", "+skills", "+skills-placebo")


@pytest.fixture
def library(household_skills: Path) -> Path:
    """The library that most tests audit."""
    return household_skills


def plan(
    arms: tuple[Arm, ...], tasks: int = 3, max_steps: int = 12, points: tuple[int, ...] = (6,)
) -> HeldOutPlan:
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": max_steps})
    return HeldOutPlan(
        suite=suite,
        arms=arms,
        checkpoints=points,
        learn="demonstrations",
        split="test",
        tasks=tasks,
        seed=0,
    )


def evaluated(
    store: Path,
    library: Path | None,
    arms: tuple[Arm, ...],
    *,
    watcher: Silent | None = None,
    skills: Mapping[str, object] = {},
    **more: object,
) -> Report:
    """An evaluation in which no model is asked."""
    with OpenAgent.from_config(
        store=store,
        embedder="hashing",
        model="nothing",  # there is none: asking it would break
        policy={"llm": False},
        skills={"library": library, **skills},
    ) as agent:
        return evaluate(agent, plan(arms, **more), store, watcher)  # type: ignore[arg-type]


def said(skill: Skill) -> list[str]:
    """All texts in the public function of a skill, in order, what is said to the environment among them."""
    public = next(n for n in ast.parse(skill.code).body if isinstance(n, ast.FunctionDef))
    return [
        node.value
        for node in ast.walk(ast.Module(public.body[1:], []))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_a_placebo_has_the_structure_and_says_something_else(
    library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    skills = Library(library).all()
    other = scrambled(skills, 0)
    assert other == scrambled(skills, 0)
    for name, skill in skills.items():
        assert other[name].model_copy(update={"code": skill.code}) == skill
        for one, two in ((skill, other[name]), (other[name], skill)):
            shape = [type(n) for n in ast.walk(ast.parse(one.code)) if isinstance(n, ast.stmt)]
            assert shape == [
                type(n) for n in ast.walk(ast.parse(two.code)) if isinstance(n, ast.stmt)
            ]
        assert said(skill) and said(other[name]) != said(skill)
    assert not caplog.records
    code = "def act(api: API, thing: str) -> bool:\n    api.act(thing)\n    return True\n"
    only = {"act": next(iter(skills.values())).model_copy(update={"name": "act", "code": code})}
    assert scrambled(only, 0)["act"].code == code and "no placebo of act@1" in caplog.text
    everything = [
        sorted(t for s in some.values() for t in set(said(s))) for some in (skills, other)
    ]
    assert set(everything[0]) == set(everything[1])


def test_the_placebo_is_offered_what_skills_are_and_does_other_things(
    library: Path, tmp_path: Path
) -> None:
    report = evaluated(tmp_path, library, tuple(find_arms(list(ON_OFF_PLACEBO))))
    assert report.model == "no model" and list(report.arms) == list(ON_OFF_PLACEBO)
    assert {(c.a, c.b) for c in report.contrasts} == {
        ("memory", "+skills"),
        ("+skills", "memory"),
        ("+skills", "+skills-placebo"),
        ("+skills-placebo", "memory"),
    }
    assert all(c.n == 3 for c in report.contrasts)
    assert all(cell[6].tokens_in == cell[6].tokens_out == 0 for cell in report.arms.values())
    assert "its skills gained" in report.sentence() and "no model was asked" in report.sentence()
    first: dict[str, dict[str, Recalled]] = {"on": {}, "placebo": {}}
    called: dict[bool, list[SkillCalled]] = {True: [], False: []}
    for row in open_ledger(tmp_path).read():
        if isinstance(row.event, SkillCalled):
            called[row.event.skill.startswith(PLACEBO)].append(row.event)
        if isinstance(row.event, Recalled) and row.event.grain == "skills":
            arm = "placebo" if "+skills-placebo-" in row.episode else "on"
            first[arm].setdefault(row.episode.rpartition("-")[2], row.event)
    assert first["on"].keys() == first["placebo"].keys() and len(first["on"]) == 3
    for task, offered in first["on"].items():
        marked = tuple(
            item.model_copy(update={"case": PLACEBO + item.case}) if item.exposed else item
            for item in offered.items
        )
        assert first["placebo"][task] == offered.model_copy(update={"items": marked})
    assert called[True] and called[False]
    assert sum(c.steps for c in called[True]) < sum(c.steps for c in called[False])
    with OpenAgent.from_config(store=tmp_path, embedder="hashing", policy={"llm": False}) as agent:
        real = agent.store.fold.uses.total(called[False][0].skill)
    placebo = next(
        row.seq
        for row in open_ledger(tmp_path).read()
        if isinstance(row.event, SkillCalled) and row.event.skill.startswith(PLACEBO)
    )
    with OpenLibrary(library) as shop, pytest.raises(UsageError, match="was of a placebo"):
        shop.workshop.replay(str(placebo), open_ledger(tmp_path))
    assert real.called == sum(c.skill == real.skill for c in called[False])


def test_an_interrupted_audit_ends_the_same_since_its_own_calls_teach_it_nothing(
    library: Path, tmp_path: Path
) -> None:
    skills = Library(library).all()
    left_out = {skill.id: {name} for name, skill in list(skills.items())[:1]}
    arms = audit_arms(left_out)
    assert [arm.name for arm in arms] == [
        *ON_OFF_PLACEBO,
        f"+skills without {next(iter(left_out))}",
    ]

    class Stop(Silent):
        def evaluating(self, done: int, of: int, row: EpisodeRow) -> None:
            if done == 6:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluated(tmp_path / "a", library, arms, watcher=Stop())
    first = evaluated(tmp_path / "a", library, arms)
    whole = evaluated(tmp_path / "b", library, arms)
    assert first.model_dump(exclude={"seconds"}) == whole.model_dump(exclude={"seconds"})
    gone = next(iter(left_out))
    for row in open_ledger(tmp_path / "b").read():
        if isinstance(row.event, Recalled) and "without" in row.episode:
            assert gone not in {item.case for item in row.event.shown}
    assert whole.contrast("+skills", f"+skills without {gone}") is not None
    with pytest.raises(UsageError, match="with other dials"):
        evaluated(tmp_path / "b", library, arms, skills={"trust": 1.0})


def test_calls_that_come_to_nothing_do_not_break_an_episode(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insistent = {"trust": 60.0, "threshold": 0}
    monkeypatch.setattr(skill_set, "OFFERED", 4)
    monkeypatch.setattr(skill_set, "BINDINGS", 12)
    monkeypatch.setattr(skill_set.SkillSet, "most_failures", 30)
    arms = tuple(find_arms(["+skills-placebo"]))
    report = evaluated(tmp_path, library, arms, skills=insistent, max_steps=2, tasks=2)
    assert report.arms["+skills-placebo"][6].n == 2
    idle = [
        row.episode
        for row in open_ledger(tmp_path).read()
        if isinstance(row.event, SkillCalled) and not row.event.steps
    ]
    assert max(idle.count(episode) for episode in set(idle)) > 5


def test_with_an_empty_memory_skills_are_still_offered_and_tokens_are_counted_apart(
    smollm2: LocalLLM, library: Path, tmp_path: Path
) -> None:
    with OpenAgent.from_config(
        store=tmp_path, embedder="hashing", llm=smollm2, skills={"library": library}
    ) as agent:
        arms = tuple(find_arms(["none", "memory", "+skills"]))
        report = evaluate(agent, plan(arms, tasks=1, max_steps=2, points=(0,)), tmp_path)
    offered = {
        row.episode.split("-")[1]
        for row in open_ledger(tmp_path).read()
        if isinstance(row.event, Recalled) and row.event.grain == "skills"
    }
    assert offered == {"+skills"}
    assert report.arms["memory"][0] == report.arms["none"][0]  # an empty memory is none
    cell = report.arms["+skills"][0]
    assert cell.tokens_in and cell.tokens_out is not None
    assert cell.tokens == pytest.approx(cell.tokens_in + cell.tokens_out)


def test_an_arm_with_skills_needs_a_library_and_a_budget_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a library of skills, and there is none"):
        evaluated(tmp_path / "a", None, tuple(find_arms(["memory", "+skills"])))
    with pytest.raises(UsageError, match="the tokens of a model, and none is asked"):
        evaluated(tmp_path / "b", None, tuple(find_arms(["none", "memory", "budget"])))


def lichen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *arguments], capture_output=True, text=True, timeout=200, check=False
    )


def test_the_commands_without_a_model(library: Path, tmp_path: Path) -> None:
    quick = ["--no-llm", "--model", "nothing", "--set", "embedder=hashing", "--tasks", "2"]
    shown = lichen(
        "skills",
        "audit",
        "alfworld-mini",
        *("--library", str(library), "--store", str(tmp_path / "s"), "--cases", "6"),
        *(*quick, "--json", str(tmp_path / "audit.json")),
    )
    report = Report.model_validate(json.loads((tmp_path / "audit.json").read_text()))
    assert shown.returncode == (0 if report.skills_hold else 1), shown.stderr
    assert {skill.id for skill in Library(library).all().values()} == {
        arm.removeprefix("+skills without ") for arm in report.arms if "without" in arm
    }
    assert "no model was asked in any arm" in shown.stdout and "tokens read" in shown.stdout
    assert (tmp_path / "s" / "audit" / "alfworld-mini-6-seed0-no-llm" / "report.json").exists()
    evaluation = lichen(
        *("eval", "alfworld-mini", "--arms", ",".join(ON_OFF_PLACEBO), "--checkpoints", "6"),
        *(*quick, "--store", str(tmp_path / "e"), "--set", f"skills.library={library}"),
    )
    assert evaluation.returncode == 0, evaluation.stderr
    assert "its skills gained" in " ".join(evaluation.stdout.split())
