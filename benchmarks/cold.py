"""Cold run: images a second against ``djpeg -scale 1/8 -grayscale`` on the same files and cores, in turn.

    python -m benchmarks.cold [FOLDER OF JPEG FILES] [--links N] [--rounds N]

The files are linked until there are enough for the start-up not to decide; a second set is made progressive with
``jpegtran``. Every run begins without a cache and writes one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.common import DUPFIND, SHARED_DATA, in_turn, machine, median
from fixtures import pictures


def _link(files: list[Path], folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        for file in files:
            os.link(file, folder / f"{number:03d}-{file.name}")
    return folder


def _measure(name: str, folder: Path, work: Path, rounds: int) -> None:
    count = len(list(folder.iterdir()))
    cores = len(os.sched_getaffinity(0))
    djpeg = f"ls {folder}/* | xargs -P {cores} -n 16 sh -c 'for f; do djpeg -scale 1/8 -grayscale \"$f\"; done' sh"
    scan = " ".join([*DUPFIND, "scan", "--haystack", str(folder), "--needles", str(work / "needle"), "-q"])
    runs = in_turn(
        {
            "djpeg": ["sh", "-c", djpeg],
            "dupfind": ["sh", "-c", f"rm -f {work}/cache.sqlite; {scan} --cache {work}/cache.sqlite"],
        },
        rounds,
    )
    rates = {tool: median([count / one.seconds for one in found]) for tool, found in runs.items()}
    ratio = median([a.seconds / b.seconds for a, b in zip(runs["djpeg"], runs["dupfind"], strict=True)])
    peak = max(one.peak_mib for one in runs["dupfind"])
    print(
        f"| {name} | {count} | {rates['djpeg']:.1f} | {rates['dupfind']:.1f} | {ratio:.2f} | {peak:.0f} MiB |",
        flush=True,
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED_DATA / "camera")
    parser.add_argument("--links", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    files = sorted(path for path in options.folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if not files or not shutil.which("djpeg"):
        print("cold: skipped; it needs a folder of JPEG files and djpeg (Debian: libjpeg-turbo-progs)")
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pictures.save(pictures.photo(1), work / "needle" / "one.jpg")
        copies, progressive = [], []
        for file in files:
            copies.append(Path(shutil.copy(file, work / file.name)))
            progressive.append(work / f"progressive-{file.name}")
            with progressive[-1].open("wb") as out:
                subprocess.run(["jpegtran", "-copy", "all", "-progressive", str(file)], stdout=out, check=True)
        print(machine())
        print("| files | number | djpeg, images/s | dupfind, images/s | dupfind : djpeg | peak memory |")
        print("|---|---|---|---|---|---|")
        _measure("baseline", _link(copies, work / "baseline", options.links), work, options.rounds)
        _measure("progressive", _link(progressive, work / "progressive", options.links // 2), work, options.rounds)


if __name__ == "__main__":
    main()
