"""Skills as an MCP server gives them: their admitted files, and a run in the jail."""

import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...envs.errors import EpisodeOver, UsageError
from ...envs.types import Fact, Outcome, Record
from ...memory.likeness.embedder import Embedder
from ..skill_actions.open_library import OpenLibrary
from .skill_shelf import FoundSkill, SkillShelf


class SkillRan(Record):
    """What a run of a skill came to."""

    skill: str
    """`name@version`."""
    outcome: Outcome
    """By its postconditions; unknown where the jail or the environment broke."""
    reason: str
    actions: tuple[str, ...]
    seen: str
    """What is seen in the environment afterwards."""
    won: bool
    score: float


class McpSkills:
    """A skill library behind a server.

    Args:
        root: Folder of the library; it need not be there.
        embedder: Of texts.
        level: Of the jail; None: the strongest safe one.
    """

    def __init__(self, root: Path, embedder: Embedder, *, level: str | None = None) -> None:
        self._root, self._level = root, level
        self._shelf = SkillShelf(root, embedder)
        self._looking, self._running = threading.RLock(), threading.RLock()
        """Two, so that nobody who looks waits for a skill that runs."""
        self._open: OpenLibrary | None = None
        self._head = ""
        self.folder = Path(tempfile.mkdtemp(prefix="lichen-skills-"))
        """The admitted skills as folders, as they were committed: no edit past admission is in it."""
        self.refresh()

    def refresh(self) -> None:
        """Make the folders what the library holds now."""
        with self._looking:
            library = self._shelf.library
            head = library.repository.head() if library is not None else ""
            if library is None or head == self._head:
                return
            for old in self.folder.iterdir():
                shutil.rmtree(old)
            for name in self._shelf.all():
                for path, content in self._shelf.files(name).items():
                    file = self.folder / name / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content.data)
                    file.chmod(0o700 if content.executable else 0o600)
            self._head = head

    def search(self, query: str, env: str, k: int) -> list[FoundSkill]:
        """Return at most k skills that a text asks for; see `SkillShelf.search`."""
        with self._looking:
            return self._shelf.search(query, env=env, k=k)

    def run(
        self, name: str, arguments: Mapping[str, Fact], task: str, before: Sequence[str]
    ) -> SkillRan:
        """Run a skill in the jail, in the environment of a task, from its beginning.

        Args:
            name: `name` or `name@version`.
            arguments: By parameter.
            task: Id of a task of the skill's environment.
            before: Actions that are taken first.

        Raises:
            UnknownSkill: There is none.
            UsageError: It is instructions, or the task is none of its environment.
            JailUnavailable: This machine lacks a wall of the jail.
        """
        with self._looking:
            skill = self._shelf.get(name)
        with self._running:
            if not skill.runnable:
                raise UsageError(
                    f"{skill.name} is instructions and cannot be run",
                    hint=f"Read the resource skill://{skill.name}/SKILL.md and follow it.",
                )
            env = skill.contract.env
            if task.partition("/")[0] != env:
                raise UsageError(
                    f"{skill.name} acts in the environment {env!r}, so a task of it is needed",
                    hint=f"Give `task`, for example {_example(skill.tests, env)!r}.",
                )
            if self._open is None:
                self._open = OpenLibrary(self._root, level=self._level)
            environment = self._open.environment(env)
            environment.reset(task)
            for action in before:
                done = environment.step(action)
                if done.terminated or done.truncated:
                    raise EpisodeOver(f"the task {task} ended with {action!r}, before the skill")
            result = self._open.runner().call(skill, arguments, environment)
            seen = environment.seen()
            return SkillRan(
                skill=result.skill,
                outcome=result.outcome,
                reason=result.reason,
                actions=result.actions,
                seen=seen.text,
                won=seen.won,
                score=seen.score,
            )

    def close(self) -> None:
        """Close jail and environments, and remove the folders."""
        if self._open is not None:
            self._open.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _example(tests: Sequence[Any], env: str) -> str:
    return tests[0].task_id if tests else f"{env}/..."
