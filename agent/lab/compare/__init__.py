"""`lichen compare`: every method on one stream of tasks, with the same model, tools and seeds."""
