"""Crafter as a text world: a tech tree of 22 achievements to learn skills on, deterministic, without pixels."""

from .crafter_environment import Crafter
from .score import TIERS, crafter_score

__all__ = ["TIERS", "Crafter", "crafter_score"]
