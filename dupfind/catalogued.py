"""What a report says of a catalogue that stood for a folder of the haystack: a value, apart from the others."""

from __future__ import annotations

from typing import NamedTuple


class Catalogued(NamedTuple):
    """One catalogue, as it was when it was read."""

    path: str
    """As the user gave it; paths of its files begin so."""
    root: str
    """The folder that it lists, as an absolute path on the machine where it was updated last."""
    updated: str
    """When the last update that came to its end began: ISO 8601, with the offset of its time zone."""
    age_seconds: float
    """How long that was ago."""
    files: int
    is_complete: bool
    """False where the first indexing, or the last update, has not come to its end."""
