"""A warm ``dupfind find`` among a million pictures: where the time goes, and what a change in the collection costs.

    python -m benchmarks.find [--files N] [--folders N] [--rounds N] [--keep FOLDER]

The files are empty and their hashes random: what is measured is not decoding but what stands between a picture and
its answer. So the cache is filled as a first ``find`` would leave it, with 1,000 thumbnails that all files share.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import DUPFIND, machine, median, run
from benchmarks.warm import _picture
from dupfind.cache.cache_schema import PictureRef
from dupfind.cache.cache_snapshots import SnapshotShelf
from dupfind.finding.snapshot_store import SnapshotStore
from dupfind.reading import Pictures, Reader
from dupfind.run import Reading, Run
from dupfind.session import with_reader
from dupfind.settings import Settings, make_settings
from dupfind.values import FileEntry

_PICTURES = 1000
_SETTLED_SECONDS = 2.1
"""Folders that are younger are read each time."""


def _fill(job: tuple[Path, int]) -> None:
    folder, count = job
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        os.close(os.open(folder / f"IMG_{number:06d}.jpg", os.O_CREAT | os.O_WRONLY, 0o644))


def _build(tree: Path, files: int, folders: int) -> None:
    jobs = [(tree / f"{number // 100:03d}" / f"{number:05d}", files // folders) for number in range(folders)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_fill, jobs, chunksize=16))


class _Knowing(Reader):
    """Has an answer for every file without reading it."""

    def __init__(self, settings: Settings, refs: Sequence[PictureRef]) -> None:
        self._settings = settings
        self._refs = refs
        self._dice = np.random.Generator(np.random.PCG64(1))

    def pictures(
        self,
        entries: Sequence[FileEntry],
        what: str,  # noqa: ARG002
        orientations: int,
        *,
        bare: object = None,  # noqa: ARG002
    ) -> Pictures:
        """Random hashes, and thumbnails in turn."""
        hashes = self._dice.integers(0, 1 << 63, (len(entries), orientations), np.uint64)
        hashes = hashes << np.uint64(1) | self._dice.integers(0, 2, hashes.shape, np.uint64)
        refs = [self._refs[number % len(self._refs)] for number in range(len(entries))]
        return Pictures(list(entries), refs, hashes, {})


def _remember(some: Sequence[FileEntry], run: Reading) -> None:
    """Fill the cache as a first run would."""
    refs = run.reader.pictures(some, "decoding", 1).refs
    run.cache.flush()
    assert run.cache.path is not None
    snapshots = SnapshotStore(Reading(run, _Knowing(run.settings, refs), run.cache), SnapshotShelf(run.cache.path))
    collection = snapshots.open(is_anew=True)
    collection.read_pictures()
    snapshots.keep(collection)


def _remember_all(settings: Settings, some: Sequence[FileEntry]) -> None:
    with_reader(Run(settings), partial(_remember, some))


def _report(what: str, commands: Sequence[Sequence[str]]) -> None:
    runs = [run(command) for command in commands]
    seconds, cpu = median([one.seconds for one in runs]), median([one.cpu_seconds for one in runs])
    peak = max(one.peak_mib for one in runs)
    print(f"| {what} | {seconds:.2f} s | {cpu:.2f} s | {peak:.0f} MiB | {runs[0].code} |", flush=True)


def main() -> None:
    """Build the tree and the cache, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--folders", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="build there, or use what was built there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = options.keep or Path(name)
        tree, cache = work / "haystack", work / "cache.sqlite"
        if not tree.exists():
            _build(tree, options.files, options.folders)
            time.sleep(_SETTLED_SECONDS)
        known, images = work / "known", work / "images"
        for folder, first, count in ((known, 0, _PICTURES), (images, 10**6, options.rounds + 1)):
            folder.mkdir(exist_ok=True)
            for number in range(count):
                (folder / f"{number}.jpg").write_bytes(_picture(first + number, 80))
        settings = make_settings(haystack=[str(tree)], cache=str(cache))
        entries = [
            FileEntry(str(path), *((found := path.stat()).st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino))
            for path in sorted(known.iterdir())
        ]
        time.sleep(_SETTLED_SECONDS)
        began = time.perf_counter()
        with ProcessPoolExecutor(1) as pool:  # what it takes in memory would count for all processes started from here
            pool.submit(_remember_all, settings, entries).result()
        print(machine())
        print(f"remembered in {time.perf_counter() - began:.1f} s, cache of {cache.stat().st_size >> 20} MiB\n")
        _measure(tree, cache, images, options.rounds)


def _measure(tree: Path, cache: Path, images: Path, rounds: int) -> None:
    first, *others = map(str, sorted(images.iterdir()))
    find = [*DUPFIND, "find", "--haystack", str(tree), "--cache", str(cache), "-q"]
    print("| | time | processor | peak memory | exit code |\n|---|---|---|---|---|")
    run([*find, first])
    _report("a picture that is known", [[*find, first]] * rounds)
    _report("a new picture", [[*find, image] for image in others])
    _report("ten pictures", [[*find, first, *(others * 9)[:9]]] * rounds)
    made = tree / "000" / "00000" / "new.jpg"
    shutil.copy(first, made)
    try:
        _report("after one file was added", [[*find, first]] * rounds)
    finally:
        made.unlink()
    subprocess.run([*find, first, "--profile-stages"], check=False)


if __name__ == "__main__":
    main()
