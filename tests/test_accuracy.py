"""The accuracy benchmark counts rightly, says what a scan says, and fails where something is amiss."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from benchmarks import accuracy, accuracy_report, agreement, measuring
from benchmarks.changes import EDITS
from benchmarks.edits import encode
from benchmarks.judging import (
    ALGORITHMS,
    MISSING,
    PLAIN,
    SAME,
    SIMILAR,
    UNREADABLE,
    Comparison,
    Seen,
    Verdict,
    plain_hashes,
    thumbnail,
)
from benchmarks.measuring import MeasuringError, PairsJob
from benchmarks.results import Bulk, Graded, Kind, Results, least_threshold, plain_distances
from benchmarks.targets import EDIT_ROWS, PAIR_ROWS, ROWS, Row, Tally, meets, outcome
from docs import images
from dupfind.values import Thumbnail
from fixtures import documents, pictures

KIND = Kind("photos", "copies", "JPEG q75")


def seen(image: Image.Image, **options: int) -> Seen:
    """A picture as dupfind sees it once it was saved."""
    found = thumbnail(encode(image, **options))
    assert isinstance(found, Thumbnail)
    return Seen(found)


def verdict(grade: str, reason: str = "") -> Verdict:
    """A verdict of which nothing but this is known."""
    return Verdict(grade, 0, reason, ())


def graded(*grades: str, kind: Kind = KIND, plain: tuple[int, ...] | None = None) -> list[Graded]:
    """One case for each of these grades, by every algorithm."""
    return [Graded(kind, "a", "b", (verdict(grade),) * len(ALGORITHMS), plain) for grade in grades]


def tally(row: Row, *grades: str, reason: str = "") -> Tally:
    """The count of these grades."""
    counted = Tally()
    for grade in grades:
        counted.add(row, verdict(grade, reason))
    return counted


def test_shares_of_known_grades() -> None:
    """Two of five same, one each of the others."""
    results = Results()
    results.add(graded(SAME, SAME, SIMILAR, MISSING, UNREADABLE))
    counted = results.tally([KIND])
    assert (5, 0.4, 0.6, 0.4) == (
        counted.cases, counted.share(SAME), counted.share(SAME, SIMILAR), counted.share(MISSING, UNREADABLE)
    )  # fmt: skip
    assert [SIMILAR, MISSING, UNREADABLE] == [one[2].grade for one in results.failures if one[1] == "phash"]


def test_what_was_no_candidate_counts_as_missing() -> None:
    """Pairs that nobody looked at are cases all the same."""
    results, kind = Results(), Kind("all", "unrelated", "unrelated")
    results.add([Bulk(kind, missing=99), *graded(SIMILAR, kind=kind)])
    assert 100 == results.tally([kind]).cases
    assert 0.01 == results.tally([kind]).share(SIMILAR)
    assert 4 == len(results.failures)


def test_targets() -> None:
    """Each bound is a bound: at it the target is met, beyond it not."""
    copies, cut, half = ROWS["copies"], ROWS["cut"], ROWS["half a percent"]
    assert meets(copies, tally(copies, *[SAME] * 199, SIMILAR))
    assert not meets(copies, tally(copies, *[SAME] * 198, SIMILAR, SIMILAR))
    assert not meets(copies, tally(copies, *[SAME] * 199, MISSING))
    assert meets(cut, tally(cut, *[SIMILAR] * 19, MISSING))
    assert not meets(cut, tally(cut, *[SIMILAR] * 19, SAME))
    assert meets(half, tally(half, *[SIMILAR] * 99, SAME))
    assert not meets(half, tally(half, *[SIMILAR] * 98, SAME, SAME))
    assert not meets(ROWS["unrelated"], tally(ROWS["unrelated"], SIMILAR, *[MISSING] * 1_000))


def test_a_smaller_copy_has_to_be_named() -> None:
    """`similar` alone is not enough where the haystack's copy is smaller."""
    row = ROWS["smaller"]
    assert meets(row, tally(row, SIMILAR, reason="the haystack's copy is smaller: 1 x 1 against 2 x 2"))
    assert not meets(row, tally(row, SIMILAR, reason="something differs near the top"))
    assert row.is_wrong(verdict(SIMILAR, "something differs near the top"))
    assert not row.is_wrong(verdict(SIMILAR, "the haystack's copy is smaller"))


def test_outcome_tells_each_edit_from_the_whole() -> None:
    """One bad edit among good ones is named; without a target nothing is met."""
    row = ROWS["copies"]
    good, bad = tally(row, *[SAME] * 1_000), tally(row, *[SAME] * 98, SIMILAR, SIMILAR)
    assert "met" == outcome(row, [good, good])
    assert "met on the whole; not by 1 of 2" == outcome(row, [good, bad])
    assert "NOT MET; not by 1 of 2" == outcome(row, [tally(row, *[SAME] * 2), bad])
    assert "NOT MET" == outcome(row, [bad])
    assert "no target" == outcome(ROWS["others"], [good])
    assert "not measured" == outcome(row, [Tally()])


def test_every_row_says_its_target() -> None:
    """The words follow from the bounds."""
    assert "`same` >= 99.5%, nothing missing" == ROWS["copies"].target
    assert "found >= 95.0%, `same` 0%" == ROWS["cut"].target
    assert "`same` <= 0.5%" == ROWS["damage"].target
    assert {"worse", "small changes", "others", "still"} == {row.key for row in ROWS.values() if not row.has_target}
    assert len(ROWS) == len(EDIT_ROWS) + len(PAIR_ROWS)


def test_percent_never_rounds_to_all_or_none() -> None:
    """A single failure is seen."""
    assert ["0", "<0.1", "0.1", "50.0", "99.9", "100"] == [
        accuracy_report.percent(share) for share in (0, 1e-6, 0.0011, 0.5, 0.99999, 1)
    ]


def test_threshold_of_equal_recall() -> None:
    """The smallest that finds the share."""
    distances = Counter({0: 90, 4: 9, 12: 1})
    assert [0, 4, 12, 64] == [least_threshold(distances, share) for share in (0.9, 0.95, 1, 1.01)]


def test_plain_distances_are_those_of_imagehash() -> None:
    """A picture is at 0 from itself, at most 64 from another, and beyond every threshold where it has no hash."""
    one, other = (plain_hashes(encode(pictures.photo(seed, (320, 240)))) for seed in (1, 2))
    assert (0,) * len(PLAIN) == plain_distances(one, one)
    assert all(0 < distance <= 64 for distance in plain_distances(one, other))
    assert min(plain_distances(one, None)) > 64
    assert plain_hashes(b"no picture") is None


def test_a_turned_copy_and_another_photo() -> None:
    """The comparison turns the needle as a scan does, and finds nothing in another photo."""
    photo, other = pictures.photo(3), pictures.photo(5)
    turned = Comparison(seen(photo.transpose(Image.Transpose.ROTATE_90)), seen(photo))
    assert [(SAME, "turned by 90 degrees")] * 4 == [turned.verdict(name)[::2] for name in ALGORITHMS]
    assert [MISSING] * 4 == [Comparison(seen(other), seen(photo)).verdict(name).grade for name in ALGORITHMS]


def test_pairs_are_graded_both_ways() -> None:
    """Three pictures are six cases: two of one scene find each other, the third finds none."""
    photo = pictures.photo(3)
    thumbnails = tuple(seen(image).thumbnail for image in (photo, photo.convert("L"), pictures.photo(5)))
    outcomes = measuring.grade_pairs(PairsJob(KIND, ("a", "b", "c"), thumbnails, 0, 3))
    results = Results()
    results.add(outcomes)
    assert (6, 4) == (results.tally([KIND]).cases, results.tally([KIND]).grades[MISSING])
    assert {("a", "b"), ("b", "a")} == {(one.needle, one.witness) for one in outcomes if isinstance(one, Graded)}


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("name", documents.CLASSES)
def test_twins_differ_in_one_place(name: str) -> None:
    """An odd seed changes something; the same seed changes nothing."""
    make = documents.CLASSES[name]
    assert make(2).tobytes() == make(2).tobytes()
    assert ImageChops.difference(make(2), make(3)).getbbox() is not None


def test_documents_are_counted() -> None:
    """Four pictures of a class: twelve pairs both ways, four own copies, six pairs of plain hashes."""
    results = Results()
    results.add(measuring.grade_documents(("two-tone", 4)))
    pairs, copies = (results.tally(results.kinds(row)).cases for row in ("documents", "document copies"))
    assert (12, 4) == (pairs, copies)
    assert 6 == results.plain_within(results.kinds("documents"), "phash", 64)[0]


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("what", images.PAIRS)
def test_pictures_of_the_docs_are_the_pairs(what: str) -> None:
    """What the docs show is what is scanned for them."""
    kept = Image.open(images.file_of(what)).convert("RGB")
    made = images.side_by_side(what)
    assert made.size == kept.size
    assert max(band[1] for band in ImageChops.difference(made, kept).reduce(8).getextrema()) < 24


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three made-up photos, a tiny one and a broken one."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        (folder / f"{seed}.jpg").write_bytes(encode(pictures.photo(seed), quality=92))
    (folder / "tiny.jpg").write_bytes(encode(pictures.photo(7, (60, 45))))
    (folder / "zz broken.jpg").write_bytes(encode(pictures.photo(8))[:500])
    return folder


@pytest.mark.slow
def test_a_whole_run(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a folder of photos to tables in the terminal, a page and a list of failures."""
    page, kinds, failures = tmp_path / "page.md", tmp_path / "kinds.md", tmp_path / "failures.csv"
    for each in (page, kinds):
        each.write_text("before\n<!-- measured: accuracy -->\nold\n<!-- end -->\nafter\n")
    chosen = ["--edit", "q75", "--edit", "2% replaced by another photo", "--only", "edits", "--only", "unrelated"]
    pages = ["--write", str(page), "--kinds", str(kinds)]
    assert 0 == accuracy.main([str(photos), *chosen, "--workers", "1", *pages, "--failures", str(failures)])
    text, details = page.read_text(), kinds.read_text()
    assert text.startswith("before\n<!-- measured: accuracy -->\n- Measured ")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "\nold\n" not in text + details
    assert "### Targets: " in text
    assert "### Every edit: " not in text
    assert details.startswith("before\n<!-- measured: accuracy -->\n### The other algorithms: ")
    assert details.endswith("<!-- end -->\nafter\n")
    assert "### Targets: " not in details
    assert "| JPEG q75 | 3 | 100 | 0 | 0 |" in details
    assert "| unrelated photos | 6 |" in details
    assert "left out: tiny.jpg: 60 x 45: too small to be proved" in text
    assert "left out: zz broken.jpg: " in text
    assert "Of them 3 were also scanned" in text
    assert "Every edit: " in capsys.readouterr().out
    rows = list(csv.reader(io.StringIO(failures.read_text())))
    assert "grade" == rows[0][6]
    assert not [row for row in rows if row[2] == "JPEG q75"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["EMPTY"], "no photos in "),
        (["PHOTOS", "--edit", "no such"], "no edit is named so: no such"),
        (["PHOTOS", "--write", "EMPTY/page.md"], "has no single place between"),
        (["PHOTOS", "--write", "EMPTY/marked.md", "--kinds", "EMPTY/page.md"], "has no single place between"),
    ],
)
def test_what_is_amiss_ends_the_run(
    arguments: list[str], message: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, exit code 2, and nothing measured."""
    (tmp_path / "page.md").write_text("a page without marks")
    (tmp_path / "marked.md").write_text("<!-- measured: accuracy -->\n<!-- end -->\n")
    names = [part.replace("EMPTY", str(tmp_path)).replace("PHOTOS", str(photos)) for part in arguments]
    assert 2 == accuracy.main([*names, "--workers", "1"])
    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith("accuracy: ")
    assert message in err
    assert 1 == err.count("\n")


def test_a_scan_that_says_something_else_is_noticed(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark measures what users get, or nothing."""
    monkeypatch.setattr(agreement, "grade", lambda *_: (verdict(MISSING),) * len(ALGORITHMS))
    with pytest.raises(MeasuringError, match=r"JPEG q95 of .*a scan says"):
        agreement.check_agreement([photos / "0.jpg"], [EDITS[0].name])
