"""The repository: readable by git, kills taken back, git around it no trouble."""

import json
import subprocess
import sys
from pathlib import Path

from lichen.skills.admission import Admission
from lichen.skills.library import Library
from lichen.skills.repository import Repository

from .conftest import TAKE, caller, take_skill


def test_git_around_the_library_is_no_trouble(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    admission.admit(take_skill(), author="agent")

    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-C", str(library.root), "-c", "user.name=a", "-c", "user.email=a@b", *words],
            check=True,
            capture_output=True,
        )

    (library.root / "picture.bin").write_bytes(b"\xff\xfe\x00")
    git("add", "picture.bin")
    git("commit", "-m", "a picture")
    git("config", "commit.gpgsign", "true")
    staged = library.root / "skills" / "take" / "skill.py"
    staged.write_text(TAKE + "# staged by hand\n", encoding="utf-8")
    git("add", "skills/take/skill.py")
    assert admission.admit(caller("fetch", "take@1"), author="agent").outcome == "success"
    assert set(library.all()) == {"take", "fetch"}  # what was staged by hand was not committed
    assert "staged by hand" in staged.read_text(encoding="utf-8")


LICHEN = [sys.executable, "-m", "lichen.agent"]


def test_a_killed_write_is_taken_back_when_the_library_is_opened(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    head = library.repository.head()
    # what a kill leaves: the journal, a file half written, a lock of git
    journal = library.root / ".git" / "lichen-journal.json"
    journal.write_text(json.dumps(["skills/take/skill.py", "skills/new/SKILL.md"]))
    (library.root / "skills" / "take" / "skill.py").write_text("half")
    (library.root / "skills" / "new").mkdir()
    (library.root / "skills" / "new" / "SKILL.md").write_text("half")
    (library.root / ".git" / "index.lock").write_text("")
    again = Library(library.root)
    assert again.repository.head() == head and again.edited() == []
    assert not journal.exists() and not (library.root / "skills" / "new").exists()
    assert (
        Admission(again, admission.runner, admission.make)
        .admit(take_skill(TAKE.replace("return True", "return thing != ''")), author="agent")
        .outcome
        == "success"
    )


def test_a_repository_is_readable_by_git_itself(library: Library, admission: Admission) -> None:
    admission.admit(take_skill(), author="agent")
    said = subprocess.run(
        ["git", "-C", str(library.root), "status", "--porcelain"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == ""
    assert Repository(library.root, lambda: 0.0).folders("skills").keys() == {"take"}
