"""What each command answers, as values that reports render."""
