"""A person's hand in memory: correct a case, pin it, quarantine and release it, look before it is forgotten."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from .....envs.errors import UsageError
from .....memory.forgetting.forget import Forgetting, forget
from .....memory.kinds.edited import editable
from .....memory.ledger.errors import EditConflict
from .....memory.ledger.records import MemoryRecord
from .....memory.store.curation import edit, pin, quarantine
from .....memory.store.store import Store
from .....skills.views import of_tasks
from ...http.keys import Key
from ..look.rendering import page
from ..seen.inspected import Inspected
from ..seen.memory_case import title_of
from ..seen.past import BeingFolded
from .callers import EditingKey, Sitting, TheInspected, actor_of, to
from .memory_page import owned_case, waits

router = APIRouter(prefix="/memory")
_SEEN = "seen-"
"""Begins the names of the hidden fields that say what stood there when the form was made."""


@router.get("/{name}/edit")
async def form(request: Request, session: Sitting, inspected: TheInspected, name: str) -> Response:
    """Show the form that corrects a case."""
    case = await inspected.look(lambda store: owned_case(store, session.key, name))
    texts = editable(case)
    return page(
        request,
        "memory_edit.html",
        session,
        case=case,
        title=title_of(case),
        now=texts,
        wanted=texts,
        reason="",
        said="",
        conflict=False,
    )


@router.post("/{name}/edit")
async def take(
    request: Request, session: Sitting, key: EditingKey, inspected: TheInspected, name: str
) -> Response:
    """Correct a case; where somebody else did meanwhile, show both texts and write nothing."""
    given = {field: str(value) for field, value in (await request.form()).items()}
    reason = given.get("reason", "")
    case = await inspected.look(lambda store: owned_case(store, key, name))
    fields = editable(case)
    wanted = {field: given[field] for field in fields if field in given}
    seen = {field: given[_SEEN + field] for field in fields if _SEEN + field in given}
    changed = {f: text for f, text in wanted.items() if _lines(text) != _lines(seen.get(f, ""))}
    said, conflict = "", False
    try:
        if not changed:
            raise UsageError("nothing was changed: the case says this already")
        await inspected.change(
            lambda store: edit(
                store, case.id, changed, seen=seen, actor=actor_of(key), reason=reason
            )
        )
    except EditConflict as error:
        said, conflict = str(error), True
    except UsageError as error:
        said = f"{error}. {error.hint}" if error.hint else str(error)
    else:
        return to(request, f"memory/{case.id}?saved=edit-{case.id}")
    return page(
        request,
        "memory_edit.html",
        session,
        409 if conflict else 400,
        case=case,
        title=title_of(case),
        now=editable(await inspected.look(lambda store: owned_case(store, key, name))),
        wanted={**fields, **wanted},
        reason=reason,
        said=said,
        conflict=conflict,
    )


@router.post("/{name}/pin")
async def pinned(
    request: Request,
    key: EditingKey,
    inspected: TheInspected,
    name: str,
    on: Annotated[str, Form()] = "",
) -> Response:
    """Let a full memory never let its episode go, or let it again."""
    case = await _owned(inspected, key, name)
    await inspected.change(lambda store: pin(store, case.id, on=bool(on), actor=actor_of(key)))
    return to(request, f"memory/{case.id}")


@router.post("/{name}/quarantine")
async def set_apart(
    request: Request,
    key: EditingKey,
    inspected: TheInspected,
    name: str,
    on: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Recall nothing of its episode until it is released, or release it."""
    case = await _owned(inspected, key, name)
    await inspected.change(
        lambda store: quarantine(store, case.id, on=bool(on), actor=actor_of(key), reason=reason)
    )
    return to(request, f"memory/{case.id}?saved=quarantine-{case.id}")


@router.get("/{name}/forget")
async def preview(
    request: Request, session: Sitting, inspected: TheInspected, name: str
) -> Response:
    """Show what would go with an episode; nothing is written."""

    case = await _owned(inspected, session.key, name)

    def found(store: Store) -> Forgetting:
        return forget(store, case.episode, dry_run=True)

    try:
        goes = await inspected.look_apart(
            f"forget/{case.episode}", found, "who saw it is being looked up in the whole ledger"
        )
    except BeingFolded as error:
        return waits(request, session, error)
    mine = [line for one in goes.dependants if (line := inspected.log.line(one)) is not None]
    return page(
        request,
        "memory_forget.html",
        session,
        case=case,
        title=title_of(case),
        goes=goes,
        dependants=[line for line in mine if session.key.owns(line.namespace)],
        skills=of_tasks(inspected.library, goes.tasks),
    )


@router.post("/{name}/forget")
async def forgotten(
    request: Request,
    key: EditingKey,
    inspected: TheInspected,
    name: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Forget its episode for good, with all that came of it."""
    case = await _owned(inspected, key, name)
    await inspected.change(
        lambda store: forget(store, case.episode, cascade=True, reason=reason, actor=actor_of(key))
    )
    return to(request, "memory")


async def _owned(inspected: Inspected, key: Key, name: str) -> MemoryRecord:
    return await inspected.look(lambda store: owned_case(store, key, name))


def _lines(text: str) -> str:
    return "\n".join(text.strip().splitlines())
