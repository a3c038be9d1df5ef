"""The pictures that came nearest: the scan's own word first, and none better than it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dupfind.cache.cache_schema import COARSE, PictureRef
from dupfind.evidence import fingerprint
from dupfind.finding.finding import as_near
from dupfind.matching.nearest import Nearest, Needle, Seen
from dupfind.pool import tasks
from dupfind.pool.full_size import FullSizePair
from dupfind.reading import Pictures
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.values import Evidence, Failure, FileEntry, Match, ScanSettings, Thumbnail
from fixtures import pictures

SETTINGS = ScanSettings(("h",), (), "phash", 10, Evidence.SAME, rotations=True)
PHOTO = pictures.photo(1, (320, 240))
BETTER = Reason(ReasonCode.MORE_COMPRESSED, (3000, 1000))
LESS = Reason(ReasonCode.LESS_DETAIL, (AT_FULL_SIZE,))


_TRAIT_BITS = 3


class Store:
    """Stands for the cache: thumbnails by their ids."""

    def __init__(self, folder: Path, images: Mapping[str, Image.Image]) -> None:
        self.by_id: dict[int, Thumbnail] = {}
        self.entries: list[FileEntry] = []
        for number, (name, image) in enumerate(images.items()):
            path = folder / name
            pictures.save(image, path)
            found = path.stat()
            entry = FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            (outcome,) = tasks.read_thumbnails([entry], 10**9, 60.0, may_be_coarse=False)
            assert isinstance(outcome.result, Thumbnail)
            self.by_id[number] = outcome.result
            self.entries.append(entry)

    def thumbnails(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """As the cache's."""
        return {id_: self.by_id[id_ >> _TRAIT_BITS] for id_ in ids}

    def ref(self, number: int, size_pixels: int = 1) -> PictureRef:
        """As the cache's: the lowest bits of an id tell traits."""
        return PictureRef(number << _TRAIT_BITS | COARSE * self.by_id[number].is_coarse, size_pixels)

    def hashes(self, number: int) -> list[int]:
        """In all orientations."""
        return list(fingerprint.search_hashes(fingerprint.pixels(self.by_id[number].pixels), "phash"))


class Asked:
    """The first picture is the needle, the others are the haystack."""

    def __init__(self, folder: Path, *haystack: Image.Image, needle: Image.Image = PHOTO) -> None:
        images = {"0.png": needle} | {f"{number}.png": image for number, image in enumerate(haystack, start=1)}
        self.store = Store(folder, images)
        self.wholes: dict[str, PictureRef | Failure] = {}
        self.sizes: dict[int, int] = {}
        self.read: list[str] = []
        self.objections: dict[str, Reason] = {}
        """By name of the witness, what comparing it at full size gives."""
        self.compared: list[tuple[str, int]] = []

    def nearest(
        self, settings: ScanSettings = SETTINGS, match: Match | None = None, count: int = 9, orientations: int = 8
    ) -> list[Seen]:
        """What is told of the needle."""
        entries = self.store.entries
        refs = [self.store.ref(number, self.sizes.get(number, 1)) for number in range(len(entries))]
        hashes = np.array([[self.store.hashes(number)[0]] for number in range(1, len(entries))], np.uint64)
        nearest = Nearest(
            settings,
            Pictures(entries[1:], refs[1:], hashes.reshape(-1, 1), {}),
            self.store,  # type: ignore[arg-type]
            self._compare,
            self._read_whole,
            orientations,
        )
        needle = Needle(entries[0], self.store.by_id[0], self.store.hashes(0)[:orientations])
        return nearest.best(needle, range(len(entries) - 1), match, count)

    def _read_whole(self, entries: Sequence[FileEntry]) -> Mapping[str, PictureRef | Failure]:
        self.read += [entry.path.rpartition("/")[2] for entry in entries]
        return {entry.path: self.wholes[entry.path] for entry in entries}

    def _compare(self, pairs: Sequence[FullSizePair]) -> Mapping[FullSizePair, Reason | None]:
        names = {pair: pair.witness.path.rpartition("/")[2] for pair in pairs}
        self.compared += [(name, pair.orientation) for pair, name in names.items()]
        return {pair: self.objections.get(name) for pair, name in names.items()}

    def match(self, number: int, evidence: Evidence, reason: Reason | None = None) -> Match:
        """What a scan has found."""
        return Match(self.store.entries[number].path, evidence, 0, reason)


def told(found: Sequence[Seen]) -> list[tuple[str, Evidence | None]]:
    """The file and its grade."""
    return [(one.entry.path.rpartition("/")[2], one.evidence) for one in found]


OTHER = pictures.photo(2, (320, 240))
PATCHED = pictures.with_patch(PHOTO, 3, 0.3)
TURNED = PHOTO.transpose(Image.Transpose.ROTATE_90)


def test_grade_then_distance_then_path(tmp_path: Path) -> None:
    """Of two copies the lower path; what a scan found is repeated in its words."""
    asked = Asked(tmp_path, OTHER, PATCHED, PHOTO, TURNED)
    found = asked.nearest(match=asked.match(3, Evidence.SAME, BETTER))
    assert [
        ("3.png", Evidence.SAME),
        ("4.png", Evidence.SAME),
        ("2.png", Evidence.SIMILAR),
        ("1.png", None),
    ] == told(found)
    assert [BETTER, Reason(ReasonCode.TURNED, (90,))] == [one.reason for one in found[:2]]
    assert 0 == found[0].distance_bits
    assert [found[0]] == asked.nearest(match=asked.match(3, Evidence.SAME, BETTER), count=1)


def test_what_differs_at_full_size_is_similar(tmp_path: Path) -> None:
    """Each that would be told as the same is compared once, turned as it lies; the next best takes its place."""
    asked = Asked(tmp_path, PHOTO, TURNED, OTHER)
    asked.objections["1.png"] = LESS
    match = Match("", Evidence.IDENTICAL, None)
    found = asked.nearest(match=match)
    assert [("2.png", Evidence.SAME), ("1.png", Evidence.SIMILAR), ("3.png", None)] == told(found)
    assert LESS == found[1].reason
    assert ["1.png", "2.png"] == sorted(name for name, _ in asked.compared)
    assert dict(asked.compared)["2.png"] != 0
    assert [("2.png", Evidence.SAME)] == told(asked.nearest(match=match, count=1))


def test_the_witness_of_the_scan_is_not_compared_again(tmp_path: Path) -> None:
    """The scan did."""
    asked = Asked(tmp_path, PHOTO, OTHER)
    assert [Evidence.SAME, None] == [one.evidence for one in asked.nearest(match=asked.match(1, Evidence.SAME))]
    assert [] == asked.compared


def test_upright_only(tmp_path: Path) -> None:
    """A turned copy is another picture without --rotations."""
    asked = Asked(tmp_path, TURNED)
    assert [("1.png", None)] == told(asked.nearest(orientations=1))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (None, (Evidence.SIMILAR, False)),
        (
            Match("?", Evidence.SIMILAR, 3, Reason(ReasonCode.CONFLICT, (Reason(ReasonCode.UNLIKE),))),
            (Evidence.SIMILAR, False),
        ),
        (Match("?", Evidence.SAME, 0), (Evidence.SAME, True)),
        (Match("", Evidence.IDENTICAL, None), (Evidence.SAME, True)),
    ],
)
def test_no_picture_is_better_than_what_the_scan_found(
    tmp_path: Path, match: Match | None, expected: tuple[Evidence, bool]
) -> None:
    """Where it refused a copy, another copy does not stand in."""
    asked = Asked(tmp_path, PHOTO)
    (found,) = asked.nearest(match=match)
    near = as_near(found, match, SETTINGS, lambda path: path)
    assert expected == (found.evidence, near.is_witness)
    if match is not None and match.reason:
        assert match.reason == found.reason


def test_beyond_the_threshold_nothing_is_proved(tmp_path: Path) -> None:
    """A scan would not have come to it."""
    asked = Asked(tmp_path, PHOTO)
    hashes = asked.store.hashes
    asked.store.hashes = lambda number: [one ^ 0b111 for one in hashes(number)] if number else hashes(0)  # type: ignore[method-assign]
    distances = [one.distance_bits or 0 for one in asked.nearest(match=Match("?", Evidence.SAME, 0))]
    near, far = (replace(SETTINGS, threshold_bits=distances[0] - change) for change in (0, 1))
    assert [("1.png", Evidence.SAME)] == told(asked.nearest(near, Match("?", Evidence.SAME, 0)))
    (beyond,) = asked.nearest(replace(far, accept=Evidence.SIMILAR), Match("?", Evidence.SAME, 0))
    near = as_near(beyond, None, replace(far, accept=Evidence.SIMILAR), lambda path: path)
    assert (Evidence.SIMILAR, False) == (near.evidence, near.is_witness)
    assert Reason(ReasonCode.BEYOND_THRESHOLD, (distances[0],)) == beyond.reason


@pytest.mark.parametrize("accept", list(Evidence))
def test_a_witness_is_at_the_grade_that_is_asked_for(tmp_path: Path, accept: Evidence) -> None:
    """Or better; what a scan found otherwise, without its frame, is one at any distance."""
    asked = Asked(tmp_path, PATCHED, PHOTO)
    settings, match = replace(SETTINGS, accept=accept, threshold_bits=32), asked.match(2, Evidence.SAME)
    found = [as_near(one, match, settings, lambda path: path) for one in asked.nearest(settings, match)]
    assert [Evidence.SAME.rank <= accept.rank, Evidence.SIMILAR.rank <= accept.rank] == [
        one.is_witness for one in found
    ]
    framed = asked.match(1, Evidence.SIMILAR, Reason(ReasonCode.FRAMED))._replace(distance_bits=0)
    (one,) = asked.nearest(replace(settings, threshold_bits=0), framed, count=1)[:1]
    near = as_near(one, framed, replace(settings, threshold_bits=0), lambda path: path)
    assert near.is_witness == (accept is Evidence.SIMILAR)


def test_of_equals_the_larger_comes_first(tmp_path: Path) -> None:
    """As a scan ranks its witnesses: by grade, distance, resolution, path."""
    asked = Asked(tmp_path, PHOTO, PHOTO, PHOTO)
    asked.sizes = {2: 9}
    assert ["2.png", "1.png", "3.png"] == [name for name, _ in told(asked.nearest(match=Match("?", Evidence.SAME, 0)))]


def coarse(asked: Asked, number: int) -> str:
    """Make this one a picture of which only the beginning was read; gives its path."""
    asked.store.by_id[number] = replace(asked.store.by_id[number], is_coarse=True)
    return asked.store.entries[number].path


def test_nothing_rests_on_a_coarse_picture(tmp_path: Path) -> None:
    """It is read whole where it is told as like the needle, and judged again; one that cannot be is not told."""
    asked = Asked(tmp_path, PHOTO, PHOTO, PHOTO, OTHER)
    match = Match("?", Evidence.SAME, 0)
    whole, patched, lost, unlike = (coarse(asked, number) for number in (1, 2, 3, 4))
    asked.store.by_id[11] = replace(asked.store.by_id[1], is_coarse=False)
    asked.store.by_id[12] = replace(asked.store.by_id[4], is_coarse=False)
    asked.wholes = {whole: asked.store.ref(11), patched: asked.store.ref(12), lost: Failure("truncated")}
    assert [("1.png", Evidence.SAME), ("2.png", None), ("4.png", None)] == told(asked.nearest(match=match))
    assert {"1.png", "2.png", "3.png"} == set(asked.read)
    assert unlike not in asked.wholes


def test_a_coarse_needle_is_read_whole_where_something_rests_on_it(tmp_path: Path) -> None:
    """And only there; without it nothing is told."""
    asked = Asked(tmp_path, PHOTO)
    needle = coarse(asked, 0)
    asked.store.by_id[10] = replace(asked.store.by_id[0], is_coarse=False)
    asked.wholes = {needle: asked.store.ref(10)}
    match = Match("?", Evidence.SAME, 0)
    assert [("1.png", Evidence.SAME)] == told(asked.nearest(match=match))
    assert ["0.png"] == asked.read
    asked.wholes = {needle: Failure("truncated")}
    assert [] == asked.nearest(match=match)
    others = Asked(tmp_path, OTHER)
    coarse(others, 0)
    assert [("1.png", None)] == told(others.nearest())
    assert [] == others.read
