"""What a person does with what is remembered: correct it, pin it, quarantine it, release it.

One module for the terminal and for the pages of the inspector. Everything is an event with who did it and why;
what was learned first stays in the ledger.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from ...envs.errors import UsageError
from ..kinds.edited import EDITABLE, editable
from ..ledger.content_id import content_id
from ..ledger.curation_events import CaseEdited, EditedField, FieldChange, Pinned, Quarantined
from ..ledger.errors import EditConflict, UnknownCase
from ..ledger.ledger import Entry
from ..ledger.records import EpisodeCase, MemoryRecord
from .store import Store

_NEVER_EMPTY = {"action", "goal", "text"}


def held_named(
    store: Store, name: str, owns: Callable[[str], bool] = lambda namespace: True
) -> MemoryRecord:
    """Return the record that an id names: of a record, or of an episode, whose whole case it then is.

    Args:
        store: Where it is held.
        name: Its id, or the beginning of it.
        owns: Whether what is in a namespace may be named; what may not is as if it were not there.

    Raises:
        UnknownCase: Nothing that is held has this id, or several have ids that begin with it.
    """
    whole = store.case(name) or store.whole(name)
    if whole is not None and owns(whole.namespace):
        return whole
    fits: Sequence[Callable[[str], bool]] = (lambda t: t == name, lambda t: t.startswith(name))
    for fit in fits if name else ():
        found = {r.id: r for r in store.records() if fit(r.id) and owns(r.namespace)}
        found |= {r.id: r for r in store.episodes.values() if fit(r.episode) and owns(r.namespace)}
        if len(found) == 1:
            return found.popitem()[1]
        if found:
            raise UnknownCase(
                f"{len(found)} cases in {store.folder} have ids that begin with {name[:60]!r}"
            )
    raise UnknownCase(f"no case in {store.folder} has an id that begins with {name[:60]!r}")


def edit(
    store: Store,
    name: str,
    texts: Mapping[str, str],
    *,
    seen: Mapping[str, str] | None = None,
    actor: str = "person",
    reason: str = "",
) -> MemoryRecord:
    """Correct a case, and return it as it is now.

    Args:
        store: Open for writing.
        name: Id of the case, or its beginning.
        texts: Field -> what should stand there; of a step `action`, `answer`, `error`, of an episode `goal` and
            `plan` (a line a subtask), of a subtask `text`, `result`. What stands there already is no change.
        seen: Field -> what stood there when it was read; None: whatever stands there now.
        actor: Who corrects it.
        reason: Why.

    Raises:
        UnknownCase: Nothing that is held has this id.
        EditConflict: Somebody else changed one of these fields since it was read.
        UsageError: It has no such field, one that is needed would be empty, or nothing is changed.
    """
    record = held_named(store, name)
    now = editable(record)
    texts = {field: "\n".join(text.strip().splitlines()) for field, text in texts.items()}
    for field, text in texts.items():
        if field not in now:
            known = ", ".join(now) or "nothing"
            raise UsageError(f"{field!r} cannot be edited here; of this case can: {known}")
        if field in _NEVER_EMPTY and not text:
            raise UsageError(f"the {field} of a case cannot be empty", hint="`forget` removes it.")
    before = {f: "\n".join(text.splitlines()) for f, text in (seen or {}).items()}
    late = [f for f in texts if f in before and before[f].strip() != _lines(now[f])]
    late = [f for f in late if texts[f] != _lines(now[f])]  # both wanted the same
    if late:
        who = record.edited or "what was learned since"
        raise EditConflict(
            f"the {' and the '.join(late)} of {record.id} was changed by {who} after you read it; "
            "nothing was written",
            now={field: now[field] for field in texts},
            wanted=dict(texts),
        )
    changes = tuple(
        FieldChange(field=field, seen=now[field], text=texts[field])
        for field in get_args(EditedField)
        if field in texts and texts[field] != _lines(now[field])
    )
    if not changes:
        raise UsageError("nothing was changed: the case says this already")
    event = CaseEdited(target=record.id, changes=changes, reason=reason.strip())
    if (store.folder / "index").exists():  # what is open follows at once
        for kind in {type(one) for one in store.held.everything_of(record.episode)}:
            if kind in EDITABLE:
                store.index(kind)
    _written(store, record.episode, event, actor)
    return held_named(store, record.id)


def pin(
    store: Store, name: str, *, on: bool = True, actor: str = "person", reason: str = ""
) -> EpisodeCase:
    """Let a full memory never let an episode go, or let it again; return its case.

    Raises:
        UnknownCase: Nothing that is held has this id.
    """
    whole = _whole(store, name)
    if on != (whole.episode in store.pinned):
        _written(store, whole.episode, Pinned(on=on, reason=reason.strip()), actor)
    return whole


def quarantine(
    store: Store, name: str, *, on: bool = True, actor: str = "person", reason: str = ""
) -> EpisodeCase:
    """Recall nothing of an episode until it is released, or release it; return its case.

    Raises:
        UnknownCase: Nothing that is held has this id.
        UsageError: No reason was given, or it is not a person who quarantined it.
    """
    whole = _whole(store, name)
    apart = whole.episode in store.set_apart
    if on and not reason.strip():
        raise UsageError("say why it is not to be recalled: whoever releases it wants to know")
    if not on and not apart:
        if whole.id in store.quarantined:
            raise UsageError(
                f"the contract of a tool that {whole.episode} used changed: no person quarantined it",
                hint="`lichen memory reverify` replays it under the present contract.",
            )
        return whole
    if on != apart:
        _written(store, whole.episode, Quarantined(on=on, reason=reason.strip()), actor)
    return whole


def _whole(store: Store, name: str) -> EpisodeCase:
    found = store.whole(held_named(store, name).episode)
    if found is None:
        raise UnknownCase(f"the episode of {name!r} is not in memory")
    return found


def _lines(text: str) -> str:
    return "\n".join(text.strip().splitlines())


def _written(
    store: Store, episode: str, event: CaseEdited | Pinned | Quarantined, actor: str
) -> None:
    rows = list(store.rows_of(episode))
    count = sum(type(row.event) is type(event) for row in rows)
    # also by its words: what two copies of a store were told is told apart when they are merged
    said = content_id(event.type, actor, event.model_dump_json())
    key = f"{episode}/{event.type}-{count}-{said}"
    store.append([Entry(key, rows[0].run, episode, event, actor=actor, origin="person")])
    store.settle()
