"""Poker: heads-up hold'em against three fixed players, each of whom is beaten in a way of its own."""

from .poker_environment import Poker
from .sessions import hands

__all__ = ["Poker", "hands"]
