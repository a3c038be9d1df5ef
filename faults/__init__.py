"""Programs that break things on purpose and look at what dupfind makes of it; run by hand, ``python -m faults.NAME``."""
