"""A skill as a folder: SKILL.md, skill.py, contract.yaml, tests/, skill.lock.

The folder is the truth. Any reader of the Agent Skills standard reads it; a folder of the standard without a
contract is read too, as instructions that cannot be run.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ..skills import markdown
from .errors import BadSkill
from .lint import calls_of
from .types import Contract, Skill, SkillTest

MARKDOWN, CODE, CONTRACT, LOCK, TESTS = (
    "SKILL.md",
    "skill.py",
    "contract.yaml",
    "skill.lock",
    "tests",
)
_LARGEST = 1_000_000
_log = logging.getLogger(__name__)
R = TypeVar("R", Contract, SkillTest)


def read_skill(folder: Path) -> Skill:
    """Return the skill in a folder.

    Raises:
        BadSkill: A file is missing, unreadable or not what it should be; the sentence names it.
    """
    return parse(folder.name, read_files(folder))


def read_files(folder: Path) -> dict[str, str]:
    """Return the texts of a folder by their path in it, sorted.

    Raises:
        BadSkill: It is no folder, or holds something that is no text, or a link out of it.
    """
    if not folder.is_dir():
        raise BadSkill(f"{folder} is no folder of a skill")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise BadSkill(f"{folder.name}/{name} is a link: a skill is made of files")
        if path.is_dir() or "__pycache__" in path.parts or name.endswith((".pyc", "~", ".swp")):
            continue
        if path.stat().st_size > _LARGEST:
            raise BadSkill(f"{folder.name}/{name} is larger than {_LARGEST:,} bytes")
        try:
            found[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            if name in (MARKDOWN, CODE, CONTRACT, LOCK) or _is_test(name):
                raise BadSkill(f"{folder.name}/{name} is no text in UTF-8") from error
            _log.warning("%s/%s is no text and is left out", folder.name, name)
    return found


def parse(name: str, files: Mapping[str, str]) -> Skill:
    """Return the skill that these files are.

    Args:
        name: Of the folder.
        files: Texts by path in the folder.

    Raises:
        BadSkill: One is missing or not what it should be.
    """
    if MARKDOWN not in files:
        raise BadSkill(f"{name} has no {MARKDOWN}")
    head, body = markdown.read(files[MARKDOWN], f"{name}/{MARKDOWN}")
    if head["name"] != name:
        raise BadSkill(f"the folder {name} holds a skill named {head['name']!r}: make them equal")
    known = {MARKDOWN, CODE, CONTRACT, LOCK}
    tests = [
        _record(SkillTest, _yaml(text, f"{name}/{path}") | {"name": Path(path).stem}, name, path)
        for path, text in files.items()
        if _is_test(path)
    ]
    contract = (
        _record(Contract, _yaml(files[CONTRACT], f"{name}/{CONTRACT}"), name, CONTRACT)
        if CONTRACT in files
        else Contract(env="", capabilities=(), maker="import")
    )
    extra = {key: head[key] for key in head if key not in ("name", "description", "license")}
    metadata = dict(extra.pop("metadata", {}))
    metadata |= {f"head:{key}": json.dumps(value, default=str) for key, value in extra.items()}
    try:
        return Skill(
            name=name,
            description=head["description"].strip(),
            license=str(head.get("license", "")),
            metadata=metadata,
            body=body,
            code=files.get(CODE, ""),
            contract=contract,
            tests=tuple(tests),
            files={p: t for p, t in files.items() if p not in known and not _is_test(p)},
        )
    except ValidationError as error:
        raise BadSkill(f"{name}: {_first(error)}") from error


def write(skill: Skill) -> dict[str, str]:
    """Return the files that a skill is, by path, with their lock."""
    head: dict[str, Any] = {"name": skill.name, "description": skill.description}
    head["license"] = skill.license
    metadata = dict(skill.metadata)
    for key in [k for k in metadata if k.startswith("head:")]:
        head[key.removeprefix("head:")] = json.loads(metadata.pop(key))
    head["metadata"] = metadata
    files = {MARKDOWN: markdown.write(head, skill.body or body_of(skill))}
    if skill.runnable:
        files[CODE] = skill.code.rstrip() + "\n"
    if skill.contract.env:
        files[CONTRACT] = _dump(skill.contract.model_dump(mode="json", exclude_defaults=True))
    for test in skill.tests:
        said = test.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
        files[f"{TESTS}/{test.name}.yaml"] = _dump(said)
    files |= skill.files
    files[LOCK] = lock_of(skill, files)
    return dict(sorted(files.items()))


def lock_of(skill: Skill, files: Mapping[str, str]) -> str:
    """Return the text of `skill.lock`: hashes of all other files, and what the code is pinned to."""
    hashes = {
        path: hashlib.sha256(text.encode()).hexdigest()
        for path, text in sorted(files.items())
        if path != LOCK
    }
    pinned = {
        "skill": skill.id,
        "env": f"{skill.contract.env}@{skill.contract.env_version}" if skill.contract.env else "",
        "calls": sorted(calls_of(skill.code)) if skill.runnable else [],
        "sha256": hashes,
    }
    return json.dumps(pinned, indent=1) + "\n"


def is_locked(skill: Skill, files: Mapping[str, str]) -> bool:
    """Return whether the files are those that the lock was made of; else someone changed them by hand."""
    return files.get(LOCK) == lock_of(skill, files)


def content(files: Mapping[str, str]) -> str:
    """Return the hash of a folder's files, the same on every machine."""
    said = json.dumps(sorted((p, t) for p, t in files.items() if p != LOCK))
    return hashlib.sha256(said.encode()).hexdigest()


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
    return path.startswith(f"{TESTS}/") and path.endswith((".yaml", ".yml"))


def _dump(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def _yaml(text: str, where: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise BadSkill(f"{where} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise BadSkill(f"{where} is no list of NAME: VALUE")
    return found


def _record(kind: type[R], said: dict[str, Any], name: str, path: str) -> R:
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        raise BadSkill(f"{name}/{path}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
