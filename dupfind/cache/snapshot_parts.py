"""How what is remembered as a whole is cut into parts that are kept, and sealed, one by one."""

from __future__ import annotations

Part = tuple[str, int]
"""The name of a column, or of the details, and the number of the piece."""


class SnapshotError(ValueError):
    """What is to be unpacked is not what was packed, or is gone."""
