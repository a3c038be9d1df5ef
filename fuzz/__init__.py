"""Programs that look for what breaks the reading of pictures; run by hand, see docs/hostile.md."""
