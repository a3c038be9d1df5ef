"""Join of many needles with very many hashes in columns: 1 to 100 million, memory of one shard.

    python -m benchmarks.columns [--needles N] [--counts N,N,...] [--radius BITS] [--folder FOLDER]

The hashes are synthetic, made shard by shard from the shard's number, and written as a column, 8 bytes each: 800 MB for
100 million, which are deleted at the end. One hash in 10,000 is a needle with up to as many bits turned over as the
radius, so the join has something to find; those are counted, and all of them have to be there. Each number of
hashes is a process of its own, so that its peak of memory is its own, too. One core; processor time counts, the clock
is told beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from benchmarks.common import machine
from benchmarks.search import Hashes, _peak_gib, flipped, uniform
from dupfind.catalog.columns import SHARD_ROWS, near_any

_PLANTED = 10_000
"""One hash in so many lies near a needle on purpose."""
_COUNTS = 1_000_000, 10_000_000, 100_000_000
_BILLION, _CATALOGS = 1_000_000_000, 100


def needles_of(count: int) -> Hashes:
    """The needles, always the same."""
    return uniform(np.random.Generator(np.random.PCG64(11)), count)


def make_column(path: Path, count: int, needles: Hashes, radius_bits: int) -> None:
    """Write so many hashes, a shard at a time."""
    column = open_memmap(path, mode="w+", dtype=np.uint64, shape=(count,))
    for start in range(0, count, SHARD_ROWS):
        dice = np.random.Generator(np.random.PCG64([12, start]))
        hashes = uniform(dice, min(SHARD_ROWS, count - start))
        places = _planted(start, len(hashes))
        hashes[places] = flipped(dice, dice.choice(needles, len(places)), radius_bits)
        column[start : start + len(hashes)] = hashes
    column.flush()


def _planted(start: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange((-start) % _PLANTED, count, _PLANTED)


def _shard(path: Path, start: int) -> Hashes:
    return np.array(np.load(path, mmap_mode="r")[start : start + SHARD_ROWS])


def measure(path: Path, count: int, needle_count: int, radius_bits: int) -> dict[str, float]:
    """Join once; gives times, memory and what was found."""
    needles = needles_of(needle_count)
    base_mib = _peak_gib() * 1024
    began, cpu_began = time.perf_counter(), time.process_time()
    near = np.concatenate(
        [
            start + np.flatnonzero(near_any(_shard(path, start), needles, radius_bits))
            for start in range(0, count, SHARD_ROWS)
        ]
    )
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    peak_mib = _peak_gib() * 1024
    planted = np.arange(0, count, _PLANTED)
    assert np.isin(planted, near).all(), "what lies near a needle was not found"
    return {"seconds": seconds, "cpu": cpu_seconds, "peak_mib": peak_mib, "base_mib": base_mib, "near": len(near)}


def main() -> None:
    """Measure each number of hashes and print the table, and what follows for a billion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--needles", type=int, default=100_000)
    parser.add_argument("--counts", default=",".join(map(str, _COUNTS)))
    parser.add_argument("--radius", type=int, default=10, metavar="BITS")
    parser.add_argument("--folder", type=Path, help="where the column is made; by default among the temporary files")
    parser.add_argument("--measure", nargs=2, metavar=("FILE", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        path, count = options.measure
        print(json.dumps(measure(Path(path), int(count), options.needles, options.radius)))
        return
    print(machine())
    print(f"{options.needles:,} needles, radius {options.radius}; load {os.getloadavg()[0]:.0f}\n")
    print("| hashes | processor time | a hash | by the clock | peak memory | before the join | found near |")
    print("|---|---|---|---|---|---|---|")
    a_hash = 0.0
    for count in map(int, options.counts.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="dupfind-columns-") as folder:
            path = Path(folder) / "hash.npy"
            make_column(path, count, needles_of(options.needles), options.radius)
            command = [sys.executable, "-m", "benchmarks.columns", "--measure", str(path), str(count)]
            more = ["--needles", str(options.needles), "--radius", str(options.radius)]
            told = json.loads(subprocess.run([*command, *more], check=True, capture_output=True).stdout)
        a_hash = told["cpu"] / count
        times = f"{told['cpu']:.1f} s | {a_hash * 1e6:.2f} µs | {told['seconds']:.1f} s"
        memory = f"{told['peak_mib']:,.0f} MiB | {told['base_mib']:,.0f} MiB"
        print(f"| {count:,} | {times} | {memory} | {told['near']:,.0f} |", flush=True)
    shard = a_hash * _BILLION / _CATALOGS
    print(f"\n{_BILLION:,} in {_CATALOGS} catalogs, by arithmetic: {shard:.0f} s of a core each, ", end="")
    print(f"{a_hash * _BILLION / 3600:.1f} core hours together; nothing but the needles goes to a machine.")


if __name__ == "__main__":
    main()
