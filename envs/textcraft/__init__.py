"""TextCraft with the book closed: 544 craftable things whose recipes are to be found out."""

from .textcraft_environment import TextCraft

__all__ = ["TextCraft"]
