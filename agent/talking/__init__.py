"""Conversations with models that talk: what is said to them, how they answer, how it is kept short."""
