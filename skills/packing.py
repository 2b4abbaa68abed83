"""What an agent learned as one file: to ship it, to open it in production, to bring back what it learns.

    manifest.json   what is in it, with a SHA-256 of every file
    ledger.jsonl    every event, exactly (`lichen memory export`)
    items.jsonl     the items of an application (`LichenStore`) that have not expired, where there are any
    skills/...      the files of the skill library, without its history

Keys, checkpoints, indexes and caches are no part of it. The hashes show damage, not who packed it: what is
unpacked is trusted as the one it comes from is.
"""

import hashlib
import io
import json
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..envs.errors import BadFile, UsageError
from ..envs.secrets import secret_in, without_secrets
from ..envs.types import Record
from ..memory.forgetting.explain import export_events
from ..memory.ledger.ledger import Entry, open_ledger, read_row
from ..memory.ledger.row_checks import read_rows
from ..memory.ledger.sqlite import open_sqlite
from ..memory.store.item_copy import ItemCopy, item_lines, read_items
from ..memory.store.item_table import ItemTable
from ..memory.store.store import Store
from .file_content import FileContent
from .folder_on_disk import read_files
from .git_store import check_path
from .library import SHELVES, Library

FORM = 1
MANIFEST, LEDGER, ITEMS, SKILLS = "manifest.json", "ledger.jsonl", "items.jsonl", "skills/"
FILE = "ledger.sqlite"
_LARGEST = 4_000_000_000
"""Bytes of all that is unpacked."""


class Packed(Record):
    """What went into a pack, or came out of one."""

    events: int
    """Of the ledger; when merging those that were new."""
    episodes: int
    """The same, of episodes."""
    skills: int
    items: int = 0
    """Of an application; of them those that have not expired, and when merging those that were new."""
    kept: tuple[str, ...] = ()
    """When merging: skills that are there under the same name, which stay as they are."""
    kept_items: int = 0
    """The same, of items."""


class _Opened(NamedTuple):
    """What a pack holds, checked."""

    rows: list[dict[str, Any]]
    skills: dict[str, FileContent]
    items: list[ItemCopy]

    def living(self, now: float) -> list[ItemCopy]:
        """Return the items that have not expired."""
        return [item for item in self.items if item.expires is None or item.expires > now]


def pack(store: Path, library: Path, to: Path, *, clock: Callable[[], float] = time.time) -> Packed:
    """Write a store and its skill library into one file.

    Args:
        store: Folder of the store; it may be in use.
        library: Folder of the library; it need not be there.
        to: The file, which must not be there yet.
        clock: Seconds since 1970, by which items expire.

    Raises:
        UsageError: The file is there already, or what looks like a key is in what would be packed.
    """
    if to.exists():
        raise UsageError(f"{to} is there already", hint="Give another name, or remove it.")
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / LEDGER
        ledger = open_ledger(store)
        export_events(ledger, lines)
        files = {LEDGER: lines.read_bytes()}
    rows = [json.loads(line) for line in files[LEDGER].splitlines()]
    if leaks := sorted(
        {r["episode"] or r["run"] for r in rows if secret_in(r["payload"].encode())}
    ):
        raise UsageError(
            f"what looks like a key is in {', '.join(leaks[:3])}; a pack is there to be shared",
            hint="`lichen memory forget ID --cascade` takes an episode out; then pack again.",
        )
    items = ItemTable(open_sqlite(store / FILE, read_only=True)).copies(clock())
    if items:
        files[ITEMS] = _without_keys(items)
    skills = _skills(library)
    files |= {f"{SKILLS}{path}": content.data for path, content in skills.items()}
    modes = {f"{SKILLS}{path}": content.executable for path, content in skills.items()}
    manifest = {
        "form": FORM,
        "events": len(rows),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    partial = to.with_name(f"{to.name}.part")
    with tarfile.open(partial, "w:gz") as out:
        said = json.dumps(manifest, indent=1, sort_keys=True).encode()
        for name, data in {MANIFEST: said, **files}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755 if modes.get(name) else 0o644
            out.addfile(info, io.BytesIO(data))
    partial.replace(to)
    return Packed(
        events=len(rows), episodes=_episodes(rows), skills=_count(skills), items=len(items)
    )


def unpack(
    file: Path, store: Path, library: Path, *, clock: Callable[[], float] = time.time
) -> Packed:
    """Make a store and a skill library of a pack.

    Args:
        file: As `pack` writes it.
        store: Folder; there must be no store in it.
        library: Folder of its library.
        clock: Seconds since 1970; items that expired meanwhile stay away.

    Raises:
        BadFile: It is no pack, or damaged; nothing was made.
        UsageError: There is a store already.
    """
    if (store / FILE).exists():
        raise UsageError(
            f"there is a store in {store} already", hint="`lichen store merge` adds to one."
        )
    rows, skills, _ = opened = _opened(file)
    with Store(store) as made:
        made.restore(rows)
        items = made.items.bring(opened.items, clock())
    _keep(skills, library, file.name)
    return Packed(events=len(rows), episodes=_episodes(rows), skills=_count(skills), items=items)


def merge(
    file: Path, store: Store, library: Path, *, clock: Callable[[], float] = time.time
) -> Packed:
    """Bring what a pack knows and a store does not into the store; nothing that is there is changed.

    Episodes are told apart by their ids; an episode that is in both gets what was said of it later. Items are
    told apart by namespace and key: one that is there stays as it is, one that was deleted here comes back.

    Args:
        file: As `pack` writes it.
        store: Open for writing.
        library: Folder of its library.
        clock: Seconds since 1970; items that expired meanwhile stay away.

    Raises:
        BadFile: It is no pack, or damaged; nothing was changed.
    """
    rows, skills, _ = opened = _opened(file)
    gone = set(store.fold.tombstones.values())
    entries = []
    for row in map(read_row, rows):
        if row.event is None or row.episode in gone:
            continue
        origin: Any = "person" if row.origin == "person" else "import"
        entries.append(
            Entry(
                row.key,
                row.run,
                row.episode,
                row.event,
                actor=row.actor,
                origin=origin,
                parents=row.parents,
            )
        )
    before = set(store.fold.ranks)
    new = store.append(entries)
    store.settle()
    now = clock()
    items = store.items.bring(opened.items, now)
    there: set[str] = set()
    if library.exists():
        folders = Library(library).repository.folders
        there = {f"{shelf}/{name}" for shelf in SHELVES for name in folders(shelf)}
    fresh = {path: c for path, c in skills.items() if _skill_of(path) not in there}
    _keep(fresh, library, file.name)
    kept = sorted({_skill_of(path) for path in skills} & there)
    return Packed(
        events=new,
        episodes=len(set(store.fold.ranks) - before),
        skills=_count(fresh),
        items=items,
        kept=tuple(name for name in kept if name),
        kept_items=len(opened.living(now)) - items,
    )


def _opened(file: Path) -> _Opened:
    """Return what a pack holds, checked."""
    found: dict[str, FileContent] = {}
    try:
        with tarfile.open(file, "r:gz") as packed:
            for name, content in _members(packed, file):
                found[name] = content
        manifest = json.loads(found.pop(MANIFEST).data)
        said = manifest["files"]
    except (OSError, tarfile.TarError, EOFError, KeyError, ValueError, TypeError) as error:
        raise BadFile(f"{file} is no pack of a store: {error}") from error
    if manifest.get("form") != FORM:
        raise BadFile(f"{file} is a pack of another form", hint="Pack it again with this Lichen.")
    if said != {name: hashlib.sha256(c.data).hexdigest() for name, c in found.items()}:
        raise BadFile(f"{file} is damaged: its files are not those of its manifest")
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / LEDGER
        lines.write_bytes(found.pop(LEDGER).data)
        rows = read_rows(lines)
    try:
        items = list(read_items(found.pop(ITEMS).data)) if ITEMS in found else []
    except ValueError as error:
        raise BadFile(f"{file} holds an item that cannot be read: {error}") from error
    skills = {name.removeprefix(SKILLS): content for name, content in found.items()}
    for path in skills:
        check_path(path)
    return _Opened(rows, skills, items)


def _members(packed: tarfile.TarFile, file: Path) -> Iterator[tuple[str, FileContent]]:
    total = 0
    for member in packed:
        total += member.size
        known = member.name in (MANIFEST, LEDGER, ITEMS) or member.name.startswith(SKILLS)
        if not member.isreg() or not known or total > _LARGEST:
            raise BadFile(f"{file} is no pack of a store: it holds {member.name[:80]!r}")
        data = packed.extractfile(member)
        assert data is not None  # it is a regular file
        yield member.name, FileContent(data=data.read(), executable=bool(member.mode & 0o100))


def _without_keys(items: Sequence[ItemCopy]) -> bytes:
    """Return items as lines, where none holds what looks like a key."""
    if leaks := [i for i in items if secret_in(f"{i.namespace}{i.key}{i.value}".encode())]:
        names = without_secrets(", ".join(f"{i.key} in ({i.namespace})" for i in leaks[:3]))
        raise UsageError(
            f"what looks like a key is in the item {names}; a pack is there to be shared",
            hint="Delete it (`LichenStore.delete`), or put it without the key; then pack again.",
        )
    return item_lines(items)


def _skills(library: Path) -> dict[str, FileContent]:
    """Return the committed shelves of a library as they lie on disk."""
    found: dict[str, FileContent] = {}
    for shelf in SHELVES:
        if (library / shelf).is_dir():
            for folder in sorted((library / shelf).iterdir()):
                if folder.is_dir():
                    found |= {
                        f"{shelf}/{folder.name}/{path}": content
                        for path, content in read_files(folder).items()
                    }
    return found


def _keep(skills: Mapping[str, FileContent], library: Path, name: str) -> None:
    if skills:
        repository = Library(library).repository
        with repository.lock():
            repository.write(dict(skills), message=f"unpack {name}", author="person")


def _skill_of(path: str) -> str:
    """Return `shelf/name` of a file in a library; empty for another file."""
    shelf, _, rest = path.partition("/")
    return f"{shelf}/{rest.split('/')[0]}" if shelf in SHELVES and "/" in rest else ""


def _count(skills: Mapping[str, FileContent]) -> int:
    return len({_skill_of(path) for path in skills} - {""})


def _episodes(rows: list[dict[str, Any]]) -> int:
    return len({row["episode"] for row in rows} - {""})
