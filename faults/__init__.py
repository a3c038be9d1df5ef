"""Programs that break things on purpose, to see that the project holds; run by hand, never part of the package."""
