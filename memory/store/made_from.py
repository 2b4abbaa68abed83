"""What was made from episodes outside the ledger: folders, each with a manifest of the episodes it came from.

Forgetting an episode takes them too. Knows nothing of what is in them.
"""

import json
import logging
import shutil
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..ledger.errors import StoreUnwritable

_log = logging.getLogger(__name__)
stays = threading.RLock()
"""While it is held, no folder is removed; a store belongs to one process."""

MANIFEST = "made-from.json"
ANY = "*"
"""In a manifest: from any episode; a cache that is made again."""


def made_from(folder: Path, episodes: Iterable[str]) -> None:
    """Say in a folder which episodes it was made from; adds to what it says already."""
    path = folder / MANIFEST
    with stays:
        folder.mkdir(parents=True, exist_ok=True)
        known = set(_episodes(path))
        wanted = known | set(episodes)
        if wanted != known or not path.exists():
            temporary = path.with_name(f".{MANIFEST}.writing")
            temporary.write_text(json.dumps(sorted(wanted)), encoding="utf-8")
            temporary.replace(path)


def derived_from(root: Path, episode: str) -> list[Path]:
    """Return the folders below `root` that were made from an episode, or from any.

    Never `root` itself nor a folder in which a ledger lies: what was learned is not derived.
    """
    found = []
    for path in sorted(root.rglob(MANIFEST)):
        if not {episode, ANY} & set(_episodes(path)):
            continue
        if path.parent == root or any(path.parent.rglob("ledger.sqlite")):
            _log.warning("%s is left where it is: a store lies in the same folder", path)
        else:
            found.append(path.parent)
    return found


def remove_derived(root: Path, episode: str) -> list[Path]:
    """Remove what was made from an episode, and return what that was.

    Raises:
        StoreUnwritable: A folder could not be removed.
    """
    found = derived_from(root, episode)
    for folder in found:
        with stays:
            shutil.rmtree(folder, ignore_errors=True)  # one may lie in another
            if folder.exists():
                with suppress(OSError):  # its manifest may be gone, and the next call must find it
                    made_from(folder, [ANY])
                raise StoreUnwritable(
                    f"{folder} was made from what is to be forgotten, and it cannot be removed",
                    hint="Remove the folder by hand, or make it writable, and forget again.",
                )
    return found


def _episodes(path: Path) -> list[str]:
    """Return a manifest's episodes; one that cannot be read might name any."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        return [ANY]
    return [str(e) for e in found] if isinstance(found, list) else [ANY]
