"""Doors into other people's frameworks and protocols: each one file and an extra, over `lichen.memory.Memory`."""
