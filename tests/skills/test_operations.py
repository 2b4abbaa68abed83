"""What people do to a library: hostile imports, lost texts, versions."""

from pathlib import Path

import pytest
import yaml

from lichen.skills import folder
from lichen.skills.admission import Admission
from lichen.skills.errors import LibraryUnwritable
from lichen.skills.file_content import of_text
from lichen.skills.library import Library
from lichen.skills.operations import Workshop

from .conftest import TAKE, caller, lichen, take_skill


def test_a_hostile_import_writes_nothing_outside_its_folder(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    evil = tmp_path / "evil"
    for path, file in folder.write(take_skill().model_copy(update={"name": "evil"})).items():
        (evil / path).parent.mkdir(parents=True, exist_ok=True)
        (evil / path).write_text(file.text.replace("def take", "def evil"), encoding="utf-8")
    test = {"name": "../../../../PWNED", "task_id": "alfworld-mini/x"}
    (evil / "tests" / "zz.yaml").write_text(yaml.safe_dump(test), encoding="utf-8")
    Workshop(library, lambda: admission).import_folder(evil)
    assert not list(tmp_path.rglob("PWNED*"))
    with library.lock(), pytest.raises(LibraryUnwritable, match="no place in the library"):
        library.repository.write({"skills/../../x": of_text("x")}, message="x", author="x")


def test_versions_go_on_after_quarantine_and_retirement(
    library: Library, admission: Admission
) -> None:
    admission.admit(take_skill(), author="agent")
    admission.admit(caller("fetch", "take@1"), author="agent")
    admission.admit(take_skill(TAKE.replace("return True", "return thing != ''")), author="ann")
    workshop = Workshop(library, lambda: admission)
    workshop.quarantine("take", "doubtful")
    assert workshop.approve("take").skill == "take@3"
    verdict = workshop.approve("fetch")  # it called take@2, which is take@3 now
    assert verdict.outcome == "success", verdict.reasons
    assert '"take@3"' in library.get("fetch").code
    workshop.rollback("fetch", "1")
    assert '"take@3"' in library.get("fetch").code


def test_a_hand_edit_that_is_written_over_is_kept(library: Library, admission: Admission) -> None:
    admission.admit(take_skill(), author="agent")
    file = library.root / "skills" / "take" / "skill.py"
    file.write_text("# hours of work\n", encoding="utf-8")
    Workshop(library, lambda: admission).retire("take", "not needed")
    kept = library.root / ".unread" / "skills" / "take" / "skill.py"
    assert kept.read_text(encoding="utf-8") == "# hours of work\n"


def test_an_edit_that_cannot_be_tested_or_read_is_kept(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    admission.admit(take_skill(), author="agent")
    editor = tmp_path / "editor.sh"
    where = ["--library", str(library.root)]
    for number, change in enumerate(
        (
            "sed -i 's/alfworld-mini/alfwrold/' contract.yaml",
            "printf '\\351' >> SKILL.md",
            "sed -i 's/^env: .*/env: [/' contract.yaml",
        )
    ):
        editor.write_text(f"#!/bin/sh\necho '# mine {number}' >> skill.py\n{change}\n")
        editor.chmod(0o755)
        done = lichen("skills", "edit", "take", *where, EDITOR=str(editor), VISUAL="")
        assert "Traceback" not in done.stderr
        texts = [
            path.read_text(encoding="utf-8", errors="replace")
            for path in library.root.rglob("skill.py")
            if ".git" not in path.parts
        ]
        assert any(f"# mine {number}" in text for text in texts), done.stderr
