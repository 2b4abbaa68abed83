"""The words of the skill library: parameter, contract, test, skill.

Knows nothing of folders, git, the jail or environments.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_serializer, field_validator, model_validator

from ..envs.types import Fact, Record
from .file_content import Files

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST = 64
"""Characters of a name, by the Agent Skills standard."""

Maker = Literal["agent", "induced", "merged", "person", "import"]
"""Where a skill comes from."""

_PYTHON: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
}


class Parameter(Record):
    """One parameter of a skill: its type and its domain."""

    type: Literal["int", "float", "str", "bool"]
    choices: tuple[Fact, ...] | None = None
    """The only values it takes; None: any of the type."""
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    default: Fact | None = None
    """What it is when nobody says; None: it has to be said."""
    about: str = ""
    """What it means, for people and models."""

    def problem(self, value: object) -> str:
        """Return why a value is none for it, in words; empty when it is.

        >>> Parameter(type="int", min=1).problem(0)
        'is 0, below 1'
        """
        kinds = _PYTHON[self.type]
        if not isinstance(value, kinds) or (isinstance(value, bool) and self.type != "bool"):
            return f"is {value!r}, no {self.type}"
        if self.choices is not None and value not in self.choices:
            return f"is {value!r}, none of {', '.join(map(str, self.choices))}"
        if isinstance(value, int | float) and self.min is not None and value < self.min:
            return f"is {value!r}, below {self.min:g}"
        if isinstance(value, int | float) and self.max is not None and value > self.max:
            return f"is {value!r}, above {self.max:g}"
        return ""


class Contract(Record):
    """What a skill promises and what it needs; `contract.yaml`."""

    env: str
    """The environment whose actions it takes."""
    env_version: str = "1"
    version: int = Field(default=1, ge=1, le=1_000_000)
    """Raised with every admitted change; others call `name@version`."""
    parameters: Mapping[str, Parameter] = Field(default_factory=dict)
    preconditions: tuple[str, ...] = ()
    """Conditions (see `conditions`) that hold when it may be called."""
    postconditions: tuple[str, ...] = ()
    """Conditions that hold when it has succeeded, checked by program."""
    capabilities: tuple[str, ...] = ("act",)
    """Names of the environment's methods (`Environment.api`) it may use, itself or by what it calls."""
    maker: Maker = "agent"
    origin: str = ""
    """Task it was learned from."""

    @field_validator("capabilities")
    @classmethod
    def _sorted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(value)))

    def bind(self, arguments: Mapping[str, object]) -> dict[str, Fact]:
        """Return the arguments with defaults filled in.

        Raises:
            ValueError: One is missing, unknown or outside its domain; the message says which and why.
        """
        for name in arguments:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise ValueError(f"there is no parameter {name!r}; it has: {known}")
        bound: dict[str, Fact] = {}
        for name, parameter in self.parameters.items():
            value: Any = arguments.get(name, parameter.default)
            if value is None:
                raise ValueError(f"the parameter {name!r} is missing")
            if problem := parameter.problem(value):
                raise ValueError(f"the parameter {name!r} {problem}")
            bound[name] = value
        return bound


class SkillTest(Record):
    """One binding that the skill was run on and has to go on succeeding on; `tests/NAME.yaml`."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=150)
    """Also the name of its file."""
    task_id: str
    seed: int = 0
    setup: tuple[str, ...] = ()
    """Actions taken from the task's beginning before the skill is called."""
    arguments: Mapping[str, Fact] = Field(default_factory=dict)
    origin: bool = False
    """Whether it is the task that the skill was learned from."""
    goal: str = ""
    """The task in words, where it was known: what a later task that needs the skill may sound like."""


class Skill(Record):
    """An executable skill: a typed function over an environment's actions, its contract and its tests."""

    name: str
    """Lower-case words with hyphens; the folder's name."""
    description: str = Field(min_length=1, max_length=20_000)
    """What it does and when to use it: what retrieval reads. Lichen's own have at most 1024 characters, as the
    standard has it (see `standard`)."""
    code: str
    """The text of `skill.py`."""
    contract: Contract
    tests: tuple[SkillTest, ...] = ()
    body: str = ""
    """The text of SKILL.md under its head."""
    license: str = ""
    head: Mapping[str, Any] = Field(default_factory=dict)
    """What else the head of SKILL.md says (allowed-tools, metadata), kept as it came."""
    files: Files = Field(default_factory=dict)
    """Other files of the folder (scripts, references, pictures), by path, kept as they came."""
    came: Files = Field(default_factory=dict, exclude=True, repr=False)
    """SKILL.md, code, contract and tests as they came: written so again while they say the same."""

    @field_serializer("files", when_used="json")
    def _told(self, files: Files) -> dict[str, str]:
        return {path: content.shown for path, content in files.items()}

    @model_validator(mode="after")
    def _named(self) -> Self:
        if len(self.name) > LONGEST or not NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} is no skill name: lower-case letters, digits and single hyphens, "
                f"at most {LONGEST} characters"
            )
        return self

    @property
    def id(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.contract.version}"

    @property
    def function(self) -> str:
        """Name of its Python function."""
        return function_name(self.name)

    @property
    def runnable(self) -> bool:
        """Whether it has code; a folder of the standard may be instructions only."""
        return bool(self.code.strip())

    def signature(self) -> str:
        """Return how it is called, for people and models.

        >>> Skill(name="mine", description="d", code="", contract=Contract(env="e", parameters={
        ...     "kind": Parameter(type="str", choices=("coal", "iron")),
        ...     "n": Parameter(type="int", min=1, default=1)})).signature()
        "mine(kind: 'coal'|'iron', n: int = 1)"
        """
        said = []
        for name, p in self.contract.parameters.items():
            kind = "|".join(map(repr, p.choices)) if p.choices is not None else p.type
            said.append(f"{name}: {kind}" + ("" if p.default is None else f" = {p.default!r}"))
        return f"{self.name}({', '.join(said)})"


def function_name(name: str) -> str:
    """Return the Python name of a skill's function.

    >>> function_name("collect-wood")
    'collect_wood'
    """
    return ("_" if name[:1].isdigit() else "") + name.replace("-", "_")


def split_id(text: str) -> tuple[str, int | None]:
    """Return name and version of `name@version`, or the name and None.

    >>> split_id("collect-wood@2"), split_id("collect-wood")
    (('collect-wood', 2), ('collect-wood', None))
    """
    name, at, version = text.partition("@")
    return name, int(version) if at and version.isdecimal() else None
