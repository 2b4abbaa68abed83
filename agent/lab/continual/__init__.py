"""One stream of task families learned three ways by one frozen LLM: LoRA, soft thoughts, case memory.

What is measured is the choice of the next action in the states of an expert, never a whole episode.
"""
