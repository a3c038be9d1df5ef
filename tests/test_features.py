"""What grouping keeps of a picture."""

from __future__ import annotations

import numpy as np

from dupfind.cache.cache_schema import PictureRef
from dupfind.evidence import evidence, fingerprint
from dupfind.grouping.relations import checks, sketches
from dupfind.matching.borders import inner_hashes, inner_pixels
from dupfind.pictures import borders
from dupfind.values import FileEntry
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot


def test_sketches_are_what_the_judge_prepares() -> None:
    """The same facts, without pixels."""
    desk = Desk()
    one = shot(scene(1), captured="2017:07:18 15:31:30", quality=80)
    with desk.cache:
        (ref,) = desk.pictures({"a": one}, 1).refs
        (found,) = sketches(desk.cache, [ref.id]).values()
    expected = evidence.prepare(one)
    assert (expected.check, expected.noise, expected.moment) == (found.check, found.noise, found.moment)
    assert (ref.id, False, b"", b"", 80) == (
        found.id,
        found.is_weak,
        found.facts.pixels,
        found.facts.chroma,
        found.facts.quality,
    )


def test_check_hashes_of_all_orientations() -> None:
    """As four words each, and of what is within a frame where that is asked for."""
    desk = Desk()
    framed = scene(2)
    framed[:, :8] = framed[:, -8:] = 250
    plain, other = shot(scene(1)), shot(framed, border=borders._PACKED.pack(8192, 0, 8192, 0))
    with desk.cache:
        ids = [ref.id for ref in desk.pictures({"a": plain, "b": other}, 1).refs]
        found = checks(desk.cache, [(ids[0], False), (ids[1], False), (ids[1], True)], 8)
        inner = inner_hashes(desk.cache, [ids[1]], "phash", 8)
        whole = desk.pictures({"c": other}, 8).hashes
    assert ((3, 8, 4), (1, 8)) == (found.shape, inner.shape)
    pixels = fingerprint.pixels(plain.pixels)
    for orientation in range(8):
        expected = fingerprint.check_hash(np.ascontiguousarray(fingerprint.turn(pixels, orientation)))
        words = [int(word) for word in found[0, orientation]]
        assert expected == sum(word << 64 * (3 - place) for place, word in enumerate(words))
    assert (found[1] != found[2]).any()
    assert (inner != whole).any()


def test_hashes_within_frames_are_the_same_however_they_are_asked_for() -> None:
    """Upright first, in all orientations then, and twice; each picture's own, and of each algorithm its own."""
    desk = Desk()
    border = borders._PACKED.pack(8192, 0, 8192, 0)
    shots = {str(number): shot(scene(number), border=border) for number in range(3)}
    with desk.cache:
        ids = [ref.id for ref in desk.pictures(shots, 1).refs]
        asked = [*ids, ids[0]]
        found = [inner_hashes(desk.cache, asked, "phash", orientations) for orientations in (1, 8, 1)]
        by_rows = inner_hashes(desk.cache, asked, "dhash", 2)
    inner = [inner_pixels(shots[name]) for name in ("0", "1", "2", "0")]
    expected = [fingerprint.search_hashes(picture, "phash", 8) for picture in inner]
    assert expected == [tuple(row) for row in found[1].tolist()]
    assert [[row[0]] for row in expected] == found[0].tolist() == found[2].tolist()
    assert [list(fingerprint.search_hashes(picture, "dhash", 2)) for picture in inner] == by_rows.tolist()


def test_nothing_is_asked_for() -> None:
    """Empty arrays of the right shape."""
    desk = Desk()
    with desk.cache:
        assert (0, 8) == inner_hashes(desk.cache, [], "phash", 8).shape
        assert (0, 1, 4) == checks(desk.cache, [], 1).shape
        assert {} == sketches(desk.cache, [])


def test_the_scratch_knows_them_by_their_files() -> None:
    """Two files with one thumbnail have one sketch."""
    desk = Desk()
    with desk.cache:
        refs = [desk.cache.keep_content(FileEntry(path, 1, 0, 0, 0), shot(scene(1)), 0) for path in "ab"]
        ids = {ref.id for ref in refs if isinstance(ref, PictureRef)}
        assert 1 == len(ids) == len(sketches(desk.cache, list(ids)))
