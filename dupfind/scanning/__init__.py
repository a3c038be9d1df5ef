"""The stages of a scan, from bytes to verdicts."""
