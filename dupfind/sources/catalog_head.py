"""How a catalog is known by its first bytes, without loading SQLite.

They are those of the header that SQLite gives its files: https://www.sqlite.org/fileformat2.html, section 1.3.
"""

from __future__ import annotations

APPLICATION_ID = 0x64757063  # "dupc"
SCHEMA_VERSION = 2
NO_CATALOG = "not a catalog of dupfind"
_MAGIC = b"SQLite format 3\0"
_VERSION, _APPLICATION, _HEAD_BYTES = slice(60, 64), slice(68, 72), 100


def why_no_catalog(path: str) -> str | None:
    """Tell why the file at ``path`` is no catalog that this program can read; None where it is one. Raises OSError."""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_MAGIC) or int.from_bytes(head[_APPLICATION], "big") != APPLICATION_ID:
        return NO_CATALOG
    if (version := int.from_bytes(head[_VERSION], "big")) != SCHEMA_VERSION:
        return f"a catalog of another version of dupfind ({version}, not {SCHEMA_VERSION}): index its folder anew"
    return None
