"""Hostile programs, and the verdict on each: what the jail is worth, said by a command."""

from .attack import Attack
from .judge import JudgedAttack, attacks, run_attacks

__all__ = ["Attack", "JudgedAttack", "attacks", "run_attacks"]
