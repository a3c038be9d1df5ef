"""dupfind groups from folders to groups: what belongs together, which is the best, and what does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dupfind.answers.groups import Group, GroupsResult
from dupfind.events import Advance, Silence
from dupfind.grouping.grouping import groups
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import IN_A_GROUP, sentences
from dupfind.settings import make_settings
from dupfind.values import Evidence
from fixtures import pictures
from tests.helpers.places import SHARED_DATA, needs_shared_data
from tests.helpers.trees import build_tree

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
SIZE = (320, 240)
LEVELS = tuple(Evidence)


def ask(*folders: Path, level: str = "same", listener: Silence | None = None, **options: Any) -> GroupsResult:
    """Group in this process, without a cache unless one is given."""
    options.setdefault("no_cache", "cache" not in options)
    settings = make_settings(haystack=[str(one) for one in folders], called="", **options)
    return groups(settings, Evidence(level), listener, make_executor=lambda: ThreadPoolExecutor(1))


def names(group: Group) -> list[str]:
    """The file names of the members, the best first."""
    return [os.path.basename(one.path) for one in group.members]


def all_names(answer: GroupsResult) -> list[list[str]]:
    """Those of all groups, in a fixed order."""
    return sorted(map(names, answer.groups))


def put(path: Path, image: Image.Image, age: int = 0, **options: Any) -> Path:
    """Save a picture whose file is ``age`` seconds older than those of age 0."""
    pictures.save(image, path, **options)
    os.utime(path, (1_600_000_000 - age, 1_600_000_000 - age))
    return path


class Stages(Silence):
    """Remembers which stages there were."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Remember it."""
        self.names.append(name)
        yield lambda _: None


@pytest.mark.slow
@needs_shared_data("groups")
@pytest.mark.parametrize("level", ["same", "similar"])
def test_the_seventeen_groups_and_no_other(level: str) -> None:
    """Exactly the groups of groups.tsv, at both levels; at `identical` the six pairs of equal files among them."""
    folder = SHARED_DATA / "groups"
    truth: dict[str, set[str]] = {}
    for line in (folder / "groups.tsv").read_text().splitlines()[1:]:
        number, _, name = line.split("\t")
        truth.setdefault(number, set()).add(name)
    found = ask(folder, level=level)
    assert 17 == len(found.groups)
    assert sorted(map(sorted, truth.values())) == sorted(sorted(names(group)) for group in found.groups)
    assert 82 == found.pictures


@pytest.mark.mostly_slow(fast=1)
@needs_shared_data("photos")
@pytest.mark.parametrize("level", LEVELS)
def test_no_group_among_different_photos(demo_cache: str, level: str) -> None:
    """395 photos of one subject each, by every level."""
    found = ask(SHARED_DATA / "photos", level=level, cache=demo_cache)
    assert ([], True) == (list(found.groups), found.is_clean)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """An original and what becomes of one: compressed, reduced, in other formats, turned; and another picture."""
    folder, photo = tmp_path / "c", pictures.photo(1, SIZE)
    put(folder / "original.jpg", photo, 9, quality=95)
    put(folder / "mail.jpg", photo, quality=60)
    put(folder / "preview.jpg", photo.resize((160, 120), Image.Resampling.LANCZOS), 99)
    put(folder / "web.webp", photo, quality=80)
    put(folder / "turned.webp", photo.transpose(Image.Transpose.ROTATE_90), quality=95)
    put(folder / "other.jpg", pictures.photo(2, SIZE))
    shutil.copy(folder / "original.jpg", folder / "zz copy.jpg")
    return folder


def test_a_stack_of_an_original_and_its_copies(stack: Path) -> None:
    """The small copy is older, and is proved by the original; not the other way round."""
    (group,) = ask(stack).groups
    expected = {
        "zz copy.jpg": Evidence.IDENTICAL,
        "mail.jpg": Evidence.SAME,
        "web.webp": Evidence.SAME,
        "turned.webp": Evidence.SAME,
        "preview.jpg": Evidence.SAME,
    }
    assert expected == {os.path.basename(one.path): one.evidence for one in group.others}
    assert ("original.jpg", Evidence.SAME, 1) == (names(group)[0], group.evidence, group.stacks)
    turned = next(one for one in group.others if one.path.endswith("turned.webp"))
    assert (240, 320, "WEBP") == (turned.width, turned.height, turned.format)
    assert (Reason(ReasonCode.TURNED, (90,)),) == turned.reasons
    assert sum(one.size_bytes for one in group.others) == group.frees_bytes


@pytest.mark.slow
def test_the_levels_hold_each_other(stack: Path) -> None:
    """What is grouped by a stronger level stays together by a weaker one; an edit comes in at the weakest."""
    put(stack / "mirrored.jpg", pictures.photo(1, SIZE).transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=95)
    put(stack / "cropped.jpg", pictures.photo(1, SIZE).crop((8, 6, 312, 234)), quality=95)
    put(stack / "cropped small.jpg", pictures.photo(1, SIZE).crop((8, 6, 312, 234)).resize((152, 114)), quality=95)
    found = {level: [set(names(group)) for group in ask(stack, level=level).groups] for level in LEVELS}
    assert [{"original.jpg", "zz copy.jpg"}] == found[Evidence.IDENTICAL]
    same = {"original.jpg", "zz copy.jpg", "mail.jpg", "preview.jpg", "web.webp", "turned.webp"}
    assert [{"cropped.jpg", "cropped small.jpg"}, same] == sorted(found[Evidence.SAME], key=len)
    assert [same | {"mirrored.jpg", "cropped.jpg", "cropped small.jpg"}] == found[Evidence.SIMILAR]
    (group,) = ask(stack, level="similar").groups
    by_name = {os.path.basename(one.path): one for one in group.members}
    assert (Reason(ReasonCode.MIRRORED),) == by_name["mirrored.jpg"].reasons
    assert (Reason(ReasonCode.SHIFTED),) == by_name["cropped.jpg"].reasons
    assert Evidence.SAME is by_name["cropped small.jpg"].evidence
    assert by_name["cropped.jpg"].stack == by_name["cropped small.jpg"].stack != by_name["mirrored.jpg"].stack
    assert 3 == group.stacks


def test_exact_copies_of_any_file(tree: TreeBuilder) -> None:
    """At every level, also of what is no picture or cannot be decoded; never of what is empty."""
    cut = b"\xff\xd8\xff" + b"cut" * 9
    folder = tree("c", {"a.txt": b"notes", "b/a.txt": b"notes", "x.jpg": cut, "y.jpg": cut, "0": b"", "1": b""})
    for level in LEVELS:
        found = ask(folder, level=level)
        assert [["a.txt", "a.txt"], ["x.jpg", "y.jpg"]] == all_names(found)
        assert 5 + len(cut) == found.frees_bytes


def test_identical_decodes_nothing(stack: Path) -> None:
    """Bytes alone decide: no picture is opened, and no pixels are told of."""
    stages = Stages()
    found = ask(stack, level="identical", listener=stages)
    assert ["walking", "comparing bytes"] == stages.names
    assert (None, None) == (found.pictures, found.groups[0].best.width)


@pytest.mark.slow
def test_a_second_run_decodes_nothing(stack: Path, tmp_path: Path) -> None:
    """Everything comes from the cache: pictures, digests and how pairs were judged."""
    for path in stack.iterdir():
        os.utime(path, (1_500_000_000, 1_500_000_000))
    import time

    time.sleep(2.1)  # younger changes of the files' own records are not remembered
    cache = str(tmp_path / "cache.sqlite")
    first = ask(stack, level="similar", cache=cache)
    stages = Stages()
    assert first.groups == ask(stack, level="similar", cache=cache, listener=stages).groups
    assert {"comparing bytes", "decoding", "hashing", "reading whole"}.isdisjoint(stages.names)


@pytest.mark.slow
def test_the_best_by_each_criterion(tmp_path: Path) -> None:
    """Pixels, metadata, age, path: each decides where nothing before it does, and is named."""
    photo = pictures.photo(3, SIZE)
    told = {"exif": pictures.exif(captured="2017:07:18 15:31:30")}
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Maker", "Model"
    for folder, better, worse, words in (
        ("pixels", ("a.jpg", photo.resize((340, 255)), 0, {}), ("b.jpg", photo, 99, told), "most pixels"),
        ("time", ("bbb.jpg", photo, 0, told), ("a.jpg", photo, 99, {"quality": 90}), "most metadata"),
        ("tags", ("bbb.jpg", photo, 0, {"exif": tags}), ("a.jpg", photo, 99, {"quality": 90}), "most metadata"),
        ("age", ("bbb.jpg", photo, 99, {}), ("a.jpg", photo, 0, {"quality": 90}), "oldest"),
        ("path", ("a.jpg", photo, 0, {}), ("bbb.jpg", photo, 0, {"quality": 90}), "shortest path"),
        ("name", ("a.jpg", photo, 0, {}), ("b.jpg", photo, 0, {"quality": 90}), "first by name"),
    ):
        for name, image, age, options in (better, worse):
            put(tmp_path / folder / name, image, age, **options)
        (group,) = ask(tmp_path / folder).groups
        assert ([better[0], worse[0]], words) == (names(group), group.why_best)


def test_an_older_but_clearly_more_compressed_copy_is_not_the_best(tmp_path: Path) -> None:
    """Both prove each other, by the rules of a scan; what was lost to compression is not to be kept instead."""
    photo = pictures.photo(3, SIZE)
    put(tmp_path / "a.jpg", photo, 99, quality=60)
    put(tmp_path / "b.jpg", photo, quality=92)
    (group,) = ask(tmp_path).groups
    assert (["b.jpg", "a.jpg"], "the others hold less") == (names(group), group.why_best)


@pytest.mark.slow
def test_a_large_but_blurred_one_is_no_best(tmp_path: Path) -> None:
    """Enlarged from a preview, it has most pixels and proves nothing; nor does the original prove it."""
    photo = pictures.photo(5, (800, 600))
    put(tmp_path / "original.jpg", photo, quality=92)
    put(tmp_path / "copy.jpg", photo, quality=80)
    put(tmp_path / "enlarged.jpg", photo.resize((100, 75)).resize((1200, 900)), 99, quality=92)
    (group,) = ask(tmp_path).groups
    assert {"original.jpg", "copy.jpg"} == set(names(group))


def test_what_differs_is_not_the_same(tmp_path: Path) -> None:
    """An object more, another capture time, and damage: similar at most, so that nothing of it could go."""
    photo = pictures.photo(7, (800, 600))
    put(tmp_path / "a.jpg", photo, quality=92, exif=pictures.exif(captured="2017:07:18 15:31:30"))
    put(tmp_path / "b.jpg", photo, quality=90, exif=pictures.exif(captured="2017:07:18 15:31:37"))
    put(tmp_path / "c.jpg", pictures.with_patch(photo, 3, 0.02), quality=92)
    data = bytearray(put(tmp_path / "d.jpg", photo, quality=91).read_bytes())
    (tmp_path / "d.jpg").write_bytes(data[: len(data) * 2 // 3] + b"\xff\xd9")
    assert [] == ask(tmp_path).groups
    (group,) = ask(tmp_path, level="similar").groups
    assert ({"a.jpg", "b.jpg", "c.jpg"} <= set(names(group)), Evidence.SIMILAR) == (True, group.evidence)
    assert "d.jpg" != names(group)[0]


def test_frames_around_a_picture(tmp_path: Path) -> None:
    """Found as similar to the one without, as in a scan."""
    photo = pictures.photo(1, SIZE)
    framed = Image.new("RGB", (400, 300), "white")
    framed.paste(photo, (40, 30))
    put(tmp_path / "plain.jpg", photo, quality=92)
    put(tmp_path / "framed.jpg", framed, quality=92)
    assert [] == ask(tmp_path).groups
    (group,) = ask(tmp_path, level="similar").groups
    assert ["framed.jpg", "plain.jpg"] == names(group)
    assert (Reason(ReasonCode.WITNESS_FRAMED),) == group.others[0].reasons
    assert "the best one has a frame around it" == sentences(group.others[0].reasons, IN_A_GROUP)


@pytest.mark.slow
def test_a_row_of_neighbours_is_no_group(tmp_path: Path) -> None:
    """One picture turns gradually into another: neighbours look alike, the ends do not and never come together."""
    first, last = pictures.photo(1, SIZE), pictures.photo(4, SIZE)
    steps = 9
    for step in range(steps):
        put(tmp_path / f"{step}.png", Image.blend(first, last, step / (steps - 1)))
    ends = [tmp_path / "ends" / name for name in ("0.png", "8.png")]
    ends[0].parent.mkdir()
    for path in ends:
        shutil.copy(tmp_path / path.name, path)
    assert [] == ask(ends[0].parent, level="similar").groups
    shutil.rmtree(ends[0].parent)
    for one in range(steps - 1):  # every two neighbours alone are a group
        pair = ask(tmp_path, level="similar", exclude=[f"[!{one}{one + 1}].png"])
        assert 1 == len(pair.groups)
    found = ask(tmp_path, level="similar")
    assert found.groups
    for group in found.groups:
        members = sorted(names(group))
        assert not {"0.png", "8.png"} <= set(members)
        for one in members:  # complete linkage: any two of a group alone would be one
            for other in members:
                if one < other:
                    alone = ask(tmp_path, level="similar", threshold_bits=32, exclude=[f"[!{one[0]}{other[0]}].png"])
                    assert 1 == len(alone.groups)


def test_hard_links_free_nothing(tree: TreeBuilder) -> None:
    """They are a group of exact copies whose deletion is no gain."""
    folder = tree("c", {"a.jpg": pictures.photo(1, SIZE)})
    os.link(folder / "a.jpg", folder / "b.jpg")
    for level in LEVELS:
        (group,) = ask(folder, level=level).groups
        assert (["a.jpg", "b.jpg"], 0) == (names(group), group.frees_bytes)
        assert f"a hard link to {folder}/a.jpg: frees nothing" == sentences(group.others[0].reasons, IN_A_GROUP)


@pytest.mark.slow
def test_several_folders_and_folders_in_folders(stack: Path, tree: TreeBuilder) -> None:
    """Each file counts once; copies are found across folders."""
    other = tree("d", {"original too.png": pictures.photo(1, SIZE)})
    (group,) = ask(stack, other, stack).groups
    assert "original too.png" in names(group)
    assert 8 == ask(stack, other, stack).files


def test_no_rotations(stack: Path) -> None:
    """A turned copy stays out where it is not asked for."""
    (group,) = ask(stack, rotations=False).groups
    assert "turned.webp" not in names(group)


@pytest.mark.slow
@settings(max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(tmp_path_factory: pytest.TempPathFactory, dice: Any) -> None:
    """The same pictures under other names, so that the walk comes upon them in another order: the same groups."""
    photo = pictures.photo(1, SIZE)
    images = [
        photo,
        photo.resize((300, 225)),
        photo.resize((160, 120)),
        photo.crop((8, 6, 312, 234)),
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        pictures.photo(2, SIZE),
        pictures.photo(2, SIZE).resize((200, 150)),
    ]
    places = list(range(len(images)))
    dice.shuffle(places)
    folder = tmp_path_factory.mktemp("order")
    build_tree(folder, {f"{place}.png": image for place, image in zip(places, images, strict=True)})
    for path in folder.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    found = {
        frozenset(
            (places.index(int(name[0])), member.stack) for name, member in zip(names(one), one.members, strict=True)
        )
        for one in ask(folder, level="similar").groups
    }
    stacks = [
        sorted(sorted(place for place, of in group if of == number) for number in {of for _, of in group})
        for group in found
    ]
    assert [[[0, 1, 2], [3], [4]], [[5, 6]]] == sorted(stacks)


def test_nothing_at_all(tree: TreeBuilder) -> None:
    """An empty folder is clean."""
    found = ask(tree("c", {"sub": None}), level="similar")
    assert (0, 0, True) == (found.files, found.pictures, found.is_clean)


def test_a_picture_that_cannot_be_read_is_a_problem(tree: TreeBuilder) -> None:
    """It may belong to a group: the collection is not said to be clean."""
    found = ask(tree("c", {"cut.jpg": b"\xff\xd8\xffcut", "a.png": pictures.photo(1, SIZE)}))
    assert ([], False, 1) == (list(found.groups), found.is_clean, len(found.problems))
