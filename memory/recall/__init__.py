"""How a case is found and scored: retrieval, ranking, the value channel."""
