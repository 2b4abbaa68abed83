"""The protocol every environment keeps, and its thin gymnasium view.

An adapter implements four methods; what an agent does with them is not known here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, SupportsFloat

import gymnasium
from gymnasium import spaces

from .errors import EpisodeOver, UnknownName, UsageError
from .journal import Journal
from .tools import Call, ToolSpec, read_call, worded_call, write_call
from .types import SPLITS, ActionMode, Fact, Measure, Observation, Split, Task, Transition


class Environment(ABC):
    """A text environment: text in, text out, tasks by stable id.

    Rules every adapter keeps (`lichen.envs.checker` tests them): an action that is not admissible is a
    step with a message, never an exception; `admissible` is sorted; the same task, seed and actions give
    the same observations; a broken back end raises `EnvironmentFault`.
    """

    name: str
    action_mode: ClassVar[ActionMode] = "choice"
    deterministic: ClassVar[bool] = True
    version: ClassVar[str] = "1"
    """Raised when actions get another form or meaning: what was learned under the old is quarantined then."""
    measure: ClassVar[Measure] = "success"
    blocks: ClassVar[bool] = False
    """Whether a step may wait long for something outside; other episodes go on meanwhile."""
    max_steps: int = 50
    """Steps after which an episode is truncated; a suite sets its own."""
    watcher: Callable[[str, Transition], None] | None = None
    """Told of every step that is taken, whoever takes it: a skill's steps become steps of the episode."""

    journal: Journal | None = None
    """Where calls with effects outside are noted while an episode runs; see `envs.journal`."""

    @abstractmethod
    def families(self) -> tuple[str, ...]:
        """Return the names of the task families, sorted."""

    @abstractmethod
    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the tasks of a split in a fixed order, of all families or of those named.

        Raises:
            UnknownName: A family is not one of `families()`.
        """

    @abstractmethod
    def task(self, task_id: str) -> Task:
        """Return the task with this id.

        Raises:
            UnknownName: No task has this id.
        """

    @abstractmethod
    def reset(self, task_id: str, *, seed: int = 0) -> Observation:
        """Start a task from its beginning.

        Args:
            task_id: A stable id, from `tasks`.
            seed: For environments that are random beyond their task (see `deterministic`).

        Raises:
            UnknownName: No task has this id.
            EnvironmentFault: The back end broke.
        """

    @abstractmethod
    def step(self, action: str) -> Transition:
        """Take one action.

        Raises:
            UsageError: `reset` was not called, or the episode is over.
            EnvironmentFault: The back end broke.
        """

    def another(self) -> "Environment | None":
        """Return an instance of its own for an episode beside another; None: that episode waits."""
        return None

    def pending(self) -> str:
        """Return the action that was begun here before an interruption; empty where none was."""
        return ""

    @property
    def verifiable(self) -> bool:
        """Whether the environment itself knows how the task last reset ended; else a model has to judge it."""
        return True

    def tools(self) -> tuple[ToolSpec, ...]:
        """Return the tools that can be called now, where actions are calls; none where they are words."""
        return ()

    def call(self, action: str) -> Call:
        """Return the call that an action is, under the contract of now.

        An action that is no valid call is the call of a tool "" with the text as its argument.
        """
        if self.action_mode != "tool_call":
            return worded_call(self.name, action, self.version)
        try:
            return self.read(action)
        except UsageError:
            return Call(tool="", version="", schema_hash="", arguments={"text": action})

    def read(self, action: str) -> Call:
        """Return the call that an action writes, under the contracts of now.

        Raises:
            UsageError: It is no call of a tool that is there; the sentence says why.
        """
        return read_call(action, self.tools())

    def contract(self, call: Call) -> str | None:
        """Return the schema hash that the tool of a past call has now, whatever the task; empty: it is gone.

        None: that cannot be known now. Environments whose actions are words give every verb the contract of
        their own version.
        """
        known = self.contracts()
        if known:
            return known.get(call.tool, "")
        return worded_call(self.name, call.tool, self.version).schema_hash

    def contracts(self) -> Mapping[str, str]:
        """Return the schema hash of every tool that any task may offer; none where actions are words."""
        return {spec.name: spec.schema_hash for spec in self.tools()}

    def gold(self) -> tuple[str, ...] | None:
        """Return a winning action sequence of the task last reset, or None; never shown to an agent.

        Where the measure is the score, it is how an expert plays, whether or not that wins.
        Calling it leaves the task freshly reset.
        """
        return None

    def snapshot(self) -> object:
        """Return the whole state, for `restore`."""
        raise UsageError(f"{self.name} cannot take snapshots", hint="Reset and replay the actions.")

    def restore(self, state: object) -> Observation:
        """Go back to a state that `snapshot` returned."""
        raise UsageError(f"{self.name} cannot restore snapshots", hint="Reset and replay.")

    def seen(self) -> Observation:
        """Return what was observed last.

        Raises:
            UsageError: `reset` was not called.
        """
        raise UsageError(f"{self.name} does not keep its last observation")

    def facts(self) -> Mapping[str, Fact]:
        """Return what holds now, by flat dotted names: what a skill's contract can be checked against.

        Every environment has `won`, `score` (in [0, 1]), `steps` and `carried` (the inventory as text); others
        add their own (`inventory.wood`, `unlocked.place_table`).
        """
        last = self.seen()
        return {
            "won": last.won,
            "score": last.score,
            "steps": last.steps,
            "carried": last.inventory,
        }

    def api(self) -> Mapping[str, Callable[..., Any]]:
        """Return the callables a skill may use, JSON in and JSON out; their docstrings document them.

        Each takes its steps through `step`, so that the watcher sees them, and raises `EpisodeOver` when the
        episode has ended. Every environment has `act`, `observe`, `admissible`, `goal` and `facts`, and
        those whose actions are calls of tools have `call`.
        """
        return {
            "act": self._act_for_skill,
            "observe": self._observe_for_skill,
            "admissible": self._admissible_for_skill,
            "goal": self._goal_for_skill,
            "facts": self._facts_for_skill,
            **({"call": self._call_for_skill} if self.action_mode == "tool_call" else {}),
        }

    def _act_for_skill(self, action: str) -> str:
        """Take one action and return the environment's answer."""
        if not isinstance(action, str):
            raise UsageError(f"act takes an action as text, not {action!r}")
        done = self.step(action)
        if done.terminated or done.truncated:
            raise EpisodeOver(f"the episode ended with {action!r}")
        return done.observation.text

    def _call_for_skill(self, tool: str, /, **arguments: Any) -> str:
        """Call a tool and return its answer; a refused call ends the skill, with the reason."""
        done = self.step(write_call(tool, arguments))
        if done.error:
            raise UsageError(f"{tool} was refused: {done.error}")
        if done.terminated or done.truncated:
            raise EpisodeOver(f"the episode ended with {tool}")
        return done.observation.text

    def _observe_for_skill(self) -> str:
        """Return what is seen now, without a step."""
        last = self.seen()
        return last.look or last.text

    def _admissible_for_skill(self) -> list[str]:
        """Return the actions that are accepted now, sorted; empty where any text is."""
        return list(self.seen().admissible or ())

    def _goal_for_skill(self) -> str:
        """Return the task in words."""
        return self.seen().goal

    def _facts_for_skill(self) -> dict[str, Fact]:
        """Return what holds now, by name."""
        return dict(self.facts())

    def calls(self) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
        """Return the calls of the API, method and arguments, that are worth trying now: for exploration."""
        return tuple(("act", (action,)) for action in self.seen().admissible or ())

    def goals(self) -> Mapping[str, str]:
        """Return what can be practised here: a fact that has to hold -> the goal in words.

        Empty where only whole tasks can be.
        """
        return {}

    def close(self) -> None:
        """Free what the environment holds; calling it twice is allowed."""
        return


class GymView(gymnasium.Env[str, str]):
    """The same environment for code that speaks gymnasium.

    `reset(seed=, options={"task_id": ..., "split": ...})` gives `(text, info)`; `info` has the fields of
    `Observation` under the names goal -> `task`, task.id -> `task_id`, and family, split, admissible (a
    sorted list or None), score, won, steps, inventory, look.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (gymnasium's own form)

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.observation_space = spaces.Text(1_000_000)
        self.action_space = spaces.Text(10_000)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start the task `options["task_id"]`, or the one that the seed picks from `options["split"]`."""
        super().reset(seed=seed)
        asked = dict(options or {})
        task_id = asked.pop("task_id", None)
        split = asked.pop("split", "train")
        if asked:
            raise UsageError(f"unknown reset options: {', '.join(sorted(asked))}")
        if task_id is None:
            if split not in SPLITS:
                raise UnknownName("split", str(split), SPLITS)
            tasks = self.environment.tasks(split)
            task_id = tasks[(seed or 0) % len(tasks)].id
        observation = self.environment.reset(task_id, seed=seed or 0)
        return observation.text, self._info(observation)

    def step(self, action: str) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take one action; gymnasium's five-tuple."""
        done = self.environment.step(action)
        seen = done.observation
        return seen.text, done.reward, done.terminated, done.truncated, self._info(seen)

    def close(self) -> None:
        """Close the environment behind the view."""
        self.environment.close()

    @staticmethod
    def _info(seen: Observation) -> dict[str, Any]:
        return {
            "task": seen.goal,
            "task_id": seen.task.id,
            "family": seen.task.family,
            "split": seen.task.split,
            "admissible": None if seen.admissible is None else list(seen.admissible),
            "score": seen.score,
            "won": seen.won,
            "steps": seen.steps,
            "inventory": seen.inventory,
            "look": seen.look,
        }
