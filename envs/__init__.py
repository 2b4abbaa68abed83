"""Real benchmarks behind one protocol: tasks by stable id, text in, text out."""

from .base import Environment, GymView
from .errors import (
    EnvironmentFault,
    LichenError,
    MissingData,
    MissingExtra,
    UnknownName,
    UsageError,
)
from .registry import make, names
from .suite import Suite, load_suite, suite_names
from .types import Observation, Outcome, Record, Split, Task, Transition

__all__ = [
    "Environment",
    "EnvironmentFault",
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
    "load_suite",
    "make",
    "names",
    "suite_names",
]
