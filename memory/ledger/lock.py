"""One process writes to a store's folder; the others are told which one it is."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import StoreInUse, StoreUnwritable

_OURS = ("ledger.sqlite*", "checkpoints*", "index", "index.*", "softcot", "lock", "owner")
"""Names of what a store makes in its folder."""


def claim(folder: Path) -> FileLock:
    """Return the held lock of a folder, which is made when it is missing.

    Raises:
        StoreInUse: Another process holds it.
        StoreUnwritable: The folder or the disk refuses.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", mode=0o600)
        lock.acquire(timeout=0)
        (folder / "owner").write_text(str(os.getpid()))
    except Timeout as error:
        raise _in_use(folder) from error
    except OSError as error:
        raise StoreUnwritable(f"the store {folder} cannot be written: {error}") from error
    return lock


def _in_use(folder: Path) -> StoreInUse:
    process = ""
    with suppress(OSError):
        process = (folder / "owner").read_text().strip()
    if process == str(os.getpid()):
        return StoreInUse(
            f"the store {folder} is open in this process already (process {process})",
            hint="Share the one that is open (`Memory(agent.store)`, `LichenStore(memory)`), or close it.",
        )
    return StoreInUse(
        f"the store {folder} is in use by process {process or 'unknown'}",
        hint="Ask that process by HTTP (`lichen serve`), only look (`lichen inspect` without `--edit`, "
        "`read_only=True`, `--read-only`), wait until it ends, or give this one its own folder (`--store`).",
    )


def keep_private(folder: Path) -> None:
    """Take from everybody but its owner the right to a store's files: they hold what people said.

    Only what a store makes is touched: its folder may be one that holds other things. What belongs to another
    user, or vanishes meanwhile, is left as it is.
    """
    ours = [path for name in _OURS for path in folder.glob(name)]
    for path in [inner for own in ours for inner in (own, *own.rglob("*"))]:
        with suppress(OSError):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if mode & 0o077 and not path.is_symlink():
                path.chmod(mode & ~0o077)
