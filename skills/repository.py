"""The library's git repository: files in, commits out (no git binary is needed).

What is read is always what was committed last, so a half-written change is never seen. A change names its
files in a journal first; one that was killed is taken back when the repository is opened again.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import BadSkill, LibraryUnwritable, UnknownSkill
from .file_content import FileContent, of_text
from .folder_on_disk import read_files, read_regular, stamp
from .git_store import GitStore, check_path
from .left_out import why_left_out

WAIT_SECONDS = 60.0
_JOURNAL = "lichen-journal.json"
_LOCK = "lichen.lock"
_NEW = ".lichen-new"
"""Name of a file that is being written."""
_SYNCED_ALONE = 64
"""Files of a change up to which each is synced by itself; more are synced together."""
KEPT = ".unread"
"""Folder of what people wrote and the library could not take."""
_log = logging.getLogger(__name__)


class Repository:
    """A git repository of skills' files.

    Args:
        root: Its folder; made when it is not there.
        clock: Seconds since 1970, for commits.

    Raises:
        LibraryUnwritable: The folder cannot be made or written.
    """

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        self.root, self._clock = root, clock
        try:
            root.mkdir(parents=True, exist_ok=True)
            if (root / ".git").exists():
                self._git = GitStore(root)
            else:
                with self._lock_at(root / ".lichen-making"):
                    self._git = GitStore(root)
                (root / ".lichen-making").unlink(missing_ok=True)
        except OSError as error:
            raise LibraryUnwritable(
                f"the library {root} cannot be opened: {error.strerror}"
            ) from error
        self.private = self._git.private
        self.head, self.folders, self.files = self._git.head, self._git.folders, self._git.files
        self.history, self.committed = self._git.history, self._git.committed
        self._looked_at: dict[str, tuple[object, bool]] = {}
        if self._journal.exists():
            with self.lock():
                self._take_back()

    @property
    def _journal(self) -> Path:
        return self.private / _JOURNAL

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the repository for writing; other processes wait.

        Raises:
            LibraryUnwritable: Another one holds it for longer than a minute.
        """
        with self._lock_at(self.private / _LOCK):
            yield

    @contextmanager
    def _lock_at(self, path: Path) -> Iterator[None]:
        try:
            with FileLock(str(path), timeout=WAIT_SECONDS):
                yield
        except Timeout as error:
            raise LibraryUnwritable(f"another process writes the library {self.root}") from error

    def write(self, files: Mapping[str, FileContent | None], *, message: str, author: str) -> str:
        """Write files (None: remove them) and commit them; all of it or nothing, also when killed.

        The caller holds the lock.

        Args:
            files: Contents by path in the repository.
            message: Of the commit.
            author: `agent`, or a person's name.

        Returns:
            The commit; the last one when nothing changed.

        Raises:
            LibraryUnwritable: The disk refused; everything is as before.
        """
        for path in files:
            check_path(path)
        if self._journal.exists():
            self._take_back()
        changed = self._git.changed(files)
        stale = {p: f for p, f in files.items() if p in changed or self._on_disk(p) != f}
        if not stale:
            return self.head()
        self._keep_edits(stale)
        try:
            self._git.guard()
            self.put(self._journal, of_text(json.dumps(sorted(stale))))
            alone = len(stale) <= _SYNCED_ALONE
            for path in sorted(stale, key=lambda path: stale[path] is not None):
                self._set(path, stale[path], sync=alone)
            if changed:
                self._git.commit(changed, message, author, self._clock())
            self._git.stage(stale)
            if not alone:
                os.sync()
            self._journal.unlink()
        except OSError as error:  # dulwich's FileLocked is one
            self._take_back()
            raise LibraryUnwritable(
                f"the library {self.root} refuses to be written: {error}"
            ) from error
        return self.head()

    def _keep_edits(self, files: Mapping[str, FileContent | None]) -> None:
        """Copy what someone wrote on disk and this change would write over, so that it is not lost."""
        for path, file in files.items():
            here = self._on_disk(path)
            if here is not None and here not in (file, self._git.committed(path)):
                kept, number = self.root / KEPT / path, 2
                while kept.exists():
                    kept = self.root / KEPT / f"{path}-{number}"
                    number += 1
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(here.data)
                _log.warning("an edit of %s was written over; it is kept in %s", path, kept)

    def _take_back(self) -> None:
        """Make the files of a change that did not end what they were when it was committed last."""
        for stale in self.private.rglob("*.lock"):
            if stale.name != _LOCK:
                stale.unlink(missing_ok=True)
        try:
            paths = json.loads(self._journal.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            paths = []  # killed while it was written: nothing else had been touched
        for path in paths:
            (self.root / path).with_name(_NEW).unlink(missing_ok=True)
            self._set(path, self._git.committed(path), sync=False)
        if paths:
            self._git.stage(paths)
        self._journal.unlink(missing_ok=True)

    def text(self, path: str) -> str | None:
        """Return a committed text, None when there is none or it is no text."""
        found = self._git.committed(path)
        try:
            return found.text if found is not None else None
        except UnicodeDecodeError:
            return None

    def _on_disk(self, path: str) -> FileContent | None:
        try:
            return read_regular(self.root / path)
        except OSError:  # not there, or no regular file
            return None

    def _set(self, path: str, file: FileContent | None, *, sync: bool) -> None:
        target = self.root / path
        if file is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.put(target, file, sync=sync)
            return
        try:
            target.unlink(missing_ok=True)
        except NotADirectoryError:
            return
        for parent in target.parents:
            if parent == self.root or not parent.exists() or any(parent.iterdir()):
                break
            parent.rmdir()

    @staticmethod
    def put(target: Path, file: FileContent, *, sync: bool = True) -> None:
        """Write a file whole, or not at all; for good, where it is synced."""
        new = target.with_name(_NEW)
        new.unlink(missing_ok=True)
        with new.open("xb") as opened:
            opened.write(file.data)
            opened.flush()
            if file.executable:
                new.chmod(new.stat().st_mode | 0o111)
            if sync:
                os.fsync(opened.fileno())
        new.replace(target)

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
            found |= {p.name for p in folder.iterdir() if p.is_dir() and not why_left_out(p.name)}
        trees = self.folders(shelf)
        return sorted(
            name for name in found if self._differs_now(f"{shelf}/{name}", trees.get(name, ""))
        )

    def _differs_now(self, folder: str, tree: str) -> bool:
        """Return whether a folder is not what was committed; it is read again only where it changed."""
        now = (tree, stamp(self.root / folder, self._clock()))
        if now[1] is None:
            return self._differs(folder)
        known = self._looked_at.get(folder)
        if known is None or known[0] != now:
            known = self._looked_at[folder] = (now, self._differs(folder))
        return known[1]

    def _differs(self, folder: str) -> bool:
        """Return whether a folder is not what was committed, without what is no part of a skill."""
        committed = self.files(folder)
        kept = {path: f for path, f in committed.items() if not why_left_out(path, f.data)}
        try:
            return read_files(self.root / folder) != kept
        except BadSkill:
            return bool(committed) or (self.root / folder).exists()
