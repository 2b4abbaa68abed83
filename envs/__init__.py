"""Real benchmarks behind one protocol: tasks by stable id, text in, text out."""

from .adapter import Adapter
from .base import Environment, GymView
from .checker import check
from .errors import (
    EnvironmentFault,
    EpisodeOver,
    LichenError,
    MissingData,
    MissingExtra,
    UnknownName,
    UsageError,
)
from .functions import Functions, Request
from .registry import make, names
from .suite import Suite, load_suite, suite_names
from .tools import Call, Tool, ToolSpec
from .types import Fact, Observation, Outcome, Record, Split, Task, Transition

__all__ = [
    "Adapter",
    "Call",
    "Functions",
    "Request",
    "Tool",
    "ToolSpec",
    "Environment",
    "EnvironmentFault",
    "EpisodeOver",
    "Fact",
    "GymView",
    "LichenError",
    "MissingData",
    "MissingExtra",
    "Observation",
    "Outcome",
    "Record",
    "Split",
    "Suite",
    "Task",
    "Transition",
    "UnknownName",
    "UsageError",
    "check",
    "load_suite",
    "make",
    "names",
    "suite_names",
]
