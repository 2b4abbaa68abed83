"""The records that a store holds now, by class and id, of all its modules."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar, cast

from ..ledger.records import EpisodeCase, MemoryRecord
from .module import MemoryModule, RecordKind

R = TypeVar("R", bound=MemoryRecord)


class HeldRecords:
    """Holds the records of some modules.

    Args:
        modules: Fresh ones; they are told what comes and goes.
    """

    def __init__(self, modules: Sequence[MemoryModule]) -> None:
        self.kinds: dict[type[MemoryRecord], RecordKind[Any]] = {
            kind.record: kind for module in modules for kind in module.kinds
        }
        self._module = {kind.record: module for module in modules for kind in module.kinds}
        self._held: dict[type[MemoryRecord], dict[str, MemoryRecord]] = {k: {} for k in self.kinds}
        self._wholes: dict[str, EpisodeCase] = {}
        self._of: dict[str, dict[str, MemoryRecord]] = {}
        """The records of each episode, by id."""

    def __call__(self, record: type[R], /) -> Mapping[str, R]:
        """Return the held records of a class by id, in the order in which they came; none of an unknown one."""
        return cast("Mapping[str, R]", self._held.get(record, {}))

    def all(self) -> list[MemoryRecord]:
        """Return every record, class by class."""
        return list(chain.from_iterable(held.values() for held in self._held.values()))

    def find(self, id: str) -> MemoryRecord | None:
        """Return the record of any class with an id, None when none is held."""
        found = (held[id] for held in self._held.values() if id in held)
        return next(found, None)

    def texts(self, records: Iterable[MemoryRecord]) -> set[str]:
        """Return all texts of some records of which vectors may be cached."""
        return {text for record in records for text in self.kinds[type(record)].texts(record)}

    def whole(self, episode: str) -> EpisodeCase | None:
        """Return the case of a whole episode by the episode's id, None when it is not held."""
        return self._wholes.get(episode)

    def of_episode(self, record: type[R], episode: str) -> list[R]:
        """Return the held records of a class that an episode left."""
        return [one for one in self._of.get(episode, {}).values() if type(one) is record]

    def everything_of(self, episode: str) -> list[MemoryRecord]:
        """Return the held records of an episode, of every class."""
        return list(self._of.get(episode, {}).values())

    def take(self, records: Iterable[MemoryRecord]) -> None:
        """Hold records that the modules know already (from a snapshot)."""
        for record in records:
            self._held[type(record)][record.id] = record
            self._of.setdefault(record.episode, {})[record.id] = record
            if isinstance(record, EpisodeCase):
                self._wholes[record.episode] = record

    def hold(self, records: Sequence[MemoryRecord]) -> None:
        """Hold new records, and tell their modules."""
        self.take(records)
        for kind, part in _by_class(records).items():
            self._module[kind].hold(part)

    def let_go(self, episodes: Collection[str]) -> list[MemoryRecord]:
        """Hold the records of these episodes no more, tell their modules, and return the records."""
        gone = [
            record
            for name in sorted(episodes)
            for record in self._of.pop(name, {}).values()
            if self._held[type(record)].get(record.id) is record
        ]
        for record in gone:
            del self._held[type(record)][record.id]
        for name in episodes:
            self._wholes.pop(name, None)
        for kind, part in _by_class(gone).items():
            self._module[kind].drop(part)
        return gone


def _by_class(records: Iterable[MemoryRecord]) -> dict[type[MemoryRecord], list[MemoryRecord]]:
    found: dict[type[MemoryRecord], list[MemoryRecord]] = {}
    for record in records:
        found.setdefault(type(record), []).append(record)
    return found
