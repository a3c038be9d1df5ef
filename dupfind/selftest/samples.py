"""The known pictures that come with the program, and what the decoders that it was tested with make of them.

Written by ``python -m fixtures.samples``.
"""

from __future__ import annotations

import io
import json
import zipfile
from importlib import resources
from typing import NamedTuple

SEED = 1
"""Of the picture that all of them hold, see :func:`dupfind.selftest.scenes.scene`."""
SIZE = 128, 96
"""Width and height of that picture, in pixels."""
FILES, KNOWN = "samples.zip", "known.json"


class Sample(NamedTuple):
    """One picture file, and what is known of it."""

    name: str
    format: str
    """Its name for people."""
    libraries: tuple[str, ...]
    """The distributions that decode it."""
    extra: str | None
    """Of this program, by which it can be decoded; None where no extra is needed."""
    thumbnail: str
    """Digest of the 64 x 64 pixels, in hex."""
    hash: str
    """The search hash, 64 bits in hex."""
    content: bytes


class Known(NamedTuple):
    """All of them."""

    versions: dict[str, str]
    """Of the libraries, by distribution, with which the values were made."""
    samples: tuple[Sample, ...]


def read_known() -> Known:
    """Read the known pictures; no bytes of them are decoded."""
    folder = resources.files(__package__)
    known = json.loads((folder / KNOWN).read_text("utf-8"))
    with zipfile.ZipFile(io.BytesIO((folder / FILES).read_bytes())) as archive:
        samples = (
            Sample(**{**row, "libraries": tuple(row["libraries"])}, content=archive.read(row["name"]))
            for row in known["samples"]
        )
        return Known(known["versions"], tuple(samples))
