"""All cases of one grain as columns of numbers: filters, counts and pages of 100,000 take milliseconds."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from .....memory.ledger.namespaces import EVERYONE
from .....memory.ledger.records import EpisodeCase, MemoryRecord, StepCase, SubtaskCase
from .....memory.store.store import Store

GRAINS: dict[str, type[MemoryRecord]] = {
    "episodes": EpisodeCase,
    "steps": StepCase,
    "subtasks": SubtaskCase,
}
FACETS = ("env", "family", "source", "trust", "namespace", "hand")
"""What a list can be narrowed by; `hand`: what a person did with it."""
Codes = NDArray[np.int32]


class FacetCount(NamedTuple):
    """One value of a facet."""

    value: str
    n: int
    chosen: bool


class CasePage(NamedTuple):
    """One page of a list."""

    ids: list[str]
    """The newest first."""
    total: int
    """Cases that fit, on all pages."""
    older: int | None
    """`before` of the next page; None: there is none."""
    facets: dict[str, list[FacetCount]]
    """Counts of each facet under the other filters, the most first."""


class CaseColumns:
    """The cases of one grain at one moment, the oldest first.

    Args:
        store: Where they are.
        grain: Of `GRAINS`.
    """

    def __init__(self, store: Store, grain: str) -> None:
        held = list(store.held(GRAINS[grain]).values())
        ranks = np.fromiter((case.rank for case in held), np.int64, len(held))
        cases = [held[i] for i in np.argsort(ranks, kind="stable").tolist()]
        self.ids = [case.id for case in cases]
        self._values: dict[str, list[str]] = {}
        self._codes: dict[str, Codes] = {}
        sources = [str(getattr(case, "source", "")) for case in cases]
        usual = {"demonstration": "verified"}
        trusted, pinned = store.quarantined, store.pinned
        self._column("env", [case.env for case in cases])
        self._column("family", [case.family for case in cases])
        self._column("source", sources)
        self._column("namespace", [case.namespace for case in cases])
        self._column(
            "trust",
            [
                trusted.get(i) or usual.get(source, "observed")
                for i, source in zip(self.ids, sources, strict=True)
            ],
        )
        self._column("hand", [_hand(case, pinned) for case in cases])

    def _column(self, name: str, said: Sequence[str]) -> None:
        known: dict[str, int] = {}
        codes = [known.setdefault(value, len(known)) for value in said]
        self._codes[name], self._values[name] = np.array(codes, np.int32), list(known)

    def page(
        self,
        chosen: Mapping[str, str],
        owns: Callable[[str], bool],
        *,
        before: int | None,
        most: int,
    ) -> CasePage:
        """Return a page of the cases that have the chosen values.

        Args:
            chosen: Facet -> value.
            owns: Whether cases of a namespace may be seen.
            before: Place from which on nothing is shown; None: the newest page.
            most: Cases of a page.
        """
        seen = [code for code, space in enumerate(self._values["namespace"]) if owns(space)]
        allowed = np.isin(self._codes["namespace"], seen)
        masks = {
            name: self._codes[name] == self._code(name, value)
            for name, value in chosen.items()
            if name in FACETS and value
        }
        fits = allowed.copy()
        for mask in masks.values():
            fits &= mask
        found = np.flatnonzero(fits)
        end = len(found) if before is None else int(np.searchsorted(found, before))
        shown = found[max(0, end - most) : end][::-1].tolist()
        return CasePage(
            ids=[self.ids[i] for i in shown],
            total=len(found),
            older=shown[-1] if shown and end > most else None,
            facets={
                name: self._counts(name, allowed, masks, chosen.get(name, "")) for name in FACETS
            },
        )

    def _counts(
        self,
        name: str,
        allowed: NDArray[np.bool_],
        masks: Mapping[str, NDArray[np.bool_]],
        chosen: str,
    ) -> list[FacetCount]:
        fits = allowed.copy()
        for other, mask in masks.items():
            if other != name:
                fits &= mask
        counts = np.bincount(self._codes[name][fits], minlength=len(self._values[name]))
        told = [
            FacetCount(value, int(count), value == chosen)
            for value, count in zip(self._values[name], counts, strict=True)
            if value and (count or value == chosen)
        ]
        return sorted(told, key=lambda one: (-one.n, one.value))

    def _code(self, name: str, value: str) -> int:
        values = self._values[name]
        return values.index(value) if value in values else -1


def _hand(case: MemoryRecord, pinned: Mapping[str, str]) -> str:
    return " and ".join(
        word for word, on in (("edited", case.edited), ("pinned", case.episode in pinned)) if on
    )


class CaseLists:
    """The columns of a store that is looked at, made again when something was written."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[ref[Store], int, CaseColumns]] = {}

    def of(self, store: Store, grain: str) -> CaseColumns:
        """Return the columns of a grain as they are now."""
        kept = self._kept.get(grain)
        if kept is not None and kept[0]() is store and kept[1] == store.fold.seq:
            return kept[2]
        made = CaseColumns(store, grain)
        self._kept[grain] = ref(store), store.fold.seq, made
        return made

    def count(self, store: Store, grain: str, owns: Callable[[str], bool]) -> int:
        """Return how many cases of a grain are in namespaces that may be seen."""
        if owns(EVERYONE):
            return len(store.held(GRAINS[grain]))
        return self.of(store, grain).page({}, owns, before=None, most=0).total
