"""One process writes to a store's folder; the others are told which one it is."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import StoreInUse, StoreUnwritable


def claim(folder: Path) -> FileLock:
    """Return the held lock of a folder, which is made when it is missing.

    Raises:
        StoreInUse: Another process holds it.
        StoreUnwritable: The folder or the disk refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=0)
        (folder / "owner").write_text(str(os.getpid()))
    except Timeout as error:
        owner = folder / "owner"
        process = owner.read_text() if owner.exists() else "unknown"
        raise StoreInUse(f"the store {folder} is in use by process {process}") from error
    except OSError as error:
        raise StoreUnwritable(f"the store {folder} cannot be written: {error}") from error
    return lock
