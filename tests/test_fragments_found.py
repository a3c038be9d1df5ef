"""Parts of pictures in a scan: found, named with their place, and never present, whatever is accepted."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import pytest
from PIL import Image, ImageDraw

pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")

from benchmarks import collages
from dupfind import libraries, pipeline
from dupfind.answers.find import NearFile
from dupfind.answers.hash import Given
from dupfind.commands.comparing import compare_files
from dupfind.commands.explain import explain
from dupfind.errors import SettingsError
from dupfind.finding.finding import find_images, wanted
from dupfind.pool import fragments
from dupfind.reading import Reader
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen
from dupfind.report import find as report
from dupfind.report import import_ as import_report
from dupfind.report.explain import render as rendered_explanation
from dupfind.report.reasons import sentences
from dupfind.settings import Format, make_settings
from dupfind.sources.roots import named_file
from dupfind.values import Evidence, FileState, FileVerdict, FolderState, Report
from tests.helpers.acting import import_, plan_clean, plan_import
from tests.helpers.fragments import jpeg, page, part, photo, screenshot
from tests.helpers.scans import answer, one_thread, scan, settings, states
from tests.helpers.shelf import Ears

REASON = Reason(ReasonCode.UNLIKE)
TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]


def sought(haystack: Path, needles: Path, **options: Any) -> Report:
    """Scan with a look for parts."""
    return scan(haystack, needles, fragments=True, **options)


def only(report: Report) -> FileVerdict:
    """The verdict on the only needle."""
    (file,) = report.files
    return file


def photos(count: int, first: int = 0) -> dict[str, bytes]:
    """So many different pictures."""
    return {f"{number}.jpg": jpeg(photo(number)) for number in range(first, first + count)}


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that were described."""
    names: list[str] = []
    real = fragments.read_marks

    def read_marks(entries: Any, *limits: Any, **named: Any) -> Any:
        names.extend(os.path.basename(entry.path) for entry in entries)
        return real(entries, *limits, **named)

    monkeypatch.setattr(fragments, "read_marks", read_marks)
    return names


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember what is known of files that are seconds old."""
    for module in ("cache", "result_cache", "last_run"):
        monkeypatch.setattr(f"dupfind.cache.{module}._RACY_NS", 0)


def test_crop(tree: TreeBuilder) -> None:
    """Named with the picture that it is a part of, and with its place there."""
    hay = tree("hay", photos(4))
    file = only(sought(hay, tree("old", {"crop.jpg": jpeg(part(photo(2), 0, 0, 0.5, 0.5))})))
    assert (FileState.SIMILAR, str(hay / "2.jpg")) == (file.state, file.witness)
    assert "it shows the top left quarter of the haystack's copy" == sentences(file.reasons)


@pytest.mark.slow
def test_turned_crop(tree: TreeBuilder) -> None:
    """However it is turned."""
    needle = part(photo(1), 0.5, 0, 1, 1).transpose(Image.Transpose.ROTATE_90)
    file = only(sought(tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(needle)})))
    assert "it shows the right half of the haystack's copy; turned by about 90 degrees" == sentences(file.reasons)


@pytest.mark.slow
def test_screenshot(tree: TreeBuilder) -> None:
    """All of a picture in a part of the needle."""
    hay = tree("hay", photos(3))
    file = only(sought(hay, tree("old", {"screen.jpg": jpeg(screenshot(photo(1)))})))
    assert str(hay / "1.jpg") == file.witness
    assert "the middle third of it shows all of the haystack's copy" == sentences(file.reasons)


@pytest.mark.slow
def test_page_names_every_picture(tree: TreeBuilder) -> None:
    """The paths as the user spells them, each with its place."""
    hay = tree("hay", photos(6))
    file = only(sought(hay, tree("old", {"page.jpg": jpeg(page(*map(photo, (1, 2, 3, 4))))})))
    (reason,) = file.reasons
    shown = {file.witness, *(fact.facts[0] for fact in reason.facts if isinstance(fact, Reason))}
    assert {str(hay / f"{number}.jpg") for number in (1, 2, 3, 4)} == shown
    words = sentences(file.reasons) or ""
    assert all(corner in words for corner in ("top left", "top right", "bottom left", "bottom right"))


@pytest.mark.parametrize("is_paranoid", [False, True])
def test_a_part_is_never_present(tree: TreeBuilder, is_paranoid: bool) -> None:
    """Whatever is accepted: the folder is not contained, and the program says so by its exit code."""
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(part(photo(2), 0.2, 0, 1, 0.9))})
    report = sought(hay, old, accept="similar", paranoid=is_paranoid)
    assert FileState.SIMILAR is only(report).state
    assert not report.problems  # nor does a second look take it for the whole picture
    assert [FolderState.REVIEW] == [folder.state for folder in report.folders]
    assert not report.is_complete


@pytest.mark.slow
def test_covered(tree: TreeBuilder) -> None:
    """Words over a part of a picture: how much of the rest is alike is told."""
    image = photo(2)
    ImageDraw.Draw(image).rectangle((0, 250, 480, 360), fill="black")
    ImageDraw.Draw(image).text((20, 270), "Happy birthday", fill="white", font_size=48)
    file = only(sought(tree("hay", photos(3)), tree("old", {"card.jpg": jpeg(image)})))
    assert ReasonCode.FRAGMENT is file.reasons[0].code
    words = sentences(file.reasons) or ""
    assert words.startswith("it shows what the haystack's copy shows; ")
    assert words.endswith("% of that looks the same")


@pytest.mark.slow
def test_others_are_missing(tree: TreeBuilder) -> None:
    """What shares nothing with any picture; and what shares a frame and a mark with one, and shows something else."""

    def marked(image: Image.Image) -> Image.Image:
        framed = Image.new("RGB", (600, 480), (120, 30, 30))
        ImageDraw.Draw(framed).text((60, 425), "STUDIO MEIER 2011", fill="white", font_size=36)
        framed.paste(image, (60, 60))
        return framed

    hay = tree("hay", photos(3) | {"marked.jpg": jpeg(marked(photo(3)))})
    old = tree("old", {"other.jpg": jpeg(photo(50)), "marked.jpg": jpeg(marked(photo(51)))})
    assert {"other.jpg": "missing", "marked.jpg": "missing"} == states(sought(hay, old))


def test_nothing_is_described_where_all_match(tree: TreeBuilder, described: list[str]) -> None:
    """A scan of pictures that all match costs nothing more."""
    hay = tree("hay", photos(3))
    report = sought(hay, tree("old", {"copy.jpg": jpeg(photo(1), 70), "same.jpg": jpeg(photo(2))}))
    assert "missing" not in states(report).values()
    assert [] == described


@pytest.mark.slow
@pytest.mark.usefixtures("remembering")
def test_described_once(tree: TreeBuilder, tmp_path: Path, described: list[str]) -> None:
    """What is remembered is not read again, and the answer is the same; what has changed is."""
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(part(photo(2), 0, 0, 0.7, 0.7))})
    cache = str(tmp_path / "cache.sqlite")
    first = states(sought(hay, old, cache=cache))
    assert {"0.jpg", "1.jpg", "2.jpg", "crop.jpg"} == set(described)
    described.clear()
    assert first == states(sought(hay, old, cache=cache))
    assert [] == described
    (hay / "2.jpg").rename(hay / "new.jpg")
    (hay / "3.jpg").write_bytes(jpeg(photo(3)))
    report = sought(hay, old, cache=cache)
    assert {"new.jpg", "3.jpg"} == set(described)
    assert str(hay / "new.jpg") == only(report).witness


@pytest.mark.slow
@pytest.mark.usefixtures("remembering")
def test_found_in_what_has_come_since(tree: TreeBuilder, tmp_path: Path) -> None:
    """A needle that nothing was found for is a part of a picture that comes later, and no more once that goes."""
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(part(photo(9), 0, 0, 0.7, 0.7))})
    cache = str(tmp_path / "cache.sqlite")
    assert {"crop.jpg": "missing"} == states(sought(hay, old, cache=cache))
    (hay / "9.jpg").write_bytes(jpeg(photo(9)))
    assert {"crop.jpg": "similar/similar"} == states(sought(hay, old, cache=cache))
    (old / "second.jpg").write_bytes(jpeg(part(photo(1), 0.3, 0.3, 1, 1)))
    assert {"crop.jpg": "similar/similar", "second.jpg": "similar/similar"} == states(sought(hay, old, cache=cache))
    (hay / "9.jpg").unlink()
    assert {"crop.jpg": "missing", "second.jpg": "similar/similar"} == states(sought(hay, old, cache=cache))


@pytest.mark.slow
def test_broken_and_blank_pictures(tree: TreeBuilder) -> None:
    """They are passed over, on either side, and the run goes on."""
    whole = jpeg(photo(1))
    blank, tiny = jpeg(Image.new("RGB", (300, 200), "gray")), jpeg(photo(4, (9, 7)))
    hay = tree("hay", photos(3) | {"cut.jpg": whole[:3000], "blank.jpg": blank, "tiny.jpg": tiny})
    broken = {"cut.jpg": jpeg(photo(60))[:4000], "blank.jpg": blank[:-9], "tiny.jpg": jpeg(photo(61, (5, 40)))}
    old = tree("old", broken | {"crop.jpg": jpeg(part(photo(2), 0, 0, 0.7, 0.7))})
    found = states(sought(hay, old))
    assert "similar/similar" == found["crop.jpg"]
    assert "missing" == found["tiny.jpg"]


def test_what_could_not_be_described_is_told(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that took too long, say: the run goes on without it, and nobody takes that for an answer."""
    read = fragments.read_grays

    def too_late(file: IO[bytes], name: str, *values: int) -> fragments.Grays:
        if "late" in os.path.basename(name):
            raise OSError("took longer than 30 s")
        return read(file, name, *values)

    monkeypatch.setattr(fragments, "read_grays", too_late)
    hay = tree("hay", photos(2))
    crop = jpeg(part(photo(1), 0, 0, 0.6, 0.6))
    late = {f"late {number}.jpg": jpeg(photo(50 + number, (120, 90))) for number in range(2)}
    old = tree("old", {"crop.jpg": crop, **late})
    ears = Ears()
    report = pipeline.scan(settings(hay, old, fragments=True), ears, make_executor=one_thread)
    assert {"crop.jpg": "similar/similar", "late 0.jpg": "missing", "late 1.jpg": "missing"} == states(report)
    (warning,) = ears.warnings
    assert warning.startswith(f"parts were not looked for in {old}/late 0.jpg and 1 more: ")


@pytest.mark.parametrize("stage", ["compare_fragments", "read_page_marks"])
def test_what_could_not_be_compared_is_told(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    """Where memory is short, say: that no part was found is no answer then, and is told once of each picture."""

    def fail(*_: object, **__: object) -> None:
        raise MemoryError("not enough memory to decode it")

    monkeypatch.setattr(fragments, "described_by" if stage == "compare_fragments" else "page_marked_by", fail)
    hay = tree("hay", photos(2))
    old = tree("old", {"page.jpg": jpeg(page(photo(1), photo(30)))})
    ears = Ears()
    report = pipeline.scan(settings(hay, old, fragments=True), ears, make_executor=one_thread)
    if stage == "compare_fragments":
        assert {"page.jpg": "missing"} == states(report)
    (warning,) = ears.warnings
    assert warning == f"parts were not looked for in {old}/page.jpg: not enough memory to decode it"


def test_a_witness_that_could_not_be_compared_is_named(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Itself, and not the needle, which is in order; nor is the answer on that needle final."""
    describe = fragments.described_by

    def fail(grays: fragments.Grays) -> fragments.Described:
        if grays.gray.shape == (360, 480):
            raise OSError("took longer than 30 s")
        return describe(grays)

    monkeypatch.setattr(fragments, "described_by", fail)
    hay, old = tree("hay", photos(1)), tree("old", {"crop.jpg": jpeg(part(photo(0), 0, 0, 0.7, 0.7))})
    ears, passing = Ears(), set[str]()
    tell = Reader._tell_of_parts

    def told(reader: Reader, failures: Mapping[str, str]) -> None:
        tell(reader, failures)
        passing.update(reader.passing)

    monkeypatch.setattr(Reader, "_tell_of_parts", told)
    report = pipeline.scan(settings(hay, old, fragments=True), ears, make_executor=one_thread)
    assert {"crop.jpg": "missing"} == states(report)
    (warning,) = ears.warnings
    assert warning.startswith(f"parts were not looked for in {hay}/0.jpg: ")
    assert {str(hay / "0.jpg"), str(old / "crop.jpg")} == passing


def test_the_distance_of_wholes_is_not_told(tree: TreeBuilder) -> None:
    """How far the hash of a crop is from that of the whole says nothing: there is no distance, and no score."""
    hay, old = tree("hay", photos(2)), tree("old", {"crop.jpg": jpeg(part(photo(1), 0, 0, 0.5, 0.5))})
    file = only(sought(hay, old))
    assert (None, None) == (file.distance_bits, file.score)


@pytest.mark.slow
def test_explained(tree: TreeBuilder) -> None:
    """By the part alone: pictures that happen to have a near hash tell nothing, and no option accepts it."""
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(part(photo(2), 0, 0, 0.5, 0.5))})
    chosen = make_settings(haystack=[str(hay)], no_cache=True, fragments=True)
    explained = explain(chosen, [named_file(str(old / "crop.jpg"))], 2, make_executor=one_thread)
    (explanation,) = explained.explanations
    assert ReasonCode.FRAGMENT is explanation.verdict.reasons[0].code
    assert () == explanation.nearest
    assert explanation.advice is not None
    assert () == explanation.advice.options
    lines = rendered_explanation(explained, Screen()).decode().splitlines()
    assert [
        f"≈ similar  {old / 'crop.jpg'}",
        f"  looks like {hay / '2.jpg'}",
        "  it shows the top left quarter of the haystack's copy",
        "  a part of a picture does not prove the whole: look at both",
    ] == [line for line in lines if line]


@pytest.mark.slow
@pytest.mark.parametrize("lies", ["outside", "inside"])
def test_found(tree: TreeBuilder, lies: str) -> None:
    """By find where it was asked for: first of all, without a distance, and never a witness."""
    image = jpeg(page(*map(photo, range(4))))
    hay = tree("hay", photos(5) | ({"page.jpg": image} if lies == "inside" else {}))
    old = tree("old", {"page.jpg": image})
    path = (hay if lies == "inside" else old) / "page.jpg"

    def near(**options: Any) -> Sequence[NearFile]:
        chosen = make_settings(haystack=[str(hay)], no_cache=True, accept="similar", **options)
        found = find_images(
            chosen, [Given(str(path), named_file(str(path)))], wanted(3, None), make_executor=one_thread
        )
        assert not found.are_all_seen
        report.render(found, Format.TABLE, Screen(), print0=False)
        return found.sought[0].nearest

    first, *rest = near(fragments=True)
    assert (Evidence.SIMILAR, None, None, False) == (
        first.evidence, first.distance_bits, first.score, first.is_witness,
    )  # fmt: skip
    assert first.reason is not None
    also = [fact.facts[0] for fact in first.reason.facts if isinstance(fact, Reason)]
    assert {str(hay / f"{number}.jpg") for number in range(4)} == {first.path, *also}
    assert first.path not in {other.path for other in rest}
    assert not any(other.evidence for other in near())


@pytest.mark.slow
@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize("accept", ["same", "similar"])
def test_import_says_what_a_scan_says(tree: TreeBuilder, accept: str) -> None:
    """A crop is left, counted and told of, and brought over where a person asks for it."""
    crop = jpeg(part(photo(2), 0, 0, 0.5, 0.5))
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": crop, "new.txt": b"new"})
    options = {"fragments": True, "accept": accept}
    plan = plan_import(hay, old, hay / "in", **options)
    assert ["new.txt"] == [item.name for item in plan.items]
    assert ({"similar": 1}, 1) == (plan.left, plan.left_fragments)
    told = import_report.render(plan, Format.TABLE, Screen()).decode()
    assert (
        "Not present and not imported: 1 similar (--also similar).\n"
        "1 of these shows a part of a picture that the haystack holds, or several of them (--also fragment).\n"
    ) in told
    imported_too = import_(hay, old, hay / "in", also=("fragment",), **options)
    assert {"crop.jpg": "fragment", "new.txt": "missing"} == {
        done.item.name: done.item.why.value for done in imported_too.done
    }
    assert crop == (hay / "in/crop.jpg").read_bytes()
    assert {"crop.jpg": "present/identical", "new.txt": "present/identical"} == states(sought(hay, old))


@pytest.mark.slow
@pytest.mark.usefixtures("homes")
def test_a_part_never_goes(tree: TreeBuilder) -> None:
    """A clean leaves it, and says why as a scan does."""
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(part(photo(2), 0, 0, 0.5, 0.5))})
    for are_files in (False, True):
        plan, _ = plan_clean(hay, old, are_files=are_files, fragments=True)
        assert [] == list(plan.units)
        assert any("similar" in left.reason for left in plan.left)


@pytest.mark.parametrize("first", ["crop.jpg", "whole.jpg"])
def test_compared(tree: TreeBuilder, first: str) -> None:
    """Both ways: each is told what it shows of the other, and neither is accepted, whatever is asked for."""
    files = tree("files", {"whole.jpg": jpeg(photo(2)), "crop.jpg": jpeg(part(photo(2), 0, 0, 0.5, 0.5))})
    second = next(path for path in files.iterdir() if path.name != first)
    chosen = make_settings(accept="similar", no_cache=True, fragments=True)
    given = [named_file(str(files / first)), named_file(str(second))]
    (pair,) = compare_files(chosen, given, make_executor=one_thread).pairs
    by_crop, by_whole = (pair.first_by_other, pair.other_by_first)[:: 1 if first == "whole.jpg" else -1]
    assert "the top left quarter of it shows all of the haystack's copy" == sentences([by_crop.reason or REASON])
    assert "it shows the top left quarter of the haystack's copy" == sentences([by_whole.reason or REASON])
    assert Evidence.SIMILAR is pair.evidence
    assert not pair.is_accepted(Evidence.SIMILAR)
    assert [(None, ()), (None, ())] == [(proof.distances_bits, proof.tests) for proof in (by_crop, by_whole)]
    assert pair.score("phash") is None


def test_on_with_the_extra_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By itself where OpenCV is there, but not for who is in a hurry; without it, asking for it is an error."""

    def wanted(**options: Any) -> bool:
        return make_settings(haystack=[str(tmp_path)], no_cache=True, **options).scan.fragments

    assert [True, False, False, False] == [
        wanted(fragments=None), wanted(fragments=None, quick=True), wanted(fragments=False), wanted(),
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="--fragments and --quick contradict"):
        wanted(fragments=True, quick=True)
    monkeypatch.setattr(libraries, "find_spec", lambda name: None if name == "cv2" else find_spec(name))
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert not wanted(fragments=None)
    assert "no OpenCV" == libraries.fragment_library()
    with pytest.raises(SettingsError, match=r"needs the extra dupfind\[fragments\]"):
        wanted(fragments=True)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["framed", "turned"])
def test_page_with_nine_pictures(tree: TreeBuilder, layout: str) -> None:
    """All of them are named, small and turned as they are, by a scan and by compare; others are not."""
    shown = [photo(number, (640, 480)) for number in range(9)]
    image = getattr(collages, layout)(shown, random.Random(2))  # noqa: S311 - chance for pictures
    hay = tree("hay", {f"{number}.jpg": jpeg(each) for number, each in enumerate([*shown, photo(20), photo(21)])})
    old = tree("old", {"page.jpg": jpeg(image)})
    file = only(sought(hay, old))
    (reason,) = file.reasons
    named = {file.witness, *(fact.facts[0] for fact in reason.facts if isinstance(fact, Reason))}
    assert {str(hay / f"{number}.jpg") for number in range(9)} == named
    chosen = make_settings(no_cache=True, fragments=True)
    for name, grade in (("4.jpg", Evidence.SIMILAR), ("10.jpg", None)):
        given = [named_file(str(old / "page.jpg")), named_file(str(hay / name))]
        (pair,) = compare_files(chosen, given, make_executor=one_thread).pairs
        assert grade is pair.evidence


@pytest.mark.slow
@pytest.mark.usefixtures("remembering")
def test_marks_serve_both_sides(tree: TreeBuilder, tmp_path: Path, described: list[str]) -> None:
    """What a needle was described by serves it as a picture of the haystack; the reverse is described once more."""
    large = photo(2, (1200, 900))
    hay, old = tree("hay", photos(2)), tree("old", {"a.jpg": jpeg(large)})
    cache = str(tmp_path / "cache.sqlite")
    assert {"a.jpg": "missing"} == states(sought(hay, old, cache=cache))
    crop = tree("crop", {"b.jpg": jpeg(part(large, 0, 0, 0.5, 0.5))})
    described.clear()
    warm = sought(old, crop, cache=cache)
    assert ["b.jpg"] == described
    assert answer(warm) == answer(sought(old, crop))
    described.clear()
    sought(crop, hay, cache=cache)
    assert {"0.jpg", "1.jpg"} == set(described)


HOSTILE = {
    "endless detail": lambda: Image.effect_noise((2000, 1500), 120).convert("RGB"),
    "one colour": lambda: Image.new("RGB", (1500, 1200), (9, 90, 200)),
    "a line": lambda: Image.effect_noise((20000, 1), 120).convert("RGB"),
    "two pixels high": lambda: Image.effect_noise((20000, 2), 120).convert("RGB"),
    "stripes": lambda: Image.linear_gradient("L").resize((8, 8)).resize((1600, 1200), 0).convert("RGB"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures(tree: TreeBuilder, name: str) -> None:
    """On either side they are looked at, found in nothing, and cost the others nothing."""
    strange = jpeg(HOSTILE[name]())
    hay = tree("hay", photos(3) | {"strange.jpg": strange})
    crop_of_other = jpeg(part(photo(2), 0, 0, 0.7, 0.7))
    old = tree("old", {"strange.jpg": jpeg(HOSTILE[name]().rotate(180)), "crop.jpg": crop_of_other})
    report = sought(hay, old)
    assert "similar/similar" == states(report)["crop.jpg"]
    crop = next(file for file in report.files if file.path.endswith("crop.jpg"))
    assert str(hay / "2.jpg") == crop.witness


@pytest.mark.slow
@pytest.mark.usefixtures("remembering")
def test_marks_that_were_changed_in_the_cache(tree: TreeBuilder, tmp_path: Path) -> None:
    """They are not believed: the cache begins anew, and the answer is the same."""
    hay, old = tree("hay", photos(3)), tree("old", {"crop.jpg": jpeg(part(photo(2), 0, 0, 0.5, 0.5))})
    cache = tmp_path / "cache.sqlite"
    first = states(sought(hay, old, cache=str(cache)))
    for data in (b"\x01abc", b"", b"\xff" * 9001, b"\x02" + bytes(20 * 400)):
        with sqlite3.connect(cache) as store:
            assert store.execute("UPDATE fragment SET digest = ?", (data,)).rowcount
            store.execute("DELETE FROM answer")
        store.close()
        (hay / "0.jpg").touch()
        assert first == states(sought(hay, old, cache=str(cache)))
