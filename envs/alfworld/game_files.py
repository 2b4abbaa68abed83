"""Where the games are: the official folder, or the packed files; one index over both.

Both forms give the same ids. Games are read when they are asked for.
"""

import json
import lzma
import os
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from ..errors import BadFile, MissingData
from ..types import Split

VARIABLE = "ALFWORLD_DATA"
FOLDERS: dict[Split, str] = {"train": "train", "dev": "valid_seen", "test": "valid_unseen"}

_TASK = re.compile(r'"rhs": "(Your task is to:[^"]*)"')


@dataclass(frozen=True)
class GameFile:
    """One game as it is stored."""

    task: str
    """The goal in words, `Your task is to: ...`."""
    problem: str
    """PDDL."""
    walkthrough: tuple[str, ...]


class Games(ABC):
    """All games of the three splits."""

    @abstractmethod
    def ids(self, split: Split) -> tuple[str, ...]:
        """Return `TASK/TRIAL` of every game, sorted."""

    @abstractmethod
    def read(self, split: Split, name: str) -> GameFile:
        """Return a game.

        Raises:
            KeyError: There is no such game.
            BadFile: Its file is damaged.
        """


class OfficialGames(Games):
    """The folder `json_2.1.1` that `alfworld-download` makes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ids: dict[Split, tuple[str, ...]] = {}

    def ids(self, split: Split) -> tuple[str, ...]:
        """Return the ids of the split's folders that hold a game."""
        if split not in self._ids:
            base = self._root / FOLDERS[split]
            found = base.glob("*/*/game.tw-pddl")
            self._ids[split] = tuple(
                sorted(f"{p.parent.parent.name}/{p.parent.name}" for p in found)
            )
        return self._ids[split]

    def read(self, split: Split, name: str) -> GameFile:
        """Return a game from its file."""
        if name not in self.ids(split):
            raise KeyError(name)
        path = self._root / FOLDERS[split] / name / "game.tw-pddl"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            match = _TASK.search(data["grammar"])
            if match is None:
                raise KeyError("grammar")
            return GameFile(match[1], data["pddl_problem"], tuple(data.get("walkthrough") or ()))
        except (OSError, ValueError, KeyError) as error:
            raise BadFile(f"{path} is not an ALFWorld game: {error!r}") from error


class PackedGames(Games):
    """`alfworld_{train,valid_seen,valid_unseen}.jsonl.xz`: one game a line."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lines: dict[Split, dict[str, str]] = {}

    def _file(self, split: Split) -> Path:
        return self._root / f"alfworld_{FOLDERS[split]}.jsonl.xz"

    def _open(self, split: Split) -> dict[str, str]:
        if split not in self._lines:
            path = self._file(split)
            try:
                with lzma.open(path, "rt", encoding="utf-8") as lines:
                    self._lines[split] = {_id_of(line): line for line in lines if line.strip()}
            except FileNotFoundError as error:
                raise MissingData(
                    f"the {split} games of ALFWorld are missing: there is no {path.name}",
                    hint=_HOW,
                ) from error
            except (lzma.LZMAError, EOFError, ValueError) as error:
                raise BadFile(f"{path} is damaged: {error}") from error
        return self._lines[split]

    def ids(self, split: Split) -> tuple[str, ...]:
        """Return the ids of the split's lines."""
        return tuple(sorted(self._open(split)))

    def read(self, split: Split, name: str) -> GameFile:
        """Return a game from its line."""
        return _game(self._open(split)[name])


class MiniGames(Games):
    """The small games of our own that ship with Lichen, for tests and first steps."""

    @cached_property
    def _lines(self) -> dict[Split, dict[str, str]]:
        found: dict[Split, dict[str, str]] = {"train": {}, "dev": {}, "test": {}}
        text = files(__package__).joinpath("mini.jsonl").read_text(encoding="utf-8")
        for line in text.splitlines():
            data = json.loads(line)
            found[data["split"]][data["id"]] = line
        return found

    def ids(self, split: Split) -> tuple[str, ...]:
        """Return the ids of the split."""
        return tuple(sorted(self._lines[split]))

    def read(self, split: Split, name: str) -> GameFile:
        """Return a game."""
        return _game(self._lines[split][name])


_HOW = (
    f"Set {VARIABLE} to the folder that holds json_2.1.1 (`pip install alfworld; alfworld-download` makes "
    "it), or to a folder with the packed alfworld_*.jsonl.xz files."
)


def find_games() -> Games:
    """Return the games in the folder that $ALFWORLD_DATA names.

    Raises:
        MissingData: The variable is not set, or the folder holds no games.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        raise MissingData(f"ALFWorld's games are not here: {VARIABLE} is not set", hint=_HOW)
    root = Path(named).expanduser()
    for official in (root / "json_2.1.1", root):
        if (official / "valid_unseen").is_dir() or (official / "train").is_dir():
            return OfficialGames(official)
    if any(root.glob("alfworld_*.jsonl.xz")):
        return PackedGames(root)
    raise MissingData(f"{VARIABLE} names {root}, which holds no ALFWorld games", hint=_HOW)


def _id_of(line: str) -> str:
    """Return a packed line's id without parsing the whole line: the id is its first field."""
    start = line.index('"id"') + 4
    start = line.index('"', start) + 1
    return line[start : line.index('"', start)]


def _game(line: str) -> GameFile:
    try:
        data = json.loads(line)
        return GameFile(data["task"], data["problem"], tuple(data.get("walkthrough") or ()))
    except (ValueError, KeyError) as error:
        raise BadFile(f"a packed ALFWorld game is damaged: {error!r}") from error
