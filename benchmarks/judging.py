"""What a scan would say of one needle and one witness: the only part of the accuracy benchmark that knows dupfind.

:meth:`Comparison.verdict` follows :mod:`dupfind.matching.matcher` step by step for a haystack of one picture;
:mod:`benchmarks.agreement` runs real scans to see that the two agree. Knows no edits and no tables.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import imagehash
import numpy as np
from PIL import Image, ImageOps

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.evidence import evidence, fingerprint, partial_match
from dupfind.matching import borders as matching_borders
from dupfind.matching import damaged
from dupfind.pictures import borders, decode
from dupfind.report.reasons import sentence
from dupfind.settings import DEFAULT_MAX_PIXELS, DEFAULT_THRESHOLD_BITS
from dupfind.values import ORIENTATIONS, Evidence, Thumbnail

ALGORITHMS = tuple(DEFAULT_THRESHOLD_BITS)
SAME, SIMILAR, MISSING, UNREADABLE = "same", "similar", "missing", "unreadable"
GRADES = (SAME, SIMILAR, MISSING, UNREADABLE)
PLAIN = ("phash", "dhash", "ahash", "whash")
PLAIN_THRESHOLD_BITS = 10
"""What tutorials and tools around imagehash set."""
_PLAIN_WHASH_SIDE = 256


class Failed(NamedTuple):
    """A test that a pair did not pass."""

    name: str
    value: float
    bound: float


class Verdict(NamedTuple):
    """What a scan with one algorithm says of a pair."""

    grade: str
    distance_bits: int | None
    """Of the candidate that decided; None where there is none."""
    reason: str
    failed: tuple[Failed, ...]


_NO_CANDIDATE = "no candidate within the threshold"


def thumbnail(data: bytes) -> Thumbnail | str:
    """The thumbnail of an encoded picture, or in words why there is none."""
    try:
        return decode.read_thumbnail(io.BytesIO(data), "picture", DEFAULT_MAX_PIXELS)
    except (NotAPictureError, UndecodableError) as error:
        return str(error)


class Seen:
    """A thumbnail with what comparisons need of it, computed when first asked for."""

    def __init__(self, of: Thumbnail) -> None:
        self.thumbnail = of
        self._pixels = fingerprint.pixels(of.pixels)
        self._hashes: dict[tuple[str, int], int] = {}
        self._pictures: dict[int, evidence.Picture] = {}
        self._inner: Seen | None = None

    def hash(self, algorithm: str, orientation: int = 0) -> int:
        """The 64-bit search hash under one orientation."""
        key = algorithm, orientation
        if key not in self._hashes:
            turned = np.ascontiguousarray(fingerprint.turn(self._pixels, orientation))
            self._hashes[key] = fingerprint.search_hash(turned, algorithm)
        return self._hashes[key]

    def inner(self, wanted: bool) -> Seen | None:
        """The picture without its frame; where that is not ``wanted`` the picture itself, and None without a frame."""
        if not wanted:
            return self
        if self.thumbnail.border is None:
            return None
        if self._inner is None:
            pixels = borders.inner(self._pixels, self.thumbnail.border).tobytes()
            self._inner = Seen(replace(self.thumbnail, pixels=pixels, border=None))
        return self._inner

    def check(self, orientation: int = 0) -> int:
        """The 256-bit hash under one orientation."""
        return fingerprint.check_hash(np.ascontiguousarray(fingerprint.turn(self._pixels, orientation)))

    def picture(self, orientation: int = 0) -> evidence.Picture:
        """Prepared for comparison under one orientation."""
        if orientation not in self._pictures:
            upright = self._pictures.setdefault(0, evidence.prepare(self.thumbnail))
            self._pictures[orientation] = evidence.turned(upright, orientation)
        return self._pictures[orientation]


class Comparison:
    """One needle and one witness; each orientation is judged once, whatever the algorithm."""

    def __init__(self, needle: Seen, witness: Seen, *, with_full_size: bool = False) -> None:
        self._needle = needle
        self._witness = witness
        self._with_full_size = with_full_size
        self._judged: dict[int, evidence.Judgement] = {}

    def verdict(self, algorithm: str) -> Verdict:
        """As :class:`~dupfind.matching.matcher.Matcher` decides: upright, then turned, unless one look is the last."""
        found: list[Verdict] = []
        unlike: Verdict | None = None
        for orientations in (range(1), range(1, ORIENTATIONS)):
            best: Verdict | None = None
            for distance, orientation in sorted(self._candidates(algorithm, orientations)):
                judged = self._judge(orientation)
                verdict = _verdict(judged, distance)
                if judged.evidence is None:
                    unlike = unlike or verdict
                elif best is None or judged.evidence is Evidence.SAME:
                    best = verdict
                if judged.evidence is Evidence.SAME or evidence.shows_too_little(
                    self._needle.picture(), with_full_size=self._with_full_size
                ):
                    return best or unlike or verdict
            found += [best] if best else []
        if found:  # none is `same`; the nearer counts, and of two as near the upright one
            return min(found, key=lambda verdict: verdict.distance_bits or 0)
        nothing = unlike or Verdict(MISSING, None, _NO_CANDIDATE, ())
        return self._without_frames(algorithm) or self._by_what_is_left(algorithm) or nothing

    def _without_frames(self, algorithm: str) -> Verdict | None:
        """As :mod:`dupfind.matching.borders` decides."""
        pairs = [
            ((needle.hash(algorithm, orientation) ^ witness.hash(algorithm)).bit_count(), orientation, *are_inner)
            for are_inner in matching_borders.REASONS
            for needle, witness in [(self._needle.inner(are_inner[0]), self._witness.inner(are_inner[1]))]
            if needle is not None and witness is not None
            for orientation in range(ORIENTATIONS)
        ]
        for distance, orientation, needle_is_inner, witness_is_inner in sorted(pairs):
            needle, witness = self._needle.inner(needle_is_inner), self._witness.inner(witness_is_inner)
            if distance > DEFAULT_THRESHOLD_BITS[algorithm] or needle is None or witness is None:
                return None
            if (needle.check(orientation) ^ witness.check()).bit_count() <= evidence.CHECK_BOUND_BITS:
                return Verdict(
                    SIMILAR, distance, sentence(matching_borders.REASONS[needle_is_inner, witness_is_inner]), ()
                )
        return None

    def _by_what_is_left(self, algorithm: str) -> Verdict | None:
        """As :mod:`dupfind.matching.damaged` decides of a damaged needle."""
        damage = self._needle.thumbnail.damage
        if damage is None:
            return None
        share = partial_match.intact(self._needle.picture().surface, self._witness.picture().surface)
        if share < damaged.LEAST_INTACT:
            return None
        distance = (self._needle.hash(algorithm) ^ self._witness.hash(algorithm)).bit_count()
        return Verdict(SIMILAR, distance, sentence(damaged.intact_reason(damage, share)), ())

    def _candidates(self, algorithm: str, orientations: Iterable[int]) -> Iterable[tuple[int, int]]:
        witness, threshold = self._witness.hash(algorithm), DEFAULT_THRESHOLD_BITS[algorithm]
        for orientation in orientations:
            distance = (self._needle.hash(algorithm, orientation) ^ witness).bit_count()
            if distance <= threshold:
                yield distance, orientation

    def _judge(self, orientation: int) -> evidence.Judgement:
        if orientation not in self._judged:
            needle, witness = self._needle.picture(orientation), self._witness.picture()
            self._judged[orientation] = evidence.judge(
                needle, witness, orientation, with_full_size=self._with_full_size
            )
        return self._judged[orientation]


def _verdict(judged: evidence.Judgement, distance: int) -> Verdict:
    grade = MISSING if judged.evidence is None else judged.evidence.value
    failed = tuple(Failed(test.name, test.value, test.bound) for test in judged.tests if not test.passed)
    return Verdict(grade, distance, sentence(judged.reason) if judged.reason else "", failed)


def unreadable(reason: str) -> Verdict:
    """The verdict on a needle that gives no thumbnail."""
    return Verdict(UNREADABLE, None, reason, ())


def plain_hashes(data: bytes) -> tuple[int, ...] | None:
    """The 64-bit hashes of imagehash for a picture, in the order of ``PLAIN``; None where it cannot be decoded.

    Of the picture in full size, brought upright as its EXIF says. For wHash larger pictures are brought to 256 x 256
    first: what it does by itself for photos of 256 to 511 pixels.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            grey = ImageOps.exif_transpose(image).convert("L")
    except OSError:
        return None
    return tuple(_as_int(_hash_with(name, grey).hash) for name in PLAIN)


def _hash_with(name: str, grey: Image.Image) -> imagehash.ImageHash:
    if name == "whash":
        return imagehash.whash(grey, image_scale=_PLAIN_WHASH_SIDE if min(grey.size) >= _PLAIN_WHASH_SIDE else None)
    functions = {"phash": imagehash.phash, "dhash": imagehash.dhash, "ahash": imagehash.average_hash}
    return functions[name](grey)


def _as_int(bits: np.ndarray) -> int:
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")
