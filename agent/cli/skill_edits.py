"""`lichen skills edit | new | test | approve | ...`: what changes the library, all through one admission."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...envs.errors import UsageError
from .library_change import Because, By, Level, opened_to_change, say_result, say_verdict
from .options import (
    Json,
    LibraryFolder,
    SkillName,
    Store,
    open_library,
    out,
    progress_console,
    write_json,
)

if TYPE_CHECKING:
    from ...skills.file_content import Files


def edit(
    name: SkillName,
    level: Level = None,
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Open a skill (its draft, when there is one) in $EDITOR and put the edit through admission.

    What admission refuses is kept as a draft, and the next `edit` goes on with it.
    """
    from ...skills import folder
    from ...skills.errors import BadSkill

    open_library(library, store)
    with opened_to_change(library, store, level, by) as shop:
        found = shop.library
        base, drafts = found.repository.head(), found.all("drafts")
        skill = found.undrafted(drafts[name]) if name in drafts else shop.workshop.find(name)[0]
        before = folder.write(skill)
        files = _in_editor(found.root, name, before)
        if files == before and name not in drafts:
            out(json_path).print("Nothing was changed.")
            return
        try:
            edited = folder.parse(skill.name, files)
        except BadSkill as error:
            kept = _keep(found.root, name, files)
            raise UsageError(f"{error}; your text is kept in {kept}") from error
        try:
            verdict = shop.workshop.edit(edited, base)
        except BaseException:  # whatever broke, and Ctrl-C: what a person wrote is not lost
            kept = _keep(found.root, name, files)
            progress_console.print(f"your text is kept in {kept}", markup=False)
            raise
        say_verdict(verdict, json_path)


def _in_editor(root: Path, name: str, files: "Files") -> "Files":
    """Open the folder's files in the editor and return them as they are afterwards."""
    from ...skills import folder
    from ...skills.errors import BadSkill
    from ...skills.folder_on_disk import read_files

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise UsageError("no editor is named", hint="Set $EDITOR, for example  EDITOR=nano.")
    with tempfile.TemporaryDirectory(prefix="lichen-edit-") as place:
        here = Path(place) / name
        _put(here, {path: file for path, file in files.items() if path != folder.LOCK})
        first = [p for p in (folder.CODE, folder.CONTRACT, folder.MARKDOWN) if (here / p).exists()]
        try:
            done = subprocess.run([*shlex.split(editor), *first], cwd=here, check=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"the editor {editor!r} cannot be run: {error}", hint="Set $EDITOR."
            ) from error
        if done.returncode:
            raise UsageError(f"the editor ended with {done.returncode}; nothing was changed")
        try:
            edited = read_files(here)
        except BadSkill as error:
            kept = _free(root, name)
            shutil.copytree(here, kept, symlinks=True)
            raise UsageError(f"{error}; your text is kept in {kept}") from error
    unlocked = {path: file for path, file in edited.items() if path != folder.LOCK}
    if unlocked == {path: file for path, file in files.items() if path != folder.LOCK}:
        return files
    return unlocked


def _free(root: Path, name: str) -> Path:
    """Return a place beside the library where nothing is kept yet."""
    from ...skills.repository import KEPT

    kept, number = root / KEPT / name, 2
    while kept.exists():
        kept, number = root / KEPT / f"{name}-{number}", number + 1
    return kept


def _keep(root: Path, name: str, files: "Files") -> Path:
    """Write a text that is no skill beside the library, so that it is not lost."""
    kept = _free(root, name)
    _put(kept, files)
    return kept


def _put(folder: Path, files: "Files") -> None:
    from ...skills.repository import Repository

    for path, file in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Repository.put(folder / path, file, sync=False)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words with hyphens.")],
    env: Annotated[str, typer.Option("--env", help="The environment whose actions it takes.")],
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Write the draft of a new skill; `edit NAME` fills it in and `approve NAME` tests it."""
    from ...envs.registry import make

    make(env).close()  # a wrong name leaves no library behind
    with opened_to_change(library, store, None, by) as shop:
        skill = shop.workshop.draft(name, env)
        out(None).print(
            f"{shop.library.root / 'drafts' / skill.name}: fill it in with  lichen skills edit {name}",
            markup=False,
        )


def test(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Only this skill. [default: all]")
    ] = "",
    level: Level = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Run the tests of a skill, or of all, as their folders are now; exit 1 when one fails."""
    found = open_library(library, store)
    names = [name] if name else [n for n, skill in found.all().items() if skill.runnable]
    with opened_to_change(library, store, level, "person") as shop:
        results = [result for n in names for result in shop.workshop.test(n, say_result)]
    write_json({"tests": [r.model_dump(mode="json") for r in results]}, json_path)
    good = sum(r.outcome == "success" for r in results)
    if json_path != "-":
        levels = ", ".join(sorted({r.level for r in results if r.level})) or "-"
        out(json_path).print(f"{good} of {len(results)} tests hold (jail: {levels})")
    if good < len(results):
        raise typer.Exit(1)


def approve(
    name: SkillName,
    level: Level = None,
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Admit what waits under NAME: an edit on disk, a proposal, a draft, a quarantined skill."""
    open_library(library, store)
    with opened_to_change(library, store, level, by) as shop:
        say_verdict(shop.workshop.approve(name), json_path)


def rollback(
    name: SkillName,
    to: Annotated[str, typer.Argument(help="A version, or the beginning of a commit.")],
    level: Level = None,
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Bring back what a skill was, as a new version; its tests and its dependents' are run."""
    open_library(library, store)
    with opened_to_change(library, store, level, by) as shop:
        say_verdict(shop.workshop.rollback(name, to), json_path)


def reject(
    name: SkillName,
    reason: Because = "a person rejected it",
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Refuse a proposal or draft for good; a tombstone keeps it from being learned again."""
    open_library(library, store)
    with opened_to_change(library, store, None, by) as shop:
        shop.workshop.reject(name, reason)
        out(None).print(f"{name} is in the archive; the same code is refused from now on")


def quarantine(
    name: SkillName,
    reason: Because = "a person took it out",
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Take a skill and all that depend on it out of use; `approve` brings each back."""
    open_library(library, store)
    with opened_to_change(library, store, None, by) as shop:
        gone = shop.workshop.quarantine(name, reason)
        out(None).print(f"taken out: {', '.join(gone)}")


def retire(
    name: SkillName,
    reason: Because = "a person retired it",
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Archive a skill that nobody calls; a tombstone keeps it from being learned again."""
    open_library(library, store)
    with opened_to_change(library, store, None, by) as shop:
        shop.workshop.retire(name, reason)
        out(None).print(f"{name} is in the archive; the same code is refused from now on")


def pin(
    name: SkillName,
    off: Annotated[bool, typer.Option("--off", help="Let it go.")] = False,
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Pin a skill: only a person changes it from then on."""
    open_library(library, store)
    with opened_to_change(library, store, None, by) as shop:
        shop.workshop.pin(name, on=not off)
        out(None).print(f"{name} is {'free' if off else 'pinned'}")


def import_(
    source: Annotated[Path, typer.Argument(help="Folder of a skill (Agent Skills standard).")],
    level: Level = None,
    by: By = "person",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Take in a skill's folder; code goes through admission, instructions without code are kept as they are."""
    with opened_to_change(library, store, level, by) as shop:
        say_verdict(shop.workshop.import_folder(source), json_path)


def export(
    name: SkillName,
    to: Annotated[Path, typer.Argument(help="Where its folder goes.")] = Path("."),
    library: LibraryFolder = None,
    store: Store = None,
) -> None:
    """Write a skill's folder, as any reader of the Agent Skills standard takes it."""
    from ...skills.operations import Workshop

    out(None).print(str(Workshop(open_library(library, store)).export(name, to)), markup=False)
