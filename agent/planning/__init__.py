"""Planning in words: the planner and the critic."""
