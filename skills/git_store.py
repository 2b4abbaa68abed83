"""The git objects of a library, through dulwich: trees and contents read, commits made.

Only objects, the head and the index are touched. No hook, filter, signing program or file monitor that a
repository's configuration names is ever run, and no path that a file system takes for `.git` is committed.
"""

import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..envs.types import Record
from .errors import LibraryUnwritable
from .file_content import FileContent
from .left_out import is_git

_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding"
"""Said above every .gitattributes of the library: files are what was committed, and nothing is run."""
_PACKED = 64
"""New contents from which on they are written as one pack."""
_FILE, _PROGRAM = 0o100644, 0o100755


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


class _Entry(NamedTuple):
    mode: int
    sha: bytes


class GitStore:
    """The objects of one repository.

    Args:
        root: Its folder; a repository is made when there is none.

    Raises:
        LibraryUnwritable: What is there is no repository, or cannot be read.
    """

    def __init__(self, root: Path) -> None:
        from dulwich.errors import NotGitRepository  # 0.2 s: only when a library is opened
        from dulwich.repo import Repo

        self.root = root
        try:
            self._repo: Any = Repo(str(root))
        except NotGitRepository:
            if not (root / ".git").is_file():
                Repo.init(str(root), default_branch=b"main").close()
            self._repo = Repo(str(root))
        if not (Path(self._repo.controldir()) / "HEAD").is_file():
            raise LibraryUnwritable(
                f"the library {root} is a git worktree whose repository is gone",
                hint="Repair it with `git worktree repair`, or name another folder with --library.",
            )
        self.private = Path(self._repo.controldir())
        """Where git, and Lichen beside it, keep their own files: `.git`, or that of a linked worktree."""
        self._entries = lru_cache(maxsize=4096)(self._read_tree)  # a tree never changes

    def guard(self) -> None:
        """Say above all attributes of the tree that no filter is run."""
        path = Path(self._repo.commondir()) / "info" / "attributes"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if _ATTRIBUTES not in lines:
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join([*lines, _ATTRIBUTES, ""]), encoding="utf-8")

    def head(self) -> str:
        """Return the last commit, empty when there is none."""
        try:
            return str(self._repo.head().decode())
        except KeyError:
            return ""

    def folders(self, shelf: str, commit: str | None = None) -> dict[str, str]:
        """Return the folders in a folder, with the hash of what is in each, sorted."""
        found = self._entry(shelf, commit)
        entries = self._entries(found.sha) if found and stat.S_ISDIR(found.mode) else {}
        return {
            name.decode("utf-8", "replace"): entry.sha.decode()
            for name, entry in sorted(entries.items())
            if stat.S_ISDIR(entry.mode)
        }

    def files(self, folder: str, commit: str | None = None) -> dict[str, FileContent]:
        """Return the committed files under a folder by their path in it; empty when there are none.

        Args:
            folder: Path in the repository.
            commit: As of when; None: the last.
        """
        found = self._entry(folder, commit)
        if found is None or not stat.S_ISDIR(found.mode):
            return {}
        return dict(self._walk(found.sha, ""))

    def _walk(self, tree: bytes, prefix: str) -> Iterator[tuple[str, FileContent]]:
        for name, entry in self._entries(tree).items():
            path = prefix + name.decode("utf-8", "surrogateescape")
            if stat.S_ISDIR(entry.mode):
                yield from self._walk(entry.sha, f"{path}/")
            elif stat.S_ISREG(entry.mode):
                yield path, self._content(entry)

    def _read_tree(self, sha: bytes) -> dict[bytes, _Entry]:
        return {e.path: _Entry(e.mode, e.sha) for e in self._repo[sha].items()}

    def _content(self, entry: _Entry) -> FileContent:
        return FileContent(self._repo[entry.sha].data, bool(entry.mode & stat.S_IXUSR))

    def _entry(self, path: str, commit: str | None = None) -> _Entry | None:
        at = commit or self.head()
        if not at:
            return None
        try:
            found = _Entry(stat.S_IFDIR, self._repo[at.encode()].tree)
            for part in [p for p in path.split("/") if p]:
                if not stat.S_ISDIR(found.mode):
                    return None
                found = self._entries(found.sha)[part.encode()]
        except (KeyError, UnicodeEncodeError):
            return None
        return found

    def committed(self, path: str, commit: str | None = None) -> FileContent | None:
        """Return a committed file (last, or as of a commit), None when there is none."""
        found = self._entry(path, commit)
        return self._content(found) if found is not None and stat.S_ISREG(found.mode) else None

    def changed(self, files: Mapping[str, FileContent | None]) -> dict[str, FileContent | None]:
        """Return those of these files that are not what was committed."""
        return {path: file for path, file in files.items() if self._entry(path) != _entry_of(file)}

    def commit(
        self, files: Mapping[str, FileContent | None], message: str, author: str, now: float
    ) -> None:
        """Commit exactly these files over the last commit: what somebody staged by hand is no part of it.

        Raises:
            OSError: The disk refuses, or somebody else committed meanwhile.
        """
        from dulwich.object_store import commit_tree_changes
        from dulwich.objects import Commit, Tree

        store, head = self._repo.object_store, self.head().encode()
        blobs = {_blob(file).id: _blob(file) for file in files.values() if file is not None}
        if len(blobs) > _PACKED:
            store.add_objects([(blob, None) for blob in blobs.values()])
        else:
            for blob in blobs.values():
                store.add_object(blob)
        tree: Any = self._repo[self._repo[head].tree] if head else Tree()
        gone: list[Any] = [(path.encode(), None, None) for path in files if files[path] is None]
        came: list[Any] = [
            (path.encode(), *entry) for path, file in files.items() if (entry := _entry_of(file))
        ]
        for changes in (gone, came):  # first what goes: a file may take the place of a folder
            tree = self._repo[commit_tree_changes(store, tree, changes)]
        made = Commit()
        made.tree = tree.id
        parents: Any = [head] if head else []
        made.parents = parents
        made.author = made.committer = f"{author} <{author.replace(' ', '.')}@lichen>".encode()
        made.author_time = made.commit_time = int(now)
        made.author_timezone = made.commit_timezone = 0
        made.message = message.encode("utf-8", "backslashreplace")
        store.add_object(made)
        refs = self._repo.refs
        if not (
            refs.set_if_equals(b"HEAD", head, made.id)
            if head
            else refs.add_if_new(b"HEAD", made.id)
        ):
            raise OSError("somebody else committed to it meanwhile")

    def stage(self, paths: Iterable[str]) -> None:
        """Make the index say of these paths what was committed, so that git sees no difference."""
        from dulwich.index import index_entry_from_stat

        index = self._repo.open_index()
        for path in paths:
            entry, place = self._entry(path), self.root / path
            if entry is not None and place.is_file():
                index[path.encode()] = index_entry_from_stat(place.lstat(), entry.sha, entry.mode)
            elif path.encode() in index:
                del index[path.encode()]
        index.write()

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
            names = {(c.new or c.old).path.decode("utf-8", "surrogateescape") for c in changes}
            found.append(
                Revision(
                    commit=commit.id.decode(),
                    author=commit.author.decode("utf-8", "replace").rpartition(" <")[0],
                    at=float(commit.commit_time),
                    message=commit.message.decode("utf-8", "replace").strip(),
                    paths=tuple(sorted(names)),
                )
            )
        return found


def check_path(path: str) -> None:
    """Raise LibraryUnwritable where a path is no place in a library: outside it, or git's own."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or is_git(part) or "\0" in part for part in parts):
        raise LibraryUnwritable(f"{path!r} is no place in the library; nothing was written")


def _blob(file: FileContent) -> Any:
    from dulwich.objects import Blob

    return Blob.from_string(file.data)


def _entry_of(file: FileContent | None) -> _Entry | None:
    if file is None:
        return None
    return _Entry(_PROGRAM if file.executable else _FILE, _blob(file).id)
