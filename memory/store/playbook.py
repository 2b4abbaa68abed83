"""What is done with the bullets of a playbook: promoted, added, corrected, taken out; all are events."""

from collections.abc import Sequence

from ...envs.errors import UsageError
from ..kinds.playbook_module import Bullet, PlaybookModule, bullet_id, episode_of
from ..ledger.content_id import content_id
from ..ledger.errors import UnknownCase
from ..ledger.events import Origin
from ..ledger.ledger import Entry
from ..ledger.playbook_event import BulletWritten
from .store import Store

RUN = "playbook"
LONGEST = 600
"""Characters of a bullet at most: it is read before every task."""


def bullets_of(store: Store, env: str = "") -> tuple[Bullet, ...]:
    """Return the bullets of an environment, or of all, in the order in which they were written."""
    held = store.module(PlaybookModule)
    return held.of(env) if env else tuple(held.bullets.values())


def bullet_named(store: Store, name: str) -> Bullet:
    """Return the bullet that an id, or the beginning of one, names.

    Raises:
        UnknownCase: There is none, or there are several.
    """
    found = [bullet for bullet in bullets_of(store) if name and bullet.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownCase(f"{len(found)} bullets have ids that begin with {name[:60]!r}")
    raise UnknownCase(
        f"no bullet in {store.folder} has an id that begins with {name[:60]!r}",
        hint="`lichen memory playbook ls` lists them.",
    )


def promote(
    store: Store,
    env: str,
    bullets: Sequence[tuple[str, Sequence[str]]],
    *,
    gain: tuple[float, float, float],
    tasks: int,
    reason: str,
) -> tuple[Bullet, ...]:
    """Make these the learned bullets of an environment; what people wrote or corrected stays as it is.

    Args:
        store: Open for writing.
        env: Name of the environment.
        bullets: (text, episodes that it was learned from) pairs.
        gain: On held-out tasks: mean and 95% interval.
        tasks: How many those were.
        reason: Kept in the ledger.
    """
    now = {bullet_id(env, text) for text, _ in bullets}
    for old in bullets_of(store, env):
        if old.id not in now and not old.by:
            _write(
                store,
                old.id,
                BulletWritten(env=env, text="", reason=reason),
                actor="agent",
                origin="own",
            )
    held = {bullet.id for bullet in bullets_of(store, env)}
    for text, evidence in bullets:
        name = bullet_id(env, text)
        if name in held:
            continue
        event = BulletWritten(
            env=env,
            text=text,
            evidence=tuple(evidence),
            gain=gain,
            tasks=tasks,
            reason=reason,
        )
        _write(store, name, event, actor="agent", origin="own")
    return bullets_of(store, env)


def add_bullet(
    store: Store, env: str, text: str, *, actor: str = "person", reason: str = ""
) -> Bullet:
    """Add a person's own bullet.

    Raises:
        UsageError: It says nothing, is too long, or is there already.
    """
    said = _checked(text)
    name = bullet_id(env, said)
    if any(bullet.text == said for bullet in bullets_of(store, env)):
        raise UsageError(f"the playbook of {env} says this already")
    _write(store, name, BulletWritten(env=env, text=said, reason=reason), actor=actor)
    return bullet_named(store, name)


def edit_bullet(
    store: Store, name: str, text: str, *, actor: str = "person", reason: str = ""
) -> Bullet:
    """Correct a bullet; it keeps its id and what it was learned from.

    Raises:
        UnknownCase: There is none.
        UsageError: It would say nothing, is too long, or says this already.
    """
    bullet, said = bullet_named(store, name), _checked(text)
    if bullet.text == said:
        raise UsageError("nothing was changed: the bullet says this already")
    _write(store, bullet.id, BulletWritten(env=bullet.env, text=said, reason=reason), actor=actor)
    return bullet_named(store, bullet.id)


def take_out(store: Store, name: str, *, actor: str = "person", reason: str = "") -> Bullet:
    """Take a bullet out of the playbook, and return it as it was; the ledger keeps it.

    Raises:
        UnknownCase: There is none.
    """
    bullet = bullet_named(store, name)
    _write(store, bullet.id, BulletWritten(env=bullet.env, text="", reason=reason), actor=actor)
    return bullet


def _checked(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise UsageError(
            "a bullet cannot be empty", hint="`lichen memory playbook rm` takes it out."
        )
    if len(said) > LONGEST:
        raise UsageError(f"a bullet has at most {LONGEST} characters, and this has {len(said)}")
    return said


def _write(
    store: Store,
    name: str,
    event: BulletWritten,
    *,
    actor: str = "person",
    origin: Origin = "person",
) -> None:
    event = event.model_copy(update={"learned": store.ranks})
    episode = episode_of(name)
    count = sum(1 for _ in store.rows_of(episode))
    key = f"{episode}/{count}-{content_id(actor, event.model_dump_json())}"
    store.append([Entry(key, RUN, episode, event, actor=actor, origin=origin)])
    store.settle()
