"""`lichen reproduce`: the tables of the documentation, and the commands that find them again."""
