"""Borders: what has a frame is found without it and is similar, never more; the rest is left as it was."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.commands.explain import explain
from dupfind.events import Silence
from dupfind.evidence import fingerprint
from dupfind.matching import borders as matching_borders
from dupfind.matching.borders import Borders
from dupfind.pool import tasks
from dupfind.reasons import Reason, ReasonCode
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.values import Evidence, FileState, FolderState, Match, Report, ScanSettings, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.frames import framed, in_a_frame, photo, read
from tests.helpers.places import SHARED_DATA, needs_shared_data
from tests.helpers.scenes import scene, shot

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
OF_THE_NEEDLE, OF_THE_WITNESS, OF_BOTH = (
    Reason(code) for code in (ReasonCode.FRAMED, ReasonCode.WITNESS_FRAMED, ReasonCode.FRAMED_OTHERWISE)
)
WIDE = (0.04, 0.06, 0.05, 0.2)
"""Of an instant print."""


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def search(
    desk: Desk,
    needles: Mapping[str, Thumbnail],
    haystack: Mapping[str, Thumbnail],
    *,
    threshold_bits: int = 10,
    orientations: int = 8,
    **found: Match,
) -> dict[str, Match]:
    """What is found of the needles without their frames, given these matches."""
    settings = ScanSettings((), (), "phash", threshold_bits, Evidence.SAME, rotations=orientations > 1)
    both = desk.pictures(needles, orientations), desk.pictures(haystack, 1)
    return Borders(*both, settings, desk.cache, Silence()).match(found)


@pytest.fixture(scope="module")
def plain() -> dict[str, Thumbnail]:
    """Photos without frames, by path."""
    return {f"/h{seed}": read(photo(seed)) for seed in range(8)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_needle_with_a_frame(desk: Desk, plain: Mapping[str, Thumbnail], seed: int) -> None:
    """The photo that it is made of is its witness, at the distance of what is inside."""
    needle = read(framed(photo(seed), 0.05), 80)
    (found,) = search(desk, {"n": needle}, plain).values()
    assert (f"/h{seed}", Evidence.SIMILAR, OF_THE_NEEDLE) == (found.witness, found.evidence, found.reason)
    assert found.distance_bits is not None
    assert 4 >= found.distance_bits


@pytest.mark.parametrize("seed", range(8))
def test_a_witness_with_a_frame(desk: Desk, plain: Mapping[str, Thumbnail], seed: int) -> None:
    """Among others without one."""
    witness = read(framed(photo(seed), WIDE, "black"), 80)
    others = {path: one for path, one in plain.items() if path != f"/h{seed}"}
    (found,) = search(desk, {"n": plain[f"/h{seed}"]}, {**others, "/framed": witness}).values()
    assert ("/framed", Evidence.SIMILAR, OF_THE_WITNESS) == (found.witness, found.evidence, found.reason)


@pytest.mark.parametrize("seed", range(4))
def test_both_with_different_frames(desk: Desk, plain: Mapping[str, Thumbnail], seed: int) -> None:
    """A letterbox here and a white border there."""
    needle = read(framed(photo(seed), (0.0, 0.15, 0.0, 0.15), "black"), 80)
    others = {path: one for path, one in plain.items() if path != f"/h{seed}"}
    (found,) = search(desk, {"n": needle}, {**others, "/framed": read(framed(photo(seed), WIDE))}).values()
    assert ("/framed", Evidence.SIMILAR, OF_BOTH) == (found.witness, found.evidence, found.reason)


def test_the_very_same_pixels_inside_are_no_more_than_similar(desk: Desk) -> None:
    """However close it is: what the frame hides, or is, nobody has looked at."""
    whole = read(photo(1))
    inside = read(framed(photo(1), 0.25))
    for needle, witness in ((inside, whole), (whole, inside)):
        (found,) = search(desk, {"n": needle}, {"/h": witness}, threshold_bits=32).values()
        assert Evidence.SIMILAR is found.evidence


@pytest.mark.slow
@pytest.mark.parametrize("number", range(7))
def test_turned_and_mirrored(desk: Desk, plain: Mapping[str, Thumbnail], number: int) -> None:
    """In each of the seven other orientations, the frame on either side; without rotations in none of them."""
    needle = read(framed(photo(3), WIDE).transpose(Image.Transpose(number)), 85)
    (found,) = search(desk, {"n": needle}, plain).values()
    assert ("/h3", Evidence.SIMILAR, OF_THE_NEEDLE) == (found.witness, found.evidence, found.reason)
    assert {} == search(desk, {"n": needle}, plain, orientations=1)
    plain_needle = read(photo(3).transpose(Image.Transpose(number)), 85)
    (found,) = search(desk, {"n": plain_needle}, {"/framed": read(framed(photo(3), WIDE))}).values()
    assert ("/framed", OF_THE_WITNESS) == (found.witness, found.reason)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("threshold_bits", [10, 32])
def test_what_has_nothing_to_do_with_it_stays_missing(desk: Desk, threshold_bits: int) -> None:
    """The check hash decides: at a threshold at which half of all photos are candidates, no unrelated one passes."""
    needles = {"framed": read(framed(photo(100), 0.06)), "plain": read(photo(101))}
    needles |= {f"n{seed}": in_a_frame(scene(seed)) for seed in range(100, 120)}
    haystack = {f"/s{seed}": read(photo(seed)) for seed in range(4)}
    haystack |= {f"/h{seed}": shot(scene(seed)) for seed in range(20)}
    haystack |= {f"/f{seed}": in_a_frame(scene(seed), 7, 0) for seed in range(200, 220)}
    assert {} == search(desk, needles, haystack, threshold_bits=threshold_bits)


def test_it_is_the_check_hash_that_keeps_them_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the needles above have candidates, which would be found were its bound wider."""
    needles = {f"n{seed}": in_a_frame(scene(seed)) for seed in range(100, 104)}
    haystack = {f"/h{seed}": shot(scene(seed)) for seed in range(20)}
    assert {} == search(desk, needles, haystack, threshold_bits=32)
    monkeypatch.setattr(matching_borders, "CHECK_BOUND_BITS", 256)
    assert needles.keys() == search(desk, needles, haystack, threshold_bits=32).keys()


def test_a_needle_with_a_match_is_not_looked_at(
    desk: Desk, plain: Mapping[str, Thumbnail], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps what it has; where every needle has one, nothing is computed at all."""
    match = Match("/other", Evidence.SAME, 3)
    needles = {"lost": read(framed(photo(1), 0.05)), "found": read(framed(photo(2), 0.05))}
    assert ["lost"] == list(search(desk, needles, plain, found=match))
    monkeypatch.setattr(matching_borders, "packed_hashes", lambda *_: pytest.fail("hashed"))
    both = {**plain, "/framed": in_a_frame(scene(3))}
    assert {} == search(desk, needles, both, found=match, lost=match)


def test_two_needles_in_one(desk: Desk, plain: Mapping[str, Thumbnail]) -> None:
    """The same file twice is found twice."""
    needle = read(framed(photo(1), 0.05))
    found = search(desk, {"a": needle, "b": needle}, plain)
    assert {"a": "/h1", "b": "/h1"} == {path: one.witness for path, one in found.items()}


@pytest.mark.parametrize("has_frame", [True, False])
def test_nothing_in_the_haystack(desk: Desk, *, has_frame: bool) -> None:
    """Nothing is found in nothing, and no needles find nothing."""
    needle = read(framed(photo(1), 0.05) if has_frame else photo(1))
    assert {} == search(desk, {"n": needle}, {})
    assert {} == search(desk, {}, {"/h": needle})
    assert {} == search(desk, {}, {})


def test_nothing_with_a_frame(desk: Desk, plain: Mapping[str, Thumbnail], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at where neither side has one."""
    monkeypatch.setattr(matching_borders, "check_hash", lambda *_: pytest.fail("compared"))
    assert {} == search(desk, {"n": read(photo(99))}, plain, threshold_bits=32)


def test_frames_of_other_runs_are_not_asked_for(desk: Desk, plain: Mapping[str, Thumbnail]) -> None:
    """The cache remembers pictures of other haystacks, which are no witnesses of this one."""
    desk.pictures({"/elsewhere": read(framed(photo(1), WIDE))}, 1)
    others = {path: one for path, one in plain.items() if path != "/h1"}
    assert {} == search(desk, {"n": plain["/h1"]}, others)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The check hashes that are computed, two a comparison."""
    hashes: list[int] = []

    def counting(picture: fingerprint.Pixels) -> int:
        hashes.append(fingerprint.check_hash(picture))
        return hashes[-1]

    monkeypatch.setattr(matching_borders, "check_hash", counting)
    return hashes


def test_the_nearest_are_looked_at_first_and_only_some(desk: Desk, compared: list[int]) -> None:
    """Fifty a needle, however many candidates it has; the true one comes first, whatever its path."""
    many = {f"/h{seed}": shot(scene(seed)) for seed in range(100, 180)}
    needle = {"n": in_a_frame(scene(1))}
    assert {} == search(desk, needle, many, threshold_bits=32)
    assert 2 * 50 == len(compared)
    (found,) = search(desk, needle, {**many, "/z": shot(scene(1))}, threshold_bits=32).values()
    assert ("/z", 2 * 50 + 2) == (found.witness, len(compared))


def test_many_pictures_of_one_hash(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank pictures come by the thousand: of each hash no more than fifty become candidates at all."""
    monkeypatch.setattr(matching_borders, "CHECK_BOUND_BITS", -1)
    made: list[tuple[object, ...]] = []
    real = matching_borders._Candidate

    def counting(*fields: Any) -> matching_borders._Candidate:
        made.append(fields)
        return real(*fields)

    monkeypatch.setattr(matching_borders, "_Candidate", counting)
    one = shot(scene(1))
    assert {} == search(desk, {"n": in_a_frame(scene(1))}, {f"/{number:03}": one for number in range(200)})
    assert 50 == len(made)


def test_the_first_path_of_equals(desk: Desk, plain: Mapping[str, Thumbnail]) -> None:
    """Whatever the order of the batches."""
    haystack = {"/a": plain["/h2"], "/b": plain["/h1"], "/c": plain["/h1"]}
    (found,) = search(desk, {"n": read(framed(photo(1), 0.05))}, haystack).values()
    assert "/b" == found.witness


@pytest.mark.slow
def test_in_parts(desk: Desk, plain: Mapping[str, Thumbnail], monkeypatch: pytest.MonkeyPatch) -> None:
    """More pictures than are read at once: the same answer."""
    needles = {f"n{seed}": read(framed(photo(seed), 0.05)) for seed in range(8)}
    whole = search(desk, needles, plain)
    monkeypatch.setattr(matching_borders, "_BATCH", 3)
    assert whole == search(desk, needles, plain)
    assert {f"n{seed}": f"/h{seed}" for seed in range(8)} == {path: one.witness for path, one in whole.items()}


@pytest.mark.slow
@needs_shared_data("photos")
@pytest.mark.parametrize("threshold_bits", [10, 32])
def test_real_photos(desk: Desk, threshold_bits: int) -> None:
    """Each is found with a border of 5% on either side, and none for another."""
    files = sorted((SHARED_DATA / "photos").glob("*.jpg"))[::8]
    plain, bordered = {}, {}
    for file in files:
        with Image.open(file) as image:
            plain[file.name] = read(image.convert("RGB"), 92)
            bordered[file.name] = read(framed(image.convert("RGB"), 0.05), 85)
    for needles, haystack in ((bordered, plain), (plain, bordered)):
        found = search(desk, needles, haystack, threshold_bits=threshold_bits)
        assert {name: name for name in plain} == {name: one.witness for name, one in found.items()}
        others = dict(list(haystack.items())[1::2])
        rest = {name: one for name, one in needles.items() if name not in others}
        assert {} == search(desk, rest, others, threshold_bits=threshold_bits)


def scan(haystack: Path, needles: Path, **options: Any) -> Report:
    """Scan in this process, without a cache unless one is given."""
    options.setdefault("no_cache", "cache" not in options)
    settings = make_settings(haystack=[str(haystack)], needles=[str(needles)], **options)
    return pipeline.scan(settings, make_executor=lambda: ThreadPoolExecutor(1))


WIDTHS = (0.01, 0.02, 0.05)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A haystack with plain photos and a framed one; needles with borders of every width, and a framed stranger."""
    folder = tmp_path_factory.mktemp("frames")
    hay, needles = folder / "hay", folder / "needles"
    for place in (hay, needles / "framed", needles / "plain", needles / "stranger"):
        place.mkdir(parents=True)
    for seed in range(4):
        photo(seed).save(hay / f"{seed}.jpg", quality=92)
    framed(photo(4), 0.05).save(hay / "4.jpg", quality=92)
    for seed, colour in ((0, "white"), (1, "black")):
        for width in WIDTHS:
            framed(photo(seed), width, colour).save(needles / "framed" / f"{seed} {width}.jpg", quality=85)
    photo(4).save(needles / "plain" / "4.jpg", quality=85)
    framed(photo(9), 0.05).save(needles / "stranger" / "9.jpg", quality=85)
    return hay, needles


def told(report: Report) -> dict[str, tuple[str, str | None, str | None, tuple[Reason, ...]]]:
    """State, evidence, witness and reasons by name."""
    return {
        Path(one.path).name: (one.state, one.evidence, one.witness and Path(one.witness).name, one.reasons)
        for one in report.files
    }


@pytest.mark.mostly_slow(fast=3)
@pytest.mark.parametrize("rotations", [True, False])
@pytest.mark.parametrize("algorithm", ["phash", "dhash", "ahash", "whash"])
def test_a_scan_finds_what_has_a_frame(trees: tuple[Path, Path], algorithm: str, *, rotations: bool) -> None:
    """By every algorithm: similar, with the photo as witness; the folder is to be reviewed and not contained."""
    report = scan(*trees, algorithm=algorithm, rotations=rotations)
    found = told(report)
    expected = {f"{seed} {width}.jpg": f"{seed}.jpg" for seed in (0, 1) for width in WIDTHS} | {"4.jpg": "4.jpg"}
    assert expected == {name: witness for name, (state, _, witness, _) in found.items() if state == "similar"}
    assert ("missing", None, None, ()) == found["9.jpg"]
    assert {(OF_THE_NEEDLE,)} == {found[f"{seed} 0.05.jpg"][3] for seed in (0, 1)}
    assert (OF_THE_WITNESS,) == found["4.jpg"][3]
    states = {Path(one.path).name: one.state for one in report.folders}
    assert {
        "needles": FolderState.PARTIAL,
        "framed": FolderState.REVIEW,
        "plain": FolderState.REVIEW,
        "stranger": FolderState.MISSING,
    } == states
    assert not report.is_complete


def test_a_warm_run_says_the_same(trees: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are remembered with the thumbnails: nothing is read again, and everything is found again."""
    cache = str(tmp_path / "cache.sqlite")
    for module in ("cache", "last_run"):  # the files are seconds old
        monkeypatch.setattr(f"dupfind.cache.{module}._RACY_NS", 0)
    cold = scan(*trees, cache=cache)
    for name in ("read_digests", "read_thumbnails", "hash_thumbnails"):
        monkeypatch.setattr(tasks, name, lambda *_, **__: pytest.fail("read"))
    warm = scan(*trees, cache=cache)
    assert told(cold) == told(warm)
    assert 7 == sum(one.state is FileState.SIMILAR for one in warm.files)


def test_only_who_accepts_what_is_similar_has_them_present(trees: tuple[Path, Path]) -> None:
    """By `--accept similar`, and by no other grade."""
    states = {"framed": FileState.PRESENT, "plain": FileState.PRESENT, "stranger": FileState.MISSING}
    report = scan(*trees, accept="similar")
    assert states == {Path(one.path).parent.name: one.state for one in report.files}
    for grade in ("same", "identical"):
        report = scan(*trees, accept=grade)
        assert FileState.PRESENT not in {one.state for one in report.files}


def test_the_second_look_confirms_none(trees: tuple[Path, Path]) -> None:
    """It compares whole files, so that what has a frame is never present with `--paranoid`: but for the narrowest,
    which is found as it is.
    """
    report = scan(*trees, accept="similar", paranoid=True)
    wide = [one for one in report.files if "0.01" not in one.path and "0.02" not in one.path]
    assert 4 == len(wide)
    assert {FileState.MISSING} == {one.state for one in wide}


@pytest.mark.parametrize("rotations", [True, False])
def test_explained_as_it_was_found(trees: tuple[Path, Path], *, rotations: bool) -> None:
    """With the scan's distance and reason; what accepts it is the grade and nothing else."""
    hay, needles = trees
    settings = make_settings(haystack=[str(hay)], no_cache=True, rotations=rotations)
    given = [named_file(str(needles / name)) for name in ("framed/0 0.05.jpg", "framed/1 0.05.jpg", "plain/4.jpg")]
    answer = explain(settings, given, 3, make_executor=lambda: ThreadPoolExecutor(1))
    for one, reason in zip(answer.explanations, (OF_THE_NEEDLE, OF_THE_NEEDLE, OF_THE_WITNESS), strict=True):
        first = one.nearest[0]
        assert (one.verdict.witness, one.verdict.distance_bits, reason) == (
            first.path,
            first.distance_bits,
            first.reason,
        )
        assert FileState.SIMILAR is one.verdict.state
        assert ("--accept similar",) == first.advice.options


@pytest.mark.slow
def test_the_command_line(dupfind: Callable[..., subprocess.CompletedProcess[bytes]], tree: TreeBuilder) -> None:
    """The real process, a PNG of the very pixels with a border: exit code 1, and no path to be deleted."""
    tree("hay", {"a.png": photo(1), "b.png": photo(2)})
    tree("needles", {"framed/a.png": framed(photo(1), 0.05), "copy/b.jpg": photo(2)})
    arguments = ("scan", "--haystack", "hay", "--needles", "needles", "-q")
    whole = dupfind(*arguments, "--format", "json")
    assert (1, b"") == (whole.returncode, whole.stderr)
    files = {one["path"]: one for one in json.loads(whole.stdout)["files"]}
    one = files["needles/framed/a.png"]
    assert ("similar", "similar", "hay/a.png") == (one["verdict"], one["evidence"], one["witness"])
    said = "it has a frame around it that the haystack's copy has not"
    assert (said, "frame-added") == (one["reason"], one["reason_code"])
    paths = dupfind(*arguments, "--only", "contained", "--format", "paths")
    assert (1, b"needles/copy\n") == (paths.returncode, paths.stdout)
