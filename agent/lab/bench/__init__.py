"""Measurements of speed, each a function that returns one JSON object; the command line prints them."""
