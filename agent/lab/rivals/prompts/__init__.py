"""Prompts of the rivals, one file each."""
