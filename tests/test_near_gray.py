"""Gray pictures: nearly the pixels of the whole file, at a third of the time. They alter no answer."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image, ImageFilter, JpegImagePlugin

from dupfind import pipeline
from dupfind.cache.cache_schema import is_bare, is_gray, picture_id
from dupfind.cache.result_cache import ResultCache
from dupfind.evidence import fingerprint
from dupfind.matching import damaged, near_gray
from dupfind.pictures import color_modes, decode, jpeg_stream
from dupfind.pictures import jpeg as jpegs
from dupfind.pool import tasks
from dupfind.scanning import first_decodes
from dupfind.values import GRAY_ONLY, FileEntry, Thumbnail
from fixtures import pictures
from tests.helpers.desk import Desk
from tests.helpers.encodings import ENCODINGS, jpeg, with_zeros
from tests.helpers.races import short_scans
from tests.helpers.scans import answer, scan, states

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
MOVED = 28, 35
"""Photos whose search hash by the gray decode is another one, by 2 bits."""
LONG = (300, 901), (130, 2700), (200, 150), (7, 40)


def photo(seed: int, size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A photo that is no larger as a file than what may be gray."""
    return pictures.photo(seed, size)


def read(content: bytes, *, may_be_gray: Callable[[bytes], bool] | None = lambda _: True) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), "a.jpg", 10**9, may_be_gray=may_be_gray)


def full(content: bytes) -> Thumbnail:
    """Its thumbnail with everything that is measured."""
    return read(content, may_be_gray=None)


def png(content: bytes) -> bytes:
    """Its pixels in another format, which is decoded in full: its hash is that of the whole file."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.save(file, "PNG")
    return file.getvalue()


def hashes(picture: Thumbnail) -> np.ndarray:
    """Its search hashes in all orientations."""
    return fingerprint.search_hashes_of(fingerprint.pixels(picture.pixels)[None], "phash", 8)[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_its_pixels_are_nearly_those_of_the_full_decode(encoding: str) -> None:
    """Upright, with size and time; bits of its hash that are others are known to be unsure."""
    for seed in (1, *MOVED):
        exif = pictures.exif(6, "2020:01:02 03:04:05")
        content = jpeg(photo(seed).filter(ImageFilter.UnsharpMask()), exif=exif, **ENCODINGS[encoding])
        whole, gray = full(content), read(content)
        assert (False, True, True) == (whole.is_gray, gray.is_gray, gray.is_bare)
        for name in ("width", "height", "format", "frames", "captured", "border"):
            assert getattr(whole, name) == getattr(gray, name)
        taken = fingerprint.pixels(gray.pixels)
        assert np.abs(taken.astype(int) - fingerprint.pixels(whole.pixels)).mean() < 1
        unsure = fingerprint.unsure_bits(taken[None], 8)[0]
        assert not ((hashes(whole) ^ hashes(gray)) & ~unsure).any()
        assert np.bitwise_count(unsure).max() < 16


@pytest.mark.parametrize("size", LONG)
def test_other_sizes(size: tuple[int, int]) -> None:
    """Where a reduced pixel lies partly beyond the picture, and where nothing is reduced."""
    gray, whole = (fingerprint.pixels(way(jpeg(photo(1, size))).pixels).astype(int) for way in (read, full))
    assert np.abs(gray - whole).mean() < 2


def test_it_is_told_by_its_id() -> None:
    """From what is bare and has the pixels of the whole file."""
    bare = decode.read_thumbnail(io.BytesIO(jpeg(photo(1))), "a.jpg", 10**9, may_be_bare=lambda _: True)
    ids = [picture_id(picture) for picture in (full(jpeg(photo(1))), bare, read(jpeg(photo(1))))]
    assert [(False, False), (True, False), (True, True)] == [(is_bare(id_), is_gray(id_)) for id_ in ids]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_damaged_is_decoded_in_full(encoding: str) -> None:
    """The decoder goes through all of the data, and the outline is looked at as ever."""
    content = jpeg(photo(1), **ENCODINGS[encoding])
    broken = [content[: len(content) // 2] + b"\xff\xd9", with_zeros(content, len(content) * 2 // 3, 600)]
    for file in broken:
        assert full(file) == read(file)
        assert read(file).damage not in (None, read(content).damage)


def test_what_its_outline_tells_counts() -> None:
    """Of which the decoder may say nothing."""
    content = jpeg(photo(1))
    with Image.open(io.BytesIO(content)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        stream = jpeg_stream.inspect(content)
        assert jpegs.decode_gray(image, content, stream) is not None
        assert jpegs.decode_gray(image, content, dataclasses.replace(stream, damage="a run of zeros")) is None


@pytest.mark.parametrize("turned", [1, 6])
@pytest.mark.parametrize("shade", ["white", "black"])
def test_what_has_a_frame_is_decoded_in_full(shade: str, turned: int) -> None:
    """All around, or on two opposite sides."""
    for across, down in ((40, 40), (0, 12), (6, 0)):
        whole = Image.new("RGB", (400 + 2 * across, 300 + 2 * down), shade)
        whole.paste(photo(1), (across, down))
        content = jpeg(whole, exif=pictures.exif(turned))
        assert full(content) == read(content)
        assert read(content).border


def test_what_is_no_plain_jpeg_is_decoded_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inks mean what Pillow says, large files are decoded once, and others are not for it."""
    inks = jpeg(photo(1).convert("CMYK"))
    assert full(inks) == read(inks)
    for kind in ("PNG", "MPO"):
        file = io.BytesIO()
        photo(1, (64, 48)).save(file, kind, save_all=kind == "MPO", append_images=[photo(2, (64, 48))])
        assert full(file.getvalue()) == read(file.getvalue())
    monkeypatch.setattr(decode, "MOST_BARE_BYTES", len(inks) - 1)
    assert not read(inks).is_gray


def test_a_very_long_one_is_decoded_in_full() -> None:
    """It would have to be averaged before it is resampled."""
    assert color_modes.thumbnail_of_gray(np.zeros((128, 2000), np.uint8), (0.0, 0.0, 2000.0, 128.0)) is None


def test_what_its_hash_is_asked_of() -> None:
    """Not of a slope, whose hash is anything; nor where it may be near, whatever its unsure bits are."""
    slope = np.asarray(Image.linear_gradient("L").resize((64, 64)))
    assert not fingerprint.may_search_gray(slope, np.array([], np.uint64), 10)
    taken = fingerprint.pixels(read(jpeg(photo(MOVED[0]))).pixels)
    whole = hashes(full(jpeg(photo(MOVED[0]))))[:1]
    assert fingerprint.may_search_gray(taken, np.array([], np.uint64), 0)
    assert fingerprint.may_search_gray(taken, ~whole, 10)
    assert not fingerprint.may_search_gray(taken, whole, 0)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_gray_is_never_smooth(seed: int) -> None:
    """However little it shows; so its hash is good to search by, and nobody has to read it to tell."""
    levels = fingerprint.pixels(full(jpeg(photo(seed))).pixels).astype(float)
    shown = [np.uint8(128 + share * (levels - levels.mean()) / 2) for share in np.linspace(0, 1, 60)]
    may_be_gray = [fingerprint.may_search_gray(picture, np.array([], np.uint64), 10) for picture in shown]
    assert {False, True} == set(may_be_gray)
    assert fingerprint.are_steady(np.stack(shown), "phash")[may_be_gray].all()
    gray = dataclasses.replace(full(jpeg(photo(seed))), is_coarse=True, damage=GRAY_ONLY)
    with Desk().cache as cache:
        assert set() == damaged.smooth_among([picture_id(gray)], cache, "phash")


@pytest.fixture
def gray(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Everything is decoded gray at first that may be; gives how many pictures were found near before the matching."""
    monkeypatch.setattr(first_decodes, "MANY_NEEDLES", 0)
    near: list[int] = []
    real = near_gray._near

    def watched(*arguments: object) -> tuple[list[int], list[int]]:
        found = real(*arguments)  # type: ignore[arg-type]
        near.append(len(found[0]) + len(found[1]))
        return found

    monkeypatch.setattr(near_gray, "_near", watched)
    return near


def grain(size: tuple[int, int] = (600, 450)) -> Image.Image:
    """A wall by little light: noise and nothing else."""
    dice = np.random.default_rng(1)
    return Image.fromarray(np.clip(128 + dice.normal(0, 20, size[::-1]), 0, 255).astype(np.uint8)).convert("RGB")


def squares(size: tuple[int, int] = (600, 450)) -> Image.Image:
    """A chequered cloth."""
    down, across = np.indices(size[::-1])
    return Image.fromarray((((across // 9 + down // 9) % 2) * 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("picture", [grain, squares])
def test_a_pattern_is_decoded_in_full(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, gray: list[int], picture: Callable[[], Image.Image]
) -> None:
    """All its coefficients lie near their median: the hash moves by 20 bits, farther than is searched."""
    content = jpeg(picture(), quality=80)
    needles = tree("needles", {"n.png": png(content), "new.jpg": jpeg(photo(4))})
    haystack = tree("hay", {"1.jpg": content, "other.jpg": jpeg(photo(3))})
    monkeypatch.setattr("dupfind.reading._MOST_SENT_HASHES", 0)
    found = scan(haystack, needles)
    assert gray
    assert states(found)["n.png"] != "missing"
    monkeypatch.setattr(decode, "MOST_BARE_BYTES", 0)
    assert answer(scan(haystack, needles)) == answer(found)


def test_a_coarsely_quantised_one_is_decoded_in_full() -> None:
    """What its decoder cuts off at black and white, a reduced decode does not: any coefficient may be another one."""
    taken = [read(jpeg(photo(1), quality=quality)).is_gray for quality in (15, 40)]
    assert taken == [False, True]


@pytest.mark.parametrize("is_sent", [True, False])
def test_what_is_near_by_the_whole_file_is_found(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, gray: list[int], *, is_sent: bool
) -> None:
    """On either side, at distance 0, where the gray hash is 2 bits off; and what is far is decoded once."""
    if not is_sent:
        monkeypatch.setattr("dupfind.reading._MOST_SENT_HASHES", 0)
    one, two = (jpeg(photo(seed)) for seed in MOVED)
    haystack = tree("hay", {"1.jpg": one, "2.png": png(two), "other.jpg": jpeg(photo(3))})
    needles = tree("needles", {"n1.png": png(one), "n2.jpg": two, "new.jpg": jpeg(photo(4))})
    found = scan(haystack, needles, threshold_bits=0)
    assert {"n1.png": "present/same", "n2.jpg": "present/same", "new.jpg": "missing"} == states(found)
    assert [4] == gray


def test_what_is_compared_by_its_pixels(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, gray: list[int]) -> None:
    """A damaged needle is: the likeliest are decoded in full, and of those that are not nothing is said."""
    monkeypatch.setattr(damaged, "_COMPARED", 1)
    left: dict[str, bool] = {}
    real = tasks.read_thumbnails

    def watched(entries: Sequence[FileEntry], *rest: Any, **options: Any) -> list[tasks.Outcome]:
        outcomes = real(entries, *rest, **options)
        read = zip(entries, outcomes, strict=True)
        left.update((Path(entry.path).name, getattr(outcome.result, "is_gray", False)) for entry, outcome in read)
        return outcomes

    monkeypatch.setattr(tasks, "read_thumbnails", watched)
    haystack = tree("hay", {f"{seed}.jpg": jpeg(photo(seed)) for seed in range(1, 7)})
    content = jpeg(photo(9))
    needles = tree("needles", {"cut.jpg": content[: len(content) // 2] + b"\xff\xd9"})
    found = answer(scan(haystack, needles))
    assert 2 <= sum(not left[f"{seed}.jpg"] for seed in range(1, 7)) < 6
    monkeypatch.setattr(decode, "MOST_BARE_BYTES", 0)
    assert answer(scan(haystack, needles)) == found
    assert gray


def test_more_pairs_than_are_looked_at_together(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, gray: list[int]
) -> None:
    """A pair at a time, or a picture at a time, gives the same."""
    monkeypatch.setattr(near_gray, "_MOST_PAIRS", 1)
    monkeypatch.setattr(near_gray, "_BATCH", 1)
    files = {f"{seed}.jpg": jpeg(photo(seed)) for seed in MOVED}
    needles = tree("needles", {f"n{name}": png(content) for name, content in files.items()})
    monkeypatch.setattr("dupfind.reading._MOST_SENT_HASHES", 0)
    assert {"present/same"} == set(states(scan(tree("hay", files), needles, threshold_bits=0)).values())
    assert [4] == gray


def test_a_large_threshold(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gray: list[int]) -> None:
    """Nothing is left gray, also of what an earlier run left so: nearly all would be near."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    haystack = tree("hay", {f"{seed}.jpg": jpeg(photo(seed)) for seed in (1, 2)})
    needles = tree("needles", {"new.jpg": jpeg(photo(4))})
    cache = str(tmp_path / "cache.sqlite")
    for threshold_bits in (10, 32):
        found = scan(haystack, needles, cache=cache, threshold_bits=threshold_bits)
        monkeypatch.setattr(decode, "MOST_BARE_BYTES", 0)
        assert answer(scan(haystack, needles, threshold_bits=threshold_bits)) == answer(found)
    assert 1 == len(gray)


def test_what_is_new_is_linked_with_what_was_left_gray(tree: TreeBuilder, tmp_path: Path, gray: list[int]) -> None:
    """Only what is new is scanned, and finds its witness although the remembered hash of that is 2 bits off."""
    content = jpeg(photo(MOVED[0]))
    haystack = tree("hay", {"1.jpg": content, **{f"{seed}.jpg": jpeg(photo(seed, (96, 72))) for seed in range(3, 9)}})
    needles = tree("needles", {"new.jpg": jpeg(photo(40)), "known.jpg": jpeg(photo(5, (96, 72)), quality=90)})
    cache = str(tmp_path / "cache.sqlite")
    with short_scans() as counts, patch.object(ResultCache, "recall", lambda _: None):
        scan(haystack, needles, cache=cache, threshold_bits=0)
        (needles / "again.png").write_bytes(png(content))
        assert "present/same" == states(scan(haystack, needles, cache=cache, threshold_bits=0))["again.png"]
    assert gray
    assert [True] == counts


def test_what_was_left_gray_is_linked_where_its_hash_may_be(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gray: list[int]
) -> None:
    """Two bits off, it is found by a new needle of its own, and not asked about by one that differs in other bits."""
    monkeypatch.setattr(fingerprint, "GRAY_SLACK_BITS", 64)  # so that the first run asks of all which bits are unsure
    content = {seed: jpeg(photo(seed)) for seed in (*MOVED, 1, 2)}
    haystack = tree("hay", {f"{seed}.jpg": content[seed] for seed in (*MOVED, 1)})
    needles = tree("needles", {"new.jpg": jpeg(photo(40))})
    cache = str(tmp_path / "cache.sqlite")
    asked: list[list[str]] = []
    real = pipeline.find_matches

    def find(needles: list[FileEntry], haystack: list[FileEntry], *values: Any, **options: Any) -> Any:
        asked.append(sorted(Path(entry.path).name for entry in haystack))
        return real(needles, haystack, *values, **options)

    monkeypatch.setattr(pipeline, "find_matches", find)
    with short_scans() as counts, patch.object(ResultCache, "recall", lambda _: None):
        scan(haystack, needles, cache=cache, threshold_bits=0)
        for number, seed in enumerate((*MOVED, 2)):
            (needles / f"{seed}.png").write_bytes(png(content[seed]))
            found = states(scan(haystack, needles, cache=cache, threshold_bits=0))
            assert ("missing" if seed == 2 else "present/same") == found[f"{seed}.png"]
            assert len(found) == number + 2
    assert gray
    assert [True] * 3 == counts
    (first, second) = MOVED
    assert [[f"{first}.jpg"], [f"{first}.jpg", f"{second}.jpg"]] == asked[1:3]
    assert asked[2] == asked[3]


def test_what_comes_gray_is_linked_where_its_hash_may_be(tree: TreeBuilder, tmp_path: Path, gray: list[int]) -> None:
    """A picture of the haystack, two bits off, with a needle that was missing."""
    content = {seed: jpeg(photo(seed)) for seed in (*MOVED, 1)}
    haystack = tree("hay", {"1.jpg": content[1]})
    needles = tree("needles", {f"{seed}.png": png(content[seed]) for seed in MOVED})
    cache = str(tmp_path / "cache.sqlite")
    with short_scans() as counts, patch.object(ResultCache, "recall", lambda _: None):
        before = states(scan(haystack, needles, cache=cache, threshold_bits=0))
        for seed in MOVED:
            (haystack / f"{seed}.jpg").write_bytes(content[seed])
        after = states(scan(haystack, needles, cache=cache, threshold_bits=0))
    assert [True] == counts
    assert ["missing"] * 2 == list(before.values())
    assert ["present/same"] * 2 == list(after.values())


def test_later_runs(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gray: list[int]) -> None:
    """What a run has left gray is found by the next one, also where only what is new is scanned; no other algorithm
    goes by it.
    """
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)  # the files are seconds old
    haystack = tree("hay", {f"{seed}.jpg": jpeg(photo(seed)) for seed in (*MOVED, 22)})
    needles = tree("needles", {"new.jpg": jpeg(photo(4))})
    cache = str(tmp_path / "cache.sqlite")
    assert {"new.jpg": "missing"} == states(scan(haystack, needles, cache=cache, threshold_bits=0))
    assert gray
    for number, seed in enumerate(MOVED):
        (needles / f"{number}.png").write_bytes(png(jpeg(photo(seed))))
        warm = scan(haystack, needles, cache=cache, threshold_bits=0)
        assert "present/same" == states(warm)[f"{number}.png"]
        assert answer(scan(haystack, needles, threshold_bits=0)) == answer(warm)
    (needles / "22.png").write_bytes(png(jpeg(photo(22))))
    other = scan(haystack, needles, cache=cache, threshold_bits=0, algorithm="dhash")
    assert "present/same" == states(other)["22.png"]
