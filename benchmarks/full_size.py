"""What proof at full size costs: a cold scan of re-encoded camera files with it and, in turn, by thumbnails only.

    python -m benchmarks.full_size [--files N] [--rounds N] [--photos FOLDER] [--own-witnesses] [--seed N]

The needles are the photos of FOLDER, each encoded again at several qualities; the haystack holds the photos. Every
needle has a witness, and a few photos are the witnesses of all, so this is the dearest tree that there is: the haystack
costs next to nothing, and what has no witness, or equal bytes, is never compared.

With ``--own-witnesses`` each needle has one of its own, as in a backup: the haystack holds as many pictures as there
are needles, mosaics of parts of the photos as large as they are, in an order of chance.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from PIL import Image, ImageOps

from benchmarks.common import DUPFIND, SHARED_DATA, Run, adopt_orphans, machine, median, orphans_seconds, run

_QUALITIES = range(75, 97)
_SIZE, _TILE = (4000, 3000), 500
"""Of a mosaic, and the side of its parts."""
_QUALITY_OF_MOSAIC = 95


def _build(folder: Path, photos: Path, count: int) -> None:
    """Link the photos into the haystack, and write ``count`` needles."""
    for side in ("hay", "needles"):
        (folder / side).mkdir()
    paths = _paths(photos)
    for path in paths:
        os.symlink(path, folder / "hay" / path.name)
    for number in range(count):
        path = paths[number % len(paths)]
        with Image.open(path) as image:
            quality = _QUALITIES[number // len(paths) % len(_QUALITIES)]
            needle, profile = folder / "needles" / f"{number:04}.jpg", image.info.get("icc_profile")
            image.save(needle, quality=quality, exif=image.getexif(), icc_profile=profile)


def _build_own(folder: Path, photos: Path, count: int, seed: int) -> None:
    """Write ``count`` mosaics into the haystack, and as many needles."""
    for side in ("hay", "needles"):
        (folder / side).mkdir()
    dice = Random(seed)  # noqa: S311 - chance for pictures
    images = [Image.open(path).convert("RGB") for path in _paths(photos)]
    for number in range(count):
        whole = folder / "hay" / f"{number:04}.jpg"
        _mosaic(images, dice).save(whole, quality=_QUALITY_OF_MOSAIC)
        with Image.open(whole) as image:
            image.save(folder / "needles" / whole.name, quality=dice.choice(_QUALITIES))


def _mosaic(images: Sequence[Image.Image], dice: Random) -> Image.Image:
    """Return parts of the photos beside each other, none of them resized, some of them mirrored or upside down."""
    mosaic = Image.new("RGB", _SIZE)
    for left in range(0, _SIZE[0], _TILE):
        for top in range(0, _SIZE[1], _TILE):
            image = dice.choice(images)
            right, down = dice.randint(0, image.width - _TILE), dice.randint(0, image.height - _TILE)
            tile = image.crop((right, down, right + _TILE, down + _TILE))
            for change in (ImageOps.mirror, ImageOps.flip):
                tile = change(tile) if dice.random() < 0.5 else tile
            mosaic.paste(tile, (left, top))
    return mosaic


def _run(command: Sequence[str]) -> Run:
    """Time a command, with the processor time of the workers that it leaves behind."""
    done = run(command)
    return replace(done, cpu_seconds=done.cpu_seconds + orphans_seconds())


def _paths(photos: Path) -> list[Path]:
    return [path for path in sorted(photos.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=Path, default=SHARED_DATA / "camera")
    parser.add_argument("--own-witnesses", action="store_true", help="a picture of the haystack for each needle")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the mosaics (1)")
    options = parser.parse_args()
    if not options.photos.is_dir():
        print(f"skipped: {options.photos} is not there")
        return 0
    with tempfile.TemporaryDirectory(prefix="dupfind-") as name:
        folder = Path(name)
        if options.own_witnesses:
            _build_own(folder, options.photos, options.files, options.seed)
        else:
            _build(folder, options.photos, options.files)
        trees = ["--haystack", str(folder / "hay"), "--needles", str(folder / "needles"), "--follow-symlinks", "-q"]
        scan = [*DUPFIND, "scan", *trees, "--no-cache"]
        adopt_orphans()
        runs: dict[str, list[Run]] = {"default": [], "--quick": []}
        for _ in range(options.rounds):  # in turn, so that a machine that drifts drifts for both
            runs["default"].append(_run(scan))
            runs["--quick"].append(_run([*scan, "--quick"]))
    print(machine())
    for command, done in runs.items():
        seconds, cpu = median([run.seconds for run in done]), median([run.cpu_seconds for run in done])
        print(f"{command:<8} {seconds:7.1f} s, {cpu:7.1f} s of processor time, exit code {done[0].code}")
    pairs = zip(runs["default"], runs["--quick"], strict=True)
    ratios = [(one.seconds / quick.seconds, one.cpu_seconds / quick.cpu_seconds) for one, quick in pairs]
    by_clock, by_cpu = (median(each) for each in zip(*ratios, strict=True))
    print(f"{options.files} needles: {by_clock:.1f} times as long with the comparison at full size")
    print(f"by processor time {by_cpu:.1f} times")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
