"""Memory and time of a run over 1,000,000 haystack files and 100,000 needles that the cache knows.

    python -m benchmarks.memory [--haystack N] [--needles N] [--keep FOLDER] [--identical] [-- OPTIONS OF SCAN]

The files are sparse and no two have one size, so no bytes are compared; the cache is filled with hashes by chance. Nine
needles in ten have the hash and the thumbnail of a file of the haystack, the others have no candidate within 4 bits.
No other thumbnails are stored, so a run that asked for more of them would fail. With ``--identical`` the needles are a
copy instead, known by size and digest. The first run goes through the cache, the second finds the answer of the first,
before the third every hundredth file of both sides is touched, so that it is read again (there is no picture in it).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import DUPFIND, machine, run
from dupfind.cache.cache_schema import PictureRef, picture_id
from dupfind.cache.cache_store import Store
from dupfind.events import Silence
from dupfind.pipeline import walk
from dupfind.run import Run
from dupfind.session import recipe
from dupfind.settings import make_settings
from dupfind.values import FileEntry, Thumbnail

_IN_A_FOLDER = 1000
_SEARCHED = 10
"""One needle in so many has no candidate."""
_TOUCHED = 100
_BATCH = 50_000
_FILE_BYTES, _BASE_BYTES = 600, 250_000_000


def _make_files(root: Path, count: int, first_bytes: int) -> None:
    for number in range(count):
        folder = root / f"folder {number // _IN_A_FOLDER:04d}"
        if number % _IN_A_FOLDER == 0:
            folder.mkdir(parents=True)
        with (folder / f"IMG_{number:07d}.jpg").open("wb") as file:
            file.truncate(first_bytes + number)


def _thumbnail(dice: random.Random) -> Thumbnail:
    return Thumbnail(dice.randbytes(4096), 4000, 3000, "JPEG", 1, None, quality=92, data_bytes=3_000_000, detail=4.0)


def _batches(entries: list[FileEntry]) -> Iterator[list[FileEntry]]:
    for start in range(0, len(entries), _BATCH):
        yield entries[start : start + _BATCH]


def _fill(path: Path, haystack: list[FileEntry], needles: list[FileEntry]) -> None:
    """Let the cache know a picture in every file."""
    dice = random.Random(1)  # noqa: S311 - no secret
    made = recipe("phash", Silence())
    store, _ = Store.open(str(path))
    shared = [position for position in range(len(needles)) if position % _SEARCHED]
    refs = {}
    hashes = {}
    with store.transaction():
        for position in shared:
            thumbnail = _thumbnail(dice)
            id_ = picture_id(thumbnail)
            refs[needles[position].path] = refs[haystack[position].path] = PictureRef(id_, 12_000_000)
            hashes[id_] = dice.randbytes(64)
            store.add_pictures([(id_, thumbnail)])
    for entries, length in ((haystack, 8), (needles, 64)):
        for batch in _batches(entries):
            contents = []
            for entry in batch:
                ref = refs.get(entry.path) or PictureRef(dice.getrandbits(63), 12_000_000)
                hashes.setdefault(ref.id, dice.randbytes(length))
                contents.append((entry, ref))
            with store.transaction():
                store.set_contents(made.thumbnails, contents)
                store.set_hashes(made.hashes, [(ref.id, hashes[ref.id]) for _, ref in contents])
    store.close()


def _fill_identical(path: Path, haystack: list[FileEntry], needles: list[FileEntry]) -> None:
    """Let the cache know the digest of every file; a needle has that of the file of its size."""
    store, _ = Store.open(str(path))
    for entries in (haystack, needles):
        for batch in _batches(entries):
            with store.transaction():
                store.set_digests((entry, entry.size_bytes.to_bytes(32, "big")) for entry in batch)
    store.close()


def _touch(trees: list[Path], time_ns: int) -> None:
    """Give every hundredth file another time."""
    for tree in trees:
        for folder in sorted(tree.iterdir()):
            for path in sorted(folder.iterdir())[::_TOUCHED]:
                os.utime(path, ns=(time_ns, time_ns))


def main() -> None:
    """Build the trees and the cache, run, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--haystack", type=int, default=1_000_000)
    parser.add_argument("--needles", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="build there, or use what was built there")
    parser.add_argument("--identical", action="store_true")
    parser.add_argument("options", nargs="*", default=["--threshold", "4"], help="of the scan; after --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = options.keep or Path(name)
        trees, kind = [work / "haystack"], "copies" if options.identical else "pictures"
        trees.append(work / f"needles, {kind}")
        firsts = 1_000_000, 1_000_000 if options.identical else 10**9
        for tree, count, first in zip(trees, (options.haystack, options.needles), firsts, strict=True):
            if not tree.exists():
                _make_files(tree, count, first)
        cache = work / f"{kind}.sqlite"
        if not cache.exists():
            settings = make_settings(haystack=[str(trees[0])], needles=[str(trees[1])], no_cache=True)
            needles, haystack = (tree[0].entries for tree in walk(Run(settings)))
            (_fill_identical if options.identical else _fill)(cache, haystack, needles)
            time.sleep(2.1)
        files = options.haystack + options.needles
        scan = [*DUPFIND, "scan", "--haystack", str(trees[0]), "--needles", str(trees[1]), "--cache", str(cache)]
        print(machine())
        print(f"Allowed: {(_FILE_BYTES * files + _BASE_BYTES) / 2**20:,.0f} MiB")
        print("| run | time | processor time | peak memory | a file above 250 MB |")
        print("|---|---|---|---|---|")
        for what in ("through the cache", "nothing changed", "one file in a hundred touched"):
            if what.endswith("touched"):
                _touch(trees, time.time_ns() - 3600 * 10**9)
                time.sleep(2.1)  # or the cache would not keep what was just written
            done = run([*scan, "-q", *options.options])
            if done.code not in (0, 1):
                sys.exit(f"the run has failed with {done.code}")
            above = max(0.0, done.peak_mib * 2**20 - _BASE_BYTES) / files
            times = f"{done.seconds:.1f} s | {done.cpu_seconds:.1f} s"
            print(f"| {what} | {times} | {done.peak_mib:,.0f} MiB | {above:.0f} B |", flush=True)


if __name__ == "__main__":
    main()
