"""The kernel jail in which skill code runs: a confined process for each run, and a broker in the parent.

The face of the room. A program gets nothing but its arguments and the environment's declared methods; the
kernel is the wall, not Python.
"""

from .errors import Denied, JailUnavailable, Stop
from .jail import Jail, open_jail
from .layers import layers
from .types import JSON, LEVELS, MODULES, End, Invoked, Layer, Level, Limits, Program, Ran, Serve

__all__ = [
    "JSON",
    "LEVELS",
    "MODULES",
    "Denied",
    "End",
    "Invoked",
    "Jail",
    "JailUnavailable",
    "Layer",
    "Level",
    "Limits",
    "Program",
    "Ran",
    "Serve",
    "Stop",
    "layers",
    "open_jail",
]
