"""One picture file to one thumbnail."""
