"""Real benchmarks behind one protocol: tasks by stable id, text in, text out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapter import Adapter, Seen
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
    from .types import (
        Fact,
        Observation,
        Outcome,
        Record,
        Split,
        Task,
        Transition,
        world_number,
    )

__all__ = [
    "Adapter",
    "Call",
    "Functions",
    "Request",
    "Seen",
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
    "world_number",
]

_HOMES = {
    "Adapter": ".adapter",
    "Call": ".tools",
    "Environment": ".base",
    "EnvironmentFault": ".errors",
    "EpisodeOver": ".errors",
    "Fact": ".types",
    "Functions": ".functions",
    "GymView": ".base",
    "LichenError": ".errors",
    "MissingData": ".errors",
    "MissingExtra": ".errors",
    "Observation": ".types",
    "Outcome": ".types",
    "Record": ".types",
    "Request": ".functions",
    "Seen": ".adapter",
    "Split": ".types",
    "Suite": ".suite",
    "Task": ".types",
    "Tool": ".tools",
    "ToolSpec": ".tools",
    "Transition": ".types",
    "UnknownName": ".errors",
    "UsageError": ".errors",
    "check": ".checker",
    "load_suite": ".suite",
    "make": ".registry",
    "names": ".registry",
    "suite_names": ".suite",
    "world_number": ".types",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: gymnasium and numpy cost a quarter of a second."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
