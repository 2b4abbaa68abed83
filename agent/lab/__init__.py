"""The laboratory: everything that measures the agent. The product never imports it."""
