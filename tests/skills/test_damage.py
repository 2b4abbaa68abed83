"""What people and outages do to a library: hostile imports, lost texts, versions, git around it."""

import subprocess
from pathlib import Path

import pytest
import yaml

from lichen.envs import Environment
from lichen.skills import folder
from lichen.skills.admission import Admission
from lichen.skills.errors import LibraryUnwritable, Undecided
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.jail import Jail, Ran
from lichen.skills.library import Library
from lichen.skills.operations import Workshop
from lichen.skills.skill_runner import Runner

from .conftest import TAKE, caller, take_skill
from .test_induction import gold
from .test_library import lichen


def test_a_hostile_import_writes_nothing_outside_its_folder(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    evil = tmp_path / "evil"
    for path, text in folder.write(take_skill().model_copy(update={"name": "evil"})).items():
        (evil / path).parent.mkdir(parents=True, exist_ok=True)
        (evil / path).write_text(text.replace("def take", "def evil"), encoding="utf-8")
    test = {"name": "../../../../PWNED", "task_id": "alfworld-mini/x"}
    (evil / "tests" / "zz.yaml").write_text(yaml.safe_dump(test), encoding="utf-8")
    Workshop(library, lambda: admission).import_folder(evil)
    assert not list(tmp_path.rglob("PWNED*"))
    with library.lock(), pytest.raises(LibraryUnwritable, match="no place in the library"):
        library.repository.write({"skills/../../x": "x"}, message="x", author="x")


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


@pytest.mark.parametrize("code", ["def take(:\n", "x = " + "-" * 5000 + "1\n"])
def test_code_that_cannot_be_read_is_refused_in_a_sentence(
    library: Library, admission: Admission, code: str
) -> None:
    verdict = admission.admit(take_skill(code), author="agent")
    assert verdict.outcome == "failure" and len(verdict.reasons) == 1
    Workshop(library, lambda: admission).reject("take", "no code")
    assert library.all("drafts") == {}


def test_an_outage_while_inducing_is_said_and_refuses_nothing(
    library: Library, household: Environment
) -> None:
    class Broken(Jail):
        def run(self, *args: object, **kwargs: object) -> Ran:
            return Ran(end="broken", error="no process could be made", level="kernel")

    admission = Admission(library, Runner({}, Broken.__new__(Broken)), lambda _: household)
    with pytest.raises(Undecided, match="could not be tested"):
        induce(gold(household), admission, InduceConfig(least=3))
    assert library.history() == []


def test_inducing_again_makes_nothing_twice(
    library: Library, admission: Admission, household: Environment
) -> None:
    first = induce(gold(household), admission, InduceConfig(least=3, most=4))
    again = induce(gold(household), admission, InduceConfig(least=3, most=1, tries=5))
    names = [verdict.skill for verdict in (*first, *again)]
    assert len(set(names)) == len(names)
    assert not any(name.endswith("-2@1") for name in names)
