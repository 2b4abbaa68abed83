"""Past calls of skills: listed with their cost, and replayed; real runs, the real jail, no model."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.open_agent import OpenAgent
from lichen.agent.skill_actions.open_library import OpenLibrary
from lichen.envs import UsageError
from lichen.memory.credit.past_calls import PastCall, costs, past_calls
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.store.demonstrations import from_gold, import_demonstrations

LICHEN = [sys.executable, "-m", "lichen.agent"]


@pytest.fixture(scope="module")
def ran(household_skills: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a library, whose agent ran all test tasks of the small household without a model."""
    store = tmp_path_factory.mktemp("ran") / "s"
    shutil.copytree(household_skills, store / "skills")
    skills = {"trust": 6.0, "threshold": 0.0}
    with OpenAgent.from_config(
        store=store, embedder="hashing", policy={"llm": False}, skills=skills, seed=3
    ) as agent:
        environment = agent.environment(None, "alfworld-mini/x")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(agent.store, list(from_gold(environment, ids)), run="gold")
        for task in environment.tasks("test"):
            agent.run(task.id, max_steps=15)
    return store


def bytes_of(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.suffix not in (".sqlite-shm", ".sqlite-wal", ".lock")
    }


def lichen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def all_calls(store: Path) -> list[PastCall]:
    with OpenLibrary(store / "skills") as shop:
        names = list(shop.library.all())
        ledger = open_ledger(store)
        return [call for name in names for call in shop.workshop.calls(name, ledger)]


def test_every_call_comes_to_the_same_again_and_nothing_is_written(ran: Path) -> None:
    before, ledger = bytes_of(ran), open_ledger(ran)
    calls = all_calls(ran)
    assert len(calls) >= 5 and all(call.seed == 3 and call.max_steps == 15 for call in calls)
    assert any(call.step > 0 for call in calls) and any(call.steps > 1 for call in calls)
    with OpenLibrary(ran / "skills", warm=1) as shop:
        for call in calls:
            again = shop.workshop.replay(str(call.id), ledger)
            assert again.same and again.notes == (), again
            assert again.now is not None and again.now.actions == again.then.actions
            assert again.then.changed is not None and again.then.changed == again.now.changed
            assert call.steps or again.then.changed == ()
        taken = next(c for c in calls if c.outcome == "success" and c.steps > 1)
        changed = shop.workshop.replay(taken.event, ledger).then.changed
        assert changed is not None and "carried" in {change.fact for change in changed}
    assert bytes_of(ran) == before


def test_show_lists_cost_and_last_calls_and_replay_prints_then_and_now(ran: Path) -> None:
    calls = past_calls(open_ledger(ran), max(all_calls(ran), key=lambda c: c.id).skill)
    name = calls[0].skill.partition("@")[0]
    shown = lichen("skills", "show", name, "--calls", "2", "--store", str(ran), "--json", "-")
    found = json.loads(shown.stdout)
    assert [call["id"] for call in found["calls"]] == [call.id for call in calls[:2]]
    (cost,) = found["cost"]
    assert cost["calls"] == cost["measured"] == len(calls) and cost["seconds"] > 0
    assert cost["steps"] == pytest.approx(sum(call.steps for call in calls) / len(calls))
    assert cost["tokens"] == 0
    text = lichen("skills", "show", name, "--store", str(ran)).stdout
    assert f"mean of {len(calls)} calls" in text and "calls (lichen skills replay CALL)" in text
    replayed = lichen("skills", "replay", str(calls[0].id), "--store", str(ran))
    assert replayed.returncode == 0, replayed.stderr
    assert "then" in replayed.stdout and "It came to the same." in replayed.stdout
    wrong = lichen("skills", "replay", "1", "--store", str(ran))
    assert wrong.returncode == 2 and "no call of a skill in this ledger: '1'" in wrong.stderr


def test_a_changed_skill_is_replayed_in_the_version_of_then_and_an_earlier_cost_stays_apart(
    ran: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s"
    shutil.copytree(ran, store)
    call = next(c for c in all_calls(store) if c.outcome == "success" and c.steps > 1)
    name = call.skill.partition("@")[0]
    ledger = open_ledger(store)
    with OpenLibrary(store / "skills", warm=1) as shop:
        skill = shop.library.get(name)
        described = skill.model_copy(update={"code": skill.code + "\n# said anew\n"})
        assert shop.workshop.edit(described).outcome == "success"
        again = shop.workshop.replay(str(call.id), ledger)
        assert again.same and again.now is not None and again.now.skill == call.skill
        assert again.notes == (f"the library now has {name}@2",)
        assert [cost.skill for cost in costs(shop.workshop.calls(f"{name}@2", ledger))] == []
    # a library that never had that version: what it has is run, and that is said
    other = tmp_path / "other"
    with OpenLibrary(other, warm=1) as shop:
        with shop.library.lock():
            head = f"def {skill.function}(api: API, place: str, thing: str) -> bool:"
            seventh = skill.contract.model_copy(update={"version": 7})
            renumbered = skill.model_copy(
                update={"code": f"{head}\n    return False\n", "contract": seventh}
            )
            shop.library.put([renumbered], message="By hand", author="person")
        again = shop.workshop.replay(str(call.id), ledger)
        assert again.now is not None and again.now.skill == f"{name}@7" and not again.same
        assert again.now.actions == () and again.then.actions and again.then.changed
        assert again.notes == (f"{call.skill} is not in this library's history: {name}@7 was run",)


def test_a_place_that_is_not_reached_is_said_and_nothing_is_run(ran: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    shutil.copytree(ran, store)
    call = next(c for c in all_calls(store) if c.step > 0)
    with sqlite3.connect(store / "ledger.sqlite") as file:  # as if the world answered otherwise now
        key = f"{call.episode}/step-0"
        (text,) = file.execute("select payload from events where key = ?", (key,)).fetchone()
        payload = {**json.loads(text), "observation": "You are in a garden."}
        file.execute("update events set payload = ? where key = ?", (json.dumps(payload), key))
    with OpenLibrary(store / "skills", warm=1) as shop:
        again = shop.workshop.replay(str(call.id), open_ledger(store))
        assert again.now is None and not again.same
        assert "the place could not be reached: step 0" in again.notes[0]
        assert "'You are in a garden.'" in again.notes[0]
        with pytest.raises(UsageError, match="no call of a skill"):
            shop.workshop.replay("999999", open_ledger(store))
    printed = lichen("skills", "replay", str(call.id), "--store", str(store))
    assert printed.returncode == 1 and "not run" in printed.stdout
