"""Skills as actions: the library opened for use, and what an episode is offered."""
