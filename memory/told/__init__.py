"""What memory says to a model that reads: like cases with what came of them, quoted as data."""
