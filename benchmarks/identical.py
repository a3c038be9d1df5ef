"""Identical first: a plain copy of part of a haystack, against a loop that reads and BLAKE3-hashes the same files.

    python -m benchmarks.identical [--rounds N] [--photos FOLDER]

Two copies are measured: 100 camera files, and 20,000 small ones. The haystack holds as many other files again, of other
sizes, which need not be read. Each run begins without a cache and writes one. What ``-v`` says is checked: needles and
their equals are read once, and nothing is decoded.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import DUPFIND, SHARED_DATA, Run, in_turn, machine, median

_IN_A_FOLDER = 100
_LOOP = """
import os, sys
from blake3 import blake3
for path in open(sys.argv[1]).read().split(chr(0))[:-1]:
    hasher = blake3()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    hasher.digest()
"""


def _contents(photos: Path, count: int) -> Iterator[bytes]:
    """Camera files, each a little other than the last; chance where there are none."""
    found = [one.read_bytes() for one in sorted(photos.iterdir())] if photos.is_dir() else []
    dice = random.Random(1)  # noqa: S311 - no secret
    for number in range(count):
        yield (found[number % len(found)] if found else dice.randbytes(3_500_000)) + b"%d" % number


def _small(count: int) -> Iterator[bytes]:
    dice = random.Random(2)  # noqa: S311 - no secret
    for _ in range(count):
        yield b"\xff\xd8\xff" + dice.randbytes(dice.randrange(3000, 6000))


def _build(work: Path, contents: Iterator[bytes]) -> list[Path]:
    """Write each content to both trees, and one of an own size to the haystack; gives the files that are equal."""
    written = []
    for number, content in enumerate(contents):
        for side in ("haystack/kept", "needles"):
            path = work / side / f"folder {number // _IN_A_FOLDER:04d}" / f"IMG_{number:06d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
        other = work / "haystack" / "other" / f"folder {number // _IN_A_FOLDER:04d}" / f"IMG_{number:06d}.jpg"
        other.parent.mkdir(parents=True, exist_ok=True)
        with other.open("wb") as file:
            file.truncate(10_000_000 + number)
    return written


def _check(scan: list[str], count: int) -> None:
    """See that the files are read once and that nothing is decoded."""
    said = subprocess.run([*scan, "-v"], check=True, capture_output=True, text=True).stderr
    stages = [line.split(":")[1].strip() for line in said.splitlines()]
    if stages != ["walking", "comparing bytes", "looking again"] or f"comparing bytes: {count:,} files" not in said:
        sys.exit(f"not what was expected:\n{said}")


def _measure(name: str, contents: Iterator[bytes], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        written = _build(work, contents)
        listing, cache = work / "listing", work / "cache.sqlite"
        listing.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in sorted(written)))
        roots = ["--haystack", str(work / "haystack"), "--needles", str(work / "needles")]
        _check([*DUPFIND, "scan", *roots, "--no-cache"], len(written))
        scan = [*DUPFIND, "scan", *roots, "--cache", str(cache), "-q"]
        loop = [sys.executable, "-c", _LOOP, str(listing)]
        runs: dict[str, list[Run]] = {"loop": [], "dupfind": []}
        for _ in range(rounds):
            cache.unlink(missing_ok=True)
            for tool, found in in_turn({"loop": loop, "dupfind": scan}, 1).items():
                runs[tool] += found
        if any(one.code for found in runs.values() for one in found):
            sys.exit("a run has failed")
        ratio = median([a.seconds / b.seconds for a, b in zip(runs["loop"], runs["dupfind"], strict=True)])
        seconds = {tool: median([one.seconds for one in found]) for tool, found in runs.items()}
        size = sum(path.stat().st_size for path in written) / 1e6
        cpu = median([a.cpu_seconds / b.cpu_seconds for a, b in zip(runs["loop"], runs["dupfind"], strict=True)])
        times = f"{seconds['loop']:.2f} s | {seconds['dupfind']:.2f} s"
        print(f"| {name} | {size:,.0f} MB | {times} | {ratio:.2f} | {cpu:.2f} |", flush=True)


def main() -> None:
    """Build the trees, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=Path, default=SHARED_DATA / "camera", help="camera files to copy from")
    options = parser.parse_args()
    print(machine())
    print("| needles | read on both sides | loop | dupfind | speed, dupfind : loop | the same by processor time |")
    print("|---|---|---|---|---|---|")
    _measure("100 camera files", _contents(options.photos, 100), options.rounds)
    _measure("20,000 small files", _small(20_000), options.rounds)


if __name__ == "__main__":
    main()
