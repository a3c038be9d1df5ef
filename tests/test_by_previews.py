"""Embedded previews: they order the work, whatever they show, and the answer rests on decoded pictures alone."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from dupfind import pipeline
from dupfind.evidence import fingerprint
from dupfind.pictures import decode, embedded_preview
from dupfind.pool import first_looks
from dupfind.values import Report
from fixtures import pictures
from tests.helpers.races import believed_at_once
from tests.helpers.scans import answer, scan, states
from tests.helpers.scans import settings as settings_of

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
SIZE, SMALL = (320, 240), (160, 120)
TAKEN = "2020:01:02 03:04:05"


class Counting(io.BytesIO):
    """Counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As ever."""
        found = super().read(size)
        self.count += len(found)
        return found


class Shot(NamedTuple):
    """A JPEG of a camera; ``preview`` is the seed of what its preview shows, None for its own picture."""

    seed: int
    preview: int | None = None
    captured: str | None = TAKEN
    shape: tuple[int, int] = SMALL
    orientation: int = 1

    def content(self, quality: int = 92, **said: Any) -> bytes:
        """As a file; ``said`` as in :func:`fixtures.pictures.exif_with_preview`."""
        small = pictures.photo(self.seed if self.preview is None else self.preview, SIZE).resize(self.shape)
        out = io.BytesIO()
        block = pictures.exif_with_preview(jpeg(small, 75), self.orientation, self.captured, **said)
        pictures.photo(self.seed, SIZE).save(out, "JPEG", quality=quality, exif=block)
        return out.getvalue()


def jpeg(image: Image.Image, quality: int = 85, **options: Any) -> bytes:
    """As a file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


def copy(seed: int, **options: Any) -> bytes:
    """A photo as it is sent around: saved again, without a preview."""
    return jpeg(pictures.photo(seed, SIZE), 80, **options)


def read(content: bytes) -> embedded_preview.EmbeddedPreview | None:
    """Its preview."""
    return embedded_preview.read_preview(io.BytesIO(content))


def distance_bits(content: bytes) -> int:
    """How far the preview lies from the picture."""
    preview = read(content)
    assert preview is not None
    whole = decode.read_thumbnail(io.BytesIO(content), "a.jpg", 10**9)
    assert (whole.size_pixels, whole.captured) == preview[1:]
    ours, theirs = (
        fingerprint.search_hash(fingerprint.pixels(pixels), "phash") for pixels in (preview.pixels, whole.pixels)
    )
    return (ours ^ theirs).bit_count()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look into small files, too: those of tests."""
    monkeypatch.setattr(first_looks, "LEAST_FILE_BYTES", 0)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of files whose pictures are decoded, as often as they are."""
    names: list[str] = []
    whole = decode.read_thumbnail

    def read_thumbnail(file: Any, name: str, *rest: Any, **options: Any) -> Any:
        names.append(os.path.basename(name))
        return whole(file, name, *rest, **options)

    monkeypatch.setattr(decode, "read_thumbnail", read_thumbnail)
    return iter([names]).__next__()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_is_the_picture_in_small(orientation: int) -> None:
    """Upright, with the size and time of the picture."""
    assert distance_bits(Shot(1, orientation=orientation).content()) <= 4


def test_only_the_beginning_is_read() -> None:
    """However long the file is."""
    file = Counting(Shot(1).content() + bytes(1 << 20))
    assert embedded_preview.read_preview(file) is not None
    assert file.count < 1 << 16


@pytest.mark.slow
def test_heic_has_it_as_an_item() -> None:
    """Of which alone, and of the description, the decoder sees anything."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    photo = pictures.photo(1, (1200, 900))
    photo.save(out, "HEIF", thumbnails=[256], exif=pictures.exif(1, TAKEN), **pictures.QUICKLY["HEIF"])
    file = Counting(out.getvalue())
    assert embedded_preview.read_preview(file) is not None
    assert file.count < len(out.getvalue()) / 2
    assert distance_bits(out.getvalue()) <= 4
    plain = io.BytesIO()
    photo.save(plain, "HEIF", **pictures.QUICKLY["HEIF"])
    assert read(plain.getvalue()) is None
    assert read(out.getvalue()[:2000]) is None


@pytest.mark.parametrize(
    "content",
    [
        copy(1),
        b"",
        b"\xff\xd8\xff",
        b"no picture at all",
        Shot(1, shape=(160, 90)).content(),
        Shot(1, shape=(120, 160)).content(),
        Shot(1, shape=(112, 84)).content(),
        Shot(1, shape=SIZE).content(),
        Shot(1).content(software="Adobe Photoshop 7.0"),
        Shot(1).content(software="GIMP 2.10"),
        Shot(1).content(place=0),
        Shot(1).content(place=8),
        Shot(1).content(place=1 << 31),
        Shot(1).content(length_bytes=0),
        Shot(1).content(length_bytes=500),
        Shot(1).content(length_bytes=1 << 31),
    ],
    ids=range(16),
)  # fmt: skip
def test_what_is_not_trusted(content: bytes) -> None:
    """None at all; another shape, small, as large as the picture; an editor's; broken, cut off, elsewhere."""
    assert read(content) is None


@pytest.mark.parametrize("preview", [b"\xff\xd8\xff\xd9", b"GIF89a", bytes(100), copy(1, exif=Shot(2).content()[:400])])
def test_what_is_no_preview(preview: bytes) -> None:
    """Empty, another format, zeros, and one that carries a broken block itself."""
    out = io.BytesIO()
    pictures.photo(1, SIZE).save(out, "JPEG", exif=pictures.exif_with_preview(preview))
    assert read(out.getvalue()) is None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=8))
def test_whatever_the_bytes_it_never_fails(harm: list[tuple[int, int]]) -> None:
    """It gives a preview or none."""
    content = bytearray(_SHOT)
    for place, value in harm:
        content[place] = value
    read(bytes(content))


_SHOT = Shot(3).content()


def both(hay: Path, needles: Path, **options: Any) -> tuple[Report, Report]:
    """Scan by previews, and without."""
    return scan(hay, needles, previews=True, **options), scan(hay, needles, **options)


@pytest.mark.usefixtures("tiny")
def test_of_what_is_there_nothing_else_is_decoded(tree: TreeBuilder, decoded: list[str]) -> None:
    """Files without a preview, and what is near a needle; the answer and what is counted are those of any scan."""
    hay = tree("hay", {f"{seed}.jpg": Shot(seed).content() for seed in range(6)} | {"plain.jpg": copy(9)})
    needles = tree("needles", {"a.jpg": copy(1), "b.jpg": copy(4)})
    by_previews, usual = both(hay, needles)
    assert {"a.jpg": "present/same", "b.jpg": "present/same"} == states(by_previews)
    assert answer(usual) == answer(by_previews)
    assert {"1.jpg", "4.jpg", "plain.jpg", "a.jpg", "b.jpg"} == set(decoded[: len(decoded) - 9])
    assert sorted({*decoded[-9:]}) == sorted({f"{seed}.jpg" for seed in range(6)} | {"plain.jpg", "a.jpg", "b.jpg"})


@pytest.mark.usefixtures("tiny")
def test_a_new_needle_is_looked_for_everywhere(tree: TreeBuilder, decoded: list[str]) -> None:
    """Each file once: nothing is missing by its preview."""
    hay = tree("hay", {f"{seed}.jpg": Shot(seed).content() for seed in range(4)})
    needles = tree("needles", {"a.jpg": copy(1), "new.jpg": copy(8)})
    by_previews = scan(hay, needles, previews=True)
    assert ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "a.jpg", "new.jpg"] == sorted(decoded)
    assert answer(scan(hay, needles)) == answer(by_previews)


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("captured", [TAKEN, None])
def test_an_old_preview_hides_nothing(tree: TreeBuilder, captured: str | None) -> None:
    """The picture is found by its time, or by decoding everything."""
    times = {seed: f"2020:01:02 03:04:0{seed}" for seed in range(5)}
    hay = tree(
        "hay",
        {f"{seed}.jpg": Shot(seed, captured=times[seed]).content() for seed in range(5)}
        | {"old preview.jpg": Shot(7, preview=6, captured=captured).content()},
    )
    needles = tree("needles", {"a.jpg": copy(1), "b.jpg": copy(7, exif=pictures.exif(1, captured))})
    by_previews, usual = both(hay, needles)
    assert {"a.jpg": "present/same", "b.jpg": "present/same"} == states(by_previews)
    assert answer(usual) == answer(by_previews)


@pytest.mark.usefixtures("tiny")
def test_what_was_taken_in_that_second_comes_before_all_others(tree: TreeBuilder, decoded: list[str]) -> None:
    """So one old preview does not cost a decode of everything."""
    others = {f"{seed}.jpg": Shot(seed, captured=f"2019:01:02 03:04:0{seed}").content() for seed in range(5)}
    hay = tree("hay", others | {"old.jpg": Shot(7, preview=6).content()})
    needles = tree("needles", {"b.jpg": copy(7, exif=pictures.exif(1, TAKEN))})
    assert {"b.jpg": "present/same"} == states(scan(hay, needles, previews=True))
    assert ["b.jpg", "old.jpg"] == sorted(decoded)


@pytest.mark.usefixtures("tiny")
def test_a_preview_proves_nothing(tree: TreeBuilder) -> None:
    """Neither an old one nor that of a file which is broken behind it."""
    broken = Shot(2).content()
    hay = tree("hay", {"old.jpg": Shot(7, preview=1).content(), "broken.jpg": broken[: len(broken) // 2]})
    needles = tree("needles", {"a.jpg": copy(1), "b.jpg": copy(2)})
    by_previews, usual = both(hay, needles)
    assert not [state for state in states(by_previews).values() if state.startswith("present")]
    assert answer(usual) == answer(by_previews)


@pytest.mark.usefixtures("tiny")
def test_what_is_similar_only_is_looked_for_further(tree: TreeBuilder) -> None:
    """A smaller copy that is met first does not hide the picture."""
    small = jpeg(pictures.photo(7, (160, 120)))
    hay = tree("hay", {"small.jpg": small, "old.jpg": Shot(7, preview=6, captured=None).content()})
    needles = tree("needles", {"a.jpg": copy(7)})
    by_previews, usual = both(hay, needles)
    assert {"a.jpg": "present/same"} == states(by_previews)
    assert answer(usual) == answer(by_previews)


@pytest.mark.usefixtures("tiny")
def test_needles_are_decoded(tree: TreeBuilder) -> None:
    """What their previews show does not count."""
    hay = tree("hay", {"1.jpg": Shot(1).content()})
    needles = tree("needles", {"a.jpg": Shot(2, preview=1).content()})
    assert {"a.jpg": "missing"} == states(scan(hay, needles, previews=True))


@pytest.mark.usefixtures("tiny")
def test_what_is_too_large_is_refused(tree: TreeBuilder) -> None:
    """By its own size, and not by that of its preview."""
    hay, needles = tree("hay", {"1.jpg": Shot(1).content()}), tree("needles", {"a.jpg": jpeg(pictures.photo(1, SMALL))})
    by_previews, usual = both(hay, needles, max_pixels=SMALL[0] * SMALL[1])
    assert answer(usual) == answer(by_previews)
    assert by_previews.problems


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files whose previews are read."""
    names: list[str] = []
    whole = first_looks.read_first_looks

    def read_first_looks(entries: Any, *rest: Any, **options: Any) -> Any:
        names.extend(os.path.basename(entry.path) for entry in entries)
        return whole(entries, *rest, **options)

    monkeypatch.setattr(first_looks, "read_first_looks", read_first_looks)
    return names


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_what_was_read_is_known_again(tree: TreeBuilder, looked: list[str], tmp_path: Path) -> None:
    """Cold, warm, after a run without previews, and with another needle: the answers are those without a cache."""
    hay = tree("hay", {f"{seed}.jpg": Shot(seed).content() for seed in range(4)} | {"plain.jpg": copy(9)})
    needles = tree("needles", {"a.jpg": copy(1)})
    with believed_at_once():
        cache = str(tmp_path / "cache.sqlite")
        cold = scan(hay, needles, previews=True)
        assert 5 == len(looked)
        assert answer(scan(hay, needles, previews=True, cache=cache)) == answer(cold)
        (needles / "b.jpg").write_bytes(copy(2))
        del looked[:]
        warm = scan(hay, needles, previews=True, cache=cache)
        assert [] == looked
        assert {"a.jpg": "present/same", "b.jpg": "present/same"} == states(warm)
        (needles / "c.jpg").write_bytes(copy(8))
        for options in ({"previews": True}, {}):
            assert answer(scan(hay, needles, cache=cache, **options)) == answer(scan(hay, needles))


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_the_number_of_workers_does_not_matter(tree: TreeBuilder) -> None:
    """In processes of their own."""
    hay = tree("hay", {f"{seed}.jpg": Shot(seed).content() for seed in range(5)} | {"old.jpg": Shot(7, 1).content()})
    needles = tree("needles", {"a.jpg": copy(1), "b.jpg": copy(7)})
    answers = {
        answer(pipeline.scan(settings_of(hay, needles, previews=True, workers=workers))) for workers in (1, 2, 32)
    }
    assert {answer(scan(hay, needles))} == answers


_KINDS = st.sampled_from(["own", "old", "none", "shape", "cut off", "broken behind", "turned"])


def _file(seed: int, kind: str, other: int) -> bytes:
    if kind == "none":
        return copy(seed, exif=pictures.exif(1, TAKEN))
    shot = Shot(seed, captured=None if seed % 3 == 0 else f"2020:01:02 03:04:0{seed}")
    if kind == "old":
        return shot._replace(preview=other).content()
    if kind == "shape":
        return shot._replace(shape=(160, 100)).content()
    if kind == "turned":
        return shot._replace(orientation=6).content()
    if kind == "broken behind":
        return shot.content()[:-600]
    return shot.content(length_bytes=900) if kind == "cut off" else shot.content()


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 7), _KINDS, st.integers(0, 7)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 7), st.booleans()), min_size=1, max_size=4),
)
@pytest.mark.usefixtures("tiny")
def test_verdicts_are_those_of_a_scan_without(
    tmp_path_factory: pytest.TempPathFactory,
    stored: list[tuple[int, str, int]],
    sought: list[tuple[int, bool]],
) -> None:
    """Whatever the previews show; the witness too, but where several copies prove a needle."""
    folder = tmp_path_factory.mktemp("trees")
    hay, needles = folder / "hay", folder / "needles"
    hay.mkdir()
    needles.mkdir()
    for number, (seed, kind, other) in enumerate(stored):
        (hay / f"{number} {kind}.jpg").write_bytes(_file(seed, kind, other))
    for number, (seed, has_time) in enumerate(sought):
        block = pictures.exif(1, f"2020:01:02 03:04:0{seed}" if has_time else None)
        (needles / f"{number}.jpg").write_bytes(copy(seed, exif=block))
    by_previews, usual = both(hay, needles)
    assert states(usual) == states(by_previews)
    if len({seed for seed, *_ in stored}) == len(stored) and len({seed for seed, _ in sought}) == len(sought):
        assert [file.witness for file in usual.files] == [file.witness for file in by_previews.files]


def test_small_files_and_other_names_are_not_looked_into(tree: TreeBuilder, looked: list[str]) -> None:
    """Their pictures are decoded as fast."""
    hay = tree("hay", {"1.jpg": Shot(1).content(), "2.png": bytes(1 << 19)})
    needles = tree("needles", {"a.jpg": copy(1)})
    assert {"a.jpg": "present/same"} == states(scan(hay, needles, previews=True))
    assert [] == looked


def test_what_comes_next_is_said_without_it(tree: TreeBuilder, dupfind: Callable[..., Any]) -> None:
    """`clean` does not take it, and no other command needs it to give the same answer."""
    hay, needles = tree("hay", {"a.txt": b"a"}), tree("needles", {"a.txt": b"a"})
    shown = dupfind("scan", "--haystack", hay, "--needles", needles, "--previews", "--no-cache").stdout
    assert b"dupfind clean" in shown
    assert b"--previews" not in shown
