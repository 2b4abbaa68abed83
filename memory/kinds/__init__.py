"""The kinds of memory, one module each: what it folds from events, derives, indexes and forgets."""
