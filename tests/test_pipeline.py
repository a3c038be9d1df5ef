"""The whole scan as a function: from two trees to a report, and what must not change it."""

from __future__ import annotations

import dataclasses
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.answers.findings import Findings, Remains
from dupfind.evidence import evidence
from dupfind.pool import tasks
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import sentences
from dupfind.run import Run
from dupfind.scanning.needle_verdicts import needle_judge
from dupfind.settings import make_settings
from dupfind.sources import entries
from dupfind.values import Evidence, FileEntry, FileState, FileVerdict, FolderState, Match
from fixtures import demo, pictures
from tests.helpers import jpegs
from tests.helpers.scans import answer, one_thread, scan, settings, states

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


def test_the_demo_has_exactly_the_expected_verdicts(demo_trees: Path) -> None:
    """Copies of every kind are found, and exactly the two folders of the story are not contained."""
    report = pipeline.scan(settings(demo_trees / "Masters", demo_trees / "Josie_Backup"))
    root = str(demo_trees / "Josie_Backup")
    found = {one.path.removeprefix(root).lstrip("/"): one.state.value for one in report.folders}
    assert demo.expected() == found
    below = {path: state for path, state in found.items() if path.count("/") == 0 and path}
    assert 14 == len(below)
    assert {"MY_PIX": "missing", "12-25-2006 part 1": "partial"} == {
        path: state for path, state in below.items() if state != "contained"
    }


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["dhash", "ahash", "whash"])
def test_the_demo_comes_out_alike_by_every_algorithm(demo_trees: Path, demo_cache: str, algorithm: str) -> None:
    """The hash only finds candidates; the proof is the same."""
    report = scan(demo_trees / "Masters", demo_trees / "Josie_Backup", algorithm=algorithm, cache=demo_cache)
    root = str(demo_trees / "Josie_Backup")
    found = {one.path.removeprefix(root).lstrip("/"): one.state.value for one in report.folders}
    assert demo.expected() == found


@pytest.mark.slow
def test_the_answer_depends_on_nothing_but_the_trees(
    demo_trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte the same for 1 and 3 workers, cold and warm, with and without cache, in shuffled directories."""
    trees = demo_trees / "Masters", demo_trees / "Josie_Backup"
    cache = str(tmp_path / "cache.sqlite")
    first = answer(pipeline.scan(settings(*trees, workers=1, cache=cache)))
    assert first == answer(pipeline.scan(settings(*trees, workers=3)))
    assert first == answer(scan(*trees, cache=cache))
    real = os.scandir

    class Backwards:
        """Lists a directory in the opposite order."""

        def __init__(self, path: str) -> None:
            with real(path) as items:
                self._items = list(items)[::-1]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self._items

        def __exit__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            pass

    monkeypatch.setattr("dupfind.sources.walk.os.scandir", Backwards)
    assert first == answer(scan(*trees))


def test_identical_bytes_decode_nothing(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """If every needle is proved by its bytes, no picture of either side is opened as one."""
    content = {"a.jpg": pictures.photo(1), "b.mov": b"film" * 100}
    haystack, needles = tree("hay", {**content, "c.jpg": pictures.photo(2)}), tree("needles", content)
    monkeypatch.setattr(tasks, "read_thumbnails", lambda *_, **__: pytest.fail("decoded"))
    report = scan(haystack, needles)
    assert {"a.jpg": "present/identical", "b.mov": "present/identical"} == states(report)
    assert report.is_complete


@pytest.mark.parametrize(
    ("needle", "options", "is_started"),
    [
        (b"another size", {}, True),
        (b"another size", {"cache": "there"}, False),
        (b"same", {}, False),
        (b"", {}, False),
    ],
)
def test_what_decodes_is_started_before_it_is_asked_for(
    needle: bytes, options: dict[str, str], is_started: bool, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a first run where a needle cannot be proved by its bytes, and in no other."""
    started: list[int] = []
    monkeypatch.setattr("dupfind.pool.launch.start_server", lambda: started.append(1))
    folder = tree("trees", {"hay/a.txt": b"same", "needles/a.txt": needle, "there": b""})
    options = {name: str(folder / value) for name, value in options.items()}
    run = Run(settings(folder / "hay", folder / "needles", **options))
    needles, haystack = ([entry for each in side for entry in each.entries] for side in pipeline.walk(run))
    pipeline._start_decoders(run, needles, haystack)
    assert [1] * is_started == started


def test_a_warm_run_reads_no_file(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the cache is neither digested nor decoded again."""
    haystack = tree("hay", {"a.jpg": pictures.photo(1), "b.png": pictures.photo(2)})
    needles = tree("needles", {"a.webp": pictures.photo(1), "c.jpg": pictures.photo(3), "t.txt": b"text"})
    cache = str(tmp_path / "cache.sqlite")
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)  # the files are seconds old
    cold = scan(haystack, needles, cache=cache)
    for name in ("read_digests", "read_thumbnails", "hash_thumbnails"):
        monkeypatch.setattr(tasks, name, lambda *_, **__: pytest.fail("read"))
    warm = scan(haystack, needles, cache=cache)
    assert {"a.webp": "present/same", "c.jpg": "missing", "t.txt": "missing"} == states(cold)
    assert states(cold) == states(warm)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accept", "expected"), [("identical", "similar/same"), ("same", "present/same"), ("similar", "present/same")]
)
def test_accept_decides_what_is_present(tree: TreeBuilder, accept: str, expected: str) -> None:
    """`--accept` is the weakest evidence that counts."""
    haystack, needles = tree("hay", {"a.png": pictures.photo(1)}), tree("needles", {"a.jpg": pictures.photo(1)})
    assert {"a.jpg": expected} == states(scan(haystack, needles, accept=accept))


def test_turned_copies_need_rotations(tree: TreeBuilder) -> None:
    """A turned copy is the same picture, a mirrored one is similar; without --rotations both are missing."""
    photo = pictures.photo(1)
    haystack = tree("hay", {"a.png": photo})
    turned, mirrored = photo.transpose(Image.Transpose.ROTATE_90), photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    needles = tree("needles", {"m.jpg": mirrored, "t.jpg": turned})
    report = scan(haystack, needles)
    assert {"m.jpg": "similar/similar", "t.jpg": "present/same"} == states(report)
    assert ["mirrored", "turned by 90 degrees"] == [sentences(one.reasons) for one in report.files]
    assert {"m.jpg": "missing", "t.jpg": "missing"} == states(scan(haystack, needles, rotations=False))


def test_the_best_witness_wins(tree: TreeBuilder) -> None:
    """Grade before distance, then resolution, then path; a smaller look-alike never hides the true copy."""
    photo = pictures.photo(1, (640, 480))
    small = photo.resize((320, 240))
    haystack = tree("hay", {"a-small.png": small, "b-full.png": photo, "c-full.png": photo, "d-other.png": small})
    needles = tree("needles", {"n.jpg": photo})
    (found,) = scan(haystack, needles).files
    assert (FileState.PRESENT, str(haystack / "b-full.png")) == (found.state, found.witness)


def test_only_a_smaller_copy_is_similar(tree: TreeBuilder) -> None:
    """A preview in the haystack does not replace the original."""
    photo = pictures.photo(1, (640, 480))
    haystack, needles = tree("hay", {"a.jpg": photo.resize((320, 240))}), tree("needles", {"a.jpg": photo})
    (found,) = scan(haystack, needles).files
    assert (FileState.SIMILAR, Evidence.SIMILAR) == (found.state, found.evidence)
    assert "the haystack's copy is smaller: 320 x 240 against 640 x 480" == sentences(found.reasons)


def test_what_is_no_picture_needs_identical_bytes(tree: TreeBuilder) -> None:
    """A document is present or missing, and keeps its folder from being contained."""
    haystack = tree("hay", {"same.txt": b"1", "other.txt": b"22"})
    report = scan(haystack, tree("needles", {"a.txt": b"1", "b.txt": b"3"}))
    assert {"a.txt": "present/identical", "b.txt": "missing"} == states(report)
    assert [FolderState.PARTIAL] == [one.state for one in report.folders]


def test_unreadable_pictures_are_named_on_both_sides(tree: TreeBuilder) -> None:
    """A cut file and text under a picture's name: unreadable with the cause; the run goes on."""
    photo = pictures.photo(1)
    haystack = tree("hay", {"whole.jpg": photo, "bad.jpg": b"\xff\xd8\xff\xe0 nothing"})
    cut = (haystack / "whole.jpg").read_bytes()[:5000]
    contents = {"cut.jpg": cut, "empty.jpg": b"", "good.png": photo, "text.png": b"hello"}
    report = scan(haystack, tree("needles", contents))
    assert {
        "cut.jpg": "unreadable",
        "empty.jpg": "empty",
        "good.png": "present/same",
        "text.png": "unreadable",
    } == states(report)
    named = {(one.side.value, os.path.basename(one.path)): one.reason for one in report.problems}
    assert {
        ("needles", "cut.jpg"): "cannot be decoded: image file is truncated",
        ("needles", "text.png"): "not a picture in a known format",
        ("haystack", "bad.jpg"): "cannot be decoded: Truncated File Read",
    } == named
    assert (2, 2, 1) == dataclasses.astuple(report.haystack)


def test_a_mislabelled_picture_is_known_by_its_content(tree: TreeBuilder, tmp_path: Path) -> None:
    """A PNG named .dat is a picture, and a needle named .jpg that is one may be a PNG."""
    haystack = tree("hay", {"a.jpg": pictures.photo(1)})
    pictures.save(pictures.photo(1), tmp_path / "copy.png")
    data = (tmp_path / "copy.png").read_bytes()
    report = scan(haystack, tree("needles", {"a.dat": data, "a.jpg": data}))
    assert {"a.dat": "present/same", "a.jpg": "present/same"} == states(report)
    assert ["image", "image"] == [one.kind.value for one in report.files]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["vanishes", "grows", "is replaced"])
@pytest.mark.parametrize("side", ["hay", "needles"])
def test_a_file_that_changes_under_the_run_proves_nothing(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, change: str, side: str
) -> None:
    """Between walk and read: a needle that changed is not present, a witness that changed proves nothing."""
    photo = pictures.photo(1)
    trees = {"hay": tree("hay", {"a.png": photo}), "needles": tree("needles", {"a.png": photo})}
    victim = trees[side] / "a.png"
    real = pipeline.list_all

    def walk_then_change(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        data = victim.read_bytes()
        victim.unlink()
        if change == "grows":
            victim.write_bytes(data + b"x")
        elif change == "is replaced":
            victim.write_bytes(data)
        return found

    monkeypatch.setattr(pipeline, "list_all", walk_then_change)
    report = scan(trees["hay"], trees["needles"])
    (found,) = report.files
    assert FileState.PRESENT is not found.state
    assert any(str(victim) == one.path for one in report.problems)


def test_needles_inside_the_haystack_are_not_their_own_witness(tree: TreeBuilder) -> None:
    """The inner root is left out of the outer, on either side; a folder around the haystack is never contained."""
    photo = pictures.photo(1)
    outer = tree("outer", {"inner/a.jpg": photo})
    assert {"a.jpg": "missing"} == states(scan(outer, outer / "inner"))
    (outer / "b.jpg").write_bytes((outer / "inner/a.jpg").read_bytes())
    report = scan(outer / "inner", outer)
    assert {"b.jpg": "present/identical"} == states(report)
    assert [FolderState.PARTIAL] == [one.state for one in report.folders]
    assert not report.is_complete


def test_what_a_jpeg_also_holds_is_proved_by_its_bytes_only(tree: TreeBuilder) -> None:
    """Not by the flat picture, and not by another file that holds as much; the flat picture is proved by either."""
    flat, again = jpegs.saved(jpegs.photo(), 92), jpegs.saved(jpegs.photo(), 88)
    depth = jpegs.with_segments(jpegs.preview(), jpegs.xmp("depthData:DepthDataVersion='1'"))
    heat = jpegs.segment(0xE3, jpegs.noise(30000)), jpegs.segment(0xE4, b"\xaa\x55\x12\x06")
    needles = {
        "depth.jpg": flat + depth,
        "heat.jpg": jpegs.with_segments(flat, *heat),
        "preview.jpg": flat + bytes(2000) + jpegs.preview() + bytes(9000),
    }
    report = scan(tree("flat", {"flat.jpg": again}), tree("needles", needles))
    expected = {"depth.jpg": "similar/similar", "heat.jpg": "similar/similar", "preview.jpg": "present/same"}
    assert expected == states(report)
    told = [sentences(one.reasons) for one in report.files[:2]]
    assert ["it also holds a depth map", "it also holds temperatures"] == told
    both = {"depth.jpg": again + depth, "bytes.jpg": needles["heat.jpg"]}
    expected = {"depth.jpg": "similar/similar", "heat.jpg": "present/identical"}
    del needles["preview.jpg"]
    assert expected == states(scan(tree("both", both), tree("rich", needles)))
    assert {"flat.jpg": "present/same"} == states(scan(tree("rich", needles), tree("plain", {"flat.jpg": again})))


def test_a_motion_photo_is_not_proved_by_its_still(tree: TreeBuilder, tmp_path: Path) -> None:
    """The video behind a JPEG would be lost with the needle; the trailer that some phones always write would not."""
    pictures.save(pictures.photo(1), tmp_path / "still.jpg")
    still = (tmp_path / "still.jpg").read_bytes()
    video = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40
    needles = tree("needles", {"motion.jpg": still + video, "trailer.jpg": still + b"SEFH" + bytes(99) + b"SEFT"})
    report = scan(tree("hay", {"still.jpg": still}), needles)
    assert {"motion.jpg": "similar/similar", "trailer.jpg": "present/same"} == states(report)
    assert "it also holds a video" == sentences(report.files[0].reasons)
    assert {"still.jpg": "present/same"} == states(scan(needles / ".." / "needles", tree("bare", {"still.jpg": still})))


def test_the_bound_on_pixels_holds_for_what_is_known(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm run refuses what a cold one would."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    haystack, needles = tree("hay", {"a.png": pictures.photo(1)}), tree("needles", {"a.jpg": pictures.photo(1)})
    cache = str(tmp_path / "cache.sqlite")
    assert {"a.jpg": "present/same"} == states(scan(haystack, needles, cache=cache))
    warm, cold = scan(haystack, needles, cache=cache, max_pixels=1000), scan(haystack, needles, max_pixels=1000)
    assert answer(warm) == answer(cold)
    assert {"a.jpg": "unreadable"} == states(warm)


def test_a_needle_seen_through_another_mount_is_no_witness(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal in size, times and inode and no hard link: it may be the needle itself; a hard link is not."""
    needles, haystack = tree("needles", {"a.jpg": b"picture"}), tree("hay", {})
    os.link(needles / "a.jpg", haystack / "a.jpg")
    assert {"a.jpg": "present/identical"} == states(scan(haystack, needles))
    monkeypatch.setattr("dupfind.sources.same_file._look", lambda _: SimpleNamespace(st_dev=1, st_ino=1, st_nlink=1))
    report = scan(haystack, needles)
    assert {"a.jpg": "unreadable"} == states(report)
    assert ["left out: it may be a needle itself, reached by another mount"] == [
        one.reason for one in report.problems if one.is_note
    ]


def test_needles_named_inside_junk_are_looked_at(tree: TreeBuilder) -> None:
    """A root that the user names is walked wherever it lies, and the folder around it has a gap."""
    needles, haystack = tree("n", {"a": b"1", "@eaDir/b": b"2"}), tree("hay", {"a": b"1"})
    raw = make_settings(haystack=[str(haystack)], needles=[str(needles), str(needles / "@eaDir")], no_cache=True)
    report = pipeline.scan(raw, make_executor=one_thread)
    assert {"a": "present/identical", "b": "missing"} == states(report)
    assert [FolderState.PARTIAL, FolderState.MISSING] == [one.state for one in report.folders]


def test_a_document_that_cannot_be_read_is_missing(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreadable is a word for pictures; the cause is named all the same."""

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(entries, "_open_without_blocking", refuse)
    haystack, needles = tree("hay", {"a.txt": b"1"}), tree("needles", {"a.txt": b"1", "b.jpg": b"22"})
    report = scan(haystack, needles)
    assert [("other", "missing"), ("image", "unreadable")] == [(one.kind, one.state) for one in report.files]
    codes = ReasonCode.NOT_READ, ReasonCode.UNREADABLE
    assert [(Reason(code, ("cannot be read: permission denied",)),) for code in codes] == [
        one.reasons for one in report.files
    ]


@pytest.mark.slow
def test_a_damaged_cache_is_replaced_and_the_answer_stays(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of rubbish in the middle of the cache: a warning, the old file set aside, the same verdicts."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    haystack = tree("hay", {f"{number}.jpg": pictures.photo(number, (160, 120)) for number in range(20)})
    needles = tree("needles", {f"{number}.png": pictures.photo(number, (160, 120)) for number in range(20)})
    cache = tmp_path / "cache.sqlite"
    first = answer(scan(haystack, needles, cache=str(cache)))
    data = bytearray(cache.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    cache.write_bytes(bytes(data))
    assert first == answer(scan(haystack, needles, cache=str(cache)))
    assert [cache.with_name("cache.sqlite.set-aside")] == list(tmp_path.glob("*.set-aside"))


def needle_verdict(remains: Remains | None, match: Match | None = None) -> FileVerdict:
    """The verdict on one decoded needle, of which this is known."""
    entry = FileEntry("/real/n/a.jpg", 5, 0, 0, 0)
    found = Findings(
        {entry.path: match} if match else {},
        {},
        frozenset([entry.path]),
        None,
        {entry.path: remains} if remains else {},
    )
    judge = needle_judge(found, Evidence.SAME, lambda path: path.replace("/real/", ""))
    return judge("n/a.jpg", entry)


def test_what_is_said_of_a_damaged_needle() -> None:
    """What is wrong with it and what it looks like, as the user spells it; never plain missing."""
    known = needle_verdict(Remains("cut off", "/real/h/b.jpg"))
    assert (FileState.MISSING, "n/a.jpg", "cut off; it looks most like h/b.jpg") == (
        known.state,
        known.path,
        sentences(known.reasons),
    )
    unknown = needle_verdict(Remains("cut off", None))
    assert "cut off; nothing in the haystack looks like what is left of it" == sentences(unknown.reasons)
    assert (FileState.MISSING, ()) == (needle_verdict(None).state, needle_verdict(None).reasons)


def test_the_witness_is_spelt_as_the_user_does() -> None:
    """And its evidence decides, whatever else is known."""
    cut = Reason(ReasonCode.DAMAGED, ("cut off",))
    found = needle_verdict(Remains("cut off", None), Match("/real/h/b.jpg", Evidence.SIMILAR, 3, cut))
    assert (FileState.SIMILAR, "h/b.jpg", (cut,)) == (found.state, found.witness, found.reasons)


def test_the_judge_of_a_pair_is_near(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is at most the eighth frame from the scan, both counted: a reader follows a needle without turning back."""
    depths, real = [], evidence.judge

    def judge(*values: Any, **options: Any) -> object:
        names = [frame.name for frame in traceback.extract_stack()]
        depths.append(len(names) - names.index("scan"))
        return real(*values, **options)

    monkeypatch.setattr(evidence, "judge", judge)
    picture = pictures.photo(1)
    hay, needles = tree("hay", {"a.png": picture}), tree("needles", {"b.jpg": picture})
    pipeline.scan(settings(hay, needles), make_executor=one_thread)
    assert {8} == set(depths)
