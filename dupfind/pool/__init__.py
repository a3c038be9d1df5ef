"""What is done with single files, in other processes."""
