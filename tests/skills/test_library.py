"""The library on disk: the standard's form, edits by hand, kills, concurrent writers, the commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lichen.skills import folder, markdown
from lichen.skills.admission import Admission
from lichen.skills.errors import BadSkill, UnknownSkill
from lichen.skills.library import Library
from lichen.skills.operations import Workshop
from lichen.skills.repository import Repository

from .conftest import TAKE, caller, take_skill

LICHEN = [sys.executable, "-m", "lichen.agent"]


def test_a_folder_of_the_standard_comes_and_goes_without_loss(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    theirs = tmp_path / "pdf-forms"
    (theirs / "scripts").mkdir(parents=True)
    head = {
        "name": "pdf-forms",
        "description": "Fill in PDF forms. Use when a form is to be filled in.",
        "license": "Apache-2.0",
        "compatibility": "needs pypdf",
        "allowed-tools": "Bash Read",
        "metadata": {"author": "somebody"},
    }
    body = "# PDF forms\n\nRun `scripts/fill.py`.\n"
    (theirs / "SKILL.md").write_text(f"---\n{yaml.safe_dump(head)}---\n\n{body}", encoding="utf-8")
    (theirs / "scripts" / "fill.py").write_text("print('filled')\n", encoding="utf-8")
    workshop = Workshop(library, lambda: admission)
    assert workshop.import_folder(theirs).outcome == "success"
    assert not library.get("pdf-forms").runnable
    out = workshop.export("pdf-forms", tmp_path / "out")
    said, text = markdown.read((out / "SKILL.md").read_text(encoding="utf-8"), "SKILL.md")
    assert said == head and text == body
    assert (out / "scripts" / "fill.py").read_text(encoding="utf-8") == "print('filled')\n"


def test_ours_is_read_back_as_it_was_and_its_lock_fits(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    here = library.root / "skills" / "take"
    skill = folder.read_skill(here)
    assert skill == library.get("take").model_copy(update={"body": skill.body})
    lock = json.loads((here / "skill.lock").read_text(encoding="utf-8"))
    assert lock["env"] == "alfworld-mini@1" and set(lock["sha256"]) >= {"skill.py", "SKILL.md"}


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
            {"skills/take/skill.py": TAKE.replace("True", "None")}, message="sly", author="x"
        )
    assert library.all() == {}
    assert "past admission" in library.broken["take"]
    with pytest.raises(BadSkill, match="approve take"):
        library.get("take")


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


def lichen(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [*LICHEN, *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_commands_show_edit_and_refuse(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    admission.admit(take_skill(), author="agent")
    where = ["--library", str(library.root)]
    listed = lichen("skills", "list", *where, "--json", "-")
    assert json.loads(listed.stdout)["figures"]["with_parameters"] == 1.0
    assert "def take(" in lichen("skills", "show", "take", *where).stdout
    missing = lichen("skills", "show", "tak", *where)
    assert missing.returncode == 2 and "did you mean 'take'" in missing.stderr
    editor = tmp_path / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/go to {place}/fly to {place}/' skill.py\n")
    editor.chmod(0o755)
    refused = lichen("skills", "edit", "take", *where, EDITOR=str(editor), VISUAL="")
    assert refused.returncode == 1 and "kept as a draft" in refused.stdout
    assert "fly to" in Library(library.root).get("take", "drafts").code
    editor.write_text(
        "#!/bin/sh\nsed -i 's/fly to {place}/go to {place}/; s/True/bool(1)/' skill.py\n"
    )
    passed = lichen("skills", "edit", "take", *where, EDITOR=str(editor), VISUAL="")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert Library(library.root).get("take").contract.version == 2
    tested = lichen("skills", "test", "take", *where)
    assert "3 of 3 tests hold (jail: kernel)" in tested.stdout
    nowhere = lichen("skills", "list", "--library", str(tmp_path / "none"))
    assert nowhere.returncode == 2 and "there is no library" in nowhere.stderr
