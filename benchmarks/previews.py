"""What embedded previews are worth: the rate of a cold scan by them, what it reads, and how often its answer differs.

    python -m benchmarks.previews [--links N] [--rounds N] [--photos N] [--made N] [--keep FOLDER]
                                  [--only speed|answers]

*Speed.* Photos are enlarged to 12 megapixels, saved with a preview and linked until there are enough; beside them lie
four camera files, and the needles are copies of these. `djpeg -scale 1/8 -grayscale` takes the same files in turn. Each
figure is printed as soon as it is known: with the usual numbers a round decodes 1,300 pictures of 12 megapixels.

*Answers.* Real photos with previews, some of them old: edited (cropped, recoloured, turned) beneath the preview of the
original, or with the preview of another photo. Copies of them are looked for in groups, by previews and without. With
`--made` so many made pictures take part as well, 500 at a time.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image, ImageOps

from benchmarks.common import DUPFIND, SHARED_DATA, machine, run
from dupfind import pipeline
from dupfind.matching import by_previews
from dupfind.matching.match import Matched
from dupfind.pool import first_looks
from dupfind.settings import make_settings
from dupfind.values import Report
from fixtures import pictures

_LARGE, _PREVIEW_SIDE = (4032, 3024), 160
_NEEDLES, _GROUP, _WORLD = 4, 25, 500


def _preview(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=75)
    return out.getvalue()


def _moment(number: int) -> str:
    return f"2019:05:01 10:{number // 60:02d}:{number % 60:02d}"


def _write(image: Image.Image, preview: Image.Image, path: Path, number: int | None, quality: int = 88) -> None:
    """Save a picture beneath a preview; ``number`` tells the second of the shot, None an unknown one."""
    taken = None if number is None else _moment(number)
    image.save(path, "JPEG", quality=quality, exif=pictures.exif_with_preview(_preview(preview), captured=taken))


def _photos(count: int) -> Iterator[Image.Image]:
    for path in sorted((SHARED_DATA / "photos").glob("*.jpg"))[:count]:
        with Image.open(path) as image:
            yield image.convert("RGB")


def _speed(work: Path, photos: int, links: int, rounds: int) -> None:
    trees = {name: work / name for name in ("pool", "with previews", "without previews", "needles", "new")}
    if not trees["new"].exists():
        _build(trees, photos, links)
    for haystack in ("with previews", "without previews"):
        _race(trees, haystack, rounds)
    hay, needles = trees["with previews"], trees["needles"]
    own_bytes = sum(path.stat().st_size for path in needles.iterdir())
    camera_bytes = sum(path.stat().st_size for path in hay.glob("*.JPG"))
    size_bytes = sum(path.stat().st_size for path in hay.iterdir())
    read = _read_bytes(hay, needles, previews=True)
    print(f"read by previews: {read / 1e6:.1f} MB; the haystack has {size_bytes / 1e6:.1f} MB, the witnesses "
          f"{camera_bytes / 1e6:.1f}, the needles {own_bytes / 1e6:.1f}", flush=True)  # fmt: skip


def _build(trees: dict[str, Path], photos: int, links: int) -> None:
    for folder in trees.values():
        folder.mkdir(parents=True)
    for number, photo in enumerate(_photos(photos)):
        large = ImageOps.fit(photo, _LARGE, Image.Resampling.BICUBIC)
        file = trees["pool"] / f"{number}.jpg"
        _write(large, large, file, number)
        bare = file.with_name(f"{number} bare.jpg")
        bare.write_bytes(_without_exif(file.read_bytes()))
        for link in range(links):
            os.link(file, trees["with previews"] / f"{link:03d}-{number}.jpg")
            os.link(bare, trees["without previews"] / f"{link:03d}-{number}.jpg")
    for path in sorted((SHARED_DATA / "camera").glob("*.JPG"))[:_NEEDLES]:
        shutil.copy(path, trees["with previews"])
        (trees["without previews"] / path.name).write_bytes(_without_exif(path.read_bytes()))
        with Image.open(path) as image:
            ImageOps.exif_transpose(image).save(trees["needles"] / f"{path.name}.jpg", quality=85)
    pictures.save(pictures.photo(1), trees["new"] / "new.jpg")


def _without_exif(data: bytes) -> bytes:
    """Return a JPEG without its segments APP1 to APP15, the Exif among them."""
    place, kept = 2, [data[:2]]
    while data[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if not 0xE1 <= data[place + 1] <= 0xEF:
            kept.append(data[place:end])
        place = end
    return b"".join([*kept, data[place:]])


def _race(trees: dict[str, Path], haystack: str, rounds: int) -> None:
    hay = trees[haystack]
    count, size_bytes = len(list(hay.iterdir())), sum(path.stat().st_size for path in hay.iterdir())
    print(f"{haystack}: {count} files of 12 megapixels, {size_bytes / count / 1e6:.1f} MB each, "
          f"{_NEEDLES} needles or a new one")  # fmt: skip
    djpeg = f"ls '{hay}'/* | xargs -d '\\n' -P 2 -n 16 sh -c 'for f; do djpeg -scale 1/8 -grayscale \"$f\"; done' sh"
    print("| | processor time, s | djpeg's to it | by the clock, s |\n|---|---|---|---|")
    for _ in range(rounds):
        theirs = run(["sh", "-c", djpeg])
        print(f"| djpeg | {theirs.cpu_seconds:.2f} | 1.0 | {theirs.seconds:.1f} |", flush=True)
        for needles, what in (("needles", "every needle there"), ("new", "one new")):
            for previews, how in ((["--previews"], "by previews"), ([], "without")):
                scan = [*DUPFIND, "scan", "--haystack", str(hay), "--needles", str(trees[needles]), "--no-cache", "-q"]
                ours_seconds, seconds = _profiled([*scan, *previews])
                ratio = theirs.cpu_seconds / ours_seconds
                print(f"| {how}, {what} | {ours_seconds:.2f} | {ratio:.2f} | {seconds:.1f} |", flush=True)


def _profiled(scan: Sequence[str]) -> tuple[float, float]:
    """Run a scan; gives its processor time, that of its workers included, and its time by the clock, in seconds."""
    began = time.perf_counter()
    told = subprocess.run([*scan, "--profile-stages"], capture_output=True, text=True, check=False).stderr
    seconds = time.perf_counter() - began
    own, workers = re.search(r"Processor time: ([0-9.]+) s here, ([0-9.]+) s in", told).groups()  # type: ignore[union-attr]
    return float(own) + float(workers), seconds


def _scan(hay: Path, needles: Path, cache: Path | None = None, *, previews: bool) -> Report:
    settings = make_settings(
        haystack=[str(hay)], needles=[str(needles)], previews=previews,
        cache=None if cache is None else str(cache), no_cache=cache is None,
    )  # fmt: skip
    return pipeline.scan(settings, make_executor=lambda: ThreadPoolExecutor(1))


def _read_bytes(hay: Path, needles: Path, *, previews: bool) -> int:
    """Count what this process reads while it scans, by the kernel's count of it."""
    before = _read_by_now()
    _scan(hay, needles, previews=previews)
    return _read_by_now() - before


def _read_by_now() -> int:
    return int(Path("/proc/self/io").read_text(encoding="ascii").split()[1])


def _edited(image: Image.Image, dice: random.Random) -> Image.Image:
    width, height = image.size
    kind = dice.choice(["crop", "recolour", "turn", "mirror"])
    if kind == "crop":
        return image.crop((width // 6, height // 6, width, height)).resize(image.size)
    if kind == "recolour":
        return ImageOps.posterize(ImageOps.invert(image), 5)
    return image.transpose(Image.Transpose.ROTATE_180 if kind == "turn" else Image.Transpose.FLIP_LEFT_RIGHT)


def _copies(image: Image.Image, dice: random.Random) -> Iterator[tuple[Image.Image, str, dict[str, Any]]]:
    """What becomes of photos on their way: saved again, smaller, turned, in another format."""
    for quality in (95, 80, 60):
        yield image, "jpg", {"quality": quality}
    half = image.resize((max(1, image.width * 2 // 3), max(1, image.height * 2 // 3)), Image.Resampling.LANCZOS)
    yield half, "jpg", {"quality": dice.choice([70, 90])}
    yield image.transpose(Image.Transpose.ROTATE_90), "jpg", {"quality": 85}
    yield image, "webp", {"quality": 85}
    yield image, "png", {"compress_level": 1}


def _made(count: int) -> Iterator[Image.Image]:
    """Yield pictures of noise that falls with its size, as in photos, in color."""
    for seed in range(count):
        dice = np.random.Generator(np.random.PCG64(seed))
        picture = np.zeros((192, 256, 3))
        for octave in range(6):
            coarse = Image.fromarray(dice.integers(0, 256, (3 << octave, 4 << octave, 3), np.uint8))
            picture += np.asarray(coarse.resize((256, 192), Image.Resampling.BICUBIC), float) / 1.8**octave
        yield Image.fromarray((picture * (255 / picture.max())).astype(np.uint8))


def _with_bars(image: Image.Image) -> Image.Image:
    """Return the picture as some cameras keep it in small: with bars above and below."""
    barred = Image.new("RGB", image.size)
    barred.paste(image.resize((image.width, image.height * 3 // 4)), (0, image.height // 8))
    return barred


def _previewed(photo: Image.Image, shown: Sequence[Image.Image], dice: random.Random) -> tuple[str, Image.Image]:
    """Choose what is shown of a photo in small, and its kind."""
    kind = dice.choices(["own", "edited", "other", "bars", "other shape", "none"], [64, 15, 4, 6, 5, 6])[0]
    if kind == "other":
        return kind, dice.choice(shown)
    if kind == "bars":
        return kind, _with_bars(photo)
    return kind, photo.resize((160, 160)) if kind == "other shape" else photo


class _Tally(Counter[str]):
    """What was counted over all answers."""

    def __str__(self) -> str:
        return (f"{self['answers']} answers in {self['groups']} groups of {_GROUP}: {self['verdicts']} other verdicts, "
                f"{self['losses']} of them present by previews alone, {self['witnesses']} other witnesses; "
                f"{self['early']} groups ended before everything was decoded")  # fmt: skip


def _answers(work: Path, shown: Sequence[Image.Image], seed: int, tally: _Tally) -> None:
    """Compare the answers about copies of the photos that are ``shown``; adds to ``tally``."""
    dice = random.Random(seed)  # noqa: S311 - the same photos each time
    hay, sought, cache = work / "answers", work / "sought", work / "cache.sqlite"
    for folder in (hay, sought):
        folder.mkdir(parents=True)
    kinds: Counter[str] = Counter()
    for number, photo in enumerate(shown):
        kind, preview = _previewed(photo, shown, dice)
        kinds[kind] += 1
        image = _edited(photo, dice) if kind == "edited" else photo
        second = number if dice.random() < 0.8 else None
        if kind == "none":
            image.save(hay / f"{number}.jpg", quality=88)
        else:
            _write(image, preview, hay / f"{number}.jpg", second)
        if kind == "edited" and dice.random() < 0.5:  # the original lies there too
            _write(photo, photo, hay / f"{number} original.jpg", second)
        for place, (copy, suffix, options) in enumerate(_copies(image, dice)):
            taken = None if second is None or dice.random() < 0.3 else _moment(second)
            copy.save(sought / f"{number}-{place}.{suffix}", exif=pictures.exif(1, taken), **options)
    first_looks.LEAST_FILE_BYTES = 0
    whole = _scan(hay, sought, cache, previews=False)
    proved = [file.path for file in whole.files if file.verdict == "present"]
    print(f"{sum(kinds.values())} photos: {dict(kinds)}; {len(whole.files)} copies, {len(proved)} of them present")
    dice.shuffle(proved)
    for start in range(0, len(proved), _GROUP):
        group = work / f"group {start}"
        group.mkdir()
        for path in proved[start : start + _GROUP]:
            os.link(path, group / os.path.basename(path))
        usual = _scan(hay, group, cache, previews=False)
        with _watched() as unseen:
            found = _scan(hay, group, cache, previews=True)
        for ours, theirs in zip(found.files, usual.files, strict=True):
            differ = (ours.verdict, ours.evidence) != (theirs.verdict, theirs.evidence)
            tally.update(answers=1, verdicts=differ, witnesses=ours.witness != theirs.witness)
            tally.update(losses=differ and ours.verdict == "present")
        tally.update(groups=1, early=any(unseen))
    print(tally, flush=True)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """Give how many pictures each scan by previews in the block left undecoded."""
    unseen: list[int] = []
    match = by_previews.match_by_previews

    def watched(*asked: Any) -> Matched:  # noqa: ANN401 - passed on
        matched = match(*asked)
        unseen.append(matched.unseen)
        return matched

    with patch.object(by_previews, "match_by_previews", watched):
        yield unseen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=395)
    parser.add_argument("--made", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="build the files of 12 megapixels there, or use what was built there")
    parser.add_argument("--only", choices=["speed", "answers"])
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as name:  # noqa: S108
        work = Path(name)
        if options.only != "answers":
            _speed(options.keep or work, min(options.photos, 40), options.links, options.rounds)
        if options.only == "speed":
            return
        tally = _Tally()
        if options.photos:
            _answers(work / "photos", list(_photos(options.photos)), 20, tally)
        made = _made(options.made)
        for number in range(-(-options.made // _WORLD)):
            _answers(work / f"made {number}", list(itertools.islice(made, _WORLD)), 100 + number, tally)
            shutil.rmtree(work / f"made {number}")


if __name__ == "__main__":
    main()
