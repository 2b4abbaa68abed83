"""What practice is worth: arms, audits, new worlds."""
