"""What was made from episodes outside the ledger: folders, each with a manifest of the episodes it came from.

Forgetting an episode takes them too. Knows nothing of what is in them.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

MANIFEST = "made-from.json"
ANY = "*"
"""In a manifest: from any episode; a cache that is made again."""


def made_from(folder: Path, episodes: Iterable[str]) -> None:
    """Say in a folder which episodes it was made from; adds to what it says already."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    known = set(_episodes(path))
    wanted = known | set(episodes)
    if wanted != known or not path.exists():
        temporary = path.with_name(f".{MANIFEST}.writing")
        temporary.write_text(json.dumps(sorted(wanted)), encoding="utf-8")
        temporary.replace(path)


def derived_from(root: Path, episode: str) -> list[Path]:
    """Return the folders below `root` that were made from an episode, or from any."""
    found = []
    for path in sorted(root.rglob(MANIFEST)):
        if {episode, ANY} & set(_episodes(path)):
            found.append(path.parent)
    return found


def remove_derived(root: Path, episode: str) -> list[Path]:
    """Remove what was made from an episode, and return what that was."""
    found = derived_from(root, episode)
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)  # one may lie in another
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
