"""Answers of the commands, as values that reports render."""
