"""How much of a model's competence is kept inside Lichen, measured with models whose competence is known."""
