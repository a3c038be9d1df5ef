"""Groups and order of a large collection of which every thumbnail is known already.

    python -m benchmarks.groups [--pictures N]

The pictures are synthetic: smooth random ones, of which one in ten has a copy with noise; one in fifty is a frame of
one static camera, one in fifty a blank page, half of them with a little noise. Nothing is decoded and no file is
read: what is measured is what these commands add to the reading.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import machine
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.events import Silence
from dupfind.evidence import fingerprint
from dupfind.grouping.best_of import Rival
from dupfind.grouping.clustering import Clusterer
from dupfind.pool.workers import Pool
from dupfind.reading import Pictures, Reader
from dupfind.run import Reading, Run
from dupfind.settings import Settings
from dupfind.sorting import seriation, sorting
from dupfind.sorting.seriation import lengths
from dupfind.values import ORIENTATIONS, Evidence, FileEntry, ScanSettings, Thumbnail

_WIDTH, _HEIGHT = 4000, 3000
_LEVEL = 127.5


def drawn(count: int) -> Iterator[NDArray[np.uint8]]:
    """The pixels of so many thumbnails."""
    dice = np.random.default_rng(1)
    camera = _smooth(dice)
    before = camera
    for number in range(count):
        kind = number % 50
        if kind == 0:
            yield _noisy(camera + _spot(dice), dice, 1.0)
        elif kind == 1:
            yield _noisy(np.full((64, 64), 250.0), dice, 1.0 if number % 100 == 1 else 0.0)
        elif kind % 10 == 9:
            yield _noisy(before, dice, 0.3)
        else:
            before = _smooth(dice)
            yield _noisy(before, dice, 0.3)


def _smooth(dice: np.random.Generator) -> NDArray[np.float64]:
    small = Image.fromarray(dice.normal(_LEVEL, 60, (8, 8)).astype(np.float32))
    return np.asarray(small.resize((64, 64), Image.Resampling.BICUBIC), np.float64)


def _spot(dice: np.random.Generator) -> NDArray[np.float64]:
    down, across = np.mgrid[0:64, 0:64]
    y, x = dice.uniform(0, 64, 2)
    spot: NDArray[np.float64] = 60 * np.exp(-((down - y) ** 2 + (across - x) ** 2) / 30)
    return spot


def _noisy(picture: NDArray[np.float64], dice: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture + dice.normal(0, strength, (64, 64)) if strength else picture), 0, 255).astype(
        np.uint8
    )


def known(count: int, cache: Cache) -> Pictures:
    """So many pictures, put into the cache as if they had been read."""
    entries, refs, hashes = [], [], np.empty((count, ORIENTATIONS), np.uint64)
    for number, pixels in enumerate(drawn(count)):
        entry = FileEntry(f"/none/{number // 1000:04}/{number % 1000:03}.jpg", 3_000_000, number, number, number + 1)
        thumbnail = Thumbnail(pixels.tobytes(), _WIDTH, _HEIGHT, "JPEG", 1, None, quality=90)
        ref = cache.keep_content(entry, thumbnail, time.time_ns())
        assert isinstance(ref, PictureRef)
        entries.append(entry)
        refs.append(ref)
        hashes[number] = fingerprint.search_hashes(pixels, "phash")
    return Pictures(entries, refs, hashes, {})


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took."""
    began = time.monotonic()
    yield
    print(f"| {what} | {time.monotonic() - began:.1f} s |", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    count = parser.parse_args().pictures
    scan = ScanSettings((), (), "phash", 10, Evidence.SAME, rotations=True)
    settings = Settings((), scan)
    print(f"{machine()}; {count:,} pictures\n\n| what | time |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder, Pool(1) as pool:
        path = str(Path(folder) / "cache.sqlite")
        with Cache(path, lambda: Recipe("t", "h", "r")) as cache:
            pictures = known(count, cache)
            reader = Reader(settings, pool, cache, Silence())
            for again in ("", ", again"):
                clusterer = Clusterer(
                    Reading(Run(settings), reader, cache), pictures, lambda at: Rival(pictures.entries[at].path, at)
                )
                with timed(f"stacks{again}"):
                    stacks = clusterer.stacks()
                with timed(f"rows{again}"):
                    rows = clusterer.rows(stacks)
                cache.flush()
            ids = sorted({ref.id for ref in pictures.refs})
            with timed("features"):
                features = sorting.features_of(ids, cache)
            with timed("path"):
                order = seriation.seriate(features)
    several = sum(len(stack.ties) > 0 for stack in stacks)
    similar = sum(len(row.stacks) > 1 for row in rows)
    print(f"\n{several:,} stacks of several pictures, {similar:,} rows of several stacks")
    dice = np.random.default_rng(2)
    mean, by_chance = (
        float(lengths(features, some[:-1], some[1:]).mean()) for some in (order, dice.permutation(len(ids)))
    )
    print(f"mean step {mean:.1f}, in a random order {by_chance:.1f}")
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
