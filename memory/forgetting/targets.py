"""Which episodes an id names: that of a case, an episode, a run, or the beginning of one."""

from collections.abc import Callable

from ..ledger.errors import UnknownCase
from ..ledger.ledger import LedgerRow
from ..store.store import Store


def episodes_named(store: Store, name: str) -> tuple[str, ...]:
    """Return the episodes that an id names, in their order; several only for a run.

    Episodes that were never learned from, came to no known end, were let go or forgotten are found too.

    Raises:
        UnknownCase: Nothing has this id, or several things have an id that begins with it.
    """
    if name and any(
        True for _ in store.rows_of(name)
    ):  # by its whole id: the rest need not be read
        return (name,)
    rows = list(store.ledger.read())
    episodes = list(dict.fromkeys(row.episode for row in rows if row.episode))
    runs = {row.run for row in rows if row.run}
    cases = {record.id: record.episode for record in store.records()} | store.fold.sources
    for fits in (lambda text: text == name, lambda text: text.startswith(name)):
        found = _fitting(fits, rows, episodes, runs, cases) if name else set()
        if len(found) == 1:
            return found.pop()
        if found:
            raise UnknownCase(f"{len(found)} ids in {store.folder} begin with {name!r}")
    raise UnknownCase(f"nothing in {store.folder} has an id that begins with {name!r}")


def _fitting(
    fits: Callable[[str], bool],
    rows: list[LedgerRow],
    episodes: list[str],
    runs: set[str],
    cases: dict[str, str],
) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = {(episode,) for episode in episodes if fits(episode)}
    found |= {(episode,) for case, episode in cases.items() if fits(case)}
    for run in runs:
        if fits(run):
            found.add(tuple(dict.fromkeys(r.episode for r in rows if r.run == run and r.episode)))
    return found - {()}
