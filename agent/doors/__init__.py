"""Doors into frameworks and protocols of other people: a file or a room each."""
