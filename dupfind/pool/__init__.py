"""Work on single files, in other processes."""
