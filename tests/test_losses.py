"""A copy that lacks something proves nothing and a true one does: a pair of each kind, scanned; and the counting."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet
from PIL import Image

from benchmarks import filters, losses, losses_report, still_camera
from benchmarks.asking import ask
from benchmarks.edits import Case, Source, encode, grey_difference
from benchmarks.judging import SAME, SIMILAR
from benchmarks.kinds import COPIES, CURVES, LACKING, PAGES, STILL, PairKind
from benchmarks.loss_kinds import held_out_kinds, tuned_kinds
from benchmarks.losses_report import Answer, Job
from benchmarks.measuring import MeasuringError
from dupfind.values import FileState
from fixtures import pictures
from tests.helpers.scans import scan

REAL = "real frames"
"""Kinds of real pictures, which no test may need."""
LOSSY = [kind for kind in tuned_kinds() if kind.group in (LACKING, PAGES, STILL) and not kind.name.startswith(REAL)]
REPEATED = [kind for kind in LOSSY if kind.group is not PAGES or kind.name in ("meter", "calendar")]
"""Those that are made twice; the other pages are drawn like these two, and are larger."""
TRUE_COPIES = [kind for kind in tuned_kinds() if kind.group is COPIES]
MOST_PHOTOS = 8
THUMBNAILS_SAID_SAME = {
    "subject out of focus": (0, 1),
    "shaken": (0, 3),
    "strong noise reduction": (1, 1),
    "enlarged from a quarter, sharpened": (0, 2),
    "enlarged from half, sharpened": (0, 1),
    "enlarged from half": (0, 1),
    "1% pixelated into 6": (0, 1),
    "2% pixelated into 8": (2, 1),
    "4% pixelated into 12": (0, 2),
    "2% blurred": (3, 3),
    "4% blurred": (0, 1),
    "small stamp": (4, 2),
    "colour 0.8": (1, 1),
    "0.3% recoloured": (0, 1),
    "a third of a stop, dark scene": (0, 3),
    "q20, then q92": (0, 1),
    "256 colours": (1, 1),
    "PNG, witness JPEG 2000 60:1": (0, 2),
    "three times the bits": (0, 1),
    "PNG/HEIF/AVIF/WEBP, witness JPEG q7-9": (0, 1),
    "PNG/HEIF/AVIF/WEBP, witness JPEG q14-16": (0, 1),
    "HEIF, witness JPEG q17-19": (0, 1),
    "PNG/HEIF/AVIF/WEBP, witness JPEG q23-26": (0, 1),
    "PNG/HEIF/AVIF/WEBP, witness WEBP q7-11": (0, 1),
    "PNG, witness WEBP q7-9": (0, 2),
    "JPEG/PNG, witness WEBP q18-22": (0, 3),
    "PNG, witness AVIF q17-22": (1, 1),
    "camera stamp": (0, 1),
    "long web page, a price": (0, 1),
    "long web page, a paragraph": (5, 1),
    "meter": (0, 2),
    "slide, a figure": (0, 1),
    "slide, its number": (0, 1),
    "slide on a photo": (0, 1),
    "calendar": (0, 1),
    "price label": (0, 2),
    "number plate": (0, 1),
    "long chat": (1, 1),
    "scoreboard": (0, 3),
    "matrix code": (5, 2),
    "subtitle": (2, 3),
    "identity card": (0, 1),
    "object moved, 0.05 to 0.1%": (5, 3),
    "person standing, moved a little": (0, 1),
    "portrait mode": (1, 2),
    "focus stack": (0, 1),
    "spot healed, 0.08 to 0.4%": (7, 2),
    "posterised": (1, 1),
    "colour smeared": (0, 1),
    "saved ten times at q40-55": (0, 1),
    "white balance": (4, 3),
    "skin smoothed": (0, 1),
    "every second row": (0, 1),
    "another face": (0, 3),
    "a light went on": (6, 3),
    "poor needle, a part changed": (0, 3),
    "smaller needle, a part changed": (0, 3),
    "turned needle, a part changed": (0, 1),
    "HEIC, AVIF, WebP or PNG, a part changed": (0, 1),
    "grainy photo, a part changed": (0, 1),
    "smaller needle: calendar": (0, 1),
    "smaller needle: slide": (0, 2),
    "smaller needle: price label": (0, 1),
    "interval timer": (0, 1),
}
"""By kind, number and seed of a pair that the thumbnails took for copies, so that only a closer look tells it apart."""
NOT_YET = frozenset({"colour at a quarter of the size"})
"""Kinds whose pair here is still `present`: half of the resolution of colour that every second copy has."""
NOT_YET_PRESENT = frozenset({"siblings of nearly one size", "mailed from a phone"})
"""Copies that are not: what two programs leave of one original looks like noise, and so does what HEIC makes of grain
that was drawn. Of 58 photos that were mailed so all are."""


@lru_cache(maxsize=8)
def source(number: int) -> Source:
    """A made-up photo with detail of the size of its pixels, 640 x 480, as a JPEG file."""
    image, other = (with_detail(pictures.photo(seed, (640, 480)), seed) for seed in (number, number + 50))
    return Source(f"photo {number}", encode(image, quality=98), image, other)


def with_detail(image: Image.Image, seed: int) -> Image.Image:
    """Texture as grass and cloth have it: grain of one and of two pixels, stronger in one half of the picture."""
    grain = np.random.Generator(np.random.PCG64(seed))
    fine = grain.normal(0, 7, (480, 640))
    coarse = np.asarray(Image.fromarray(grain.normal(0, 9, (240, 320)).astype(np.float32)).resize((640, 480)))
    strength = np.linspace(0.3, 1.0, 640)[None, :]
    return Image.fromarray(
        np.clip(np.asarray(image, np.float32) + ((fine + coarse) * strength)[..., None], 0, 255).astype(np.uint8)
    )


def pair_of(kind: PairKind) -> Case:
    """A pair that thumbnails cannot tell apart, or else the first that can be made of the photos."""
    if kind.name in THUMBNAILS_SAID_SAME:
        number, seed = THUMBNAILS_SAID_SAME[kind.name]
        case = kind.pair(source(number), seed)
        assert case is not None
        return case
    return next(case for number in range(MOST_PHOTOS) if (case := kind.pair(source(number), 1)) is not None)


def state_of(case: Case, folder: Path) -> FileState:
    """What a scan says of the needle."""
    needle, witness = losses.stored(case, folder)
    for path, side in ((needle, "needles"), (witness, "haystack")):
        (folder / side).mkdir()
        path.rename(folder / side / path.name)
    (file,) = scan(folder / "haystack", folder / "needles").files
    return file.state


def marked(kinds: Sequence[PairKind], not_yet: frozenset[str]) -> list[ParameterSet]:
    """The kinds as parameters; those that are not answered rightly yet fail, and say so when they no longer do."""
    marks = [pytest.mark.xfail(strict=True, reason="not answered rightly yet")]
    return [pytest.param(kind, id=kind.name, marks=marks if kind.name in not_yet else ()) for kind in kinds]


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("kind", marked(LOSSY, NOT_YET))
def test_what_lacks_something_proves_nothing(kind: PairKind, tmp_path: Path) -> None:
    """Whoever deletes by `present` would lose what only the needle has."""
    state = state_of(pair_of(kind), tmp_path)
    assert FileState.PRESENT != state


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("kind", marked(TRUE_COPIES, NOT_YET_PRESENT))
def test_true_copies_are_present(kind: PairKind, tmp_path: Path) -> None:
    """An answer that never says present helps nobody."""
    state = state_of(pair_of(kind), tmp_path)
    assert FileState.PRESENT == state


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize(
    "name", ["1% pixelated into 6", "meter", "number plate", "stars lost", "web copy: reduced and sharpened"]
)
def test_ask_says_what_a_scan_says(name: str, tmp_path: Path) -> None:
    """Else the benchmark would measure something that nobody gets."""
    case = pair_of(next(kind for kind in tuned_kinds() if kind.name == name))
    grade, _ = ask(*losses.stored(case, tmp_path))
    (tmp_path / "scan").mkdir()
    assert (state_of(case, tmp_path / "scan") is FileState.PRESENT) is (grade == SAME)


@pytest.mark.mostly_slow(fast=3)
@pytest.mark.parametrize("kind", REPEATED, ids=lambda kind: kind.name)
def test_a_pair_is_the_same_each_time(kind: PairKind) -> None:
    """Same photo and seed, same bytes, and the two sides are never one file."""
    number, seed = THUMBNAILS_SAID_SAME.get(kind.name, (0, 1))
    once, again = kind.pair(source(number), seed), kind.pair(source(number), seed)
    assert once == again
    assert once is None or once.needle != once.witness


def test_there_are_many_and_each_has_its_own_name() -> None:
    """Every group has kinds, and half of those that nobody reported are held out."""
    kinds = (*tuned_kinds(), *held_out_kinds())
    assert len({kind.name for kind in kinds}) == len(kinds) >= 120
    for group in (LACKING, PAGES, STILL, COPIES):
        assert any(kind.group is group for kind in tuned_kinds())
        assert any(kind.group is group for kind in held_out_kinds())


def test_what_does_not_show_makes_no_pair() -> None:
    """A picture of one tone has nothing to lose to blur, mosaic or grey."""
    flat = Image.new("RGB", (640, 480), (120, 120, 120))
    plain = Source("flat", encode(flat), flat, flat)
    by_name = {kind.name: kind for kind in tuned_kinds()}
    for name in ("subject out of focus", "1% pixelated into 6", "black and white, of weak colour", "shaken"):
        assert by_name[name].pair(plain, 1) is None


def test_mosaic_keeps_the_mean_and_loses_the_rest() -> None:
    """That is why thumbnails do not see it."""
    image = source(0).image
    changed = filters.mosaic(image, 8)
    assert len(np.unique(np.asarray(changed)[:80, :80].reshape(-1, 3), axis=0)) == 1
    assert abs(np.asarray(image, float).mean() - np.asarray(changed, float).mean()) < 0.5


def test_strong_noise_reduction_keeps_edges() -> None:
    """A step of 100 levels stays, noise of 6 goes."""
    step = np.full((60, 80, 3), 60, np.uint8)
    step[:, 40:] = 160
    noisy = filters.noisy(Image.fromarray(step), 6, Random(1))  # noqa: S311
    smooth = np.asarray(filters.smoothed(noisy, 3, 20), float)
    assert smooth[:, :36].std() < 0.5 * np.asarray(noisy, float)[:, :36].std()
    assert smooth[:, 44:].mean() - smooth[:, :36].mean() > 95


def test_moved_by_spreads_along_the_line() -> None:
    """A dot becomes a stroke of that length, and no wider."""
    dot = Image.new("L", (41, 41))
    dot.putpixel((20, 20), 255)
    rows, columns = np.nonzero(np.asarray(filters.moved_by(dot, 10, 0)))
    assert (1, 11) == (np.ptp(rows) + 1, np.ptp(columns) + 1)


def test_warping_moves_the_middle_only() -> None:
    """The edge of the part stays where it is, so that no seam shows."""
    part = source(1).image.crop((100, 100, 300, 300))
    difference = grey_difference(part, still_camera.warped(part, 6, Random(3)))  # noqa: S311
    assert difference[60:140, 60:140].mean() > 4
    assert max(difference[0].max(), difference[-1].max(), difference[:, 0].max(), difference[:, -1].max()) <= 4


def job(kind: str = "small stamp", size: str = "500") -> Job:
    """A job of which nothing but this matters."""
    return Job(kind, size, "a.jpg", "b.jpg", 1, argparse.Namespace(quick=False, keep=None, wrong=False))


def test_pairs_are_counted_by_kind_and_size() -> None:
    """What makes no pair does not count; the answer of --quick is told beside."""
    stamp = next(kind for kind in tuned_kinds() if kind.name == "small stamp")
    answers = [
        Answer(job(), SAME, "", (SAME, "")),
        Answer(job(), SAME, "", (SIMILAR, "differs")),
        Answer(job(), None, "nothing would show"),
        Answer(job(size="768"), SIMILAR, "differs", (SIMILAR, "differs")),
        Answer(job("another"), SAME, ""),
    ]
    everything = losses_report.count(stamp, answers)
    assert everything is not None
    assert (3, 2, 1) == everything[:3]
    small = losses_report.count(stamp, answers, "500")
    assert small is not None
    assert 1.0 == small.share
    assert losses_report.count(stamp, answers[2:3]) is None
    table = losses_report.markdown("about", [stamp], answers)
    assert "| small stamp | 100, 2 | 0, 1 | **NOT MET** |" in table


def test_targets() -> None:
    """Bounds are included; what has none is always met."""
    assert LACKING.meets(0.005)
    assert not LACKING.meets(0.006)
    assert PAGES.meets(0.01)
    assert COPIES.meets(0.99)
    assert not COPIES.meets(0.98)
    assert CURVES.meets(0.5)
    assert ("<= 0.5%", ">= 99%", "none") == (LACKING.target, COPIES.target, CURVES.target)


@pytest.mark.slow
def test_a_run_without_real_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made-up photos serve, and it says so; the pairs are kept and listed, the page gets its tables."""
    monkeypatch.setattr(losses, "SHARED_DATA", tmp_path / "absent")
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured: losses -->\nold\n<!-- end -->\nafter\n")
    options = ["--kinds", "scoreboard", "--pictures", "1", "--jobs", "1", "--keep", str(tmp_path / "kept")]
    code = losses.main([*options, "--out", str(tmp_path / "out.csv"), "--write", str(page)])
    output = capsys.readouterr()
    assert (0, True) == (code, "made-up photos instead" in output.err)
    assert "scoreboard" in output.out
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert ["scoreboard"] == [row["kind"] for row in rows]
    assert 2 == len(list((tmp_path / "kept" / "scoreboard").iterdir()))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| scoreboard |" in text
    assert "old" not in text


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--kinds", "no such"], "no kind is named so"), (["--size", "9mp"], "no set of photos is called 9mp")],
)
def test_what_cannot_be_measured(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why, and the exit code is 2."""
    assert 2 == losses.main(options)
    assert words in capsys.readouterr().err


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    """Before anything is measured."""
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(MeasuringError, match="no single place"):
        losses_report.check_markers(page)
