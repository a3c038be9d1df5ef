"""Parts of pictures: how many are found, how many of other pictures are named, and how long it takes.

    python -m benchmarks.fragments [--photos N] [--step N] [--write docs/fragments.md]

Photos beside the project are cropped, covered, shown on a phone and put on pages, and each of these is looked for among
all photos, as a scan without any other match does: by marks, votes and comparison. Photos are all different, so
whatever else is named is wrong.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw
from tqdm import tqdm

from benchmarks import collages
from benchmarks.collages import Layout
from benchmarks.common import SHARED_DATA
from dupfind.evidence import fragments
from dupfind.evidence.fragments import Marks, Overlap
from dupfind.matching.fragments import MOST_COMPARED, Candidate, Index, Known, Part, may_show_more
from dupfind.pool.fragments import (
    NEEDLE_STEPS,
    OF_HAYSTACK,
    OF_NEEDLE,
    PAGE_STEPS,
    Described,
    Grays,
    compare,
    described_by,
    marked_by,
    page_marked_by,
    read_grays,
)

_BEGIN, _END = "<!-- measured: fragments -->", "<!-- end -->"
Make = Callable[[Image.Image, random.Random], Image.Image]


class Row(NamedTuple):
    """What was measured of one kind of needles."""

    kind: str
    needles: int
    shown: int
    """Pictures of the haystack that the needles show."""
    found: int
    pairs: int
    wrong: int
    milliseconds: float
    """Of processor time to describe a needle."""


def crop(percent: int) -> Make:
    """Cut out so much of the area, somewhere, in the shape of the whole."""

    def make(image: Image.Image, rng: random.Random) -> Image.Image:
        side = (percent / 100) ** 0.5
        width, height = round(image.width * side), round(image.height * side)
        left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height))

    return make


def screenshot(image: Image.Image, _: random.Random) -> Image.Image:
    """Show it on a phone of 1080 x 2340 pixels, between dark bars with words."""
    screen = Image.new("RGB", (1080, 2340), (18, 18, 18))
    factor = min(1080 / image.width, 1900 / image.height)
    shown = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    screen.paste(shown, ((1080 - shown.width) // 2, (2340 - shown.height) // 2))
    draw = ImageDraw.Draw(screen)
    draw.text((40, 40), "12:04        LTE  87%", fill="white", font_size=44)
    draw.text((90, 2250), "Share     Edit     Delete     More", fill="white", font_size=52)
    return screen


def words(image: Image.Image, _: random.Random) -> Image.Image:
    """Write over it: a line above, and a dark field of three tenths with a line below."""
    card = image.copy()
    draw = ImageDraw.Draw(card)
    size = card.width // 14
    draw.rectangle((0, round(card.height * 0.7), card.width, card.height), fill="black")
    draw.text((size, round(card.height * 0.78)), "HAPPY BIRTHDAY", fill="white", font_size=size)
    draw.text((size, size), "from all of us", fill="yellow", font_size=size)
    return card


def overlay(image: Image.Image, rng: random.Random) -> Image.Image:
    """Put coloured shapes over it, a fifth of its area at most."""
    covered = image.copy()
    draw = ImageDraw.Draw(covered)
    for _ in range(5):
        width, height = image.width // 5, image.height // 5
        left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
        draw.ellipse((left, top, left + width, top + height), fill=tuple(rng.randint(0, 255) for _ in range(3)))
    return covered


KINDS: dict[str, Make] = {
    "crop to 80% of the area": crop(80),
    "crop to 50%": crop(50),
    "crop to 25%": crop(25),
    "crop to 12%": crop(12),
    "shapes over a fifth": overlay,
    "words over a third": words,
    "phone screenshot": screenshot,
}


def saved(image: Image.Image) -> bytes:
    """Save it as a JPEG of quality 85."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def grays_of(file: bytes, steps: int = 0) -> Grays:
    """Read a file as a scan does."""
    return read_grays(io.BytesIO(file), "needle.jpg", 10**9, steps)


class Haystack:
    """Photos, described once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self._grays = [self._gray(path) for path in tqdm(paths, desc="describing", leave=False)]
        marks = [fragments.unpack(marked_by(gray, OF_HAYSTACK)) for gray in self._grays]
        self._index = Index(list(enumerate(marks)))
        self._described: dict[int, Described] = {}

    def _gray(self, path: Path) -> Grays:
        with path.open("rb") as file:
            return read_grays(file, str(path), 10**9)

    def overlaps(self, needle: bytes) -> dict[int, Overlap]:
        """Return the photos that have a part in common with a needle, a file, by their numbers."""
        marks = fragments.unpack(marked_by(grays_of(needle, NEEDLE_STEPS), OF_NEEDLE))
        candidates = self._candidates(marks)
        ours = described_by(grays_of(needle, PAGE_STEPS))
        parts = self._compared(ours, candidates)
        known_parts = [Part(overlap, number) for number, overlap in parts.items()]
        marks = marks._replace(may_be_page=fragments.may_be_page(ours.grays.gray))
        if not may_show_more(known_parts, marks):
            return parts
        packed, size = page_marked_by(ours.grays)
        known = Known(size, known_parts)
        more = self._candidates(fragments.unpack(packed))
        return parts | self._compared(ours, [candidate for candidate in more if known.leaves_room_for(candidate)])

    def _candidates(self, marks: Marks) -> list[Candidate]:
        return [Candidate.of(sighting, sighting.number) for _, sighting in self._index.sightings([marks])]

    def _compared(self, ours: Described, candidates: Sequence[Candidate]) -> dict[int, Overlap]:
        common = {}
        for candidate in sorted(candidates, reverse=True)[:MOST_COMPARED]:
            number = candidate.picture
            if number not in self._described:
                self._described[number] = described_by(self._grays[number])
            overlap = compare(ours, self._described[number], candidate.pose)
            if overlap is not None:
                common[number] = overlap
        return common


def measure(kind: str, haystack: Haystack, needles: Iterator[tuple[Image.Image, set[int]]], count: int) -> Row:
    """Look for each needle, of which is known which photos it shows."""
    shown = found = wrong = pairs = sought = 0
    seconds = 0.0
    for image, truth in tqdm(needles, desc=kind, total=count, leave=False):
        sought += 1
        needle = saved(image)
        grays = grays_of(needle, NEEDLE_STEPS)
        began = time.process_time()
        marked_by(grays, OF_NEEDLE)
        seconds += time.process_time() - began
        named = set(haystack.overlaps(needle))
        shown += len(truth)
        found += len(truth & named)
        wrong += len(named - truth)
        pairs += len(haystack.paths) - len(truth)
    return Row(kind, sought, shown, found, pairs, wrong, 1000 * seconds / max(1, sought))


def photos(paths: Sequence[Path], make: Make, step: int) -> Iterator[tuple[Image.Image, set[int]]]:
    """Make a needle of each photo, or of every so many."""
    rng = random.Random(1)  # noqa: S311 - chance for pictures
    for number in range(0, len(paths), step):
        with Image.open(paths[number]) as image:
            yield make(image.convert("RGB"), rng), {number}


def pages(
    paths: Sequence[Path], kinds: Sequence[tuple[Layout, int]], count: int
) -> Iterator[tuple[Image.Image, set[int]]]:
    """Make so many pages of each layout with so many photos, which are drawn."""
    rng = random.Random(1)  # noqa: S311 - chance for pictures
    for layout, shown in kinds:
        for _ in range(count):
            numbers = rng.sample(range(len(paths)), shown)
            yield layout([Image.open(paths[number]).convert("RGB") for number in numbers], rng), set(numbers)


def page_kinds(is_held_out: bool) -> dict[str, list[tuple[Layout, int]]]:
    """Return the rows on pages: by how many photos they have, and each layout that nothing was tuned by."""
    kinds = {
        f"page with {count} photos": [(layout, count) for layout in collages.LAYOUTS.values()]
        for count in collages.COUNTS
    }
    if is_held_out:
        kinds |= {
            f"held out: {name}": [(layout, count) for count in collages.COUNTS]
            for name, layout in collages.HELD_OUT.items()
        }
    return kinds


def table(rows: Sequence[Row]) -> str:
    """Render what was measured."""
    lines = ["| needles | found | other pictures compared | named wrongly | ms |", "|---|---|---|---|---|"]
    for row in rows:
        share = f"{row.found / max(1, row.shown):.1%} of {row.shown}"
        lines.append(f"| {row.kind} | {share} | {row.pairs:,} | {row.wrong} | {row.milliseconds:.1f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; gives the exit code: 2 where there are no photos."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=395)
    parser.add_argument("--step", type=int, default=1, help="make a needle of every so many photos")
    parser.add_argument(
        "--pages", type=int, default=8, metavar="N", help="pages of each layout with each number of photos"
    )
    parser.add_argument(
        "--held-out", action="store_true", dest="is_held_out", help="also layouts that nothing was tuned by"
    )
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    paths = sorted((SHARED_DATA / "photos").glob("*.jpg"))[: options.photos]
    if not paths:
        print("skipped: there are no photos beside the project", file=sys.stderr)
        return 2
    haystack = Haystack(paths)
    rows = []
    for kind, make in KINDS.items():
        rows.append(measure(kind, haystack, photos(paths, make, options.step), len(paths) // options.step))
        print(rows[-1], flush=True)
    for kind, layouts in page_kinds(options.is_held_out).items():
        made = pages(paths, layouts, options.pages)
        rows.append(measure(kind, haystack, made, len(layouts) * options.pages))
        print(rows[-1], flush=True)
    print(text := table(rows))
    if options.write is not None:
        whole = options.write.read_text(encoding="utf-8")
        before, _, rest = whole.partition(_BEGIN)
        options.write.write_text(f"{before}{_BEGIN}\n\n{text}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
