"""What every experiment shares: identity, rows, resume, paired statistics, tables, pictures."""
