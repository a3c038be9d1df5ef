"""Distances between the user's own pictures: every pair compared by every algorithm.

Up to 20,000 pictures all pairs are compared. Of more, every so many-th in the order of the walk is compared with
all others, so that the sample is the same in every run and series of shots weigh in it as they do in the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dupfind.answers.calibrate import Calibration, Spread
from dupfind.errors import TooFewPicturesError
from dupfind.events import Listener
from dupfind.grouping.collection import gather
from dupfind.reading import Pictures, Reader
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.problems import problems_of
from dupfind.session import with_reader
from dupfind.settings import DEFAULT_THRESHOLD_BITS, Settings
from dupfind.values import ORIENTATIONS, Failure, FileEntry
from dupfind.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PAIRS = 200_000_000
"""Most pairs compared, which is all of 20,000 pictures."""
_ALGORITHMS = tuple(DEFAULT_THRESHOLD_BITS)
_WORDS = len(_ALGORITHMS) + 4
_WORD_BYTES = 8


def calibrate(
    settings: Settings,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
    most_pairs: int = MOST_PAIRS,
) -> Calibration:
    """Compare the pictures below the haystack roots of ``settings`` with each other.

    Raises :class:`~dupfind.errors.TooFewPicturesError` where no two are different.
    """
    run = Run(settings, listener, make_executor)
    whole = gather(run, is_proof=False)
    calibration, failures = with_reader(run, partial(_compare, whole.entries, most_pairs))
    return calibration(problems_of(whole.trees, failures), whole.catalogs)


def describe(pictures: Sequence[tuple[int, bytes]], orientations: int) -> list[bytes]:
    """Hash each (id, pixels) in its first ``orientations``: the words of every algorithm, then the check hash.

    Runs in a worker. Eight words an orientation, packed big-endian.
    """
    import numpy as np

    from dupfind.evidence import fingerprint

    def words(pixels: fingerprint.Pixels) -> bytes:
        hashes = [fingerprint.search_hash(pixels, algorithm).to_bytes(_WORD_BYTES, "big") for algorithm in _ALGORITHMS]
        return b"".join([*hashes, fingerprint.check_hash(pixels).to_bytes(4 * _WORD_BYTES, "big")])

    return [
        b"".join(
            words(np.ascontiguousarray(fingerprint.turn(fingerprint.pixels(thumbnail), orientation)))
            for orientation in range(orientations)
        )
        for _, thumbnail in pictures
    ]


def _compare(
    entries: list[FileEntry], most_pairs: int, run: Reading
) -> tuple[Callable[..., Calibration], dict[str, Failure]]:
    settings, reader, listener = run.settings, run.reader, run.listener
    pictures = reader.pictures(entries, "decoding", 1)
    count = len(pictures.refs)
    if count < 2:  # noqa: PLR2004 - a pair
        raise TooFewPicturesError(f"there {'is 1 picture' if count else 'are no pictures'} here; a pair takes two")
    import numpy as np

    from dupfind.commands.pair_distances import count_pairs
    from dupfind.evidence.evidence import CHECK_BOUND_BITS

    sample = count if count * (count - 1) // 2 <= most_pairs else max(1, most_pairs // count)
    positions = np.arange(sample, dtype=np.int64) * count // sample
    needles, haystack = _words(pictures, positions.tolist(), ORIENTATIONS if settings.scan.rotations else 1, reader)
    with listener.stage("comparing", sample) as advance:
        counted = count_pairs(needles, haystack, positions, CHECK_BOUND_BITS, advance)
    if not counted.counts.any():
        raise TooFewPicturesError("all pictures here are likely the same one; a pair takes two that differ")
    spreads = [
        Spread(algorithm, counts.tolist(), count) for algorithm, counts in zip(_ALGORITHMS, counted.counts, strict=True)
    ]
    calibration = partial(
        Calibration,
        __version__,
        settings.scan.haystack,
        settings.scan.rotations,
        count,
        sample,
        counted.left_out,
        spreads,
    )
    return calibration, pictures.failures


def _words(
    pictures: Pictures, positions: Sequence[int], orientations: int, reader: Reader
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the words of the needles, turned, and of all pictures, upright,
    as :mod:`dupfind.commands.pair_distances` takes them.
    """
    import numpy as np

    ids = [ref.id for ref in pictures.refs]
    turned = list(dict.fromkeys(ids[position] for position in positions))
    upright_only = sorted(set(ids) - set(turned))
    words = dict(reader.map_pixels(turned, partial(describe, orientations=orientations)))
    words |= reader.map_pixels(upright_only, partial(describe, orientations=1))
    needles = b"".join(words[ids[position]] for position in positions)
    upright = b"".join(words[id_][: _WORDS * _WORD_BYTES] for id_ in ids)
    return (
        np.frombuffer(needles, ">u8").astype(np.uint64).reshape(len(positions), orientations, _WORDS),
        np.frombuffer(upright, ">u8").astype(np.uint64).reshape(len(ids), _WORDS),
    )
