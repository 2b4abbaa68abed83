"""The append-only ledger: typed events, their rows in SQLite, and the records that are folded from them."""
