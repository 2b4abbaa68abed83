"""The vector indexes of a store: steps, whole episodes and subtasks, opened and repaired at first use."""

import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from ..kinds.derive import content_id
from ..ledger.errors import IndexBroken, StoreInUse
from ..ledger.records import Case, StepCase, SubtaskCase
from ..likeness.embedder import Embedder
from ..likeness.features import hashed
from ..likeness.vector_index import Item, VectorIndex, Vectors, set_aside

Grain = Literal["steps", "episodes", "subtasks"]

STEPS_COLLECTION = "steps-hashed-384"
"""Names the encoder too: vectors of two encoders never share a collection."""


class Said(Protocol):
    """Told what had to be repaired."""

    def __call__(self, what: str, *, level: int = logging.WARNING) -> None:
        """Take one sentence."""


def collection(grain: Grain, embedder: str) -> str:
    """Return the name of a grain's collection for an embedder."""
    return STEPS_COLLECTION if grain == "steps" else f"{grain}-{content_id(embedder)}"


def grain_of(case: Case) -> Grain:
    """Return the index that a case is in."""
    if isinstance(case, StepCase):
        return "steps"
    return "subtasks" if isinstance(case, SubtaskCase) else "episodes"


def item_of(case: Case) -> Item:
    """Return what the index has to know of a case."""
    return Item(case.id, case.env, case.rank)


def vectors_of(cases: Sequence[Case], embedder: Embedder) -> Vectors:
    """Return the vectors of cases of one grain, shape (n, d)."""
    steps = [case.state for case in cases if isinstance(case, StepCase)]
    if steps:
        return hashed(steps)
    return embedder.encode(
        [
            case.text if isinstance(case, SubtaskCase) else case.goal
            for case in cases
            if not isinstance(case, StepCase)
        ]
    )


class Indexes:
    """The indexes of one store.

    Args:
        folder: Of the store.
        embedder: Of texts.
        url: Of a Chroma server, in the place of the embedded index.
        read_only: A store that only looks has no embedded index of its own.
        said: Told what had to be repaired.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        url: str | None,
        *,
        read_only: bool,
        said: Said,
    ) -> None:
        self._folder, self._embedder, self._url = folder, embedder, url
        self._read_only, self._said = read_only, said
        self._open: dict[Grain, VectorIndex] = {}

    def opened(self, grain: Grain, held: Callable[[], Iterable[Case]]) -> VectorIndex:
        """Return the index of a grain; at its first use it is made to hold exactly what `held` gives.

        Raises:
            StoreInUse: The store was opened read-only.
            IndexBroken: The index does not answer, and cannot be made anew.
        """
        if grain in self._open:
            return self._open[grain]
        if self._read_only and self._url is None:
            raise StoreInUse("a store that was opened read-only has no index of its own")
        cases = list(held())
        by_id = {case.id: case for case in cases}
        items = [item_of(case) for case in cases]
        name = collection(grain, self._embedder.name)

        def encode(ids: Sequence[str]) -> Vectors:
            return vectors_of([by_id[i] for i in ids], self._embedder)

        try:
            index = VectorIndex(self._url or self._folder / "index", name)
            added, removed = index.repair(items, encode)
        except IndexBroken as error:
            if self._url is not None or self._open:
                raise
            aside = set_aside(self._folder)
            self._said(f"{error}; it was moved to {aside.name} and made again from the ledger")
            index = VectorIndex(self._folder / "index", name)
            added, removed = index.repair(items, encode)
        if added or removed:
            self._said(
                f"index {name}: {added} added, {removed} removed or corrected",
                level=logging.WARNING if removed else logging.INFO,  # a new index is no damage
            )
        self._open[grain] = index
        return index

    def put(self, cases: Sequence[Case]) -> None:
        """Add cases to those indexes that are open; the others get them when they are opened."""
        self._each(
            cases,
            lambda index, part: index.put(
                [item_of(case) for case in part], vectors_of(part, self._embedder)
            ),
        )

    def remove(self, cases: Sequence[Case]) -> None:
        """Take cases out of those indexes that are open."""
        self._each(cases, lambda index, part: index.remove([case.id for case in part]))

    def _each(
        self, cases: Sequence[Case], work: Callable[[VectorIndex, Sequence[Case]], None]
    ) -> None:
        for grain, index in self._open.items():
            part = [case for case in cases if grain_of(case) == grain]
            if part:
                work(index, part)

    def drop(self) -> None:
        """Delete the embedded index with what Chroma keeps of it; a server's is repaired when used next."""
        self.close()
        if self._url is None:
            for folder in (self._folder / "index", *self._folder.glob("index.broken-*")):
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Free files and connections; the next use opens them again."""
        for index in self._open.values():
            index.close()
        self._open.clear()
