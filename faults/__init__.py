"""Programs that break things on purpose and tell what dupfind makes of it; run by hand: ``python -m faults.NAME``."""
