"""The words of the jail: limits, program, how a run ended, the layers of this machine."""

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import Field, JsonValue

from ...envs.types import Record

JSON = JsonValue
"""What passes the wall: None, bool, int, float, str, lists and string-keyed objects of these."""

Serve = Callable[[str, tuple[JSON, ...], Mapping[str, JSON]], JSON]
"""A broker in the parent: method, positional and named arguments; returns what the environment answers."""

End = Literal[
    "returned",
    "raised",
    "time",
    "memory",
    "calls",
    "output",
    "denied",
    "stopped",
    "died",
    "broken",
]
"""How a run ended; `broken` is our own fault and says nothing of the skill."""

Level = Literal["kernel", "bubblewrap", "docker", "none"]
LEVELS: tuple[Level, ...] = ("kernel", "bubblewrap", "docker", "none")

MODULES = (
    "bisect",
    "collections",
    "collections.abc",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "itertools",
    "json",
    "math",
    "operator",
    "random",
    "re",
    "statistics",
    "string",
    "textwrap",
    "time",
    "types",
    "typing",
)
"""What a skill can import: loaded before the walls close, since afterwards there is no file to load."""


class Limits(Record):
    """Bounds of one run."""

    seconds: float = Field(default=10.0, gt=0)
    """Wall time of the program itself; what the environment takes for its answers is not counted."""
    cpu_seconds: int = Field(default=10, ge=1)
    """Processor time of the child, its start included."""
    memory_mb: int = Field(default=256, ge=64)
    """Address space of the child, the interpreter (about 40 MB) included."""
    calls: int = Field(default=10_000, ge=0)
    """Calls to the broker, and also nested skill calls."""
    output_kb: int = Field(default=64, ge=1)
    """What may be printed."""
    file_mb: int = Field(default=1, ge=1)
    """Size of one file; the scratch folder holds four times this."""
    message_kb: int = Field(default=1024, ge=1)
    """Size of one message through the wall, and of all that is kept of nested calls."""


class Program(Record):
    """Sources that run together: an entry and the skills it calls, each in a namespace of its own."""

    entry: str
    """`name@version`, a key of `modules`."""
    modules: Mapping[str, str]
    """`name@version` -> source of its skill.py."""
    functions: Mapping[str, str]
    """`name@version` -> name of its public function."""
    api: tuple[str, ...]
    """Names of the environment's methods that the program may ask for."""
    seed: int = 0
    """Of the module `random` inside."""


class Invoked(Record):
    """One nested call of a skill, as the child tells it."""

    skill: str
    """`name@version`."""
    arguments: Mapping[str, JSON]
    depth: int
    """1 for what the entry calls itself."""
    value: JSON = None
    """What it returned."""
    error: str = ""
    """Why it did not return; empty when it did."""


class Ran(Record):
    """How a run in the jail ended."""

    end: End
    value: JSON = None
    """What the entry returned."""
    error: str = ""
    """One sentence, with the line of the skill's own source where there is one."""
    calls: int = 0
    """Answers that the broker gave."""
    output: str = ""
    """What was printed."""
    seconds: float = 0.0
    """Wall time without the environment's own."""
    level: Level
    """Which jail it ran in."""
    trace: tuple[Invoked, ...] = ()
    """Nested skill calls, in the order in which they began."""


class Layer(Record):
    """One layer of protection on this machine."""

    name: str
    present: bool
    detail: str
    """What it does here, or why it is missing."""
