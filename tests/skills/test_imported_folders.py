"""A skill's folder as people have it: it comes back byte for byte, and what is no part of it stays out."""

import os
import subprocess
from pathlib import Path

import pytest

from lichen.skills.admission import Admission
from lichen.skills.errors import BadSkill, LibraryUnwritable
from lichen.skills.file_content import of_text
from lichen.skills.folder_on_disk import read_files
from lichen.skills.left_out import is_git, why_left_out
from lichen.skills.library import Library
from lichen.skills.operations import Workshop

from .conftest import TAKE, take_skill

SKILL = """---
name: theirs
description: Internal checklist, only for other skills.
user-invocable: false
priority: 0
metadata:
  openclaw:
    requires: {bins: [git, jq]}
    always: false
  version: 1.10
  since: 2020-01-01
allowed-tools: Read, Grep
---
# Steps
- a
"""


def folder_of(parent: Path, name: str = "theirs", **files: str | bytes) -> Path:
    """Make a skill's folder; `__` in a name stands for `/`."""
    folder = parent / name
    folder.mkdir()
    (folder / "SKILL.md").write_text(SKILL.replace("theirs", name), encoding="utf-8")
    for path, content in files.items():
        put(folder / path.replace("__", "/"), content)
    return folder


def put(file: Path, content: str | bytes) -> None:
    """Write a file with the folders that it lies in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def listed(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Return all files under a folder: content, and whether they may be run."""
    return {
        p.relative_to(folder).as_posix(): (p.read_bytes(), os.access(p, os.X_OK))
        for p in folder.rglob("*")
        if p.is_file()
    }


def git(root: Path, *words: str) -> str:
    """Run git in a folder and return what it says."""
    command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_imported_comes_back_byte_for_byte(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    theirs = folder_of(tmp_path)
    for path, content in {
        "logo.png": b"\x89PNG\r\n\x1a\n\x00\xff",
        "run.bat": b"@echo off\r\n",
        ".hidden": b"x",
        ".gitignore": b"*\n",
        ".SKILL.md.new": b"x",
        "draft.yaml": b"refused: [a]\n",
        "skill.lock": b"theirs\n",
        "skill.py": b"print(1)\n",
        "tests/case.yaml": b"- not ours\n",
        "tests/deep/case.yaml": b"\xff",
        "\u00e9.txt": b"composed",
        "e\u0301.txt": b"decomposed",
    }.items():
        put(theirs / path, content)
    put(theirs / "scripts" / "go.sh", "#!/bin/sh\n")
    (theirs / "scripts" / "go.sh").chmod(0o755)
    workshop = Workshop(library, lambda: admission)
    told = workshop.import_folder(theirs).left_out  # nothing is left out; the head is spoken of
    assert told and all("it is kept" in said for said in told)
    assert listed(workshop.export("theirs", tmp_path / "out")) == listed(theirs)
    assert library.edited() == [] and git(library.root, "status", "--porcelain") == ""
    git(tmp_path, "clone", "-q", str(library.root), "clone")
    assert listed(tmp_path / "clone" / "skills" / "theirs") == listed(theirs)


def test_our_files_come_back_with_their_comments_and_a_raised_version(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    admission.admit(take_skill(), author="ann")
    mine = Workshop(library, lambda: admission).export("take", tmp_path / "mine")
    contract = mine / "contract.yaml"
    contract.write_text("# by hand\n" + contract.read_text(encoding="utf-8"), encoding="utf-8")
    put(mine / "skill.py", (TAKE + "# end\n").replace("\n", "\r\n"))
    other = Workshop(Library(tmp_path / "other"), lambda: Admission(fresh, *gate), author="ann")
    fresh, gate = other.library, (admission.runner, admission.make)
    assert other.import_folder(mine).outcome == "success"
    back = listed(other.export("take", tmp_path / "back"))
    locked = {path: file for path, file in listed(mine).items() if path != "skill.lock"}
    assert {path: file for path, file in back.items() if path != "skill.lock"} == locked
    put(mine / "skill.py", TAKE.replace("return True", "return thing != ''"))
    assert other.import_folder(mine).skill == "take@2"
    text = (other.export("take", tmp_path / "two") / "contract.yaml").read_text(encoding="utf-8")
    assert text.startswith("# by hand\n") and "version: 2\n" in text


def test_git_folders_environments_and_secrets_stay_out_and_are_named(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    theirs = folder_of(tmp_path)
    evil = f"[core]\n\tfsmonitor = touch {tmp_path / 'ran'}; false\n\tbare = false\n"
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"
    out = {
        ".git/config": evil,
        ".git/HEAD": "ref: refs/heads/main\n",
        "sub/.GIT/config": evil,
        "git~1/config": evil,
        ".gitmodules": '[submodule "x"]\n',
        ".gitattributes": "* filter=evil text=auto eol=crlf\n",
        ".venv/bin/python": "x",
        "env/pyvenv.cfg": "x",
        "node_modules/a/index.js": "x",
        "__pycache__/a.pyc": "x",
        ".env": "KEY=1\n",
        "deploy/id_ed25519": key,
        "notes.txt": f"mine:\n{key}",
        "config.json": '{"token": "ghp_' + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5" + '"}',
    }
    for path, content in out.items():
        put(theirs / path, content)
    kept = {
        ".env.example": "KEY=\n",
        ".github/a.yml": "x",
        "how.md": "Use sk-" + "x" * 40 + " or AKIAIOSFODNN7EXAMPLE.\n",
    }
    for path, content in kept.items():
        put(theirs / path, content)
    workshop = Workshop(library, lambda: admission)
    said = " ".join(workshop.import_folder(theirs).left_out)
    back = listed(workshop.export("theirs", tmp_path / "out"))
    assert back.keys() == {"SKILL.md", *kept}
    for word in (
        ".git",
        ".GIT",
        ".gitmodules",
        ".venv",
        "env",
        "node_modules",
        ".env",
        "notes.txt",
    ):
        assert f"{word} is left out" in said
    assert "ghp_aB3d" not in said
    assert git(library.root / "skills" / "theirs", "status", "--porcelain") == ""
    git(tmp_path, "clone", "-q", str(library.root), "clone")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "part", [".git", ".Git", ".git.", ".git ", ".git::$INDEX_ALLOCATION", "GIT~1", ".gi\u200ct"]
)
def test_no_file_system_takes_a_committed_component_for_git(library: Library, part: str) -> None:
    assert is_git(part) and why_left_out(f"a/{part}/config")
    with library.lock(), pytest.raises(LibraryUnwritable, match="no place in the library"):
        library.repository.write({f"skills/x/{part}/config": of_text("x")}, message="x", author="x")


def test_hooks_and_filters_of_the_library_itself_are_not_run(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    for hook in ("pre-commit", "post-commit", "commit-msg"):
        put(library.root / ".git" / "hooks" / hook, f"#!/bin/sh\ntouch {ran}\n")
        (library.root / ".git" / "hooks" / hook).chmod(0o755)
    git(library.root, "config", "filter.evil.clean", f"touch {ran}; cat")
    git(library.root, "config", "filter.evil.smudge", f"touch {ran}; cat")
    put(library.root / ".gitattributes", "* filter=evil text=auto eol=crlf\n")
    admission.admit(take_skill(), author="agent")
    Workshop(library, lambda: admission).import_folder(folder_of(tmp_path))
    git(library.root, "add", "skills")
    assert git(library.root, "status", "--porcelain", "skills") == "" and not ran.exists()


def test_a_linked_worktree_works_and_one_whose_repository_is_gone_is_refused(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    admission.admit(take_skill(), author="agent")
    linked = tmp_path / "linked"
    git(library.root, "worktree", "add", "-q", "-b", "mine", str(linked))
    other = Library(linked)
    assert set(other.all()) == {"take"}
    workshop = Workshop(other, lambda: Admission(other, admission.runner, admission.make))
    workshop.import_folder(folder_of(tmp_path))
    assert set(other.all()) == {"take", "theirs"} and set(library.all()) == {"take"}
    assert git(linked, "status", "--porcelain") == ""
    (linked / ".git").write_text("gitdir: /nowhere\n", encoding="utf-8")
    with pytest.raises(LibraryUnwritable, match="worktree whose repository is gone"):
        Library(linked)


def test_only_regular_files_within_limits_are_read(tmp_path: Path) -> None:
    def refused(name: str, said: str) -> None:
        with pytest.raises(BadSkill, match=said):
            read_files(tmp_path / name)

    os.mkfifo(folder_of(tmp_path, "fifo") / "pipe")
    refused("fifo", "pipe is no regular file")
    os.symlink("/etc", folder_of(tmp_path, "link") / "etc")
    refused("link", "etc is a link")
    folder_of(tmp_path, "huge", big=b"x" * 5_000_001)
    refused("huge", "larger than")
    folder_of(tmp_path, "all", **{f"f{n}": b"x" * 4_999_999 for n in range(6)})
    refused("all", "holds more than")
    folder_of(tmp_path, "slash", **{"..\\evil": "x"})
    refused("slash", "backslash")
    deep = folder_of(tmp_path, "deep").joinpath(*["d" * 60] * 9)
    put(deep / "x", "x")
    refused("deep", "more than 512 bytes")
    folder = folder_of(tmp_path, "bytes")
    with open(os.fsencode(folder) + b"/\xff.txt", "w", encoding="utf-8") as file:
        file.write("x")
    refused("bytes", "not in UTF-8")


def test_three_thousand_small_files_are_one_commit(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    theirs = folder_of(tmp_path, **{f"many__f{n}.txt": f"{n}" for n in range(3000)})
    Workshop(library, lambda: admission).import_folder(theirs)
    assert len(library.get("theirs").files) == 3000 and library.edited() == []
    objects = [p for p in (library.root / ".git" / "objects").rglob("*") if p.is_file()]
    assert len(objects) < 20  # a pack, not three thousand files that are synced one by one


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("x:\n  a: &a [l, l]\n  b: [*a, *a]", "line 5: aliases"),
        ("x: &a [*a]", "aliases"),
        ("x: " + "[" * 3000 + "]" * 3000, "nested deeper"),
        ("x: {? [1, 2] : 3}", "a name is a list"),
        ("x: !!python/object/apply:os.system ['true']", "tag"),
        ("x: " + "9" * 6000, "a number has more than"),
        ("x: 0x" + "f" * 6000, "a number has more than"),
        ("x: [", "is no YAML"),
    ],
)
def test_a_head_that_is_no_plain_yaml_is_refused_in_one_sentence(
    tmp_path: Path, library: Library, admission: Admission, head: str, said: str
) -> None:
    theirs = folder_of(tmp_path)
    text = f"---\nname: theirs\ndescription: d\n{head}\n---\n"
    (theirs / "SKILL.md").write_text(text, encoding="utf-8")
    with pytest.raises(BadSkill, match=said) as caught:
        Workshop(library, lambda: admission).import_folder(theirs)
    assert "theirs/SKILL.md" in str(caught.value) and "\n" not in str(caught.value)


def test_a_retired_skill_is_not_taken_again_until_a_person_approves_it(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    workshop = Workshop(library, lambda: admission)
    admission.admit(take_skill(), author="agent")
    ours = workshop.export("take", tmp_path / "ours")
    theirs = folder_of(tmp_path, notes="x")
    workshop.import_folder(theirs)
    for name, folder in (("take", ours), ("theirs", theirs)):
        workshop.retire(name, "it breaks things")
        with pytest.raises(BadSkill, match=f"retired as {name}: it breaks things"):
            workshop.import_folder(folder)
    again = folder_of(tmp_path, "renamed", notes="x")
    with pytest.raises(BadSkill, match="retired as theirs"):
        workshop.import_folder(again)
    assert workshop.approve("take").outcome == workshop.approve("theirs").outcome == "success"
    assert set(library.all()) == {"take", "theirs"} and library.all("archive") == {}


def test_a_secret_where_none_can_be_left_out_is_refused_without_repeating_it(
    library: Library, admission: Admission, tmp_path: Path
) -> None:
    theirs = folder_of(tmp_path)
    key = "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW"
    put(theirs / "SKILL.md", SKILL + f"Say `{key}`.\n")
    with pytest.raises(BadSkill, match=r"SKILL.md holds .* in line 16") as caught:
        Workshop(library, lambda: admission).import_folder(theirs)
    assert key not in str(caught.value)


def test_a_new_draft_says_what_its_author_must_do_and_a_syntax_error_names_its_file(
    library: Library, admission: Admission
) -> None:
    workshop = Workshop(library, lambda: admission)
    skill = workshop.draft("mine", "alfworld-mini")
    assert len({test.task_id for test in skill.tests}) == 3
    said = workshop.approve("mine").reasons
    assert [line.split(":")[0] for line in said] == ["mine/SKILL.md", "mine/skill.py"]
    broken = skill.model_copy(update={"description": "d", "code": "def mine(api:\n    pass\n"})
    assert workshop.edit(broken).reasons[0].startswith("mine/skill.py, line 1: ")
