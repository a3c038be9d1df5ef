"""What embedded previews are worth: the rate of a cold scan by them, what it reads, and how often its answer differs.

    python -m benchmarks.previews [--links N] [--rounds N] [--photos N] [--only speed|answers]

*Speed.* Photos are enlarged to 12 megapixels, saved with a preview and linked until there are enough; beside them lie
four camera files, and the needles are copies of these. `djpeg -scale 1/8 -grayscale` takes the same files in turn.
The times are those of the clock: what the workers take of the processor is in `--profile-stages`.

*Answers.* Real photos with previews, some of them old: edited (cropped, recoloured, turned) beneath the preview of the
original, or with the preview of another photo. Copies of them are looked for in groups, by previews and without.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL import Image, ImageOps

from benchmarks.common import DUPFIND, SHARED_DATA, in_turn, machine, median
from dupfind import pipeline
from dupfind.matching import by_previews
from dupfind.matching.match import Matched
from dupfind.pool import first_looks
from dupfind.settings import make_settings
from dupfind.values import Report
from fixtures import pictures

_LARGE, _PREVIEW_SIDE = (4032, 3024), 160
_NEEDLES, _GROUP = 4, 25


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
    pool, hay, needles = work / "pool", work / "hay", work / "needles"
    for folder in (pool, hay, needles):
        folder.mkdir()
    for number, photo in enumerate(_photos(photos)):
        large = ImageOps.fit(photo, _LARGE, Image.Resampling.BICUBIC)
        _write(large, large, pool / f"{number}.jpg", number)
        for link in range(links):
            os.link(pool / f"{number}.jpg", hay / f"{link:03d}-{number}.jpg")
    for path in sorted((SHARED_DATA / "camera").glob("*.JPG"))[:_NEEDLES]:
        shutil.copy(path, hay)
        with Image.open(path) as image:
            ImageOps.exif_transpose(image).save(needles / f"{path.name}.jpg", quality=85)
    new = work / "new"
    new.mkdir()
    pictures.save(pictures.photo(1), new / "new.jpg")
    count, size_bytes = len(list(hay.iterdir())), sum(path.stat().st_size for path in hay.iterdir())
    djpeg = f"ls {hay}/* | xargs -P 2 -n 16 sh -c 'for f; do djpeg -scale 1/8 -grayscale \"$f\"; done' sh"
    scan = [*DUPFIND, "scan", "--haystack", str(hay), "--no-cache", "-q", "--needles"]
    commands: dict[str, Sequence[str]] = {
        "djpeg": ["sh", "-c", djpeg],
        "by previews, every needle there": [*scan, str(needles), "--previews"],
        "without, every needle there": [*scan, str(needles)],
        "by previews, one new": [*scan, str(new), "--previews"],
        "without, one new": [*scan, str(new)],
    }
    runs = in_turn(commands, rounds)
    print(f"{count} files of 12 megapixels, {size_bytes / count / 1e6:.1f} MB each, {_NEEDLES} needles or a new one")
    print("| | time, s | djpeg's to it |\n|---|---|---|")
    for name, own in runs.items():
        ratio = median([theirs.seconds / ours.seconds for theirs, ours in zip(runs["djpeg"], own, strict=True)])
        print(f"| {name} | {median([run.seconds for run in own]):.1f} | {ratio:.2f} |", flush=True)
    read = {is_by: _read_bytes(hay, needles, previews=is_by) for is_by in (True, False)}
    own_bytes = sum(path.stat().st_size for path in needles.iterdir())
    print(f"read of haystack and needles: {read[True] / 1e6:.1f} MB by previews, {read[False] / 1e6:.1f} without")
    print(f"the haystack has {size_bytes / 1e6:.1f} MB, the needles {own_bytes / 1e6:.1f}", flush=True)


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


def _answers(work: Path, photos: int) -> None:
    dice = random.Random(20)  # noqa: S311 - the same photos each time
    hay, sought, cache = work / "answers", work / "sought", work / "cache.sqlite"
    for folder in (hay, sought):
        folder.mkdir()
    shown = list(_photos(photos))
    kinds: Counter[str] = Counter()
    for number, photo in enumerate(shown):
        kind = dice.choices(["own", "edited", "other", "none"], [75, 15, 4, 6])[0]
        kinds[kind] += 1
        image = _edited(photo, dice) if kind == "edited" else photo
        preview = dice.choice(shown) if kind == "other" else photo
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
    differing, witnesses, early, answers = 0, 0, 0, 0
    for start in range(0, len(proved), _GROUP):
        group = work / f"group {start}"
        group.mkdir()
        for path in proved[start : start + _GROUP]:
            os.link(path, group / os.path.basename(path))
        usual = _scan(hay, group, cache, previews=False)
        with _watched() as unseen:
            found = _scan(hay, group, cache, previews=True)
        answers += len(usual.files)
        for ours, theirs in zip(found.files, usual.files, strict=True):
            differing += (ours.verdict, ours.evidence) != (theirs.verdict, theirs.evidence)
            witnesses += ours.witness != theirs.witness
        early += any(unseen)
    groups = -(-len(proved) // _GROUP)
    print(f"{answers} answers in {groups} groups of {_GROUP}: {differing} other verdicts, {witnesses} other witnesses; "
          f"{early} groups ended before everything was decoded", flush=True)  # fmt: skip


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
    parser.add_argument("--links", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=395)
    parser.add_argument("--only", choices=["speed", "answers"])
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as name:  # noqa: S108
        if options.only != "answers":
            _speed(Path(name), min(options.photos, 80), options.links, options.rounds)
        if options.only != "speed":
            _answers(Path(name), options.photos)


if __name__ == "__main__":
    main()
