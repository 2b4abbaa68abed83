"""Whom the pages serve, and what they may touch."""
