"""What soft thoughts are worth: tables over projections and controls, puzzles."""
