"""Support: an online shop's help desk over a real database, with house rules that only experience teaches."""

from .drift import drifting
from .support_environment import Support

__all__ = ["Support", "drifting"]
