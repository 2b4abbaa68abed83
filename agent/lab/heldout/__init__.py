"""Evaluation: arms, checkpoints, paired statistics, and the picture of the learning curve."""
