"""The environments of one agent, opened once each; a changed tool is noticed when its environment opens."""

from ..envs.base import Environment
from ..envs.errors import UsageError
from ..envs.registry import make
from ..envs.suite import Suite
from ..memory.store.store import Store
from ..memory.tools.contract_doctor import quarantine


class Environments:
    """Opens environments at first use.

    Args:
        store: What used another contract of a tool than its environment has now is quarantined in it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, Environment] = {}
        self._caps: dict[str, int] = {}

    def opened(
        self, suite: Suite | None, task_id: str = "", *, max_steps: int | None = None
    ) -> Environment:
        """Return the environment of a suite or of a task id, with its step cap set.

        Raises:
            UnknownName: There is no such environment.
        """
        name = suite.env if suite else task_id.split("/", 1)[0]
        options = dict(suite.env_options) if suite else {}
        key = f"{name}{sorted(options.items())}"
        if key not in self._open:
            self._open[key] = make(name, **options)
            self._caps[key] = self._open[key].max_steps
            quarantine(self._store, self._open[key])
        found = self._open[key]
        found.max_steps = max_steps or (suite.max_steps if suite else self._caps[key])
        return found

    def add(self, environment: Environment) -> None:
        """Take an environment that the caller made; it is closed with the others.

        Raises:
            UsageError: One of this name is open.
        """
        key = f"{environment.name}[]"
        if key in self._open:
            raise UsageError(f"there is an environment {environment.name!r} already")
        self._open[key], self._caps[key] = environment, environment.max_steps
        quarantine(self._store, environment)

    def close(self) -> None:
        """Close all of them; the next use opens them again."""
        for environment in self._open.values():
            environment.close()
        self._open.clear()
