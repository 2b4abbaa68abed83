"""The store: one folder with the ledger and everything derived from it, kept equal."""
