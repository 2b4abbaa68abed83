"""The library on disk: edits by hand, commits past admission, roll back and quarantine."""

import os
import subprocess
import sys
import time

import pytest

from lichen.skills.admission import Admission
from lichen.skills.errors import BadSkill, UnknownSkill
from lichen.skills.file_content import of_text
from lichen.skills.library import Library
from lichen.skills.operations import Workshop

from .conftest import TAKE, caller, take_skill

LICHEN = [sys.executable, "-m", "lichen.agent"]


def test_an_edit_on_disk_is_not_called_before_it_passed_the_gate(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    file = library.root / "skills" / "take" / "skill.py"
    good = TAKE.replace("return True", "return 1 == 1")
    file.write_text(good, encoding="utf-8")
    assert library.edited() == ["take"]
    assert library.get("take").code.strip() == TAKE.strip()
    workshop = Workshop(library, lambda: admission, author="ann")
    assert workshop.approve("take").skill == "take@2"
    assert "1 == 1" in library.get("take").code and library.edited() == []
    file.write_text(TAKE.replace("api.act", "api.fly"), encoding="utf-8")
    assert workshop.approve("take").outcome == "failure"
    assert "api.fly" in library.get("take", "drafts").code  # kept, and the library is as before
    assert "1 == 1" in library.get("take").code
    assert [r.author for r in workshop.history("take")] == ["ann", "ann", "agent"]


def test_a_commit_past_the_gate_is_left_out_and_said(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    with library.lock():
        library.repository.write(
            {"skills/take/skill.py": of_text(TAKE.replace("True", "None"))},
            message="sly",
            author="x",
        )
    assert library.all() == {}
    assert "past admission" in library.broken["take"]
    with pytest.raises(BadSkill, match="approve take"):
        library.get("take")


def test_rolling_back_and_quarantine_take_dependents_along(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    admission.admit(caller("fetch", "take@1"), author="agent")
    admission.admit(take_skill(TAKE.replace("return True", "return thing != ''")), author="ann")
    workshop = Workshop(library, lambda: admission, author="ann")
    verdict = workshop.rollback("take", "1")
    assert (verdict.skill, verdict.repinned) == ("take@3", ("fetch@3",))
    assert library.get("take").code.strip() == TAKE.strip()
    assert "-    return thing != ''" in library.diff("take", workshop.history("take")[1].commit)
    assert workshop.quarantine("take", "doubtful") == ("take@3", "fetch@3")
    assert library.all() == {}
    assert workshop.approve("take").outcome == "success"
    with pytest.raises(UnknownSkill):
        workshop.quarantine("nobody", "x")


def lichen(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [*LICHEN, *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_an_edit_by_hand_is_seen_at_once_though_folders_are_read_only_when_they_changed(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    later = Library(library.root, clock=lambda: time.time() + 100)  # all files are old to it
    file = library.root / "skills" / "take" / "skill.py"
    text = file.read_text(encoding="utf-8")
    assert later.edited() == [] == later.edited()
    file.write_text(text.replace("True", "None"), encoding="utf-8")  # of the same length
    assert later.edited() == ["take"] == later.edited()
    file.write_text(text, encoding="utf-8")
    assert later.edited() == []
    (file.parent / "notes").mkdir()
    (file.parent / "notes" / "a.txt").write_text("by hand", encoding="utf-8")
    assert later.edited() == ["take"] == library.edited()
