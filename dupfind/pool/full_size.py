"""Compare pictures at full size, pair by pair, as a plain picklable function that takes a list and gives a list.

What :mod:`dupfind.evidence.full_size` says of two files: both are opened, seen to be the files that the walk saw,
decoded whole and compared at the size of the smaller one.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, NamedTuple

from dupfind.errors import NoMemoryError, NotAPictureError, UndecodableError
from dupfind.pool.tasks import ReadError, opened, timed_out
from dupfind.pool.time_limit import TimeLimit
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import FIRST_TRANSPOSED, FULL_SIZE, FileEntry, Thumbnail

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dupfind.evidence.pixels import Pixels
    from dupfind.pictures.decode import FullSize, Pick

MOST_PIXELS = 50_000_000
"""Larger pictures are compared at this size. The comparison takes 8 bytes a pixel beside the two decoded pictures."""

LISTED = Reason(ReasonCode.LISTED)
_KNOWN_NOISE_FORMATS = frozenset({"JPEG", "MPO", "PNG", "BMP", "TIFF", "PPM", "GIF", "PSD"})
"""What their codec leaves is known: nothing, or what a table of the JPEG says."""


class FullSizePair(NamedTuple):
    """A needle and a witness that their thumbnails found to be the same picture."""

    needle: FileEntry
    witness: FileEntry
    orientation: int
    """How the needle is turned to meet the witness, as in :func:`dupfind.evidence.fingerprint.turn`."""
    size: tuple[int, int]
    """Width and height at which the two are compared, as the witness lies."""
    scale: float
    """Sides of the witness to those of the needle."""
    quality: int | None
    """Of a JPEG needle."""
    bits: float | None
    """A pixel, of a needle in another lossy format."""
    captured: tuple[str | None, str | None]
    """Capture times of needle and witness, as in their thumbnails."""


class Compared(NamedTuple):
    """What comparing a pair gave, and when the reading began (``time.time_ns``)."""

    objection: Reason | None
    read_ns: int
    is_lasting: bool = True
    """Whether the same two files will be found so again."""


def pair_of(
    needle: tuple[FileEntry, Thumbnail], witness: tuple[FileEntry, Thumbnail], orientation: int
) -> FullSizePair:
    """Describe a comparison by what the thumbnails of the two files say."""
    (needle_entry, ours), (witness_entry, theirs) = needle, witness
    width, height = (ours.height, ours.width) if orientation >= FIRST_TRANSPOSED else (ours.width, ours.height)
    common = min(width, theirs.width), min(height, theirs.height)
    reduction = min(1.0, math.sqrt(MOST_PIXELS / (common[0] * common[1])))
    size = max(1, round(common[0] * reduction)), max(1, round(common[1] * reduction))
    scale = math.sqrt(theirs.size_pixels / ours.size_pixels)
    bits = None if ours.format in _KNOWN_NOISE_FORMATS else 8 * ours.data_bytes / ours.size_pixels
    return FullSizePair(
        needle_entry,
        witness_entry,
        orientation,
        size,
        scale,
        quality=ours.quality,
        bits=bits,
        captured=(ours.captured, theirs.captured),
    )


def decoded_witness(pair: FullSizePair) -> tuple[FileEntry, tuple[int, int]]:
    """Tell what of the witness is decoded: pairs of which this is equal share it where they follow each other."""
    return pair.witness, pair.size


def not_compared(reason: str, read_ns: int = 0) -> Compared:
    """Return the outcome for a pair that could not be compared; ``reason`` says why."""
    return Compared(Reason(ReasonCode.NOT_COMPARED, (reason,)), read_ns, is_lasting=False)


def compare_pairs(pairs: Sequence[FullSizePair], max_pixels: int, timeout_seconds: float) -> list[Compared]:
    """Compare each pair; the witness that a process decoded last is kept for the next pair.

    Raises ``MemoryError`` where memory is short.
    """
    comparer = Comparer(max_pixels, timeout_seconds)
    return [comparer.compare(pair) for pair in pairs]


class _Witness(NamedTuple):
    """A witness that was decoded at some size."""

    entry: FileEntry
    size: tuple[int, int]
    palette: bytes | None
    picture: FullSize
    pixels: Pixels
    """The same, with what comparing it before has made of it."""


_last_witness: list[_Witness] = []
"""The one that this process decoded last: 2.1 bytes a pixel, and 5 MB. Pairs of one witness come one after another,
chunk by chunk, and its file is opened and seen to be the same for each."""


class Comparer:
    """Compares pairs one after another; ``is_afresh`` decodes every witness anew, as ``--paranoid`` promises."""

    def __init__(self, max_pixels: int, timeout_seconds: float, *, is_afresh: bool = False) -> None:
        self._max_pixels = max_pixels
        self._timeout_seconds = timeout_seconds
        if is_afresh:
            _last_witness.clear()

    def compare(self, pair: FullSizePair) -> Compared:
        """Open both files of ``pair`` and compare them."""
        read_ns = time.time_ns()
        if objection := _other_moment(pair):
            return Compared(objection, read_ns)
        try:
            with opened(pair.needle, FULL_SIZE) as needle, opened(pair.witness, FULL_SIZE) as witness:
                return Compared(self.compare_files(pair, needle, witness), read_ns)
        except ReadError as error:
            return not_compared(error.failure.reason, read_ns)
        except (NotAPictureError, UndecodableError) as error:
            return not_compared(str(error), read_ns)

    def compare_files(self, pair: FullSizePair, needle: IO[bytes], witness: IO[bytes]) -> Reason | None:
        """Compare the two open files. Raises what decoding them raises."""
        from dupfind.evidence import fingerprint, full_size
        from dupfind.evidence.pixels import Pixels

        own_size = pair.size[::-1] if pair.orientation >= FIRST_TRANSPOSED else pair.size
        if pair.scale < 1:  # it is the needle that is reduced
            theirs, other_pixels = self._witness(pair, witness)
            ours = self._read(needle, pair.needle, own_size, like(fingerprint.turn_back(theirs.gray, pair.orientation)))
            gray = fingerprint.turn(ours.gray, pair.orientation)
        else:
            ours = self._read(needle, pair.needle, own_size)
            gray = fingerprint.turn(ours.gray, pair.orientation)
            theirs, other_pixels = self._witness(pair, witness, like(gray), ours.palette)
        color = None if ours.color is None else fingerprint.turn(ours.color, pair.orientation)
        own_pixels = Pixels(gray, color)
        recolored = None if theirs.recolored is None else Pixels(*theirs.recolored)
        if theirs.tiles is not None:
            other_pixels = fitted(other_pixels, own_pixels)
        elif ours.tiles is not None:
            own_pixels = fitted(own_pixels, other_pixels)
        facts = full_size.Facts(
            quality=pair.quality,
            bits=pair.bits,
            scale=pair.scale,
            has_palette=ours.has_palette,
            lost_colors=theirs.has_palette and not ours.has_palette,
            shown_apart=_shown_apart(ours, theirs),
            is_lossless=ours.is_lossless and theirs.is_lossless,
            has_full_color=ours.has_full_color and theirs.has_full_color,
            steps=_steps(ours, theirs),
        )
        objection = full_size.compare(own_pixels, other_pixels, facts, recolored)
        if objection is not None and self._is_by_saving(objection, pair, needle, witness):
            objection = None
        return objection or self._hidden(needle)

    def _is_by_saving(self, objection: Reason, pair: FullSizePair, needle: IO[bytes], witness: IO[bytes]) -> bool:
        """Tell whether ``objection`` is to nothing but what saving one of the two has made of the other."""
        from dupfind.evidence import full_size
        from dupfind.pictures import resaving

        if pair.orientation != 0 or pair.scale != 1 or not full_size.may_come_of_saving(objection):
            return False
        try:
            with suppress(NotAPictureError, UndecodableError), self._limited():
                saving = resaving.find_saving(needle, witness)
                return saving is not None and full_size.comes_of_saving(objection, saving.is_first_made, saving.quality)
        except NoMemoryError as error:
            raise MemoryError(str(error)) from None
        return False

    def _hidden(self, needle: IO[bytes]) -> Reason | None:
        """Object to a needle with data that no decoder shows: asked here, where something rests on it."""
        from dupfind.pictures import hidden_data, kinds

        with self._limited():
            hides_data = hidden_data.hides_data(needle, self._max_pixels)
        return Reason(ReasonCode.MORE_IN_FILE, (kinds.BEHIND_PIXELS,)) if hides_data else None

    def _witness(
        self, pair: FullSizePair, file: IO[bytes], pick: Pick | None = None, palette: bytes | None = None
    ) -> tuple[FullSize, Pixels]:
        from dupfind.evidence.pixels import Pixels

        for last in _last_witness:
            if last[:3] == (pair.witness, pair.size, palette) and pair.witness.inode:
                tiles = last.picture.tiles
                if pick is None or tiles is None or pick(tiles) == last.picture.way:
                    return last.picture, last.pixels
        _last_witness.clear()  # frees the memory first
        picture = self._read(file, pair.witness, pair.size, pick, palette)
        pixels = Pixels(picture.gray, picture.color, made={})
        _last_witness[:] = [_Witness(pair.witness, pair.size, palette, picture, pixels)]
        return picture, pixels

    def _read(
        self,
        file: IO[bytes],
        entry: FileEntry,
        size: tuple[int, int],
        pick: Pick | None = None,
        palette: bytes | None = None,
    ) -> FullSize:
        from dupfind.pictures import decode

        try:
            with self._limited():
                file.seek(0)
                return decode.read_full_size(file, entry.path, self._max_pixels, size, pick, palette)
        except NoMemoryError as error:
            raise MemoryError(str(error)) from None

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Raise :class:`UndecodableError` where the block takes too long."""
        try:
            with TimeLimit(self._timeout_seconds) as limit, limit.each():
                yield
        except TimeoutError:  # which is an OSError: whoever has opened the file would take it for one of the disk
            raise UndecodableError(timed_out(self._timeout_seconds).reason, lasting=False) from None


def like(gray: NDArray[np.uint8]) -> Pick:
    """Resample a picture so that it comes as near to ``gray`` (height, width), the upright smaller one, as can be."""
    from dupfind.evidence import detail

    return lambda tiles: detail.closest(gray, tiles.boxes, tiles.versions)


def fitted(larger: Pixels, smaller: Pixels) -> Pixels:
    """Add to the larger one what a filter brings nearer to the smaller one: programs have kernels of their own."""
    from dupfind.evidence import reduction
    from dupfind.pictures import color_modes

    weights = reduction.fitted_weights(smaller.gray, larger.gray)
    return larger._replace(fitted=color_modes.convolved(larger.gray, weights))


def _other_moment(pair: FullSizePair) -> Reason | None:
    """Object to capture times that are whole quarters of an hour apart where the files have different names."""
    from dupfind.evidence import capture_times

    if not capture_times.are_zones_apart(*pair.captured) or _stem(pair.needle) == _stem(pair.witness):
        return None
    first, second = pair.captured
    return Reason(ReasonCode.CAPTURE_TIME, (first or "", second or ""))


def _stem(entry: FileEntry) -> str:
    return os.path.splitext(os.path.basename(entry.path))[0].casefold()


def _steps(needle: FullSize, witness: FullSize) -> float:
    """Tell how much more the witness's tones lie in steps than the needle's."""
    from dupfind.evidence import steps

    return 0.0 if needle.tones is None or witness.tones is None else steps.excess(needle.tones, witness.tones)


def _shown_apart(needle: FullSize, witness: FullSize) -> float:
    """Tell by how many levels the needle's colours would be shown otherwise by the witness's profile."""
    if needle.profile in (
        None,
        witness.profile,
    ):  # a needle that has lost its profile has nothing that the witness lacks
        return 0.0
    from dupfind.pictures import profiles

    return profiles.shown_apart(profiles.sample(needle.gray, needle.color), needle.profile, witness.profile)
