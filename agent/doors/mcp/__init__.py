"""The agent as a client of MCP: tools of other people's servers."""
