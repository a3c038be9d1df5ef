"""What is to be brought over: which files, each picture once, where to, and under which names."""

from __future__ import annotations

import os
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dupfind.acting.import_plan import (
    CopyOf,
    Needle,
    chosen,
    leaders_of,
    left_fragments,
    left_out,
    plan_items,
    why_wanted,
    with_numbers,
)
from dupfind.acting.layout import Layout, key
from dupfind.answers.import_ import Item, Why
from dupfind.reasons import BETTER_NEEDLE, Reason, ReasonCode
from dupfind.values import Evidence, FileEntry, FileState, FileVerdict, Kind

TODAY = date(2026, 11, 30)
JULY_NS = 1_500_000_000 * 10**9
"""14 July 2017."""


def needle(path: str, state: FileState = FileState.MISSING, mtime_ns: int = JULY_NS, better: bool = False) -> Needle:
    """A needle below the root ``n``."""
    reasons = (Reason(next(iter(BETTER_NEEDLE)), ()),) if better else ()
    witness = "hay/w.jpg" if better else None
    verdict = FileVerdict(f"n/{path}", Kind.IMAGE, state, 5, None, witness, None, reasons)
    return Needle(FileEntry(f"/n/{path}", 5, mtime_ns, 0, 1), verdict, path, "n")


def targets(needles: list[Needle], layout: str = "keep", **options: object) -> dict[str, str]:
    """By path, where each file is to lie."""
    captured = options.get("captured", {})
    copies = options.get("copies", {})
    wanted = chosen(needles, ())
    leaders = leaders_of(wanted, needles)
    items, _ = plan_items(wanted, leaders, copies, captured, Layout(layout), (), TODAY)  # type: ignore[arg-type]
    return {item.path[2:]: item.target for item in with_numbers(items, options.get("taken", {}))}  # type: ignore[arg-type]


def test_what_is_wanted() -> None:
    """What is missing, and what else was asked for; never what is present, empty or unwanted."""
    needles = [needle(state.value, state) for state in FileState]
    better = needle("better", FileState.SIMILAR, better=True)
    assert ["n/missing"] == [one.file.path for one in chosen(needles, ())]
    assert ["n/better"] == [one.file.path for one in chosen([better], ("better",))]
    assert [] == chosen([better], ())
    also = ("similar", "unreadable")
    assert {"similar", "missing", "unreadable"} == {one.name for one in chosen(needles, also)}
    assert {"similar": 1, "unreadable": 1} == left_out(needles, ())
    assert {} == left_out(needles, also)


def test_parts_of_pictures_are_similar() -> None:
    """They are left and counted, and come with what is similar, or on their own; decided ones are none."""
    part = (Reason(ReasonCode.FRAGMENT, (0, 0, 100, 100, 0, 0, 50, 50, 100, 0)),)

    def shown(name: str, state: FileState) -> Needle:
        like = needle(name, state)
        return like._replace(file=like.file._replace(reasons=part))

    crop, settled = shown("crop", FileState.SIMILAR), shown("settled", FileState.UNWANTED)
    like = needle("like", FileState.SIMILAR)
    needles = [crop, settled, like, needle("missing")]
    assert ({"similar": 2}, 1) == (left_out(needles, ()), left_fragments(needles, ()))
    assert ["missing"] == [wanted.name for wanted in chosen(needles, ())]
    assert ["crop", "missing"] == [wanted.name for wanted in chosen(needles, ("fragment",))]
    assert ["crop", "like", "missing"] == [wanted.name for wanted in chosen(needles, ("similar",))]
    assert [0, 0, 1] == [left_fragments(needles, also) for also in (("fragment",), ("similar",), ("better",))]
    assert (Why.FRAGMENT, Why.SIMILAR) == (
        why_wanted(crop.file, ("fragment",)), why_wanted(crop.file, ("fragment", "similar")),
    )  # fmt: skip


def test_dates_come_from_the_capture_then_the_name_then_the_file() -> None:
    """The first that is known."""
    captured = {"/n/IMG_20150101.jpg": "2013:05:06 01:02:03"}
    needles = [needle("IMG_20150101.jpg"), needle("VID_20150101.mp4"), needle("a.jpg"), needle("old.jpg", mtime_ns=0)]
    assert {
        "IMG_20150101.jpg": "2013/2013-05/IMG_20150101.jpg",
        "VID_20150101.mp4": "2015/2015-01/VID_20150101.mp4",
        "a.jpg": "2017/2017-07/a.jpg",
        "old.jpg": "undated/old.jpg",
    } == targets(needles, "date", captured=captured)


class Packed(FileEntry):
    """A member of an archive, which knows when it was changed, or does not."""

    @property
    def modified_ns(self) -> int | None:
        """As its archive says."""
        return JULY_NS if self.path.endswith("dated.jpg") else None


def test_members_of_archives_have_the_time_that_their_archive_says() -> None:
    """Never that of the archive itself."""
    needles = [
        one._replace(entry=Packed(*one.entry))
        for one in (needle("dated.jpg"), needle("a.jpg"), needle("2015-02-03.jpg"))
    ]
    assert {
        "dated.jpg": "2017/2017-07/dated.jpg", "a.jpg": "undated/a.jpg",
        "2015-02-03.jpg": "2015/2015-02/2015-02-03.jpg",
    } == targets(needles, "date")  # fmt: skip


def test_what_belongs_to_a_picture_goes_with_it() -> None:
    """Its sidecars, its RAW twin and its film: by its date, not by their own, also where it is present already."""
    captured = {"/n/a.jpg": "2013:05:06 01:02:03", "/n/b.heic": "2014:01:01 01:02:03"}
    needles = [
        needle("a.jpg"), needle("a.cr2"), needle("a.xmp"), needle("a.jpg.xmp"),
        needle("b.heic", FileState.PRESENT), needle("b.mov"), needle("b.aae"), needle("c.mov"),
    ]  # fmt: skip
    found = targets(needles, "date", captured=captured)
    assert {"2013/2013-05"} == {os.path.dirname(found[name]) for name in ("a.jpg", "a.cr2", "a.xmp", "a.jpg.xmp")}
    assert {"2014/2014-01"} == {os.path.dirname(found[name]) for name in ("b.mov", "b.aae")}
    assert "2017/2017-07/c.mov" == found["c.mov"]


def test_taken_names_get_one_number_for_all_that_belongs_together() -> None:
    """So that a program still finds the sidecar of a picture; case and Unicode form do not count."""
    needles = [needle("a.jpg"), needle("a.jpg.xmp"), needle("a.cr2"), needle("b.jpg")]
    taken = {(): ["A.CR2", "a (2).jpg"]}
    assert {"a.jpg": "a (3).jpg", "a.jpg.xmp": "a (3).jpg.xmp", "a.cr2": "a (3).cr2", "b.jpg": "b.jpg"} == targets(
        needles, taken=taken
    )


def test_names_that_meet_in_one_folder() -> None:
    """Files of several folders in one: each keeps its bytes, under a number."""
    needles = [needle("x/a.jpg"), needle("y/a.jpg"), needle("z/A.JPG"), needle("y/a.xmp")]
    assert {
        "x/a.jpg": "2017/2017-07/a.jpg", "y/a.jpg": "2017/2017-07/a (2).jpg", "y/a.xmp": "2017/2017-07/a (2).xmp",
        "z/A.JPG": "2017/2017-07/A (3).JPG",
    } == targets(needles, "date")  # fmt: skip


def test_copies_are_told_and_their_sidecars_go_with_the_best() -> None:
    """Each picture once; what describes a copy lies beside the file that was taken, under its name."""
    needles = [needle("x/best.jpg"), needle("y/worse.jpg"), needle("y/worse.xmp")]
    copies = {"/n/y/worse.jpg": CopyOf("/n/x/best.jpg", Evidence.SAME)}
    assert {"x/best.jpg": "x/best.jpg", "y/worse.xmp": "x/best.xmp"} == targets(needles, copies=copies)


NAMES = st.sampled_from(["a.jpg", "A.jpg", "a.JPG", "b.jpg", "a (2).jpg", "caf\xe9", "cafe\u0301"])


@given(
    st.lists(st.tuples(NAMES, st.integers(0, 2), st.sampled_from([(), ("x",), ("X",)])), max_size=12),
    st.lists(NAMES, max_size=4),
)
def test_no_two_files_get_one_name(files: list[tuple[str, int, tuple[str, ...]]], taken: list[str]) -> None:
    """Nor the name of what is there, as the most forgetful file system sees names."""
    entry = FileEntry("/n", 5, 0, 0, 0)
    items = [Item("n", entry, Why.MISSING, folder, name, group, 1) for name, group, folder in files]
    placed = with_numbers(items, {(): taken, ("x",): taken})
    keys = [(tuple(map(key, item.folder)), key(item.name)) for item in placed]
    assert len(keys) == len(set(keys))
    assert not {name for _, name in keys} & set(map(key, taken))
