"""One episode: the LangGraph, its nodes, and the run from begin or resume to the end."""
