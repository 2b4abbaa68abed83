"""A library opened to be worked on: its admission, its jail and its environments, each made at first use."""

from pathlib import Path
from types import TracebackType

from ...envs.base import Environment
from ...envs.registry import make
from ...memory.store.store import Store
from ...skills.admission import Admission
from ...skills.jail import Jail, open_jail
from ...skills.library import Library
from ...skills.operations import PERSON, Workshop
from ...skills.skill_runner import STEPS, Runner
from ...skills.trial import OnResult
from .skill_set import SkillConfig, SkillSet

FOLDER = "skills"
"""Of the library, in a store."""


class OpenLibrary:
    """A library with all that its changes need; a context manager that closes what was opened.

    Args:
        root: Folder of the library; made when it is not there.
        level: Of the jail; None: the strongest safe one. A weaker one has to be named.
        author: Of commits.
        approve: Whether a person has to approve what passed admission.
        steps: Of one call in the environment; more fail it.
        warm: Children that the jail keeps ready.
        on_result: Told of every test that ended.
    """

    def __init__(
        self,
        root: Path,
        *,
        level: str | None = None,
        author: str = PERSON,
        approve: bool = False,
        steps: int = STEPS,
        warm: int = 0,
        on_result: OnResult | None = None,
    ) -> None:
        self.library = Library(root)
        self.workshop = Workshop(self.library, self.admission, author=author)
        self._level, self._warm = level, warm
        self._approve, self._steps, self._on_result = approve, steps, on_result
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
        return Runner(self.library.all(), self.jail, steps=self._steps)

    def admission(self) -> Admission:
        """Return admission of this library."""
        return Admission(
            self.library,
            self.runner(),
            self.environment,
            approve=self._approve,
            on_result=self._on_result,
        )

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


class AgentSkills:
    """The skills of an agent, opened when an episode first asks for them.

    Args:
        config: Dials; `on` and where the library is.
        store: Of the agent: its folder, its embedder, what its ledger says of the skills.
    """

    def __init__(self, config: SkillConfig, store: Store) -> None:
        self._config, self._store = config, store
        self._open: OpenLibrary | None = None
        self._set: SkillSet | None = None

    @property
    def offered(self) -> SkillSet | None:
        """What episodes are offered; None where skills are off or there is no library."""
        folder = self._config.library or self._store.folder / FOLDER
        if not self._config.on or not (folder / ".git").exists():
            return None
        if self._set is None:
            self._open = OpenLibrary(folder, level=self._config.jail, warm=1)
            self._set = SkillSet(
                self._open.library,
                self._open.runner,
                self._store.embedder,
                lambda: self._store.fold.uses,
                self._config,
            )
        return self._set

    def close(self) -> None:
        """Close index and jail; the next use opens them again."""
        if self._set is not None:
            self._set.close()
        if self._open is not None:
            self._open.close()
        self._set = self._open = None
