"""The known pictures that come with the program, and what the installed decoders make of them, whole and broken.

The pictures are written by ``python -m fixtures.samples``; they are decoded in workers, as all pictures are.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from dupfind.answers.selftest import Check, Outcome
from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool

SEED = 1
"""Of the picture that all of them hold, see :func:`dupfind.selftest.runs.scene`."""
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
    table = json.loads((folder / KNOWN).read_text("utf-8"))
    with zipfile.ZipFile(io.BytesIO((folder / FILES).read_bytes())) as archive:
        samples = (
            Sample(**{**row, "libraries": tuple(row["libraries"])}, content=archive.read(row["name"]))
            for row in table["samples"]
        )
        return Known(table["versions"], tuple(samples))


NEAR_BITS = 6
"""Bits of a hash that another decoder may change, by a grey level here and there, and no more: what a hash that is good
to search by loses to a change of one level (:data:`dupfind.evidence.fingerprint.STEADY_BITS`)."""
_MAX_PIXELS = 1 << 20


class Decoded(NamedTuple):
    """What became of one file."""

    thumbnail: str = ""
    hash: str = ""
    damage: str | None = None
    error: str | None = None


class Probe(NamedTuple):
    """A known picture, or the first half of its file."""

    sample: Sample
    is_broken: bool

    @property
    def content(self) -> bytes:
        """The bytes to be decoded."""
        whole = self.sample.content
        return whole[: len(whole) // 2] if self.is_broken else whole


def check(catalog: Known, installed: Mapping[str, str | None], pool: Pool) -> tuple[list[Check], list[Check]]:
    """Decode each known picture, and half of each; returns what came of the whole ones and of the halves.

    ``installed`` are the versions of the libraries, by distribution; None of one that is not there.
    """
    absent = [sample for sample in catalog.samples if any(installed.get(name) is None for name in sample.libraries)]
    there = [sample for sample in catalog.samples if sample not in absent]
    probes = [Probe(sample, is_broken) for is_broken in (False, True) for sample in there]
    done = dict(pool.map(look, probes, size_bytes=lambda probe: len(probe.content), lost=_lost))
    whole = [
        _absent(sample) if sample in absent else _of_whole(sample, done[Probe(sample, False)])
        for sample in catalog.samples
    ]
    return whole, [_of_half(sample, done[Probe(sample, True)]) for sample in there]


def look(probes: Sequence[Probe]) -> list[Decoded]:
    """Decode each probe; the task of the workers."""
    return [decode_one(probe.content, probe.sample.name) for probe in probes]


def decode_one(content: bytes, name: str) -> Decoded:
    """Decode one file to its thumbnail, and hash it."""
    from dupfind.digest import digest_of
    from dupfind.evidence import fingerprint
    from dupfind.pictures import decode

    try:
        thumbnail = decode.read_thumbnail(io.BytesIO(content), name, _MAX_PIXELS)
    except (NotAPictureError, UndecodableError) as error:
        return Decoded(error=str(error))
    value = fingerprint.search_hash(fingerprint.pixels(thumbnail.pixels), "phash")
    digest = digest_of([thumbnail.pixels]).hex()[:16]
    return Decoded(digest, fingerprint.as_hex(value, fingerprint.SEARCH_SIZE), thumbnail.damage)


def _lost(_: Probe, death: Death) -> Decoded:
    return Decoded(error=f"the decoder's process died: {death.reason}")


def _absent(sample: Sample) -> Check:
    if sample.extra is None:
        return Check(sample.format, Outcome.FAILED, f"not installed: {' '.join(sample.libraries)}")
    note = f"not installed, such files are compared by their bytes (pip install 'dupfind[{sample.extra}]')"
    return Check(sample.format, Outcome.ABSENT, note)


def _of_whole(sample: Sample, seen: Decoded) -> Check:
    if seen.error is not None:
        return Check(sample.format, Outcome.FAILED, seen.error)
    if seen.damage is not None:
        return Check(sample.format, Outcome.FAILED, f"called damaged: {seen.damage}")
    if seen.thumbnail == sample.thumbnail:
        return Check(sample.format, Outcome.OK)
    bits = (int(seen.hash, 16) ^ int(sample.hash, 16)).bit_count()
    if bits > NEAR_BITS:
        return Check(sample.format, Outcome.FAILED, f"another picture: {bits} of 64 bits of its hash differ")
    return Check(sample.format, Outcome.DIFFERS, f"other pixels, {bits} of 64 bits of the hash")


def _of_half(sample: Sample, seen: Decoded) -> Check:
    """Tell whether half a file is refused, or called damaged: it must not pass for a picture."""
    if seen.error is None and seen.damage is None:
        return Check(sample.format, Outcome.FAILED, "half of the file passes for a whole picture")
    return Check(sample.format, Outcome.OK)
