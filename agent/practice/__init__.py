"""Practice: the VOYAGER loop of curriculum, attempt, verification, induction and admission."""
