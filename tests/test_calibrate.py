"""dupfind calibrate: from folders to counts, and what is left out of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind.answers.calibrate import Calibration
from dupfind.commands.calibrate import calibrate, describe
from dupfind.errors import ExitCode, TooFewPicturesError
from dupfind.evidence import fingerprint
from dupfind.pictures import decode
from dupfind.pool import tasks
from dupfind.settings import DEFAULT_THRESHOLD_BITS, make_settings
from fixtures import pictures
from tests.helpers.places import SHARED_DATA, needs_shared_data

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
COUNT = 12


def ask(*folders: Path, most_pairs: int = 10**6, **options: Any) -> Calibration:
    """Calibrate in this process, without a cache unless one is given."""
    options.setdefault("no_cache", "cache" not in options)
    settings = make_settings(haystack=[str(one) for one in folders], called="", **options)
    return calibrate(settings, make_executor=lambda: ThreadPoolExecutor(1), most_pairs=most_pairs)


@pytest.fixture
def collection(tree: TreeBuilder) -> Path:
    """Twelve pictures of different scenes."""
    return tree("c", {f"{seed:02}.png": pictures.photo(seed, (160, 120)) for seed in range(COUNT)})


def thumbnails(folder: Path) -> list[fingerprint.Pixels]:
    """The thumbnails of all pictures in ``folder``, in the order of the walk."""
    found = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found.append(fingerprint.pixels(decode.read_thumbnail(file, path.name, 10**9).pixels))
    return found


def nearest(one: fingerprint.Pixels, other: fingerprint.Pixels, algorithm: str, orientations: int) -> int:
    """The distance that a search finds between two pictures."""
    upright = fingerprint.search_hash(other, algorithm)
    return min((hash_ ^ upright).bit_count() for hash_ in fingerprint.search_hashes(one, algorithm, orientations))


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("rotations", [True, False])
def test_counts_are_those_of_all_pairs(collection: Path, rotations: bool) -> None:
    """Each algorithm's distances, each pair once, with turned needles or without."""
    found = ask(collection, rotations=rotations)
    assert (COUNT, COUNT, 0, False) == (found.pictures, found.needles, found.left_out, found.is_sample)
    known = thumbnails(collection)
    for spread in found.spreads:
        distances = [
            nearest(one, other, spread.algorithm, 8 if rotations else 1)
            for one, other in itertools.combinations(known, 2)
        ]
        assert np.bincount(distances, minlength=65).tolist() == list(spread.counts)
    assert list(DEFAULT_THRESHOLD_BITS) == [one.algorithm for one in found.spreads]


@pytest.mark.slow
def test_a_sample_is_compared_with_all_others(collection: Path) -> None:
    """Every so many-th picture, from its own side, the same ones in each run."""
    found = ask(collection, most_pairs=40)
    assert (3, True, COUNT) == (found.needles, found.is_sample, found.pictures)
    known = thumbnails(collection)
    for spread in found.spreads:
        distances = [
            nearest(known[needle], known[other], spread.algorithm, 8)
            for needle in (0, 4, 8)
            for other in range(COUNT)
            if other != needle
        ]
        assert np.bincount(distances, minlength=65).tolist() == list(spread.counts)
    assert found == ask(collection, most_pairs=40)
    assert not ask(collection, most_pairs=COUNT * (COUNT - 1) // 2).is_sample


@pytest.mark.slow
def test_copies_are_left_out(collection: Path, tree: TreeBuilder) -> None:
    """Byte for byte, re-encoded or turned: a copy says nothing of pictures that are not the same."""
    first = pictures.photo(0, (160, 120))
    copies = tree(
        "copies",
        {
            "a.png": (collection / "00.png").read_bytes(),
            "b.jpg": first,
            "c.jpg": first.transpose(Image.Transpose.ROTATE_90),
        },
    )
    alone, both = ask(collection), ask(collection, copies)
    assert (COUNT + 3, 6) == (both.pictures, both.left_out)
    assert both.spreads[0].pairs == (COUNT + 3) * (COUNT + 2) // 2 - 6
    assert alone.spread("phash").false_candidates(8) == both.spread("phash").false_candidates(8) == 0
    # Without rotations a turned copy is not searched for, and so is one more picture that is not the same.
    assert 3 == ask(collection, copies, rotations=False).left_out


@pytest.mark.slow
def test_a_calibration_warms_the_cache(collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known pictures are not decoded again, and the answer is the same."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)  # the files are seconds old
    cache = str(tmp_path / "cache.sqlite")
    cold = ask(collection, cache=cache)
    monkeypatch.setattr(tasks, "read_thumbnails", lambda *_, **__: pytest.fail("decoded"))
    assert cold == ask(collection, cache=cache)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"a.txt": b"text"}, "there are no pictures here; a pair takes two"),
        ({"a.png": pictures.photo(1)}, "there is 1 picture here; a pair takes two"),
        (
            {"a.png": pictures.photo(1), "b.jpg": pictures.photo(1)},
            "all pictures here are likely the same one; a pair takes two that differ",
        ),
    ],
)
def test_too_few_pictures(tree: TreeBuilder, contents: Mapping[str, Any], message: str) -> None:
    """One clear line, and exit code 2."""
    with pytest.raises(TooFewPicturesError, match=message) as caught:
        ask(tree("c", contents))
    assert ExitCode.NO_VERDICT == caught.value.exit_code


def test_unreadable_pictures_are_problems(collection: Path) -> None:
    """They are named and count for nothing."""
    (collection / "99.jpg").write_bytes(b"\xff\xd8\xff")
    found = ask(collection)
    assert COUNT == found.pictures
    assert [str(collection / "99.jpg")] == [one.path for one in found.problems]


def test_descriptions_are_all_hashes_of_all_orientations() -> None:
    """Four search hashes and the check hash, an orientation after the other."""
    pixels = np.random.default_rng(3).integers(0, 256, (64, 64), dtype=np.uint8)
    (packed,) = describe([(1, pixels.tobytes())], 8)
    assert 8 * 8 * 8 == len(packed)
    for orientation in range(8):
        turned = np.ascontiguousarray(fingerprint.turn(pixels, orientation))
        words = [fingerprint.search_hash(turned, algorithm).to_bytes(8, "big") for algorithm in DEFAULT_THRESHOLD_BITS]
        words.append(fingerprint.check_hash(turned).to_bytes(32, "big"))
        assert b"".join(words) == packed[orientation * 64 : orientation * 64 + 64]


@pytest.mark.slow
@needs_shared_data("photos")
def test_real_photos_lie_far_apart_by_phash(demo_cache: str) -> None:
    """Of 395 different photos no pair is left out, and pHash at its default meets no false candidate."""
    found = ask(SHARED_DATA / "photos", cache=demo_cache)
    assert (395, 0) == (found.pictures, found.left_out)
    by_name = {one.algorithm: one for one in found.spreads}
    assert 0 == by_name["phash"].false_candidates(8)
    assert {"phash": 14, "dhash": 14, "ahash": 8, "whash": 9} == {
        name: one.suggested_bits for name, one in by_name.items()
    }
