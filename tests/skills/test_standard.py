"""The Agent Skills standard: kept by what Lichen writes, and told where an imported folder does not keep it."""

from pathlib import Path
from typing import Any

import pytest

from lichen.skills import folder, markdown
from lichen.skills.errors import BadSkill
from lichen.skills.library import Library
from lichen.skills.standard import deviations, deviations_of
from lichen.skills.taking_in import keep_instructions, taken_in
from lichen.skills.types import Contract, Skill

GOOD: dict[str, Any] = {
    "name": "pdf-forms",
    "description": "Fill in forms.",
    "license": "MIT",
    "compatibility": "Needs Python",
    "metadata": {"author": "me", "version": "1.0"},
    "allowed-tools": "Read Bash(git:*)",
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"priority": 1}, "no key 'priority'"),
        ({"name": "PDF"}, "is no name"),
        ({"name": "a--b"}, "is no name"),
        ({"name": "other"}, "not that of the folder"),
        ({"description": "x" * 1025}, "1025 characters"),
        ({"description": " "}, "no description"),
        ({"compatibility": "x" * 501}, "more than 500"),
        ({"metadata": {"version": 1.0}}, "text to text"),
        ({"metadata": ["a"]}, "text to text"),
        ({"allowed-tools": ["Read"]}, "no text"),
    ],
)
def test_each_way_out_of_the_standard_is_one_sentence(change: dict[str, Any], said: str) -> None:
    assert deviations(GOOD, "pdf-forms") == []
    (found,) = deviations(GOOD | change, "pdf-forms")
    assert said in found


def test_what_lichen_writes_keeps_it() -> None:
    code = 'def go(api: API) -> bool:\n    "Go."\n    return True\n'
    skill = Skill(name="go", description="Goes.", code=code, contract=Contract(env="e"))
    assert deviations_of(folder.write(skill)["SKILL.md"].text, "go") == []
    head, _ = markdown.read(folder.write(skill)["SKILL.md"].text, "SKILL.md")
    assert set(head) == {"name", "description"}
    with pytest.raises(BadSkill, match="more than 1024"):
        folder.write(skill.model_copy(update={"description": "x" * 2000}))


def test_an_imported_folder_is_kept_whole_and_told_of(tmp_path: Path) -> None:
    source = tmp_path / "wild"
    (source / "scripts").mkdir(parents=True)
    (source / "references").mkdir()
    head = f"name: wild\r\ndescription: {'long ' * 400}\r\npriority: 0\r\n"
    raw = {
        "SKILL.md": b"\xef\xbb\xbf---\r\n" + head.encode() + b"---\r\nDo it.\r\n",
        "scripts/run.py": b"print(1)\r\n",
        "references/table.bin": bytes(range(256)),
    }
    for path, data in raw.items():
        (source / path).write_bytes(data)
    library = Library(tmp_path / "library")
    skill, told = taken_in(source, library)
    assert any("no key 'priority'" in said for said in told)
    assert any("1999 characters" in said or "2000 characters" in said for said in told)
    keep_instructions(skill, library, author="person", what="import")
    kept = folder.write(Library(library.root).all()["wild"])
    assert {path: content.data for path, content in kept.items()} == raw
