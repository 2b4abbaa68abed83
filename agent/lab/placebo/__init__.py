"""Placebos: memories and skills that look like the real ones and say nothing."""
