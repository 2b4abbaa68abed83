"""The files that an experiment leaves: its report, and how an earlier experiment is removed."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel

from ....envs.errors import UsageError
from ....memory.ledger.errors import StoreInUse
from ....memory.ledger.lock import claim


def save_report(report: BaseModel, path: Path) -> str:
    """Write a report as JSON and return its text."""
    text = report.model_dump_json(indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    return text


def begin_anew(
    folder: Path, *, sign: str, made: Sequence[str], what: str, inner: Sequence[str] = ()
) -> None:
    """Remove an earlier experiment: only what one makes, from a folder that is one and is not in use.

    Args:
        folder: Of the experiment; nothing is done where it does not exist.
        sign: The file that every such folder has.
        made: Patterns of what the experiment makes, files and folders.
        what: The experiment, for messages.
        inner: Folders in it that a running experiment may hold for itself.

    Raises:
        UsageError: The folder holds no such experiment.
        StoreInUse: It is running.
    """
    if not folder.exists():
        return
    if not (folder / sign).exists():
        raise UsageError(
            f"{folder} holds no {what} (there is no {sign} in it); nothing was removed",
            hint=f"Leave out --fresh, or name the folder of the {what}.",
        )
    locks: list[FileLock] = []
    try:
        for held in (folder, *(folder / name for name in inner if (folder / name).is_dir())):
            locks.append(claim(held))
    except StoreInUse as error:
        for lock in locks:
            lock.release()
        raise StoreInUse(f"the {what} in {folder} is running; nothing was removed") from error
    try:
        for pattern in made:
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    finally:
        for lock in locks:
            lock.release()
