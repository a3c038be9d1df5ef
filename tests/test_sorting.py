"""dupfind sort from folders to an order: what is alike comes together, or what is like one picture comes first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dupfind.answers.sort import SortResult
from dupfind.errors import TooFewPicturesError
from dupfind.settings import make_settings
from dupfind.sorting.sorting import sort
from dupfind.sources.roots import named_file
from fixtures import pictures
from tests.helpers.places import SHARED_DATA, needs_shared_data

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
SIZE = (160, 120)


def ask(*folders: Path, like: Path | None = None, **options: Any) -> SortResult:
    """Sort in this process, without a cache."""
    settings = make_settings(haystack=[str(one) for one in folders], called="", no_cache=True, **options)
    target = None if like is None else named_file(str(like))
    return sort(settings, target, make_executor=lambda: ThreadPoolExecutor(1))


def names(answer: SortResult) -> list[str]:
    """The file names in their order."""
    return [os.path.basename(one.path) for one in answer.pictures]


@pytest.fixture
def mixed(tree: TreeBuilder) -> Path:
    """Three scenes, each as a photo, a copy, and an exact copy, scattered over two folders."""
    content: dict[str, bytes | Image.Image] = {"notes.txt": b"notes"}
    for seed in range(3):
        photo = pictures.photo(seed, SIZE)
        content[f"{seed}.png"] = photo
        content[f"z/{2 - seed}{seed}.jpg"] = photo.resize((100, 75))
        content[f"z/{seed}.png"] = photo
    return tree("c", content)


def test_what_is_alike_comes_together(mixed: Path) -> None:
    """Every picture once; those of one scene side by side, exact copies in the order of their paths."""
    found = ask(mixed)
    scenes = [name.removesuffix(".jpg").removesuffix(".png")[-1] for name in names(found)]
    assert 9 == len(scenes)
    assert 2 == sum(one != other for one, other in pairwise(scenes))
    assert found.pictures[0].distance is None
    steps = [one.distance for one in found.pictures[1:] if one.distance is not None]
    assert (8, 3) == (len(steps), steps.count(0.0))
    assert found.mean_distance == pytest.approx(sum(steps) / 8)


def test_by_likeness_to_one_picture(mixed: Path) -> None:
    """Itself and its exact copies first, by path, then its copy, then the others, ever farther."""
    found = ask(mixed, like=mixed / "1.png")
    assert [f"{mixed}/1.png", f"{mixed}/z/1.png", f"{mixed}/z/11.jpg"] == [one.path for one in found.pictures[:3]]
    distances = [one.distance for one in found.pictures]
    assert 0.0 == distances[0] == distances[1]
    assert distances == sorted(distances, key=lambda one: one or 0.0)
    assert str(mixed / "1.png") == found.like


def test_like_a_picture_that_lies_elsewhere(mixed: Path, tree: TreeBuilder) -> None:
    """It is not among what is sorted."""
    outside = tree("d", {"x.webp": pictures.photo(2, SIZE)}) / "x.webp"
    found = ask(mixed, like=outside)
    assert {"2.png", "02.jpg"} == set(names(found)[:3])
    assert "x.webp" not in names(found)


def test_like_what_is_no_picture(mixed: Path) -> None:
    """There is no answer, and the reason is told."""
    with pytest.raises(TooFewPicturesError, match=r"notes.txt: not a picture"):
        ask(mixed, like=mixed / "notes.txt")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_pictures(tree: TreeBuilder, count: int) -> None:
    """None, one, two: in any case an order."""
    found = ask(tree("c", {"sub": None, **{f"{seed}.png": pictures.photo(seed, SIZE) for seed in range(count)}}))
    assert [f"{seed}.png" for seed in range(count)] == names(found)
    assert (count > 1) == (found.mean_distance is not None)


def test_pictures_that_cannot_be_read_are_told(tree: TreeBuilder) -> None:
    """They have no place, and the order is not whole."""
    found = ask(tree("c", {"cut.jpg": b"\xff\xd8\xffcut", "a.png": pictures.photo(1, SIZE)}))
    assert (["a.png"], False, 1) == (names(found), found.is_whole, len(found.problems))


def test_names_do_not_matter_but_for_the_direction(tree: TreeBuilder) -> None:
    """The same pictures under other names: the same path, forwards or backwards."""
    photos = [pictures.photo(seed, SIZE) for seed in range(7)]
    forth = ask(tree("a", {f"{seed}.png": photo for seed, photo in enumerate(photos)}))
    back = ask(tree("b", {f"{6 - seed}.png": photo for seed, photo in enumerate(photos)}))
    order = [int(name[0]) for name in names(forth)]
    other = [6 - int(name[0]) for name in names(back)]
    assert order in (other, other[::-1])


@pytest.mark.slow
@needs_shared_data("groups")
@needs_shared_data("siblings")
@needs_shared_data("kodak")
def test_real_series_come_together() -> None:
    """Half as far from neighbour to neighbour as by name; 17 groups of copies and one of two cameras stay whole."""
    folders = [SHARED_DATA / name for name in ("groups", "siblings", "kodak")]
    found = ask(*folders)
    truth = dict(line.split("\t")[::-2] for line in (folders[0] / "groups.tsv").read_text().splitlines()[1:])
    kinds = [truth.get(name, name.partition("-")[0]) for name in names(found)]
    runs = [kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]
    assert all(1 == runs.count(kind) for kind in set(truth.values()))
    assert 1 == runs.count("bottle")
    assert runs.count("car") <= 8
    by_name = sorted(range(len(kinds)), key=lambda place: names(found)[place])
    assert found.mean_distance is not None
    assert found.mean_distance < 0.5 * _mean(found, np.array(by_name))


def _mean(found: SortResult, order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    """The mean step of the pictures of ``found`` in this order."""
    from dupfind.pictures import decode
    from dupfind.sorting.likeness import features
    from dupfind.sorting.seriation import lengths

    thumbnails = []
    for one in found.pictures:
        with open(one.path, "rb") as file:
            thumbnails.append(decode.read_thumbnail(file, one.path, 10**9))
    return float(lengths(features(thumbnails), order[:-1], order[1:]).mean())
