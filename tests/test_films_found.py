"""Films in ``find`` and ``groups``: known by their packets, as a scan knows them, and read only where that may tell."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av", reason="PyAV (dupfind[video]) is not installed")

from dupfind import libraries
from dupfind.answers.find import FILMS_BY_BYTES, NO_SAME_FILM, Sought
from dupfind.answers.groups import GroupsResult
from dupfind.answers.hash import Given
from dupfind.finding.finding import find_images, wanted
from dupfind.grouping.grouping import groups
from dupfind.pool import film_digests
from dupfind.settings import make_settings
from dupfind.sources.roots import named_file
from dupfind.values import Evidence, FileEntry
from tests.helpers.films import copy, film, original, other
from tests.helpers.scans import one_thread
from tests.helpers.shelf import cataloged

TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]
CODE = "same-image-data"


def find(haystack: Path, *files: Path, nearest: int = 5, **options: Any) -> dict[str, Sought]:
    """What find says of each file, by its name; in this process, and without a cache where none is given."""
    chosen = make_settings(haystack=[str(haystack)], no_cache="cache" not in options, **options)
    given = [Given(str(file), named_file(str(file))) for file in files]
    answer = find_images(chosen, given, wanted(nearest, None), make_executor=one_thread)
    return {os.path.basename(sought.path): sought for sought in answer.sought}


def grouped(*folders: Path, level: str = "same", **options: Any) -> GroupsResult:
    """Group in this process."""
    chosen = make_settings(haystack=[str(one) for one in folders], called="", no_cache=True, **options)
    return groups(chosen, Evidence(level), make_executor=one_thread)


def told(answer: GroupsResult) -> list[list[tuple[str, str | None, list[str]]]]:
    """Name, grade and codes of each member of each group."""
    return [
        [
            (
                os.path.basename(member.path),
                member.evidence and member.evidence.value,
                [reason.code.value for reason in member.reasons],
            )
            for member in group.members
        ]
        for group in answer.groups
    ]


@pytest.fixture
def read_whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the films whose packets were all read."""
    read: list[str] = []
    real = film_digests.read_film_data

    def read_film_data(entries: list[FileEntry], *limits: Any, **named: Any) -> Any:
        read.extend(os.path.basename(entry.path) for entry in entries)
        return real(entries, *limits, **named)

    monkeypatch.setattr(film_digests, "read_film_data", read_film_data)
    return read


def test_seen(tree: TreeBuilder, read_whole: list[str]) -> None:
    """By equal packets: all films that have them, the lowest path first, behind those of equal bytes."""
    hay = tree(
        "hay", {"x/a.mp4": copy(), "b.mov": original(), "c.mp4": copy("Sea"), "d.mov": film("mov", frames=3), "e": b"1"}
    )
    needles = tree("n", {"n.mov": original(), "m.mov": other(), "p.mp4": copy("Hill")})
    said = find(hay, *(needles / name for name in ("n.mov", "m.mov", "p.mp4")))
    assert [("b.mov", "identical"), ("c.mp4", "same"), ("a.mp4", "same")] == [
        (os.path.basename(near.path), near.evidence and near.evidence.value) for near in said["n.mov"].nearest
    ]
    assert ["b.mov", "c.mp4", "a.mp4"] == [os.path.basename(near.path) for near in said["p.mp4"].nearest]
    assert {CODE} == {near.reason.code.value for near in said["p.mp4"].nearest if near.reason}
    assert [None, NO_SAME_FILM, None] == [said[name].error for name in ("n.mov", "m.mov", "p.mp4")]
    assert (True, False, True) == tuple(said[name].is_seen for name in ("n.mov", "m.mov", "p.mp4"))
    assert "d.mov" not in read_whole
    assert 2 == len(find(hay, needles / "p.mp4", nearest=2)["p.mp4"].nearest)


def test_only_what_is_accepted_is_seen(tree: TreeBuilder) -> None:
    """Who accepts equal bytes only is shown the film all the same, and it is no witness."""
    hay, needles = tree("hay", {"a.mp4": copy()}), tree("n", {"n.mov": original()})
    sought = find(hay, needles / "n.mov", accept="identical")["n.mov"]
    assert ([Evidence.SAME], False) == ([near.evidence for near in sought.nearest], sought.is_seen)


def test_a_film_is_no_witness_of_itself(tree: TreeBuilder) -> None:
    """Where it lies in the haystack, the others there are."""
    hay = tree("hay", {"a.mp4": copy(), "b.mov": original()})
    said = find(hay, hay / "a.mp4", hay / "b.mov")
    assert [["b.mov"], ["a.mp4"]] == [
        [os.path.basename(near.path) for near in said[name].nearest] for name in ("a.mp4", "b.mov")
    ]
    alone = tree("alone", {"a.mp4": copy()})
    sought = find(alone, alone / "a.mp4")["a.mp4"]
    assert ([], NO_SAME_FILM) == (list(sought.nearest), sought.error)


def test_what_is_remembered_of_the_haystack(tree: TreeBuilder, tmp_path: Path, read_whole: list[str]) -> None:
    """A film that was found among what is remembered is looked at, and one that has changed is read again."""
    hay, needles = tree("hay", {"a.mp4": copy(), "k.mov": other()}), tree("n", {"n.mov": original()})
    for path in (*hay.iterdir(), *needles.iterdir()):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    cache_file = str(tmp_path / "cache.sqlite")
    for _ in range(2):
        assert find(hay, needles / "n.mov", cache=cache_file)["n.mov"].is_seen
    read_whole.clear()
    assert find(hay, needles / "n.mov", cache=cache_file)["n.mov"].is_seen
    (hay / "a.mp4").write_bytes(film("mov", frames=11))
    assert not find(hay, needles / "n.mov", cache=cache_file)["n.mov"].is_seen
    (hay / "k.mov").write_bytes(copy("Sea"))
    assert find(hay, needles / "n.mov", cache=cache_file)["n.mov"].is_seen


def test_without_the_extra(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Films are found by their bytes, and the answer says so."""
    monkeypatch.setattr(libraries, "can_read_films", lambda: False)
    hay, needles = tree("hay", {"a.mp4": copy()}), tree("n", {"n.mov": original()})
    sought = find(hay, needles / "n.mov")["n.mov"]
    assert ([], FILMS_BY_BYTES) == (list(sought.nearest), sought.error)
    assert [] == grouped(hay, needles).groups


def test_a_film_that_cannot_be_read(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named, proves nothing, and nobody says that it was looked for."""
    from dupfind.errors import UndecodableError
    from dupfind.pictures import film_data

    def fail(*_: object, **__: object) -> bytes:
        raise UndecodableError("it broke", lasting=False)

    monkeypatch.setattr(film_data, "read_digest", fail)
    hay, needles = tree("hay", {"a.mp4": copy()}), tree("n", {"n.mov": original()})
    sought = find(hay, needles / "n.mov")["n.mov"]
    assert ([], False) == (list(sought.nearest), sought.is_seen)
    assert "it broke" in str(sought.error)
    answer = grouped(hay, needles)
    assert [] == answer.groups
    assert {"it broke"} == {problem.reason for problem in answer.problems}


def test_groups(tree: TreeBuilder, read_whole: list[str]) -> None:
    """Films that are one stand together, the best first, each with its copies; others are alone and not read."""
    folder = tree(
        "f",
        {
            "a.mov": original(),
            "b.mp4": copy(),
            "b again.mp4": copy(),
            "c.mp4": copy("Sea"),
            "d.mov": film("mov", frames=3),
            "e.mov": other(),
            "f.mov": other(),
        },
    )
    for age, name in enumerate(sorted(os.listdir(folder), reverse=True)):
        os.utime(folder / name, (1_500_000_000 + age, 1_500_000_000 + age))
    os.utime(folder / "b.mp4", (1_400_000_000, 1_400_000_000))
    one = [
        ("b.mp4", None, []),
        ("b again.mp4", "identical", []),
        ("c.mp4", "same", [CODE]),
        ("a.mov", "same", [CODE]),
    ]
    two = [("f.mov", None, []), ("e.mov", "identical", [])]
    for level in ("same", "similar"):
        answer = grouped(folder, level=level)
        assert sorted([one, two]) == sorted(told(answer)), level
        (group,) = (group for group in answer.groups if len(group.members) > 2)
        assert ("oldest", {0}) == (group.why_best, {member.stack for member in group.members})
        assert sum(os.path.getsize(folder / name) for name, *_ in one[1:]) == group.frees_bytes
        assert 0 == answer.pictures
    assert "d.mov" not in read_whole
    assert [["b.mp4", "b again.mp4"], ["f.mov", "e.mov"]] == sorted(
        [name for name, *_ in group] for group in told(grouped(folder, level="identical"))
    )


def test_a_film_with_copies_that_is_not_the_best(tree: TreeBuilder) -> None:
    """Its copies are the same film, and it is said whose bytes they have."""
    folder = tree("f", {"a.mov": original(), "b.mp4": copy(), "c.mp4": copy()})
    os.utime(folder / "a.mov", (1_400_000_000, 1_400_000_000))
    os.utime(folder / "b.mp4", (1_500_000_000, 1_500_000_000))
    os.utime(folder / "c.mp4", (1_600_000_000, 1_600_000_000))
    ((best, first, second),) = told(grouped(folder))
    assert (("a.mov", None, []), ("b.mp4", "same", [CODE])) == (best, first)
    assert ("c.mp4", "same", [CODE, "same-bytes"]) == second


def test_films_that_a_catalog_lists_are_not_read(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nobody can look at their packets."""
    folder, path = tree("hay", {"a.mp4": copy()}), tmp_path / "hay.catalog"
    needles = tree("n", {"n.mov": original()})
    cataloged(folder, path)
    shutil.rmtree(folder)
    assert not find(path, needles / "n.mov")["n.mov"].nearest
    assert [] == grouped(path, needles).groups
