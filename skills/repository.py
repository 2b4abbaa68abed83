"""The library's git repository: files in, commits out, through dulwich (no git binary is needed).

What is read is always what was committed last, so a half-written change is never seen. A change names its
files in a journal first; one that was killed is taken back when the repository is opened again.
"""

import json
import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..envs.types import Record
from .errors import LibraryUnwritable, UnknownSkill

WAIT_SECONDS = 60.0
_JOURNAL = "lichen-journal.json"
_LOCK = "lichen.lock"
KEPT = ".unread"
"""Folder of what people wrote and the library could not take."""
_log = logging.getLogger(__name__)


class Revision(Record):
    """One commit."""

    commit: str
    """Forty hexadecimal digits."""
    author: str
    at: float
    """Seconds since 1970."""
    message: str
    paths: tuple[str, ...]
    """What it changed."""


class Repository:
    """A git repository of text files.

    Args:
        root: Its folder; made when it is not there.
        clock: Seconds since 1970, for commits.

    Raises:
        LibraryUnwritable: The folder cannot be made or written.
    """

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        from dulwich.errors import NotGitRepository  # 0.2 s: only when a library is opened
        from dulwich.repo import Repo

        self.root, self._clock = root, clock
        try:
            root.mkdir(parents=True, exist_ok=True)
            try:
                self._repo: Any = Repo(str(root))
            except NotGitRepository:
                with self._lock_at(root / ".lichen-making"):
                    made = (root / ".git" / "HEAD").exists()
                    self._repo = (
                        Repo(str(root)) if made else Repo.init(str(root), default_branch=b"main")
                    )
        except OSError as error:
            raise LibraryUnwritable(
                f"the library {root} cannot be opened: {error.strerror}"
            ) from error
        (root / ".lichen-making").unlink(missing_ok=True)
        if self._journal.exists():
            with self.lock():
                self._take_back()

    @property
    def _journal(self) -> Path:
        return self.root / ".git" / _JOURNAL

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the repository for writing; other processes wait.

        Raises:
            LibraryUnwritable: Another one holds it for longer than a minute.
        """
        with self._lock_at(self.root / ".git" / _LOCK):
            yield

    @contextmanager
    def _lock_at(self, path: Path) -> Iterator[None]:
        try:
            with FileLock(str(path), timeout=WAIT_SECONDS):
                yield
        except Timeout as error:
            raise LibraryUnwritable(f"another process writes the library {self.root}") from error

    def head(self) -> str:
        """Return the last commit, empty when there is none."""
        try:
            return str(self._repo.head().decode())
        except KeyError:
            return ""

    def folders(self, shelf: str, commit: str | None = None) -> dict[str, str]:
        """Return the folders in a folder, with the hash of what is in each, sorted."""
        tree = self._tree(shelf, commit)
        if tree is None:
            return {}
        return {
            entry.path.decode(): entry.sha.decode()
            for entry in tree.items()
            if stat.S_ISDIR(entry.mode)
        }

    def files(self, folder: str, commit: str | None = None) -> dict[str, str]:
        """Return the committed texts under a folder by their path in it; empty when there are none.

        Args:
            folder: Path in the repository.
            commit: As of when; None: the last.
        """
        tree = self._tree(folder, commit)
        return dict(self._walk(tree, "")) if tree is not None else {}

    def _walk(self, tree: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for entry in tree.items():
            path = prefix + entry.path.decode()
            found = self._repo[entry.sha]
            if stat.S_ISDIR(entry.mode):
                yield from self._walk(found, f"{path}/")
            else:
                try:
                    yield path, found.data.decode()
                except UnicodeDecodeError:  # somebody's picture: no part of a skill
                    continue

    def _tree(self, folder: str, commit: str | None) -> Any:
        at = commit or self.head()
        if not at:
            return None
        try:
            found = self._repo[self._repo[at.encode()].tree]
            for part in [p for p in folder.split("/") if p]:
                found = self._repo[found[part.encode()][1]]
        except KeyError:
            return None
        return found

    def write(self, files: Mapping[str, str | None], *, message: str, author: str) -> str:
        """Write files (None: remove them) and commit them; all of it or nothing, also when killed.

        The caller holds the lock.

        Args:
            files: Texts by path in the repository.
            message: Of the commit.
            author: `agent`, or a person's name.

        Returns:
            The commit; the last one when nothing changed.

        Raises:
            LibraryUnwritable: The disk refused; everything is as before.
        """
        for path in files:
            if ".." in path.split("/") or path.startswith(("/", ".git/")):
                raise LibraryUnwritable(f"{path!r} is no place in the library; nothing was written")
        if self._journal.exists():
            self._take_back()
        changed = {p: t for p, t in files.items() if t != self._committed(p)}
        if not changed and all(self._on_disk(p) == t for p, t in files.items()):
            return self.head()
        from dulwich.file import FileLocked

        self._keep_edits(files)
        try:
            self.put(self._journal, json.dumps(sorted(files)))
            for path, text in files.items():
                self._set(path, text)
            if changed:
                self._commit(changed, message, author)
            self._journal.unlink()
        except (OSError, FileLocked) as error:
            self._take_back()
            raise LibraryUnwritable(
                f"the library {self.root} refuses to be written: {error}"
            ) from error
        return self.head()

    def _keep_edits(self, files: Mapping[str, str | None]) -> None:
        """Copy what someone wrote on disk and this change would write over, so that it is not lost."""
        for path, text in files.items():
            here = self._on_disk(path)
            if here is not None and here not in (text, self._committed(path)):
                kept, number = self.root / KEPT / path, 2
                while kept.exists():
                    kept = self.root / KEPT / f"{path}-{number}"
                    number += 1
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes((self.root / path).read_bytes())
                _log.warning("an edit of %s was written over; it is kept in %s", path, kept)

    def _commit(self, files: Mapping[str, str | None], message: str, author: str) -> None:
        """Commit exactly these files over the last commit: what somebody staged by hand is no part of it."""
        from dulwich.object_store import commit_tree_changes
        from dulwich.objects import Blob, Tree

        who = f"{author} <{author.replace(' ', '.')}@lichen>".encode()
        now, store = self._clock(), self._repo.object_store
        base = self._repo[self._repo.head()].tree if self.head() else Tree()
        changes: list[Any] = []
        for path, text in files.items():
            if text is None:
                changes.append((path.encode(), None, None))
                continue
            blob = Blob.from_string(text.encode())
            store.add_object(blob)
            changes.append((path.encode(), 0o100644, blob.id))
        tree = self._repo.get_worktree()
        tree.commit(
            message=message.encode(),
            committer=who,
            author=who,
            commit_timestamp=now,
            commit_timezone=0,
            author_timestamp=now,
            author_timezone=0,
            tree=commit_tree_changes(store, base, changes),
            no_verify=True,
            sign=False,
        )
        tree.stage([path.encode() for path in files])

    def _take_back(self) -> None:
        """Make the files of a change that did not end what they were when it was committed last."""
        for stale in self.root.joinpath(".git").rglob("*.lock"):
            if stale.name != _LOCK:
                stale.unlink(missing_ok=True)
        try:
            paths = json.loads(self._journal.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            paths = []  # killed while it was written: nothing else had been touched
        for path in paths:
            self._set(path, self._committed(path))
        if paths:
            self._repo.get_worktree().stage([p.encode() for p in paths])
        self._journal.unlink(missing_ok=True)

    def text(self, path: str) -> str | None:
        """Return a committed file, None when there is none or it is no text."""
        return self._committed(path)

    def _committed(self, path: str, commit: str | None = None) -> str | None:
        folder, _, name = path.rpartition("/")
        tree = self._tree(folder, commit)
        try:
            return (
                str(self._repo[tree[name.encode()][1]].data.decode()) if tree is not None else None
            )
        except (KeyError, UnicodeDecodeError):
            return None

    def _on_disk(self, path: str) -> str | None:
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _set(self, path: str, text: str | None) -> None:
        target = self.root / path
        if text is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.put(target, text)
            return
        target.unlink(missing_ok=True)
        for parent in target.parents:
            if parent == self.root or not parent.exists() or any(parent.iterdir()):
                break
            parent.rmdir()

    @staticmethod
    def put(target: Path, text: str) -> None:
        """Write a file whole and for good, or not at all."""
        new = target.with_name(f".{target.name}.new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)

    def history(self, folder: str = "", n: int | None = None) -> list[Revision]:
        """Return the commits that changed something under a folder, newest first."""
        if not self.head():
            return []
        paths = [folder.encode()] if folder else None
        found = []
        for entry in self._repo.get_walker(paths=paths, max_entries=n):
            commit = entry.commit
            groups = [g if isinstance(g, list) else [g] for g in entry.changes()]
            changes = [change for group in groups for change in group]
            found.append(
                Revision(
                    commit=commit.id.decode(),
                    author=commit.author.decode().rpartition(" <")[0],
                    at=float(commit.commit_time),
                    message=commit.message.decode().strip(),
                    paths=tuple(sorted({(c.new or c.old).path.decode() for c in changes})),
                )
            )
        return found

    def commit_named(self, text: str) -> str:
        """Return the commit whose hash begins with a text.

        Raises:
            UnknownSkill: None or several do.
        """
        found = [r.commit for r in self.history() if r.commit.startswith(text)]
        if len(found) != 1 or len(text) < 4:
            raise UnknownSkill(
                f"{len(found)} commits of the library begin with {text!r}",
                hint="`lichen skills history` lists them.",
            )
        return found[0]

    def changed_on_disk(self, shelf: str) -> list[str]:
        """Return the folders of a shelf whose files are not what was committed: edits by hand."""
        found = set(self.folders(shelf))
        folder = self.root / shelf
        if folder.is_dir():
            found |= {p.name for p in folder.iterdir() if p.is_dir()}
        return sorted(name for name in found if self._differs(f"{shelf}/{name}"))

    def _differs(self, folder: str) -> bool:
        committed = self.files(folder)
        here = self.root / folder
        on_disk = {
            p.relative_to(here).as_posix()
            for p in here.rglob("*")
            if p.is_file()
            and "__pycache__" not in p.parts
            and not p.name.startswith(".")
            and not p.name.endswith(("~", ".swp", ".pyc"))
        }
        return on_disk != set(committed) or any(
            self._on_disk(f"{folder}/{path}") != text for path, text in committed.items()
        )
