"""Who calls, and work on the agent's own loop: what the routes have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from ....memory.ledger.errors import UnknownCase
from ....memory.ledger.events import EpisodeStarted
from ....memory.store.store import Store
from ...agent import Agent
from ..skill_shelf import SkillShelf
from .keys import Key, Scope

T = TypeVar("T")
_bearer = HTTPBearer(auto_error=False, description="A key of `lichen serve keys add`.")


@dataclass
class Served:
    """An agent that is served."""

    agent: Agent
    name: str
    """As a model."""
    shelf: SkillShelf | None = None
    """Its skills, opened at first use."""

    async def on_loop(self, work: Callable[[], T]) -> T:
        """Do something with the store, where nothing else is done with it meanwhile."""

        async def done() -> T:
            return work()

        return await self.agent.inside.opened.loop.wait(done())


def of(request: Request) -> Served:
    """Return the agent that is served."""
    found: Served = request.app.state.served
    return found


def _may(scope: Scope) -> Any:
    def checked(request: Request, _: Annotated[Any, Depends(_bearer)]) -> Key:
        key: Key = request.scope["state"]["key"]
        key.must(scope)
        return key

    return Depends(checked)


TheAgent = Annotated[Served, Depends(of)]
Asking = Annotated[Key, _may("ask")]
Reading = Annotated[Key, _may("read")]
Editing = Annotated[Key, _may("edit")]


def started(store: Store, episode: str, key: Key) -> EpisodeStarted:
    """Return how an episode began that a key may act for.

    Raises:
        UnknownCase: There is none of this id, as far as the key sees.
    """
    began = store.started(episode)
    if began is not None and key.owns(began.namespace):
        return began
    raise UnknownCase(f"no episode {episode!r} is here", hint="Give the id of an answer, whole.")
