"""Forgetting: an episode and everything derived from it is gone, and the same evidence is refused later."""

from collections.abc import Sequence
from typing import NamedTuple

from ...envs.errors import UsageError
from ...envs.types import Record
from ..kinds.playbook_module import PlaybookModule
from ..ledger.content_id import evidence_of
from ..ledger.events import EpisodeStarted, Forgotten, Recalled, Stepped
from ..ledger.ledger import Entry
from ..ledger.records import StepCase
from ..store.made_from import derived_from
from ..store.store import Store
from .targets import episodes_named


class Forgetting(Record):
    """What goes, or would go, with one episode or with all of a run."""

    episodes: tuple[str, ...]
    tasks: tuple[str, ...]
    """Ids of their tasks, as far as they are known still."""
    steps: int
    """Step cases derived from them."""
    events: int
    """Events that lose their content; 0 when they were forgotten before."""
    dependants: tuple[str, ...]
    """Episodes whose decisions saw their cases, which stay and are flagged; bullets of the playbook that were
    learned from them, which go (`playbook-ID`)."""
    derived: tuple[str, ...] = ()
    """Folders of the store that were made from them (projections of SoftCoT, caches); they go."""
    done: bool


class _Content(NamedTuple):
    """What the ledger still says of the episodes that are to be forgotten."""

    tasks: dict[str, str]
    """Episode -> its task."""
    actions: dict[str, list[str]]
    events: int
    dependants: dict[str, set[str]]
    """Episode -> those that saw its cases."""


def forget(
    store: Store,
    name: str,
    *,
    cascade: bool = False,
    dry_run: bool = False,
    reason: str = "",
    actor: str = "person",
) -> Forgetting:
    """Forget episodes: their events' content, their cases, the vectors, the cached embeddings.

    Afterwards the state is, bit for bit, that of a ledger which never held them. Tombstones (hashes) stay, and
    refuse the same actions in the same task. A step is forgotten with its whole episode. A kill leaves either
    everything or nothing that can be read: what lies outside the ledger goes at the next opening at the latest.

    Args:
        store: Open for writing, unless `dry_run`.
        name: Id of a case, an episode or a run, or its beginning; whether or not it was learned from.
        cascade: Also when other things depend on it: its steps' cases, episodes that saw them.
        dry_run: Only say what would go.
        reason: Kept in the ledger; must not repeat what is to be forgotten.
        actor: Who asks.

    Raises:
        UnknownCase: Nothing has this id.
        UsageError: Something is derived from it and `cascade` was not said.
        StoreUnwritable: A folder that was made from it cannot be removed yet.
    """
    episodes = episodes_named(store, name)
    bullets = store.module(PlaybookModule).learned_from(episodes)
    content = _content(store, episodes)
    steps = sum(len(store.held.of_episode(StepCase, episode)) for episode in episodes)
    dependants = sorted({e for seen in content.dependants.values() for e in seen})
    dependants += list(bullets)
    made = {path for episode in episodes for path in derived_from(store.folder, episode)}
    found = Forgetting(
        episodes=episodes,
        tasks=tuple(dict.fromkeys(content.tasks.values())),
        steps=steps,
        events=content.events,
        dependants=tuple(dependants),
        derived=tuple(sorted(str(path.relative_to(store.folder)) for path in made)),
        done=not dry_run,
    )
    if dry_run or not content.events:
        return found
    if not cascade and (steps or dependants):
        also = f", and {len(bullets)} bullets of the playbook come from it" if bullets else ""
        raise UsageError(
            f"{steps} step cases are derived from {name}, and {len(dependants) - len(bullets)} episodes saw "
            f"them{also}; nothing was forgotten",
            hint="Say --cascade to forget it with them, or --dry-run to see what would go.",
        )
    why = [
        Entry(
            f"forget/{episode}",
            "forget",
            "",
            Forgotten(
                target=episode,
                evidence=evidence_of(
                    content.tasks.get(episode, episode), content.actions.get(episode, [])
                ),
                dependants=tuple(sorted(content.dependants.get(episode, ()))),
                reason=reason,
            ),
            actor=actor,
            origin="person",
        )
        for episode in (*episodes, *bullets)
    ]
    store.forget((*episodes, *bullets), why)
    return found


def _content(store: Store, episodes: Sequence[str]) -> _Content:
    derived = {record.id: e for e in episodes for record in store.derived(e)}
    found = _Content({}, {e: [] for e in episodes}, 0, {e: set() for e in episodes})
    events = 0
    for episode in episodes:
        for row in store.rows_of(episode):
            events += row.event is not None or bool(row.problem)
            if isinstance(row.event, EpisodeStarted):
                found.tasks[episode] = row.event.task_id
            elif isinstance(row.event, Stepped):
                found.actions[episode].append(row.event.action)
    for row in store.ledger.read(types=("recalled",)) if derived else ():
        if isinstance(row.event, Recalled) and row.episode not in found.actions:
            for item in row.event.shown:
                if item.case in derived:
                    found.dependants[derived[item.case]].add(row.episode)
    return found._replace(events=events)
