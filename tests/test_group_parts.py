"""Parts of pictures in groups: with the picture that they show, and never named for deleting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("cv2", reason="OpenCV (dupfind[fragments]) is not installed")

from dupfind.answers.groups import Group, GroupsResult
from dupfind.errors import SettingsError
from dupfind.evidence.fragments import Overlap
from dupfind.grouping.grouping import SHOWN, groups
from dupfind.grouping.parts import _in_order
from dupfind.reasons import ReasonCode
from dupfind.report import Screen
from dupfind.report import groups as report
from dupfind.report.reasons import IN_A_GROUP, sentences
from dupfind.settings import Format, make_settings, refuse_parts_of_copies
from dupfind.values import Evidence
from tests.helpers.fragments import jpeg, page, part, photo, screenshot
from tests.helpers.scans import one_thread

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]
LARGE = (960, 720)
PART = Overlap((0, 0, 100, 100), (0, 0, 50, 50), 100, 0)


def large(seed: int) -> Image.Image:
    """A photo of more pixels than a page or a screen has of it."""
    return photo(seed, LARGE)


def grouped(folder: Path, **options: Any) -> GroupsResult:
    """Groups of what looks alike, with parts."""
    settings = make_settings(haystack=[str(folder)], called="", no_cache=True, fragments=True, **options)
    return groups(settings, Evidence.SIMILAR, make_executor=one_thread)


def told(group: Group) -> dict[str, str | None]:
    """What is said of each member of a group, by its name."""
    return {Path(member.path).name: sentences(member.reasons, IN_A_GROUP) for member in group.members}


def removable(answer: GroupsResult) -> list[str]:
    """What would be deleted by the list of paths."""
    lines = report.render(answer, Format.PATHS, Screen(), print0=False).decode().splitlines()
    return [Path(line).name for line in lines]


def test_a_crop_joins_its_picture(tree: TreeBuilder) -> None:
    """As a part of it, without a distance; its copy can go, and it stays."""
    crop = jpeg(part(photo(1), 0, 0, 0.5, 0.5))
    folder = tree(
        "all", {"crop.jpg": crop, "crop copy.jpg": crop, "whole.jpg": jpeg(photo(1)), "2.jpg": jpeg(photo(2))}
    )
    answer = grouped(folder)
    (group,) = answer.groups
    assert ("whole.jpg", SHOWN) == (Path(group.best.path).name, group.why_best)
    assert ["whole.jpg", "crop.jpg", "crop copy.jpg"] == list(told(group))
    first = group.members[1]
    assert (Evidence.SIMILAR, None, None, ReasonCode.FRAGMENT) == (
        first.evidence, first.distance_bits, first.score, first.reasons[0].code,
    )  # fmt: skip
    assert "it shows the top left quarter of the best one" == sentences(first.reasons, IN_A_GROUP)
    assert ["crop copy.jpg"] == removable(answer)
    report.render(answer, Format.TABLE, Screen(), print0=False)


@pytest.mark.slow
def test_pages_and_screens_join_what_they_show(tree: TreeBuilder) -> None:
    """A page says all of its pictures, and joins that of which it shows most; none of them goes."""
    folder = tree(
        "all",
        {f"{number}.jpg": jpeg(large(number)) for number in (1, 2, 3, 4, 5)}
        | {"page.jpg": jpeg(page(*map(large, (1, 2, 3, 4)))), "screen.jpg": jpeg(screenshot(large(5)))},
    )
    answer = grouped(folder)
    by_best = {Path(group.best.path).name: told(group) for group in answer.groups}
    assert {"screen.jpg": "the middle third of it shows all of the best one"} == {
        name: words for name, words in by_best.pop("5.jpg").items() if words
    }
    ((_, on_page),) = by_best.items()
    words = on_page["page.jpg"] or ""
    others = [f"all/{number}.jpg" for number in (1, 2, 3, 4) if f"{number}.jpg" not in on_page]
    assert 3 == len(others)
    assert all(other in words for other in others)
    assert [] == removable(answer)


@pytest.mark.slow
def test_parts_of_copies_and_of_what_looks_alike(tree: TreeBuilder) -> None:
    """A part of one of several joins all of them, and names the one that it shows; copies stay copies."""
    whole = large(1)
    burst = whole.copy()
    burst.paste((200, 40, 40), (400, 300, 470, 370))
    folder = tree(
        "all",
        {"a.jpg": jpeg(whole), "b.jpg": jpeg(burst), "small.jpg": jpeg(whole.resize((480, 360))),
         "crop.jpg": jpeg(part(whole, 0.5, 0, 1, 0.5))},
    )  # fmt: skip
    answer = grouped(folder)
    (group,) = answer.groups
    assert {"a.jpg", "b.jpg", "small.jpg", "crop.jpg"} == set(told(group))
    assert SHOWN != group.why_best
    assert {"small.jpg", "b.jpg", "a.jpg"} >= set(removable(answer))
    assert 2 == len(removable(answer))
    assert "top right quarter of" in (told(group)["crop.jpg"] or "")


@pytest.mark.slow
def test_a_part_of_a_part_joins_the_whole(tree: TreeBuilder) -> None:
    """In one group, whichever of the two it is compared with."""
    whole = large(3)
    crop = part(whole, 0, 0, 0.7, 0.7)
    folder = tree("all", {"a.jpg": jpeg(part(crop, 0, 0, 0.6, 0.6)), "b.jpg": jpeg(crop), "c.jpg": jpeg(whole)})
    (group,) = grouped(folder).groups
    assert ["c.jpg", "a.jpg", "b.jpg"] == list(told(group))
    assert [] == list(group.removable)


def test_nothing_without_being_asked(tree: TreeBuilder) -> None:
    """A crop is in no group, and nothing else is read."""
    folder = tree("all", {"crop.jpg": jpeg(part(photo(1), 0, 0, 0.5, 0.5)), "whole.jpg": jpeg(photo(1))})
    settings = make_settings(haystack=[str(folder)], called="", no_cache=True)
    assert [] == groups(settings, Evidence.SIMILAR, make_executor=one_thread).groups


@pytest.mark.parametrize("accept", [Evidence.IDENTICAL, Evidence.SAME])
def test_parts_are_no_copies(accept: Evidence) -> None:
    """Who asks for copies and for parts is told."""
    refuse_parts_of_copies(accept, fragments=False)
    with pytest.raises(SettingsError, match="a part of a picture is no copy of it"):
        refuse_parts_of_copies(accept, fragments=True)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({2: {1: PART}, 1: {0: PART}}, [1, 2]),
        ({1: {2: PART}, 2: {3: PART}, 3: {1: PART}}, [3, 2]),  # a ring: the first stays
        ({5: {9: PART}}, [5]),  # 9 is in a group already
    ],
)
def test_order(sources: dict[int, dict[int, Overlap]], expected: list[int]) -> None:
    """Each after what it shows parts of."""
    assert expected == list(_in_order(sources, {0, 1, 2, 3, 5}))
