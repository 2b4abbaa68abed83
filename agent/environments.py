"""The environments of one agent; a changed tool is noticed when its environment opens.

One instance serves one episode: episodes at the same time have instances of their own, or wait for each other.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from ..envs.base import Environment
from ..envs.errors import UsageError
from ..envs.registry import located, make
from ..envs.suite import Suite
from ..memory.store.store import Store
from ..memory.tools.contract_doctor import quarantine

_WAIT = 0.02
"""Seconds after which a busy environment is looked at again."""


class Environments:
    """Opens environments at first use.

    Args:
        store: What used another contract of a tool than its environment has now is quarantined in it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, list[Environment]] = {}
        """The instances of each, the first one first."""
        self._caps: dict[str, int] = {}
        self._busy: set[int] = set()
        """`id` of those that serve an episode."""
        self._lock = threading.Lock()

    def opened(
        self, suite: Suite | None, task_id: str = "", *, max_steps: int | None = None
    ) -> Environment:
        """Return the environment of a suite or of a task id, with its step cap set.

        Raises:
            UnknownName: There is no such environment.
        """
        key = self._key(suite, task_id)
        with self._lock:
            found = self._open[key][0]
            if id(found) not in self._busy:
                self._cap(key, found, suite, max_steps)
        return found

    @asynccontextmanager
    async def lent(
        self,
        suite: Suite | None,
        task_id: str = "",
        *,
        max_steps: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[Environment]:
        """Lend an instance to one episode: a free one, else one of its own, else the first that is free again.

        Args:
            suite: Whose environment, with its options; None: that of the task id.
            task_id: Begins with the environment's name; not needed with a suite.
            max_steps: Step cap; the suite's or the environment's own when None.
            options: That it is opened with, where no suite has them.

        Raises:
            UnknownName: There is no such environment.
        """
        key = self._key(suite, task_id, options)
        while (found := self._taken(key)) is None:
            await asyncio.sleep(_WAIT)  # its user may be in another thread, or another event loop
        try:
            self._cap(key, found, suite, max_steps)
            yield found
        finally:
            with self._lock:
                self._busy.discard(id(found))

    def _key(
        self, suite: Suite | None, task_id: str, options: Mapping[str, Any] | None = None
    ) -> str:
        """Return the key of an environment, which is opened where it is not."""
        name = suite.env if suite else located(task_id)[0]
        options = dict(suite.env_options if suite else options or {})
        key = f"{name}{sorted(options.items())}"
        with self._lock:
            if key not in self._open:
                self._keep(key, make(name, **options))
        return key

    def _taken(self, key: str) -> Environment | None:
        with self._lock:
            held = self._open[key]
            found = next((one for one in held if id(one) not in self._busy), None)
            if found is None and (found := held[0].another()) is not None:
                held.append(found)
            if found is not None:
                self._busy.add(id(found))
            return found

    def _keep(self, key: str, environment: Environment) -> None:
        self._open[key], self._caps[key] = [environment], environment.max_steps
        quarantine(self._store, environment)

    def _cap(
        self, key: str, found: Environment, suite: Suite | None, max_steps: int | None
    ) -> None:
        found.max_steps = max_steps or (suite.max_steps if suite else self._caps[key])

    def add(self, environment: Environment) -> None:
        """Take an environment that the caller made; it is closed with the others.

        Raises:
            UsageError: One of this name is open.
        """
        key = f"{environment.name}[]"
        if key in self._open:
            raise UsageError(f"there is an environment {environment.name!r} already")
        self._keep(key, environment)

    def close(self) -> None:
        """Close all of them; the next use opens them again."""
        for environment in chain.from_iterable(self._open.values()):
            environment.close()
        self._open.clear()
