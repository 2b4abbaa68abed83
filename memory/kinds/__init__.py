"""The kinds of memory: what each folds from events, derives, indexes and forgets."""
