"""Searching settings that find more than the default ones, on rows held out for it."""
