"""Undo: a commit is taken back, or the library made what it was, and all that is touched is tested."""

from pathlib import Path

import pytest

from lichen.skills.admission import Admission
from lichen.skills.errors import SkillChanged, UnknownSkill
from lichen.skills.library import Library
from lichen.skills.operations import Workshop

from .conftest import BOOK, TAKE, caller, lichen, take_skill


def filled(library: Library, admission: Admission) -> tuple[Workshop, str, str]:
    """Admit two skills and change one; return the workshop and the commits before and of the change."""
    workshop = Workshop(library, lambda: admission, author="ann")
    workshop.edit(take_skill())
    workshop.edit(caller("fetch", "take@1"))
    before = library.repository.head()
    changed = workshop.edit(take_skill(TAKE.replace("return True", "return thing != ''")))
    assert changed.repinned == ("fetch@2",)
    return workshop, before, changed.commit


def test_a_commit_is_taken_back_with_what_depends_on_it(
    library: Library, admission: Admission
) -> None:
    workshop, _, commit = filled(library, admission)
    verdict = workshop.undo(commit[:8])
    assert verdict.outcome == "success" and verdict.repinned == ("take@3", "fetch@3")
    assert library.get("take").code.strip() == TAKE.strip()
    assert '"take@3"' in library.get("fetch").code
    assert len(verdict.tests) == 6 and library.history()[0].author == "ann"
    again = workshop.undo(verdict.commit)  # and the undo is undone
    assert "thing != ''" in library.get("take").code and again.repinned[0] == "take@4"


def test_the_whole_library_becomes_what_it_was_and_comes_back(
    library: Library, admission: Admission
) -> None:
    workshop, before, commit = filled(library, admission)
    workshop.quarantine("take", "doubtful")
    assert library.all() == {}
    now = workshop.undo(before, to=True)
    assert now.outcome == "success" and set(library.all()) == {"take", "fetch"}
    assert library.get("take").code.strip() == TAKE.strip() and not library.all("quarantine")
    first = library.history()[-1].commit
    gone = workshop.undo(first, to=True)
    assert set(library.all()) == {"take"} and set(library.all("archive")) == {"fetch"}
    assert gone.reasons == ("fetch@3 is in the archive",)
    assert workshop.undo(first, to=True).reasons == ("nothing changed",)
    assert workshop.undo(commit, to=True).outcome == "success"
    assert library.get("fetch").contract.version == 4 and not library.all("archive")


def test_what_was_changed_again_is_named_and_nothing_is_done(
    library: Library, admission: Admission
) -> None:
    workshop, _, commit = filled(library, admission)
    workshop.edit(take_skill(TAKE.replace("return True", "return place != ''")))
    head = library.repository.head()
    with pytest.raises(SkillChanged, match="take was changed again"):
        workshop.undo(commit)
    workshop.pin("take")
    with pytest.raises(UnknownSkill, match="changed no skill"):
        workshop.undo(library.repository.head())
    first = library.history()[-1].commit
    with pytest.raises(SkillChanged, match="take"):
        workshop.undo(first)
    assert library.history()[1].commit == head


def test_adding_a_skill_that_others_call_is_not_undone(
    library: Library, admission: Admission
) -> None:
    workshop = Workshop(library, lambda: admission)
    added = workshop.edit(take_skill())
    workshop.edit(caller("fetch", "take@1"))
    head = library.repository.head()
    verdict = workshop.undo(added.commit)
    assert verdict.outcome == "failure" and "fetch@1 calls take" in verdict.reasons[0]
    assert library.repository.head() == head
    retired = workshop.retire("fetch", "not needed")
    assert workshop.undo(retired).outcome == "success"  # and its tombstone goes
    assert "fetch" in library.all() and not library.tombstones()


def test_two_editors_at_once_lose_nothing(library: Library, admission: Admission) -> None:
    workshop = Workshop(library, lambda: admission)
    workshop.edit(take_skill(), "")
    base = library.repository.head()
    workshop.edit(take_skill(TAKE.replace("return True", "return thing != ''")), base)
    with pytest.raises(SkillChanged, match="take was changed"):
        workshop.edit(take_skill(TAKE.replace("return True", "return place != ''")), base)
    assert "thing != ''" in library.get("take").code and not library.all("drafts")
    with pytest.raises(SkillChanged):
        workshop.edit(take_skill(), "")  # it was to be new


def test_the_commands_undo_and_try(library: Library, admission: Admission, tmp_path: Path) -> None:
    _, _, commit = filled(library, admission)
    where = ["--library", str(library.root)]
    words = ["--arg", "thing=book 1", "--arg", "place=bed 1"]
    tried = lichen("skills", "try", "take", BOOK, *words, *where)
    assert tried.returncode == 0, tried.stderr
    assert "> take book 1 from bed 1" in tried.stdout and "take@2: success" in tried.stdout
    wrong = lichen("skills", "try", "take", BOOK, "--arg", "item=book", *where)
    assert wrong.returncode == 2 and "It takes thing, place" in wrong.stderr
    undone = lichen("skills", "undo", commit[:8], *where)
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert Library(library.root).get("take").contract.version == 3
