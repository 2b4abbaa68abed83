"""Faithfulness: does what is given to the model (a chain, a hint, cases) decide what it answers?

Three subjects (`chains`, `hints`, `cases`), one form of result (`measures`).
"""
