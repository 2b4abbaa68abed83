"""The protocol of memory modules: one kind of memory, in one file.

A module says which events it folds, which records it derives from an ended episode, how they are searched,
and what must not be retrieved. The store does the rest for every module alike: its records are folded again
at each opening, kept in the case table, indexed, part of the state hash and of snapshots, let go when their
episode is evicted, and gone when it is forgotten. A whole kind, which `CaseMemory.find(Lesson, ...)` reads:

    class Lesson(MemoryRecord):
        text: str

    class Lessons(MemoryModule):
        name = "lessons"
        kinds = (RecordKind("lessons", Lesson, text=lambda lesson: lesson.text),)

        def derive(self, episode: EndedEpisode) -> Sequence[MemoryRecord]:
            if episode.ended.outcome != "failure":
                return ()
            return (
                Lesson(
                    id=content_id("lesson", episode.id),
                    episode=episode.id,
                    rank=episode.rank,
                    env=episode.started.env,
                    family=episode.started.family,
                    text=episode.ended.reason,
                ),
            )
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ..ledger.content_id import content_id
from ..ledger.events import Event
from ..ledger.ledger import LedgerRow
from ..ledger.records import MemoryRecord, Trust
from ..likeness.embedder import Embedder
from ..likeness.index_shelf import Vectors
from .ended_episode import EndedEpisode

R = TypeVar("R", bound=MemoryRecord)


@dataclass(frozen=True)
class RecordKind(Generic[R]):
    """A class of records that a module derives, and how they are searched."""

    name: str
    """Names the index, for example `steps`."""
    record: type[R]
    text: Callable[[R], str] | None = None
    """The text that a record is found by; the store's embedder makes a vector of it."""
    vectors: Callable[[Sequence[R]], Vectors] | None = None
    """In the place of `text`: unit vectors of records, shape (n, d)."""
    encoder: str = ""
    """Names what makes `vectors`; vectors of two encoders never share an index."""
    others: Callable[[R], Iterable[str]] = lambda _: ()
    """Other texts of a record that are searched for; their cached vectors are forgotten with it."""

    @property
    def indexed(self) -> bool:
        """Whether these records can be searched."""
        return self.text is not None or self.vectors is not None

    def collection(self, embedder: str) -> str:
        """Return the name of the index for an embedder."""
        return f"{self.name}-{self.encoder or content_id(embedder)}"

    def texts(self, record: R) -> set[str]:
        """Return all texts of a record of which vectors may be cached."""
        return {*self.others(record), *([self.text(record)] if self.text is not None else [])}

    def encode(self, records: Sequence[R], embedder: Embedder) -> Vectors:
        """Return the unit vectors of records, shape (n, d)."""
        if self.vectors is not None:
            return self.vectors(records)
        assert self.text is not None  # only asked of what is indexed
        return embedder.encode([self.text(record) for record in records])


class Held(Protocol):
    """Gives the records of one class that are held now, by id."""

    def __call__(self, record: type[R], /) -> Mapping[str, R]:
        """Return the held records of a class."""

    def everything_of(self, episode: str) -> Iterable[MemoryRecord]:
        """Return the held records of an episode, of every class."""


class MemoryModule:
    """One kind of memory; subclass it and override what the kind needs.

    The class itself is what a store takes: `Store(folder, modules=(*installed(), Lessons))`. A package offers
    one by an entry point of the group `lichen.memory`. The store makes an object of it, without arguments,
    whenever it folds its ledger from the beginning; `fold` and `derive` must depend on nothing but the events.
    """

    name: ClassVar[str]
    """Unique among the modules of a store."""
    version: ClassVar[int] = 1
    """Raise it when other records are derived from the same events: older snapshots are then left aside."""
    kinds: ClassVar[tuple[RecordKind[Any], ...]] = ()
    """The records that it derives."""
    folds: ClassVar[tuple[type[Event], ...]] = ()
    """The events that `fold` takes."""

    def fold(self, row: LedgerRow) -> None:
        """Take one event of `folds`, in the order of the ledger: knowledge that is no record of an episode."""

    def derive(self, episode: EndedEpisode) -> Sequence[MemoryRecord]:
        """Return the records that an ended episode leaves."""
        return ()

    def hold(self, records: Sequence[MemoryRecord]) -> None:
        """Take note of records of its own that are held from now on."""

    def drop(self, records: Sequence[MemoryRecord]) -> None:
        """Take note of records of its own that are held no more: their episode was evicted."""

    def distrusted(self, held: Held) -> Mapping[str, Trust]:
        """Return the held records, by id and of any module, that must not be retrieved now."""
        return {}

    def state(self) -> dict[str, Any]:
        """Return what `fold`, `hold` and `drop` left, as JSON, for a snapshot."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
