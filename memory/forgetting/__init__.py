"""Forgetting an episode with all that came of it, and explaining where a memory is from and why it was used."""
