"""dupfind compare: the grade of a scan both ways, and everything beside it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import imagehash
import pytest
from PIL import Image, ImageOps

from dupfind import pipeline
from dupfind.answers.compare import Comparison, Comparisons
from dupfind.commands.comparing import compare_files
from dupfind.evidence import fingerprint
from dupfind.pictures import decode
from dupfind.pool import tasks
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import IN_A_PAIR, sentence
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.values import ORIENTATIONS, Evidence
from fixtures import demo, documents, pictures
from tests.helpers.encodings import large
from tests.helpers.hashes import TRUE
from tests.helpers.scans import one_thread
from tests.helpers.trees import build_tree

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO = pictures.photo(3, (480, 360))


def ask(*files: Path, **options: Any) -> Comparisons:
    """Compare in this process, without a cache where none is given."""
    settings = make_settings(no_cache="cache" not in options, **options)
    return compare_files(settings, [named_file(str(one)) for one in files], make_executor=one_thread)


def pair(*files: Path, **options: Any) -> Comparison:
    """The comparison of two."""
    (found,) = ask(*files, **options).pairs
    return found


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The content of a file."""
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 90} | options))
    return file.getvalue()


def many(folder: Path) -> list[Path]:
    """A photo and what may become of it, and others."""
    framed = ImageOps.expand(PHOTO, 40, "white")
    cut = encoded(PHOTO)
    contents: dict[str, bytes | Image.Image] = {
        "photo.jpg": PHOTO,
        "again.jpg": encoded(PHOTO, quality=70),
        "small.jpg": PHOTO.resize((240, 180)),
        "turned.png": PHOTO.rotate(90, expand=True),
        "mirrored.png": ImageOps.mirror(PHOTO),
        "ball.jpg": pictures.with_patch(PHOTO, 3, 0.01),
        "grey.jpg": PHOTO.convert("L"),
        "framed.png": framed,
        "cut.jpg": cut[: len(cut) * 2 // 3],
        "zeroed.jpg": cut[: len(cut) // 2] + bytes(200) + cut[len(cut) // 2 + 200 :],
        "other.jpg": pictures.photo(4, (480, 360)),
        "page.png": documents.form(10),
    }
    build_tree(folder, contents)
    return [folder / name for name in contents]


def scanned(needle: Path, witness: Path, folder: Path, **options: Any) -> tuple[Evidence | None, tuple[Reason, ...]]:
    """Grade and reasons of a scan of the one for the other, as far as one can go in its search."""
    hay = build_tree(folder / "hay", {f"w{witness.suffix}": witness.read_bytes()})
    needles = build_tree(folder / "needles", {f"n{needle.suffix}": needle.read_bytes()})
    settings = make_settings(haystack=[str(hay)], needles=[str(needles)], threshold_bits=32, no_cache=True, **options)
    (found,) = pipeline.scan(settings, make_executor=one_thread).files
    return found.evidence, found.reasons


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"rotations": False, "algorithm": "dhash"}])
def test_the_grades_are_those_of_a_scan(tmp_path: Path, options: dict[str, Any]) -> None:
    """Of every pair of many kinds of pictures, both ways, with the same reasons."""
    files = many(tmp_path / "all")
    grades = []
    pairs = [(files[0], other) for other in files[1 : 4 if options else None]]
    for number, (one, other) in enumerate([*pairs, (files[7], files[5]), (files[1], files[9])]):
        found = pair(one, other, **options)
        if found.error:
            continue
        for way, (needle, witness, proof) in enumerate(
            [(one, other, found.first_by_other), (other, one, found.other_by_first)]
        ):
            evidence, reasons = scanned(needle, witness, tmp_path / f"{number}-{way}", **options)
            assert evidence is proof.evidence, (needle.name, witness.name)
            if evidence is not None:
                assert reasons == (() if proof.reason is None else (proof.reason,))
            grades.append(proof.evidence)
    assert options or {Evidence.SAME, Evidence.SIMILAR, None} == set(grades)


@pytest.mark.slow
def test_the_pairs_of_the_demo(demo_trees: Path, demo_cache: str) -> None:
    """Each needle against its witness: what the scan says of it is what the witness says of it here."""
    haystack, needles = demo_trees / demo.HAYSTACK, demo_trees / demo.NEEDLES
    settings = make_settings(haystack=[str(haystack)], needles=[str(needles)], cache=demo_cache)
    compared = 0
    for one in pipeline.scan(settings, make_executor=one_thread).files:
        if one.witness is None or one.kind.value != "image":
            continue
        proof = pair(Path(one.path), Path(one.witness), cache=demo_cache).first_by_other
        assert one.evidence is proof.evidence
        if one.distance_bits is not None:
            assert proof.distances_bits is not None
            assert one.distance_bits == proof.distances_bits["phash"]
        compared += 1
    assert compared > 20


def test_both_ways(tmp_path: Path) -> None:
    """The large one proves the small one; the pair is no better than the other way."""
    photo, small = many(tmp_path)[:3:2]
    for files in ((photo, small), (small, photo)):
        found = pair(*files)
        proofs = [found.first_by_other, found.other_by_first]
        grades = {file: proof.evidence for file, proof in zip(files, proofs, strict=True)}
        assert {photo: Evidence.SIMILAR, small: Evidence.SAME} == grades
        smaller = Reason(ReasonCode.SMALLER, (240, 180, 480, 360))
        assert (Evidence.SIMILAR, smaller) == (found.evidence, found.reason)
        assert "the other one is smaller: 240 x 180 against 480 x 360" == sentence(smaller, IN_A_PAIR)
        failed = [[test.name for test in proof.tests if not test.passed] for proof in proofs]
        assert [["size"] if file == photo else [] for file in files] == failed


def test_the_better_copy(tmp_path: Path) -> None:
    """The large one, whichever comes first; the two are the same picture, which is what is asked by default."""
    photo, small = many(tmp_path)[:3:2]
    for files in ((photo, small), (small, photo)):
        answer = ask(*files)
        (found,) = answer.pairs
        assert found.better is not None
        assert (str(photo), True, files[0] == photo) == (
            found.better.path,
            answer.are_accepted,
            found.can_go(Evidence.SAME),
        )


def test_films_are_compared_as_films(tmp_path: Path) -> None:
    """By bytes, and by packets with the extra: two that are not the same have an answer, which is no."""
    film = b"\0\0\0\x18ftypqt  "
    build_tree(
        tmp_path, {"a.mov": film, "b.mov": film + b"more", "c.mov": film, "d.jpg": b"no picture", "e.jpg": PHOTO}
    )
    names = ("a.mov", "b.mov", "c.mov", "d.jpg", "e.jpg")
    answer = ask(*(tmp_path / name for name in names))
    assert [None, None, "a.mov", "a.mov"] == [
        pair.error and Path(pair.error.partition(":")[0]).name for pair in answer.pairs
    ]
    assert [None, Evidence.IDENTICAL, None, None] == [pair.evidence for pair in answer.pairs]
    reason = answer.pairs[0].reason
    assert reason is not None
    assert reason.code in (ReasonCode.NO_FILM, ReasonCode.FILM_BY_BYTES)
    answer = ask(tmp_path / "a.mov", tmp_path / "b.mov")
    assert (True, False, []) == (answer.is_answered, answer.are_accepted, list(answer.problems))


@pytest.mark.slow
def test_hashes_and_distances(tmp_path: Path) -> None:
    """Of the upright thumbnails, in imagehash's hex; the distances in the orientation that fits."""
    photo, turned = many(tmp_path)[:4:3]
    found = pair(photo, turned)
    for file, one in zip((photo, turned), (found.first, found.other), strict=True):
        with open(file, "rb") as content:
            thumbnail = decode.read_thumbnail(content, str(file), 10**9)
        image = Image.fromarray(fingerprint.pixels(thumbnail.pixels))
        assert {name: str(function(image)) for name, function in TRUE.items()} == one.hashes
        assert thumbnail == one.thumbnail
    proof = found.first_by_other
    assert proof.distances_bits is not None
    assert all(bits <= 2 for bits in proof.distances_bits.values())
    assert (Evidence.SAME, Reason(ReasonCode.TURNED, (90,))) == (found.evidence, found.reason)
    assert found.score("phash") == 1 - proof.distances_bits["phash"] / 64
    assert found.seen is not None
    seen = [imagehash.phash(Image.fromarray(fingerprint.pixels(one))) for one in found.seen]
    assert proof.distances_bits["phash"] == seen[0] - seen[1]


@pytest.mark.slow
@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_every_orientation(tmp_path: Path, orientation: int) -> None:
    """Turned ones are the same, mirrored ones are not; told as EXIF would."""
    grey = fingerprint.turn(fingerprint.pixels(PHOTO.convert("L").resize((64, 64)).tobytes()), orientation)
    files = build_tree(tmp_path, {"a.png": Image.fromarray(grey.copy()), "b.bmp": PHOTO.convert("L").resize((64, 64))})
    found = pair(files / "b.bmp", files / "a.png")
    assert orientation == found.first_by_other.orientation
    expected = Evidence.SIMILAR if orientation in (1, 3, 4, 6) else Evidence.SAME
    assert expected is found.evidence
    if orientation:
        assert 0 == pair(files / "b.bmp", files / "a.png", rotations=False).first_by_other.orientation


def test_identical_files(tmp_path: Path) -> None:
    """Pictures have their hashes too; what is no picture has its bytes; one byte is enough to differ."""
    content = encoded(PHOTO)
    contents = {"a.jpg": content, "b.jpg": content, "a.txt": b"text", "b.txt": b"text", "c.txt": b"test"}
    files = build_tree(tmp_path, contents)
    found = pair(files / "a.jpg", files / "b.jpg")
    assert (Evidence.IDENTICAL, 1.0, None) == (found.evidence, found.score("phash"), found.reason)
    assert dict.fromkeys(TRUE, 0) == found.first_by_other.distances_bits
    assert found.first.hashes == found.other.hashes != {}
    found = pair(files / "a.txt", files / "b.txt")
    assert (Evidence.IDENTICAL, None, {}) == (found.evidence, found.error, found.first.hashes)
    found = pair(files / "a.txt", files / "c.txt")
    assert (None, f"{files / 'a.txt'}: not a picture in a known format") == (found.evidence, found.error)


def test_what_cannot_be_read_costs_its_own_pair(tmp_path: Path) -> None:
    """The others have their answer."""
    files = build_tree(tmp_path, {"a.jpg": PHOTO, "no.jpg": b"no picture", "b.jpg": encoded(PHOTO, quality=80)})
    answer = ask(files / "a.jpg", files / "no.jpg", files / "b.jpg")
    assert [True, False] == [one.error is not None for one in answer.pairs]
    assert (False, False) == (answer.is_answered, answer.are_accepted)
    assert [str(files / "no.jpg")] == [one.path for one in answer.problems]
    assert (None, None) == (answer.pairs[0].evidence, answer.pairs[0].seen)


def test_the_first_one_unreadable(tmp_path: Path) -> None:
    """No pair has an answer."""
    files = build_tree(tmp_path, {"a.jpg": PHOTO, "no.jpg": b"no picture", "b.jpg": encoded(PHOTO, quality=80)})
    answer = ask(files / "no.jpg", files / "a.jpg", files / "b.jpg")
    assert [f"{files / 'no.jpg'}: not a picture in a known format"] * 2 == [one.error for one in answer.pairs]


@pytest.mark.slow
def test_nothing_rests_on_the_beginning_of_a_file(tmp_path: Path) -> None:
    """A progressive JPEG that is read coarsely by a scan is read whole here; damage behind its first scan is seen."""
    sound = large(1)
    files = build_tree(tmp_path, {"a.jpg": large(1, progressive=False), "b.jpg": sound, "cut.jpg": sound[:-3000]})
    answer = ask(files / "a.jpg", files / "b.jpg", files / "cut.jpg")
    assert Evidence.SAME is answer.pairs[0].evidence
    cut = answer.pairs[1]
    assert cut.error is not None or (
        cut.evidence is not Evidence.SAME and "damaged" in sentence(cut.reason or Reason(ReasonCode.UNLIKE))
    )


@pytest.mark.slow
def test_pairs_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each is judged as if it were alone; the first is the witness of all."""
    files = many(tmp_path)
    answer = ask(*files)
    alone = [pair(files[0], other) for other in files[1:]]
    assert alone == list(answer.pairs)


@pytest.mark.slow
def test_a_second_run_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files come from the cache, also by another algorithm."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    cache = str(tmp_path / "cache" / "c.sqlite")
    files = many(tmp_path / "all")[:4]
    first = ask(*files, cache=cache)
    monkeypatch.setattr(tasks, "read_thumbnails", lambda *_, **__: pytest.fail("decoded"))
    assert first == ask(*files, cache=cache)
    ask(*files, cache=cache, algorithm="whash")
