"""The folder of a skill: the standard comes and goes without loss, ours is read back as it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from lichen.skills import folder, markdown
from lichen.skills.admission import Admission
from lichen.skills.library import Library
from lichen.skills.operations import Workshop

from .conftest import take_skill

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


def lichen(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [*LICHEN, *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
