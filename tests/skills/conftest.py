"""Shared by the tests of skills: a real environment, a real jail, skills that a person could have written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.envs import Environment, make
from lichen.skills.admission import Admission
from lichen.skills.jail import Jail, open_jail
from lichen.skills.library import Library
from lichen.skills.skill_runner import Runner
from lichen.skills.types import Contract, Parameter, Skill, SkillTest

TRAIN = "alfworld-mini/train/"
BOOK = TRAIN + "pick_and_place_simple-Book-None-Shelf-1/mini_train_1"
SPOON = TRAIN + "pick_and_place_simple-Spoon-None-Drawer-0/mini_train_0"
PLATE = TRAIN + "pick_clean_then_place_in_recep-Plate-None-Cabinet-2/mini_train_2"

TAKE = '''
def take(api: API, thing: str, place: str) -> bool:
    """Go to a place and take a thing from it."""
    api.act(f"go to {place}")
    api.act(f"take {thing} from {place}")
    return True
'''


def taken(name: str, task_id: str, thing: str, place: str, *, origin: bool = False) -> SkillTest:
    """A binding of a skill that takes a thing from a place."""
    return SkillTest(
        name=name,
        task_id=task_id,
        arguments={"thing": thing, "place": place},
        origin=origin,
    )


TESTS = (
    taken("origin", BOOK, "book 1", "bed 1", origin=True),
    taken("spoon", SPOON, "spoon 1", "countertop 1"),
    taken("plate", PLATE, "plate 1", "countertop 2"),
)


def take_skill(code: str = TAKE) -> Skill:
    """The skill that most tests begin with."""
    return Skill(
        name="take",
        description="Go to a place and take a thing from it.",
        code=code,
        contract=Contract(
            env="alfworld-mini",
            parameters={"thing": Parameter(type="str"), "place": Parameter(type="str")},
            preconditions=('can("go to {place}")',),
            postconditions=('has("{thing}")',),
            capabilities=("act",),
        ),
        tests=TESTS,
    )


def caller(name: str, called: str) -> Skill:
    """A skill that only calls another one."""
    function = name.replace("-", "_")
    code = (
        f"def {function}(api: API, thing: str, place: str) -> bool:\n"
        f'    return api.skill("{called}", thing=thing, place=place)\n'
    )
    return take_skill(code).model_copy(update={"name": name})


@pytest.fixture(scope="session")
def jail() -> Iterator[Jail]:
    """The jail that is the default here."""
    with open_jail(warm=1) as opened:
        yield opened


@pytest.fixture(scope="session")
def household() -> Iterator[Environment]:
    """The small household that ships with Lichen."""
    environment = make("alfworld-mini")
    yield environment
    environment.close()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    return Library(tmp_path / "library", clock=lambda: 1_700_000_000.0)


@pytest.fixture
def admission(library: Library, jail: Jail, household: Environment) -> Admission:
    """Admission of that library."""
    return Admission(library, Runner({}, jail), lambda _: household)


def lichen(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "lichen.agent", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
