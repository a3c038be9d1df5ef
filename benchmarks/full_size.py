"""What proof at full size costs: a cold scan of re-encoded camera files with it and, in turn, by thumbnails only.

    python -m benchmarks.full_size [--files N] [--rounds N] [--photos FOLDER]

The needles are the photos of FOLDER, each encoded again at several qualities; the haystack holds the photos. Every
needle has a witness, so this is the dearest tree that there is: what has none, or equal bytes, is never compared.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.common import DUPFIND, SHARED_DATA, in_turn, machine, median

_QUALITIES = range(75, 97)


def _build(folder: Path, photos: Path, count: int) -> None:
    """Link the photos into the haystack, and write ``count`` needles."""
    (folder / "hay").mkdir()
    (folder / "needles").mkdir()
    paths = [path for path in sorted(photos.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]
    for path in paths:
        os.symlink(path, folder / "hay" / path.name)
    for number in range(count):
        path = paths[number % len(paths)]
        with Image.open(path) as image:
            quality = _QUALITIES[number // len(paths) % len(_QUALITIES)]
            needle, profile = folder / "needles" / f"{number:04}.jpg", image.info.get("icc_profile")
            image.save(needle, quality=quality, exif=image.getexif(), icc_profile=profile)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=Path, default=SHARED_DATA / "camera")
    options = parser.parse_args()
    if not options.photos.is_dir():
        print(f"skipped: {options.photos} is not there")
        return 0
    with tempfile.TemporaryDirectory(prefix="dupfind-") as name:
        folder = Path(name)
        _build(folder, options.photos, options.files)
        trees = ["--haystack", str(folder / "hay"), "--needles", str(folder / "needles"), "--follow-symlinks", "-q"]
        scan = [*DUPFIND, "scan", *trees, "--no-cache"]
        runs = in_turn({"default": scan, "--quick": [*scan, "--quick"]}, options.rounds)
    print(machine())
    for command, done in runs.items():
        seconds, cpu = median([run.seconds for run in done]), median([run.cpu_seconds for run in done])
        print(f"{command:<8} {seconds:7.1f} s, {cpu:7.1f} s of processor time, exit code {done[0].code}")
    pairs = zip(runs["default"], runs["--quick"], strict=True)
    ratio = median([default.seconds / quick.seconds for default, quick in pairs])
    print(f"{options.files} needles: {ratio:.1f} times as long with the comparison at full size")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
