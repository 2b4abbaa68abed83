"""What the pages show, read from the ledger and what is folded from it."""
