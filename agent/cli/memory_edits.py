"""`lichen memory edit`, `pin`, `unpin`, `quarantine`, `release`: a person's hand in what is remembered."""

from typing import Annotated

import typer

from ...envs.errors import UsageError
from .options import DEFAULT, Store, out

CaseId = Annotated[
    str, typer.Argument(metavar="ID", help="Of a case or an episode, or its beginning.")
]
Reason = Annotated[str, typer.Option("--reason", help="Kept in the ledger.")]


def edit_case(
    name: CaseId,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=TEXT...",
            help="Of a step action, answer, error; of an episode goal, plan (a line a subtask); of a subtask "
            "text, result.",
        ),
    ],
    reason: Reason = "",
    store: Store = None,
) -> None:
    """Correct a case: it is found and shown by the new words, and what was learned stays in the ledger."""
    from ...memory.kinds.edited import editable
    from ...memory.store.curation import edit
    from ...memory.store.store import Store as Opened

    texts: dict[str, str] = {}
    for change in changes:
        field, found, text = change.partition("=")
        if not found:
            raise UsageError(f"{change!r} is no FIELD=TEXT")
        texts[field.strip()] = text
    with Opened(store or DEFAULT) as opened:
        case = edit(opened, name, texts, reason=reason)
    for field in texts:
        out(None).print(f"{case.id} {field}: {editable(case)[field]}", markup=False)


def pin_case(name: CaseId, reason: Reason = "", store: Store = None) -> None:
    """Keep an episode, however full the memory is."""
    _pinned(name, store, reason, on=True)


def unpin_case(name: CaseId, reason: Reason = "", store: Store = None) -> None:
    """Let a full memory let an episode go again."""
    _pinned(name, store, reason, on=False)


def quarantine_case(name: CaseId, reason: Reason = "", store: Store = None) -> None:
    """Recall nothing of an episode until it is released; --reason says why."""
    _quarantined(name, store, reason, on=True)


def release_case(name: CaseId, reason: Reason = "", store: Store = None) -> None:
    """Recall an episode again that a person quarantined."""
    _quarantined(name, store, reason, on=False)


def _pinned(name: str, store: Store, reason: str, *, on: bool) -> None:
    from ...memory.store.curation import pin
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT) as opened:
        whole = pin(opened, name, on=on, reason=reason)
    out(None).print(f"{whole.episode} is {'pinned' if on else 'not pinned'}", markup=False)


def _quarantined(name: str, store: Store, reason: str, *, on: bool) -> None:
    from ...memory.store.curation import quarantine
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT) as opened:
        whole = quarantine(opened, name, on=on, reason=reason)
        trust = opened.trust(whole)
    out(None).print(f"{whole.episode} is {trust}", markup=False)
