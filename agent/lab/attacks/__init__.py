"""Hostile programs, and the verdict on each: what the jail is worth, said by a command."""

from .attack import Attack
from .judge import AttackVerdict, attacks, run_attacks

__all__ = ["Attack", "AttackVerdict", "attacks", "run_attacks"]
