"""Bare pictures: the pixels of a full decode and nothing else. They find what it finds, and prove nothing."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from dupfind.cache.cache_schema import is_bare, is_damaged, picture_id
from dupfind.evidence import evidence, fingerprint
from dupfind.pictures import borders, color_modes, decode
from dupfind.pool import tasks
from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning import first_decodes, sample
from dupfind.values import GRAY_ONLY, UNMEASURED, Evidence, FileEntry, Match, Thumbnail
from fixtures import pictures
from tests.helpers.desk import Desk
from tests.helpers.encodings import ENCODINGS, jpeg, with_zeros
from tests.helpers.scans import answer, scan, states
from tests.helpers.thumbnails import thumbnail

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
SIZES = (320, 240), (1100, 700), (300, 901), (200, 150), (7, 40)


def photo(seed: int, size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A photo that is no larger as a file than what may be bare."""
    return pictures.photo(seed, size)


def read(content: bytes, *, may_be_bare: Callable[[bytes], bool] | None = lambda _: True) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), "a.jpg", 10**9, may_be_bare=may_be_bare)


def full(content: bytes) -> Thumbnail:
    """Its thumbnail with everything that is measured."""
    return read(content, may_be_bare=None)


def bare(seed: int, turned: int = 0, **changes: Any) -> Thumbnail:
    """The pixels of a photo and nothing else."""
    return dataclasses.replace(thumbnail(seed, turned=turned), is_coarse=True, damage=UNMEASURED, **changes)


def framed(image: Image.Image, shade: str = "white") -> Image.Image:
    """With a border all around."""
    whole = Image.new(image.mode, (image.width + 80, image.height + 80), shade)
    whole.paste(image, (40, 40))
    return whole


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_its_pixels_are_those_of_the_full_decode(encoding: str, size: tuple[int, int]) -> None:
    """To the bit, upright, with size and time; and no more."""
    exif = pictures.exif(6, "2020:01:02 03:04:05")
    content = jpeg(photo(1, size).filter(ImageFilter.UnsharpMask()), exif=exif, **ENCODINGS[encoding])
    whole, found = full(content), read(content)
    assert (False, True) == (whole.is_bare, found.is_bare)
    assert UNMEASURED == found.damage
    for name in ("pixels", "width", "height", "format", "frames", "captured", "border"):
        assert getattr(whole, name) == getattr(found, name)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_modes(mode: str) -> None:
    """Grey ones, and inks."""
    content = jpeg(photo(1).convert(mode))
    assert full(content).pixels == read(content).pixels
    assert read(content).is_bare


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_damaged_is_measured_at_once(encoding: str) -> None:
    """Cut off, or with zeros in it: also what resembles nothing is called damaged."""
    content = jpeg(photo(1), **ENCODINGS[encoding])
    for broken in (content[: len(content) // 2] + b"\xff\xd9", with_zeros(content, len(content) * 2 // 3, 600)):
        found = read(broken)
        assert not found.is_bare
        assert full(broken) == found
        assert found.damage


@pytest.mark.parametrize("turned", [1, 6])
@pytest.mark.parametrize("shade", ["white", "black"])
def test_what_has_a_frame_is_measured_at_once(shade: str, turned: int) -> None:
    """It is searched for without the frame, by where that lies."""
    content = jpeg(framed(photo(1), shade), exif=pictures.exif(turned))
    found = read(content)
    assert full(content) == found
    assert found.border


def test_what_is_large_or_no_plain_jpeg_is_measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second decode would take longer than the measures; other formats are not for it."""
    content = jpeg(photo(1))
    monkeypatch.setattr(decode, "MOST_BARE_BYTES", len(content))
    assert read(content).is_bare
    assert full(content + b"\0") == read(content + b"\0")
    for kind in ("PNG", "MPO", "WEBP"):
        file = io.BytesIO()
        photo(1, (64, 48)).save(file, kind, save_all=kind == "MPO", append_images=[photo(2, (64, 48))])
        assert full(file.getvalue()) == read(file.getvalue())


def test_what_is_asked_for_is_measured_at_once() -> None:
    """By the pixels, upright."""
    content = jpeg(photo(1), exif=pictures.exif(6))
    asked: list[bytes] = []
    found = read(content, may_be_bare=lambda pixels: bool(asked.append(pixels)))
    assert full(content) == found
    assert [found.pixels] == asked


def edges(width: int, height: int, seed: int, flat: Sequence[bool]) -> Image.Image:
    """A noisy picture some sides of which are even within a few levels."""
    dice = np.random.default_rng(seed)
    values = dice.integers(0, 256, (height, width), np.uint8)
    wide, high = width // 8 + 1, height // 8 + 1
    for is_flat, part in zip(flat, (np.s_[:, :wide], np.s_[:, -wide:], np.s_[:high], np.s_[-high:]), strict=True):
        if is_flat:
            values[part] = 90 + dice.integers(0, dice.integers(1, 16), values[part].shape)
    return Image.fromarray(values)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 1023), st.integers(2, 1023), st.integers(0, 99), st.lists(st.booleans(), min_size=4, max_size=4),
    st.sampled_from([0.0, 0.125, 0.5, 0.875]),
)  # fmt: skip
def test_frames_are_told_as_by_the_whole_plane(
    width: int, height: int, seed: int, flat: list[bool], part: float
) -> None:
    """Its outermost rows and columns are made alone, to the bit, also where the picture takes part of a pixel."""
    box = (0.0, 0.0, width - part, height - part)
    shrunk = color_modes.shrink_gray(edges(width, height, seed, flat), box)
    plane = color_modes.texture_plane(shrunk, 1)
    left, right, top, bottom = (int(edge.max()) - int(edge.min()) <= borders.FLAT for edge in (
        plane[:, 0], plane[:, -1], plane[0], plane[-1]
    ))  # fmt: skip
    assert ((left and right) or (top and bottom)) == color_modes.may_have_border(shrunk)
    assert borders.find(plane) is None or color_modes.may_have_border(shrunk)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9), st.integers(0, 64), st.integers(0, 20))
def test_near_any_hash(seed: int, distance: int, threshold: int) -> None:
    """As counted one by one."""
    picture = fingerprint.pixels(thumbnail(seed).pixels)
    own = fingerprint.search_hash(picture, "phash")
    hashes = [own ^ ((1 << distance) - 1), own ^ ((1 << 64) - 1)]
    expected = any((own ^ value).bit_count() <= threshold for value in hashes)
    assert expected == fingerprint.is_near_any(picture, "phash", np.array(hashes, np.uint64), threshold)
    assert not fingerprint.is_near_any(picture, "phash", np.array([], np.uint64), threshold)


def test_it_is_told_by_its_id() -> None:
    """From what was read to the first scan, from what is damaged, and from what is neither."""
    damaged, coarse = (dataclasses.replace(thumbnail(1), **fact) for fact in ({"damage": "cut"}, {"is_coarse": True}))
    ids = [picture_id(picture) for picture in (thumbnail(1), coarse, damaged, bare(1))]
    assert [False, False, False, True] == [is_bare(id_) for id_ in ids]
    assert [False, False, True, False] == [is_damaged(id_) for id_ in ids]


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def test_only_what_is_near_is_measured(desk: Desk) -> None:
    """On both sides, once."""
    wanted = desk.decodes({"a": thumbnail(1), "/h/1": thumbnail(1)})
    found = desk.match({"a": bare(1), "b": bare(2)}, {"/h/1": bare(1), "/h/3": bare(3)})
    assert ({"a": Match("/h/1", Evidence.SAME, 0)}, ["/h/1", "a"]) == (found, sorted(wanted))


def test_the_better_witness_is_not_passed_over(desk: Desk) -> None:
    """Judged by what a bare picture lacks, the first would be no more than similar, and the second would do."""
    colour = bytes([90]) * 64 + bytes([170]) * 64
    needle = dataclasses.replace(thumbnail(1), chroma=colour)
    better, worse = (dataclasses.replace(needle, width=640 * size, height=480 * size) for size in (2, 1))
    hay = {"/a": worse, "/b": dataclasses.replace(bare(1), width=1280, height=960)}
    desk.decodes({"/b": better})
    assert {"n": Match("/b", Evidence.SAME, 0)} == desk.match({"n": needle}, hay)


MIRROR = Reason(ReasonCode.MIRRORED)


@pytest.mark.parametrize("turned", [1, 3])
def test_what_is_mirrored_is_not_measured(desk: Desk, turned: int) -> None:
    """Its pixels tell all that is said of it; not so those of what is turned, or upright."""
    wanted = desk.decodes({name: thumbnail(2) for name in ("b", "/h/2")})
    needles = {"a": bare(1, turned), "b": bare(2, 2), "c": thumbnail(3, turned=turned)}
    found = desk.match(needles, {"/h/1": bare(1), "/h/2": bare(2), "/h/3": bare(3)})
    similar = {name: Match(f"/h/{name_of}", Evidence.SIMILAR, 0, MIRROR) for name, name_of in (("a", 1), ("c", 3))}
    assert (similar, ["/h/2", "b"]) == ({name: found[name] for name in similar}, sorted(wanted))


@pytest.mark.parametrize(("fact", "asked"), [({"is_coarse": True}, 1), ({"is_coarse": True, "damage": GRAY_ONLY}, 0)])
@pytest.mark.parametrize("which", ["n", "/h"])
def test_other_pixels_do_not_settle_it(
    desk: Desk, which: str, fact: dict[str, Any], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a first scan, or of a gray decode, which are not those of the file: they are asked once that is decoded."""
    counted: list[int] = []
    real = evidence.are_mirrored
    monkeypatch.setattr(evidence, "are_mirrored", lambda pairs: bool(counted.extend([1] * len(pairs))) or real(pairs))
    whole = {"n": thumbnail(1, turned=1), "/h": thumbnail(1)}
    wanted = desk.decodes(whole)
    shown = whole | {which: dataclasses.replace(whole[which], **fact)}
    found = desk.match({"n": shown["n"]}, {"/h": shown["/h"]})
    assert ({"n": Match("/h", Evidence.SIMILAR, 0, MIRROR)}, [which]) == (found, wanted)
    assert asked == len(counted)


def test_of_several_the_best_is_taken_and_the_others_count_where_it_is_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The larger one of two; and where the pixels say no of it, everything is asked for, of both."""
    large = dataclasses.replace(bare(1), width=1280, height=960)
    haystack, whole = {"/a": bare(1), "/b": large}, dataclasses.replace(thumbnail(1), width=1280, height=960)
    wanted = desk.decodes({"n": thumbnail(1, turned=1), "/a": thumbnail(1), "/b": whole})
    expected = {"n": Match("/b", Evidence.SIMILAR, 0, MIRROR)}
    assert (expected, []) == (desk.match({"n": bare(1, 1)}, haystack), wanted)
    monkeypatch.setattr(evidence, "are_mirrored", lambda pairs: [False] * len(pairs))
    assert {} == desk.match({"n": bare(1, 1)}, {"/a": bare(1)})
    assert (expected, ["/a", "/b", "n"]) == (desk.match({"n": bare(1, 1)}, haystack), sorted(wanted))


def noisy(image: Image.Image, seed: int) -> Image.Image:
    """With noise in it, so that it is another file and nearly the same picture."""
    noise = np.random.default_rng(seed).integers(-6, 7, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image, np.int16) + noise).clip(0, 255).astype(np.uint8))


def trees(tree: TreeBuilder) -> tuple[Path, Path]:
    """Pictures that are judged for each of the facts that a bare one lacks."""
    one, two, three, four = (photo(seed) for seed in (1, 2, 3, 4))
    slope = Image.linear_gradient("L").resize((400, 300)).convert("RGB")
    text = Image.new("RGB", (400, 300), "white")
    for line in range(20, 280, 12):
        ImageDraw.Draw(text).text((20, line), "what a page says is lost in a thumbnail", "black")
    haystack = {
        "one.jpg": jpeg(one), "two.png": two, "three.jpg": jpeg(framed(three)), "four.jpg": jpeg(four, quality=60),
        "slope.jpg": jpeg(slope), "text.jpg": jpeg(text), "other.jpg": jpeg(photo(9)),
    }  # fmt: skip
    whole = jpeg(two, quality=95)
    needles = {
        "copy.jpg": jpeg(one, quality=80), "grey.jpg": jpeg(one.convert("L")), "blurred.jpg":
        jpeg(one.filter(ImageFilter.GaussianBlur(3))), "noisy.jpg": jpeg(noisy(one, 1)), "time.jpg":
        jpeg(one, exif=pictures.exif(1, "2020:01:02 03:04:05")), "turned.jpg": jpeg(one.rotate(90, expand=True)),
        "holds more.jpg": jpeg(one, quality=85) + jpeg(photo(8)) * 3, "small.jpg": jpeg(one.resize((200, 150))),
        "cut.jpg": whole[: len(whole) * 2 // 3] + b"\xff\xd9", "plain.jpg": jpeg(three), "framed.jpg":
        jpeg(framed(four, "black")), "slope.jpg": jpeg(slope, quality=50), "text.jpg": jpeg(text, quality=60),
        "new.jpg": jpeg(photo(10)), "cut new.jpg": jpeg(photo(11))[:-900] + b"\xff\xd9", "new slope.jpg":
        jpeg(slope.rotate(180).point(lambda value: value // 2)), "copy of four.jpg": jpeg(four, quality=90),
    }  # fmt: skip
    return tree("hay", haystack), tree("needles", needles)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("are_many", [True, False])
@pytest.mark.parametrize(
    "options", [{}, {"quick": True}, {"algorithm": "dhash"}, {"rotations": False}, {"paranoid": True}]
)
def test_answers_are_those_of_full_decodes(
    tree: TreeBuilder, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, are_many: bool
) -> None:
    """Byte for byte, and pictures that resemble nothing are not measured, but for needles that are few."""
    haystack, needles = trees(tree)
    monkeypatch.setattr(first_decodes, "MANY_NEEDLES", 0 if are_many else 100)
    kept: dict[str, bool] = {}
    real = tasks.read_thumbnails

    def watched(entries: Sequence[FileEntry], *rest: Any, **options: Any) -> list[tasks.Outcome]:
        outcomes = real(entries, *rest, **options)
        read = zip(entries, outcomes, strict=True)
        kept.update((Path(entry.path).name, getattr(outcome.result, "is_bare", False)) for entry, outcome in read)
        return outcomes

    monkeypatch.setattr(tasks, "read_thumbnails", watched)
    found = scan(haystack, needles, **options)
    of_needles = {"new.jpg"} | ({"turned.jpg"} if options.get("rotations") is False else set())
    bare_names = {name for name, is_bare in kept.items() if is_bare}
    is_gray = are_many and "algorithm" not in options
    # A damaged needle and a slope are compared with all pictures, by pixels: the likeliest are no longer gray then.
    assert (set() if is_gray else {"other.jpg"}) | (of_needles if are_many else set()) == bare_names
    monkeypatch.setattr(decode, "MOST_BARE_BYTES", 0)
    assert answer(scan(haystack, needles, **options)) == answer(found)


def test_later_runs_and_other_commands(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run has left bare is judged by no other: it is measured then, and a warm run says what a cold one does."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)  # the files are seconds old
    haystack = tree("hay", {"1.jpg": jpeg(photo(1)), "2.jpg": jpeg(photo(2))})
    first, second = tree("a", {"1.jpg": jpeg(photo(1), quality=80)}), tree("b", {"2.jpg": jpeg(photo(2), quality=80)})
    cache = str(tmp_path / "cache.sqlite")
    assert {"1.jpg": "present/same"} == states(scan(haystack, first, cache=cache))
    warm = answer(scan(haystack, second, cache=cache))
    assert answer(scan(haystack, second)) == warm
    assert {"1.jpg": "present/same"} == states(scan(haystack, first, cache=cache))


def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sample be taken of a few files: of every other needle, and of all of the haystack; both are bare."""
    monkeypatch.setattr(first_decodes, "FEWEST_TO_SAMPLE", 4)
    for name, value in (("_EVERY_NEEDLE", 2), ("_EVERY_WITNESS", 1), ("_FEWEST_EXPECTED", 2.0)):
        monkeypatch.setattr(sample, name, value)


def watch_bare(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], set[str]]:
    """Gives the paths of what is decoded, in order, and the names of what came of it bare."""
    paths: list[str] = []
    names: set[str] = set()
    real = tasks.read_thumbnails

    def watched(entries: Sequence[FileEntry], *rest: Any, **options: Any) -> list[tasks.Outcome]:
        outcomes = real(entries, *rest, **options)
        paths.extend(entry.path for entry in entries)
        names.update(
            Path(entry.path).name
            for entry, outcome in zip(entries, outcomes, strict=True)
            if getattr(outcome.result, "is_bare", False)
        )
        return outcomes

    monkeypatch.setattr(tasks, "read_thumbnails", watched)
    return paths, names


def test_where_a_sample_has_few_candidates_the_other_needles_are_bare(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded twice are a bare needle that has a candidate, and the candidate; and the answer is the same."""
    small = [jpeg(photo(seed, (96, 72))) for seed in range(12)]
    copy = jpeg(photo(1, (96, 72)), quality=80)
    haystack = tree("hay", {f"{number}.jpg": small[number] for number in range(5)})
    needles = tree("needles", {**{f"n{number}.jpg": small[number] for number in range(5, 10)}, "n8.jpg": copy})
    expected = answer(scan(haystack, needles))
    sampled(monkeypatch)
    paths, names = watch_bare(monkeypatch)
    assert expected == answer(scan(haystack, needles))
    assert {f"n{number}.jpg" for number in range(5, 10)} == {name for name in names if name.startswith("n")}
    assert {str(needles / "n8.jpg"), str(haystack / "1.jpg")} == {path for path in paths if paths.count(path) > 1}


@pytest.mark.slow
def test_where_a_sample_has_many_all_needles_are_measured_at_once(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would have to be decoded again."""
    images = [photo(seed, (96, 72)) for seed in range(6)]
    haystack = tree("hay", {f"{number}.jpg": jpeg(image) for number, image in enumerate(images)})
    needles = tree("needles", {f"n{number}.jpg": jpeg(image, quality=80) for number, image in enumerate(images)})
    sampled(monkeypatch)
    _, names = watch_bare(monkeypatch)
    assert {"present/same"} == set(states(scan(haystack, needles)).values())
    assert {"n0.jpg", "n2.jpg", "n4.jpg"} == {name for name in names if name.startswith("n")}


def test_where_a_sample_has_many_that_are_mirrored_nothing_is_measured(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor decoded twice, or gray; and the answer is that of full decodes."""
    images = [photo(seed, (400, 300)) for seed in range(6)]
    haystack = tree("hay", {f"{number}.jpg": jpeg(image) for number, image in enumerate(images)})
    needles = tree("needles", {f"n{number}.jpg": jpeg(ImageOps.mirror(image)) for number, image in enumerate(images)})
    expected = answer(scan(haystack, needles))
    sampled(monkeypatch)
    paths, names = watch_bare(monkeypatch)
    found = scan(haystack, needles)
    assert {"similar/similar"} == set(states(found).values())
    assert expected == answer(found)
    assert sorted(paths) == sorted(map(str, [*haystack.iterdir(), *needles.iterdir()]))
    assert {Path(path).name for path in paths} == names


@pytest.mark.parametrize("needles", [300, 395, 3584, 25_088, 100_000])
@pytest.mark.parametrize("shift", range(8))
def test_a_sample_of_two_sides_in_one_order(needles: int, shift: int) -> None:
    """As many meet their own as there are expected, wherever the two begin."""
    step, every = sample._step(needles), sample._EVERY_WITNESS
    own = set(range(0, needles, step)) & set(range(shift, needles, every))
    assert abs(len(own) - needles / step / every) < 2


@pytest.mark.slow
def test_too_few_for_a_sample(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance would decide: it is as if none had been taken."""
    images = [photo(seed, (96, 72)) for seed in range(8)]
    haystack = tree("hay", {f"{number}.jpg": jpeg(image) for number, image in enumerate(images[:3])})
    needles = tree("needles", {f"n{number}.jpg": jpeg(image) for number, image in enumerate(images[3:])})
    sampled(monkeypatch)
    monkeypatch.setattr(sample, "_FEWEST_EXPECTED", 100.0)
    _, names = watch_bare(monkeypatch)
    scan(haystack, needles)
    assert not {name for name in names if name.startswith("n")}
