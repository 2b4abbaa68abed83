"""A library opened to be worked on: its gate, its jail and its environments, each made at first use."""

from pathlib import Path
from types import TracebackType

from ..envs.base import Environment
from ..envs.registry import make
from ..skills.admission import Gate, GateConfig
from ..skills.jail import Jail, open_jail
from ..skills.library import Library
from ..skills.operations import PERSON, Workshop
from ..skills.runner import Runner, RunnerConfig
from ..skills.trial import OnResult

FOLDER = "skills"
"""Of the library, in a store."""


class OpenLibrary:
    """A library with all that its changes need; a context manager that closes what was opened.

    Args:
        root: Folder of the library; made when it is not there.
        level: Of the jail; None: the strongest safe one. A weaker one has to be named.
        author: Of commits.
        config: What the gate asks.
        runner: Bounds of a call.
        warm: Children that the jail keeps ready.
        on_result: Told of every test that ended.
    """

    def __init__(
        self,
        root: Path,
        *,
        level: str | None = None,
        author: str = PERSON,
        config: GateConfig | None = None,
        runner: RunnerConfig | None = None,
        warm: int = 0,
        on_result: OnResult | None = None,
    ) -> None:
        self.library = Library(root)
        self.workshop = Workshop(self.library, self.gate, author=author)
        self._level, self._warm = level, warm
        self._config, self._bounds, self._on_result = config, runner, on_result
        self._jail: Jail | None = None
        self._environments: dict[str, Environment] = {}

    @property
    def jail(self) -> Jail:
        """The jail, opened at first use.

        Raises:
            JailUnavailable: This machine lacks a wall, and no weaker level was named.
        """
        if self._jail is None:
            self._jail = open_jail(self._level, warm=self._warm)
        return self._jail

    def environment(self, name: str) -> Environment:
        """Return an environment by name, opened once.

        Raises:
            UnknownName: There is none.
        """
        if name not in self._environments:
            self._environments[name] = make(name)
        return self._environments[name]

    def runner(self) -> Runner:
        """Return a runner over the library as it is now."""
        return Runner(self.library.all(), self.jail, self._bounds)

    def gate(self) -> Gate:
        """Return the gate of this library."""
        return Gate(self.library, self.runner(), self.environment, self._config, self._on_result)

    def close(self) -> None:
        """Close jail and environments."""
        if self._jail is not None:
            self._jail.close()
            self._jail = None
        for environment in self._environments.values():
            environment.close()
        self._environments.clear()

    def __enter__(self) -> "OpenLibrary":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
