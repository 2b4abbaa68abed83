"""`lichen skills`: show, edit, refuse."""

import json
import os
import subprocess
import sys
from pathlib import Path

from lichen.skills.admission import Admission
from lichen.skills.library import Library

from .conftest import take_skill

LICHEN = [sys.executable, "-m", "lichen.agent"]


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
