"""Practice that is killed between a skill's admission and its event goes on as if it had not been."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.practice.practice_loop import Iteration, PracticeConfig
from lichen.agent.practice.practice_run import run_practice
from lichen.envs import make
from lichen.envs.suite import load_suite
from lichen.memory.ledger.errors import StoreInUse
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.ledger.lock import claim
from lichen.memory.ledger.practice_events import Practised
from lichen.skills.file_content import FileContent
from lichen.skills.jail import open_jail
from lichen.skills.library import Library, Tombstone
from lichen.skills.lint import fingerprint
from lichen.skills.savepoint import MESSAGE, pending, savepoint
from lichen.skills.skill_runner import Runner

SEED, ITERATIONS = 0, 3
"""Adds a recipe in the first iteration, and goes on in its world."""

KILLED = """
import os, signal, sys
from pathlib import Path
from lichen.memory.ledger.ledger import Ledger
from lichen.skills.repository import Repository
from test_practice_run import practise

when, left, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
write, append = Repository.write, Ledger.append

def seen():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def committing(self, files, *, message, author):
    done = write(self, files, message=message, author=author)
    if message.startswith(when):
        seen()
    return done

def appending(self, entries):
    done = append(self, entries)
    if when == "event" and entries[0].event.skills:
        seen()
    return done

Repository.write, Ledger.append = committing, appending
practise(folder)
"""


def practise(folder: Path, iterations: int = ITERATIONS) -> list[Iteration]:
    """Practise in TextCraft's open worlds with a library; return what was run now."""
    suite = load_suite("textcraft-open")
    environment = make(suite.env, **suite.env_options)
    environment.max_steps = suite.max_steps
    ran: list[Iteration] = []
    with open_jail(warm=1) as jail, asyncio.Runner() as loop:
        run_practice(
            "skills",
            PracticeConfig(),
            environment,
            suite.task_ids("train", None, 0, environment),
            folder,
            iterations=iterations,
            seed=SEED,
            runner=Runner({}, jail),
            run=loop.run,
            on_iteration=lambda _, done, __: ran.append(done),
        )
    return ran


def told(folder: Path) -> list[Practised]:
    """Return the iterations in a ledger, without the commits: those depend on the time."""
    events = [row.event for row in open_ledger(folder).read()]
    return [e.model_copy(update={"library": ""}) for e in events if isinstance(e, Practised)]


def files(folder: Path) -> dict[str, FileContent]:
    return Library(folder / "skills").repository.files("")


def kill(folder: Path, when: str, nth: int) -> None:
    """Practise in a process that is killed right after the nth commit, or event with a skill, of a kind."""
    script = [sys.executable, "-c", KILLED, when, str(nth), str(folder)]
    done = subprocess.run(script, cwd=Path(__file__).parent, timeout=200, check=False)
    assert done.returncode == -signal.SIGKILL, f"there was no {when} number {nth}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("practice") / "whole"
    practise(folder)
    return folder


@pytest.mark.parametrize(("when", "nth"), [("Add", 1), ("event", 1)])
def test_a_run_killed_after_a_commit_goes_on_bit_for_bit(
    whole: Path, tmp_path: Path, when: str, nth: int
) -> None:
    folder = tmp_path / "killed"
    kill(folder, when, nth)
    before, library = told(folder), Library(folder / "skills")
    assert before == told(whole)[: len(before)]
    mark = pending(library)
    assert mark is not None and library.since(mark.commit)  # it died between the commit and the end
    ran = [one.number for one in practise(folder)]
    assert ran == list(range(len(before), ITERATIONS))
    assert told(folder) == told(whole) and any(event.skills for event in told(whole))
    assert files(folder) == files(whole)
    messages = [revision.message for revision in library.history()]
    assert messages.count(MESSAGE) == (when != "event") and pending(library) is None
    # every event says which library it left, and the last one is what there is
    rows = [row.event for row in open_ledger(folder).read()]
    heads = [event.library for event in rows if isinstance(event, Practised)]
    assert heads[-1] == library.repository.head()
    assert library.since(heads[-1]) == []


def test_what_goes_on_in_one_world_goes_on_there_after_an_interruption(
    whole: Path, tmp_path: Path
) -> None:
    first, *later = told(whole)
    assert first.skills and first.played[0] == "" and all(later[0].played)
    assert len(set(first.gained) | set(later[0].gained)) > 10
    practise(tmp_path, 2)
    assert [one.number for one in practise(tmp_path)] == [2]
    assert told(tmp_path) == told(whole) and files(tmp_path) == files(whole)


def test_a_person_who_committed_after_the_kill_wins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "killed"
    kill(folder, "Add", 1)
    library = Library(folder / "skills")
    (name,) = library.all()
    with library.lock():
        library.pin(name, author="ada")
    practise(folder, 2)
    assert "ada committed" in caplog.text and "not rolled back" in caplog.text
    assert library.pins() == {name}
    assert MESSAGE not in [revision.message for revision in library.history()]


def test_what_was_buried_meanwhile_is_dug_up_and_stays_in_the_history(
    whole: Path, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library")
    skills = Library(whole / "skills").all()
    with library.lock():
        library.put(list(skills.values()), message="Add", author="agent")
    before = library.repository.files("")
    name, skill = next(iter(skills.items()))
    with savepoint(library, "one"), library.lock():
        stone = Tombstone(name=name, fingerprint=fingerprint(skill.code), reason="it failed")
        buried = library.bury(skill, stone, author="agent")
        assert library.tombstones() and name not in library.all()
    assert library.repository.files("") == before and library.tombstones() == []
    assert name in library.all("archive", buried)
    with savepoint(library, "two") as keep, library.lock():
        library.bury(skill, stone, author="agent")
        keep()
    assert library.tombstones() == [stone]


def test_two_processes_do_not_practise_in_one_folder(tmp_path: Path) -> None:
    lock = claim(tmp_path)
    try:
        with pytest.raises(StoreInUse):
            practise(tmp_path, 1)
    finally:
        lock.release()
    assert practise(tmp_path, 1)
