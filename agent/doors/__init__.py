"""Doors: the frameworks and protocols through which others come to the agent or to its memory alone."""
