"""What the first scan of a progressive JPEG is worth: its thumbnail against that of the whole file.

    python -m benchmarks.coarse [--photos N]

Real photos are enlarged to at least 2,048 pixels where they are smaller and saved as progressive JPEGs of several
qualities; camera files are made progressive without loss by ``jpegtran``. Each coarse thumbnail is judged against the
whole one as a needle against its witness, and the other way round.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.common import SHARED_DATA, machine
from dupfind.evidence import evidence, fingerprint
from dupfind.pictures import decode
from dupfind.values import Evidence

_LEAST_SIDE = 2100
_QUALITIES = (95, 85, 75, 60)


class Compared(NamedTuple):
    """One file: whether both judgements were `same`, bits between the hashes, and levels between the pixels.

    ``is_same`` is None where the whole is not even the same as itself: a page of text is proved by its bytes only.
    """

    is_same: bool | None
    distance_bits: int
    most_levels: int
    share_read: float


class _Counting(io.BytesIO):
    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.count += len(found)
        return found


def _compare(content: bytes) -> Compared | None:
    file = _Counting(content)
    coarse = decode.read_thumbnail(file, "a.jpg", 10**9, may_be_coarse=True)
    if not coarse.is_coarse:
        return None
    whole = decode.read_thumbnail(io.BytesIO(content), "a.jpg", 10**9)
    one, other = evidence.prepare(coarse), evidence.prepare(whole)
    both = {
        evidence.judge(one, other, 0, with_full_size=False).evidence,
        evidence.judge(other, one, 0, with_full_size=False).evidence,
    }
    provable = evidence.judge(other, other, 0, with_full_size=False).evidence is Evidence.SAME
    pixels = [fingerprint.pixels(picture.pixels) for picture in (coarse, whole)]
    hashes = [fingerprint.search_hash(picture, "phash") for picture in pixels]
    levels = int(np.abs(pixels[0].astype(int) - pixels[1]).max())
    return Compared(
        both == {Evidence.SAME} if provable else None,
        (hashes[0] ^ hashes[1]).bit_count(),
        levels,
        file.count / len(content),
    )


def _photo(path: Path, quality: int) -> Compared | None:
    with Image.open(path) as image:
        scale = max(1.0, _LEAST_SIDE / min(image.size))
        large = image.convert("RGB").resize([round(side * scale) for side in image.size], Image.Resampling.LANCZOS)
    file = io.BytesIO()
    large.save(file, "JPEG", quality=quality, progressive=True)
    return _compare(file.getvalue())


def _camera(path: Path) -> Compared | None:
    command = ["jpegtran", "-copy", "all", "-progressive", str(path)]
    return _compare(subprocess.run(command, check=True, capture_output=True).stdout)


def _print(name: str, found: Iterator[Compared | None]) -> None:
    all_of_them = list(found)
    compared = [one for one in all_of_them if one is not None]
    if not compared:
        print(f"| {name} | {len(all_of_them)} | 0 | | | | |")
        return
    provable = [one.is_same for one in compared if one.is_same is not None]
    same = f"{sum(provable)} of {len(provable)}"
    bits = [one.distance_bits for one in compared]
    read = np.mean([one.share_read for one in compared])
    equal = sum(bit == 0 for bit in bits) / len(bits)
    levels = max(one.most_levels for one in compared)
    sizes = f"{len(all_of_them)} | {len(compared)}"
    print(f"| {name} | {sizes} | {same} | {equal:.1%} | {max(bits)} | {levels} | {read:.1%} |", flush=True)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int)
    options = parser.parse_args()
    print(machine())
    print("| pictures | files | read coarsely | `same` both ways | same hash | most bits | most levels | bytes read |")
    print("|---|---|---|---|---|---|---|---|")
    photos = sorted((SHARED_DATA / "photos").glob("*.jp*g"))[: options.photos]
    kodak = sorted((SHARED_DATA / "kodak").glob("*.png"))
    camera = sorted(path for path in (SHARED_DATA / "camera").glob("*") if path.suffix.lower() == ".jpg")
    with ProcessPoolExecutor() as pool:
        for quality in _QUALITIES:
            _print(f"photos, quality {quality}", pool.map(partial(_photo, quality=quality), photos, chunksize=4))
        _print("Kodak, quality 85", pool.map(partial(_photo, quality=85), kodak))
        if shutil.which("jpegtran"):
            _print("12-megapixel camera", pool.map(_camera, camera))


if __name__ == "__main__":
    main()
