"""ALFWorld in pure Python: the official game files, without TextWorld and without a PDDL planner."""

from .alfworld_environment import AlfWorld, AlfWorldMini

__all__ = ["AlfWorld", "AlfWorldMini"]
