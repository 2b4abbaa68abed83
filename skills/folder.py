"""A skill as a folder: SKILL.md, skill.py, contract.yaml, tests/, skill.lock.

The folder is the truth. Any reader of the Agent Skills standard reads it; a folder of the standard without a
contract is read too, as instructions that cannot be run: all its other files are then its author's. What
says the same as it did is written as it came, byte for byte.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import ValidationError

from ..envs.plain_yaml import plain_yaml, written_yaml
from ..skills import markdown
from .errors import BadSkill
from .file_content import FileContent, Files, of_text
from .folder_on_disk import read_files
from .lint import calls_of
from .standard import deviations
from .types import Contract, Skill, SkillTest

MARKDOWN, CODE, CONTRACT, LOCK, TESTS = (
    "SKILL.md",
    "skill.py",
    "contract.yaml",
    "skill.lock",
    "tests",
)
R = TypeVar("R", Contract, SkillTest)


def read_skill(folder: Path) -> Skill:
    """Return the skill in a folder.

    Raises:
        BadSkill: A file is missing, unreadable or not what it should be; the sentence names it.
    """
    return parse(folder.name, read_files(folder))


def parse(name: str, files: Files) -> Skill:
    """Return the skill that these files are.

    Args:
        name: Of the folder.
        files: By path in the folder.

    Raises:
        BadSkill: One is missing or not what it should be.
    """
    if MARKDOWN not in files:
        raise BadSkill(f"{name} has no {MARKDOWN}")
    said = _of_markdown(_text(files, name, MARKDOWN), f"{name}/{MARKDOWN}")
    if said["name"] != name:
        raise BadSkill(f"the folder {name} holds a skill named {said['name']!r}: make them equal")
    if not {CODE, CONTRACT} <= files.keys():
        return _skill(said, files, {MARKDOWN})
    tests = {path: _test(files, name, path) for path in files if _is_test(path)}
    if len({test.name for test in tests.values()}) < len(tests):
        raise BadSkill(f"{name}/{TESTS} has two tests of the same name")
    contract = _record(Contract, _yaml(files, name, CONTRACT), name, CONTRACT)
    if not contract.env:
        raise BadSkill(f"{name}/{CONTRACT} names no env: the environment whose actions it takes")
    said |= {"code": _text(files, name, CODE), "contract": contract, "tests": (*tests.values(),)}
    return _skill(said, files, {MARKDOWN, CODE, CONTRACT, LOCK, *tests})


def _skill(said: dict[str, Any], files: Files, ours: set[str]) -> Skill:
    came = {path: content for path, content in files.items() if path in ours - {LOCK}}
    rest = {path: content for path, content in files.items() if path not in ours}
    instructions = Contract(env="", capabilities=(), maker="import")
    try:
        return Skill(**{"code": "", "contract": instructions, **said}, files=rest, came=came)
    except ValidationError as error:
        raise BadSkill(f"{said['name']}: {_first(error)}") from error


def write(skill: Skill) -> dict[str, FileContent]:
    """Return the files that a skill is, by path; those of a skill that can be run with their lock."""
    files = {MARKDOWN: _markdown(skill), **skill.files}
    if not skill.runnable:
        return dict(sorted(files.items()))
    files[CODE] = _as_it_came(skill, CODE, skill.code.rstrip(), skill.code.rstrip() + "\n")
    said = skill.contract.model_dump(mode="json", exclude_defaults=True)
    files[CONTRACT] = _as_it_came(skill, CONTRACT, skill.contract, written_yaml(said))
    for test in skill.tests:
        paths = (f"{TESTS}/{test.name}.yaml", f"{TESTS}/{test.name}.yml")
        path = paths[1] if paths[1] in skill.came else paths[0]
        said = test.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
        files[path] = _as_it_came(skill, path, test, written_yaml(said))
    files[LOCK] = of_text(lock_of(skill, files))
    return dict(sorted(files.items()))


def _markdown(skill: Skill) -> FileContent:
    head: dict[str, Any] = {"name": skill.name, "description": skill.description}
    head |= {"license": skill.license} if skill.license else {}
    head |= skill.head
    if not skill.came and (wrong := deviations(head, skill.name)):
        raise BadSkill(f"{skill.name}/{MARKDOWN} would not keep the standard: {wrong[0]}")
    text = markdown.write(head, skill.body or body_of(skill))
    meant = skill.model_dump(include={"name", "description", "license"})
    meant |= {"head": skill.head, "body": skill.body.rstrip()}
    return _as_it_came(skill, MARKDOWN, repr(meant), text)


def _as_it_came(skill: Skill, path: str, meant: object, text: str) -> FileContent:
    """Return a file of ours as it came where that says what is meant, else as `text`."""
    came = skill.came.get(path)
    if came is None:
        return of_text(text)
    if path == CONTRACT:
        came = _renumbered(came, skill.contract.version)
    try:
        same = _said(skill, path, {path: came}) == meant
    except BadSkill:
        same = False
    return came if same else of_text(text)._replace(executable=came.executable)


def _said(skill: Skill, path: str, files: Files) -> object:
    """Return what a file of ours says."""
    if path == MARKDOWN:
        return repr(_of_markdown(_text(files, skill.name, path), path))
    if path == CODE:
        return _text(files, skill.name, path).rstrip()
    if path == CONTRACT:
        return _record(Contract, _yaml(files, skill.name, path), skill.name, path)
    return _test(files, skill.name, path)


def _renumbered(came: FileContent, version: int) -> FileContent:
    """Return a contract with its version raised, which admission does, and all else as it came."""
    found = re.subn(rb"(?m)^version:[ \t]*\d+", b"version: %d" % version, came.data, count=1)
    added = b"" if found[1] or version == 1 else b"version: %d\n" % version
    gap = b"" if not added or came.data.endswith(b"\n") else b"\n"
    return came._replace(data=found[0] + gap + added)


def _of_markdown(text: str, where: str) -> dict[str, Any]:
    """Return the fields of a skill that its SKILL.md says."""
    head, body = markdown.read(text, where)
    return {
        "name": head.pop("name"),
        "description": head.pop("description").strip(),
        "license": str(head.pop("license", None) or ""),
        "head": head,
        "body": body.rstrip(),
    }


def _test(files: Files, name: str, path: str) -> SkillTest:
    said = _yaml(files, name, path) | {"name": PurePosixPath(path).stem}
    return _record(SkillTest, said, name, path)


def lock_of(skill: Skill, files: Files) -> str:
    """Return the text of `skill.lock`: hashes of all other files, and what the code is pinned to."""
    hashes = {
        path: hashlib.sha256(content.data).hexdigest()
        for path, content in sorted(files.items())
        if path != LOCK
    }
    pinned = {
        "skill": skill.id,
        "env": f"{skill.contract.env}@{skill.contract.env_version}",
        "calls": sorted(calls_of(skill.code)),
        "sha256": hashes,
    }
    return json.dumps(pinned, indent=1) + "\n"


def is_locked(skill: Skill, files: Files) -> bool:
    """Return whether the files are those that the lock was made of; else someone changed them by hand.

    Instructions have no lock: nothing of theirs is run.
    """
    return not skill.runnable or files.get(LOCK) == of_text(lock_of(skill, files))


def body_of(skill: Skill) -> str:
    """Return a body for a SKILL.md that has none: how it is called and what it promises."""
    said = [f"# {skill.name.replace('-', ' ').capitalize()}", "", skill.description, ""]
    if skill.runnable:
        said += [f"Call: `{skill.signature()}`", ""]
    for title, conditions in (
        ("Needs", skill.contract.preconditions),
        ("Promises", skill.contract.postconditions),
    ):
        if conditions:
            said += [f"{title}:", "", *(f"- `{c}`" for c in conditions), ""]
    return "\n".join(said)


def _is_test(path: str) -> bool:
    parts = PurePosixPath(path)
    return parts.parent.as_posix() == TESTS and parts.suffix in (".yaml", ".yml")


def _text(files: Files, name: str, path: str) -> str:
    try:
        return files[path].text
    except UnicodeDecodeError as error:
        raise BadSkill(f"{name}/{path} is no text in UTF-8") from error


def _yaml(files: Files, name: str, path: str) -> dict[str, Any]:
    text = _text(files, name, path)
    try:
        found = plain_yaml(text)
    except ValueError as error:
        raise BadSkill(f"{name}/{path} is no YAML: {error}") from error
    if not isinstance(found, dict):
        raise BadSkill(f"{name}/{path} is no list of NAME: VALUE")
    return found


def _record(kind: type[R], said: Mapping[str, Any], name: str, path: str) -> R:
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        raise BadSkill(f"{name}/{path}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
