"""Suites: which tasks an agent learns on and is evaluated on, in a file that people write.

A suite is TOML or YAML. The order of its tasks is fixed by a seed and goes round the families.
"""

import tomllib
from importlib.resources import files
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from .base import Environment
from .errors import BadFile, UnknownName, UsageError
from .registry import make
from .types import SPLITS, Record, Split

TRAIN = 1
"""Sets the draws of training tasks apart from those of held-out ones."""
SUFFIXES = (".toml", ".yaml", ".yml")


class Suite(Record):
    """Tasks to learn on, and tasks to be evaluated on."""

    name: str
    description: str = ""
    env: str
    """Name of the environment."""
    env_options: dict[str, Any] = Field(default_factory=dict)
    families: tuple[str, ...] | None = None
    """None: all families."""
    learn_tasks: int = Field(default=30, ge=1)
    """Training episodes of `lichen run`."""
    eval_tasks: int | None = Field(default=None, ge=1)
    """Held-out tasks of `lichen eval`; None: all of the split."""
    max_steps: int = Field(default=50, ge=1)
    """Steps after which an episode is truncated."""
    seed: int = Field(default=0, ge=0)
    """Fixes the order of the tasks, whatever the seed of the run."""

    def task_ids(
        self,
        split: Split,
        n: int | None,
        seed: int = 0,
        environment: Environment | None = None,
    ) -> list[str]:
        """Return task ids of a split: shuffled within each family, then round the families.

        Args:
            split: Which fold.
            n: How many; None: `eval_tasks` for dev and test, all for train.
            seed: Order of the training tasks. Held-out tasks are always the same: only the suite's own
                seed shuffles them.
            environment: An open one of the suite's; made by its name when None.

        Raises:
            UnknownName: The suite names a family that the environment does not have.
            UsageError: The split has fewer tasks than asked for.
        """
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        # a stream of its own: [0] and [0, 0] are one to numpy, and train would begin with test's numbers
        own = [self.seed, seed, TRAIN] if split == "train" else [self.seed]
        rng = np.random.default_rng(own)
        environment = environment or make(self.env, **self.env_options)
        held = []
        for family in self.families or environment.families():
            ids = [task.id for task in environment.tasks(split, [family])]
            held.append([ids[int(i)] for i in rng.permutation(len(ids))])
        ordered = [i for i in chain.from_iterable(zip_longest(*held)) if i is not None]
        count = n if n is not None else (self.eval_tasks if split != "train" else None)
        if count is not None and count < 1:
            raise UsageError(f"{count} tasks were asked for", hint="Ask for at least one.")
        if count is not None and count > len(ordered):
            raise UsageError(
                f"suite {self.name!r} has {len(ordered)} {split} tasks, {count} were asked for"
            )
        return ordered[:count]


def suite_names() -> tuple[str, ...]:
    """Return the names of the suites that ship with Lichen, sorted."""
    folder = files(__package__).joinpath("suites")
    return tuple(
        sorted(Path(item.name).stem for item in folder.iterdir() if is_suite_file(item.name))
    )


def load_suite(name: str | Path) -> Suite:
    """Return a suite that ships with Lichen, by name, or one of your own, by path.

    Raises:
        UnknownName: There is no such suite.
        BadFile: The file cannot be read, or a key is unknown or has a wrong value.
    """
    path = Path(name)
    if is_suite_file(path.name):
        if not path.is_file():
            raise BadFile(f"there is no suite file {path}")
        try:
            return _parse(path.read_text(encoding="utf-8"), str(path))
        except UnicodeDecodeError as error:
            raise BadFile(f"{path} is no text in UTF-8: {error}") from error
    if str(name) not in suite_names():
        raise UnknownName(
            "suite",
            str(name),
            suite_names(),
            hint="`lichen envs suites` lists them; a path works too.",
        )
    text = files(__package__).joinpath("suites", f"{name}.toml").read_text(encoding="utf-8")
    return _parse(text, f"suite {name}")


def is_suite_file(name: str) -> bool:
    """Return whether a name is that of a suite's file, by its ending."""
    return name.endswith(SUFFIXES)


def _parse(text: str, where: str) -> Suite:
    from .plain_yaml import plain_yaml

    try:
        data = tomllib.loads(text) if not where.endswith((".yaml", ".yml")) else plain_yaml(text)
    except ValueError as error:  # a TOMLDecodeError is one
        raise BadFile(f"{where} cannot be parsed: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise BadFile(f"{where} holds no table of settings")
    try:
        return Suite.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise BadFile(f"{where}: {key!r}: {first['msg']}") from error
