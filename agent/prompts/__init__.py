"""The prompts, one `.md` each, and how they are filled."""
