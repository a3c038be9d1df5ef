"""The other commands, a story each, and what only they need."""
