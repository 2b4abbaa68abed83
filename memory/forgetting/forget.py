"""Forgetting: an episode and everything derived from it is gone, and the same evidence is refused later."""

from ...envs.errors import UsageError
from ...envs.types import Record
from ..ledger.content_id import evidence_of
from ..ledger.events import Forgotten, Recalled
from ..ledger.ledger import Entry
from ..ledger.records import EpisodeCase
from ..store.store import Store
from .explain import find_case
from .made_from import derived_from, remove_derived


class Forgetting(Record):
    """What goes, or would go, with one episode."""

    episode: str
    case: str
    """Id of the episode's case."""
    task_id: str
    steps: int
    """Step cases derived from it."""
    events: int
    """Events that lose their content."""
    dependants: tuple[str, ...]
    """Episodes whose decisions saw its cases; they stay, and are flagged."""
    derived: tuple[str, ...] = ()
    """Folders of the store that were made from it (projections of SoftCoT, caches); they go."""
    done: bool


def forget(
    store: Store,
    case_id: str,
    *,
    cascade: bool = False,
    dry_run: bool = False,
    reason: str = "",
    actor: str = "person",
) -> Forgetting:
    """Forget the episode of a case: its events' content, its cases, their vectors, its cached embedding.

    Afterwards the state is, bit for bit, that of a ledger which never held the episode. A tombstone (a hash)
    stays, and refuses the same actions in the same task. A step is forgotten with its whole episode.

    Args:
        store: Open for writing, unless `dry_run`.
        case_id: Id of an episode or step case, or its beginning.
        cascade: Also when other things depend on it: its steps' cases, episodes that saw them.
        dry_run: Only say what would go.
        reason: Kept in the ledger; must not repeat what is to be forgotten.
        actor: Who asks.

    Raises:
        UnknownCase: No case has this id.
        UsageError: Something is derived from it and `cascade` was not said.
    """
    whole = _evicted(store, case_id)
    if whole is None:
        case = find_case(store, case_id)
        held = case if isinstance(case, EpisodeCase) else store.whole(case.episode)
        assert held is not None  # a case is held with its episode
        whole = held
    derived = {c.id for c in store.records() if c.episode == whole.episode}
    steps = [c for c in store.steps.values() if c.episode == whole.episode]
    dependants, events = set(), 0
    for row in store.ledger.read():
        if row.episode == whole.episode:
            events += row.event is not None
        elif isinstance(row.event, Recalled) and derived & {item.case for item in row.event.shown}:
            dependants.add(row.episode)
    found = Forgetting(
        episode=whole.episode,
        case=whole.id,
        task_id=whole.task_id,
        steps=len(steps),
        events=events,
        dependants=tuple(sorted(dependants)),
        derived=tuple(
            str(path.relative_to(store.folder))
            for path in derived_from(store.folder, whole.episode)
        ),
        done=not dry_run,
    )
    if dry_run:
        return found
    if not cascade and (steps or dependants):
        raise UsageError(
            f"{len(steps)} step cases are derived from {whole.id}, and {len(dependants)} episodes saw "
            "them; nothing was forgotten",
            hint="Say --cascade to forget it with them, or --dry-run to see what would go.",
        )
    event = Forgotten(
        target=whole.episode,
        evidence=evidence_of(whole.task_id, whole.actions),
        dependants=found.dependants,
        reason=reason,
    )
    remove_derived(
        store.folder, whole.episode
    )  # first: a kill may leave too little, never too much
    why = Entry(f"forget/{whole.episode}", "forget", "", event, actor=actor, origin="person")
    store.forget(whole, why)
    return found


def _evicted(store: Store, name: str) -> EpisodeCase | None:
    """Return the evicted episode whose id, or that of one of its cases, begins with `name`, if it is one."""
    sources = store.fold.sources.items()
    found = {e for e in store.evicted if e.startswith(name)} | {
        e for i, e in sources if e in store.evicted and i.startswith(name)
    }
    if not name or len(found) != 1:
        return None
    derived = store.derived(found.pop())
    return next((record for record in derived if isinstance(record, EpisodeCase)), None)
