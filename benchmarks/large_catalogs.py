"""Whole scans against catalogs of very many files, by their columns and without these: time, memory, the same answer.

    python -m benchmarks.large_catalogs [--files N] [--catalogs N] [--needles N] [--keep FOLDER]

The files of the catalogs are made up: each has a size, a digest and a hash by chance, and no thumbnail, so that a scan
that asked for one of what is no candidate would fail; within 4 bits there is none by chance. The needles are pictures
that are none of them, texts of a size that one file in the catalogs has, and texts of no such size. Each run is a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from benchmarks.common import DUPFIND, machine, run
from dupfind import __version__, libraries
from dupfind.cache.cache_schema import PictureRef
from dupfind.catalog import columns
from dupfind.catalog.catalog_file import About, CatalogFile, Listed
from dupfind.catalog.volumes import Volume
from dupfind.events import Silence
from dupfind.session import recipe
from dupfind.values import FileEntry
from fixtures import pictures

_IN_A_FOLDER = 1000
_BATCH = 20_000
_FIRST_BYTES = 1_000_000


def make_catalog(path: Path, files: int, first: int) -> tuple[float, float]:
    """Write a catalog of so many files, and its columns; gives the processor time of both in seconds."""
    dice = random.Random(first)  # noqa: S311 - no secret
    made_by = recipe("phash", Silence())
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    volume = Volume(1, "another boot", "ext4", "", is_numbered_apart=False)
    about = About(__version__, dict(libraries.versions()), now, now, "/not/here", 1, (), False, (volume,), True)
    began = time.process_time()
    file = CatalogFile.for_writing(str(path))
    for start in range(first, first + files, _BATCH):
        rows = [_listed(dice, number) for number in range(start, min(start + _BATCH, first + files))]
        with file.transaction():
            file.put(rows, made_by)
            file.set_about(about)
    written = time.process_time()
    columns.write(str(path), file, "phash", made_by.hashes)
    file.close()
    return written - began, time.process_time() - written


def _listed(dice: random.Random, number: int) -> Listed:
    path = f"{number // _IN_A_FOLDER:06d}/IMG_{number:09d}.jpg"
    entry = FileEntry(path, _FIRST_BYTES + number, 10**18 + number, 10**18 + number, 10**7 + number)
    ref = PictureRef(dice.getrandbits(60) << 3, 12_000_000)  # of no frame, no damage, and no preview
    return Listed(entry, dice.randbytes(32), ref, dice.randbytes(8), None, None, is_settled=True)


def make_needles(folder: Path, count: int) -> None:
    """Write pictures, and texts with and without a twin by size."""
    folder.mkdir()
    for number in range(count):
        pictures.photo(number, (320, 240)).save(folder / f"{number}.jpg", quality=90)
        (folder / f"{number}.txt").write_bytes(b"t" * (number + 1))
        with (folder / f"{number}.bin").open("wb") as twin:
            twin.truncate(_FIRST_BYTES + number)


def main() -> None:
    """Make catalogs and needles, scan both ways, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000, help="of all catalogs together")
    parser.add_argument("--catalogs", type=int, default=1)
    parser.add_argument(
        "--needles", type=int, default=20, help="of each of the three kinds, at most 20: none is smooth"
    )
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="dupfind-catalogs-") as name:
        work = Path(name)
        make_needles(work / "needles", options.needles)
        names = [work / f"{number}.catalog" for number in range(options.catalogs)]
        each = options.files // options.catalogs
        with ProcessPoolExecutor(1, get_context("spawn")) as executor:  # its memory would count for that of the scans
            taken = list(executor.map(make_catalog, names, [each] * len(names), range(0, each * len(names), each)))
        size = sum(path.stat().st_size for path in names) / options.files
        of_columns = sum(part.stat().st_size for path in names for part in Path(f"{path}.columns").iterdir())
        seconds = [sum(part) for part in zip(*taken, strict=True)]
        bytes_each = f"{size:.0f} B a file, columns {of_columns / options.files:.0f} B"
        made = f"columns made in {seconds[1]:.0f} s of a core, load {os.getloadavg()[0]:.0f}"
        print(f"{options.files:,} files in {options.catalogs} catalogs, {3 * options.needles} needles")
        print(f"{bytes_each}; {made}\n")
        haystack = [word for path in names for word in ("--elsewhere", str(path))]
        scan = [*DUPFIND, "scan", *haystack, "--needles", str(work / "needles"), "-q", "--threshold", "4"]
        cache = ["--cache", str(work / "cache.sqlite")]
        run([*scan, *cache])  # the needles are known from now on
        print("| by | time | processor time | peak memory |")
        print("|---|---|---|---|")
        answers = []
        for what in ("columns", "the whole"):
            if what == "the whole":
                for path in names:
                    Path(f"{path}.columns").rename(f"{path}.aside")
            done = run([*scan, *cache])
            if done.code != 1:
                sys.exit(f"the run has failed with {done.code}")
            print(
                f"| {what} | {done.seconds:.1f} s | {done.cpu_seconds:.1f} s | {done.peak_mib:,.0f} MiB |", flush=True
            )
            answers.append(_answer([*scan, *cache]))
        assert answers[0] == answers[1]


def _answer(command: list[str]) -> object:
    told = json.loads(subprocess.run([*command, "--format", "json"], check=False, capture_output=True).stdout)
    clocks = [told.pop(name) for name in ("started", "elapsed_seconds")]
    assert len(clocks) == 2
    for catalog in told["catalogues"]:
        catalog.pop("age_seconds")
    return told


if __name__ == "__main__":
    main()
