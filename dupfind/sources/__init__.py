"""Where files come from: what a run lists, how an entry is opened, whether it still is the one listed, its name."""
