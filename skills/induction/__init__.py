"""Skills from successful trajectories, without a model that writes code."""
