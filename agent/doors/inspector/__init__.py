"""The web inspector: see and edit what an agent knows, in a browser."""
