"""A skill's folder as it lies on a disk: regular files only, within limits, without what is no part of it."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from .errors import BadSkill
from .file_content import FileContent
from .left_out import why_left_out

LARGEST, LARGEST_IN_ALL, MOST, LONGEST_PATH = 5_000_000, 25_000_000, 5_000, 512
"""Bytes of a file and of a folder, files of a folder, bytes of a path."""


_SETTLED = 2.0
"""Seconds after which a file that is written again has another time than before, on every file system."""


def stamp(folder: Path, now: float) -> tuple[object, ...] | None:
    """Return what changes whenever anything in a folder does, without reading it.

    Args:
        folder: Of a skill.
        now: Seconds since 1970.

    Returns:
        Names, sizes, times and modes; None where that cannot be known: it is being written, or unreadable.
    """
    found: list[object] = []
    waiting = [str(folder)]
    try:
        while waiting:
            for entry in os.scandir(waiting.pop()):
                was = entry.stat(follow_symlinks=False)
                if now - max(was.st_ctime, was.st_mtime) < _SETTLED:
                    return None
                times = (was.st_mtime_ns, was.st_ctime_ns)
                found.append((entry.path, was.st_ino, was.st_size, was.st_mode, *times))
                if stat.S_ISDIR(was.st_mode):
                    waiting.append(entry.path)
    except OSError:
        return None
    return tuple(sorted(found, key=str))


def read_files(folder: Path, left_out: list[str] | None = None) -> dict[str, FileContent]:
    """Return the files of a folder by their path in it, sorted.

    Args:
        folder: Of a skill.
        left_out: Takes one sentence for each thing that is no part of the skill; None: nobody asks.

    Raises:
        BadSkill: It is no folder, or holds something that is no regular file, or too much; the file is named.
    """
    if not folder.is_dir():
        raise BadSkill(f"{folder} is no folder of a skill")
    found: dict[str, FileContent] = {}
    total = 0
    for path, name in _walk(folder, "", left_out):
        where = f"{folder.name}/{name}"
        if len(name.encode()) > LONGEST_PATH:
            raise BadSkill(f"{where[:80]}... is a path of more than {LONGEST_PATH} bytes")
        content = _read(path, where)
        total += len(content.data)
        if total > LARGEST_IN_ALL or len(found) >= MOST:
            raise BadSkill(
                f"{folder.name} holds more than {LARGEST_IN_ALL:,} bytes or {MOST:,} files"
            )
        if why := why_left_out(name, content.data):
            _note(left_out, where, why)
        else:
            found[name] = content
    return dict(sorted(found.items()))


def _walk(folder: Path, prefix: str, left_out: list[str] | None) -> Iterator[tuple[Path, str]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = prefix + entry.name
        if problem := _bad_name(entry.name):
            raise BadSkill(f"{name.encode('ascii', 'backslashreplace').decode()!r} {problem}")
        if why := why_left_out(name):
            _note(left_out, name, why)
        elif entry.is_symlink():
            raise BadSkill(f"{name} is a link: a skill is made of files")
        elif entry.is_dir():
            if os.path.lexists(os.path.join(entry.path, "pyvenv.cfg")):
                _note(left_out, name, "it is a Python environment")
            else:
                yield from _walk(Path(entry.path), f"{name}/", left_out)
        elif not entry.is_file():
            raise BadSkill(f"{name} is no regular file: a skill is made of files")
        else:
            yield Path(entry.path), name


def _bad_name(name: str) -> str:
    """Return why no library can hold a file of this name, so that it can be cloned everywhere."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "is a name that is not in UTF-8"
    if "\\" in name or any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "is a name with a backslash or a control character"
    return ""


def _read(path: Path, where: str) -> FileContent:
    try:
        found = read_regular(path)
    except OSError as error:
        raise BadSkill(f"{where} cannot be read: {error.strerror}") from error
    if len(found.data) > LARGEST:
        raise BadSkill(f"{where} is larger than {LARGEST:,} bytes")
    return found


def read_regular(path: Path) -> FileContent:
    """Return a regular file's content, cut a byte above the largest that is allowed.

    Raises:
        OSError: It cannot be read, or is a link, pipe, socket or device: none of these is waited for.
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as opened:
        mode = os.fstat(file).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file, and a skill is made of files")
        return FileContent(opened.read(LARGEST + 1), bool(mode & stat.S_IXUSR))


def _note(left_out: list[str] | None, where: str, why: str) -> None:
    if left_out is not None:
        left_out.append(f"{where} is left out: {why}")
