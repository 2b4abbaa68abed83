"""The playbook: what a model reads before its tasks, where each rule is from, and a person's hand in it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from .....envs.errors import UsageError
from .....memory.kinds.playbook_module import Bullet
from .....memory.store.playbook import add_bullet, bullets_of, edit_bullet, take_out
from .....memory.store.store import Store
from ...http.keys import Key, NotAllowed
from ..access.signing_in import Session
from ..look.rendering import page
from ..seen.inspected import Inspected
from .callers import EditingKey, Sitting, TheInspected, actor_of, to

router = APIRouter(prefix="/playbook")


@router.get("")
async def playbook(request: Request, session: Sitting, inspected: TheInspected) -> Response:
    """List the rules of every environment."""
    return await _listed(request, session, inspected)


@router.post("")
async def add(
    request: Request,
    session: Sitting,
    key: EditingKey,
    inspected: TheInspected,
    env: Annotated[str, Form()],
    text: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Add a rule of a person's own."""
    who = _whole(key)
    try:
        await inspected.change(
            lambda store: add_bullet(store, env.strip(), text, actor=who, reason=reason)
        )
    except UsageError as error:
        return await _listed(request, session, inspected, said=str(error), wanted=text, env=env)
    return to(request, "playbook?saved=playbook-new")


@router.post("/{name}")
async def correct(
    request: Request,
    session: Sitting,
    key: EditingKey,
    inspected: TheInspected,
    name: str,
    text: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    gone: Annotated[str, Form()] = "",
) -> Response:
    """Correct a rule, or take it out; the ledger keeps what it was."""
    who = _whole(key)
    try:
        if gone:
            await inspected.change(lambda store: take_out(store, name, actor=who, reason=reason))
        else:
            await inspected.change(
                lambda store: edit_bullet(store, name, text, actor=who, reason=reason)
            )
    except UsageError as error:
        return await _listed(request, session, inspected, said=str(error), wanted=text, at=name)
    return to(request, f"playbook?saved=playbook-{name}")


async def _listed(
    request: Request,
    session: Session,
    inspected: Inspected,
    *,
    said: str = "",
    wanted: str = "",
    env: str = "",
    at: str = "",
) -> Response:
    """Return the page; `said`: what was wrong with the text that was wanted for a rule, or for a new one."""

    def found(store: Store) -> tuple[dict[str, list[Bullet]], list[str]]:
        by_env: dict[str, list[Bullet]] = {}
        for bullet in bullets_of(store):
            by_env.setdefault(bullet.env, []).append(bullet)
        return by_env, sorted({case.env for case in store.episodes.values()} | by_env.keys())

    # what was learned from everybody's episodes is not for who may see some
    by_env, envs = ({}, []) if session.key.namespace else await inspected.look(found)
    return page(
        request,
        "playbook.html",
        session,
        400 if said else 200,
        by_env=by_env,
        envs=envs,
        said=said,
        wanted=wanted,
        env=env,
        at_fault=at,
        apart=bool(session.key.namespace),
    )


def _whole(key: Key) -> str:
    """Return the name under which a change is written.

    Raises:
        NotAllowed: The key is one of a namespace; the playbook is everybody's.
    """
    if key.namespace:
        raise NotAllowed("the playbook is everybody's, and this key is one of a namespace")
    return actor_of(key)
