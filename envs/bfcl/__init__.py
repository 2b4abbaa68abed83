"""BFCL multi-turn: a user's requests, turn by turn, and functions of eight APIs to fulfil them with."""

from .bfcl_environment import BFCL

__all__ = ["BFCL"]
