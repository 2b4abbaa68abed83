"""Doors into frameworks and protocols of other people: one file each, over `lichen.memory.Memory`."""
