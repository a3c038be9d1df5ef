"""dupfind groups rendered: for people of any screen, and for programs."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from dupfind.answers.groups import Group, GroupsResult, Member
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen
from dupfind.report import groups as report
from dupfind.settings import Format
from dupfind.values import Evidence, Problem, Side
from tests.helpers.grouped import GROUP, answer

HOSTILE = "c/\x1b[31mred\n\udcff=1.jpg"
BAD = Group(
    [
        Member(HOSTILE, 0, None, None, (), 5, 0, 10**30, None, None, None, None),
        Member("=b", 0, Evidence.IDENTICAL, None, (Reason(ReasonCode.HARD_LINK, (HOSTILE,)),), 5, 0, 0, None, None,
               None, None),
    ],
    "shortest path",
)  # fmt: skip


def text(
    given: GroupsResult, screen: Screen | None = None, format_: Format = Format.TABLE, *, print0: bool = False
) -> str:
    """What is printed."""
    return report.render(given, format_, screen or Screen(), print0=print0).decode()


def test_the_table() -> None:
    """The best first, what each is to it, pixels, bytes, path, and what is to be said; then the summary."""
    assert (
        """\
Group              Pixels   Size  File
───────────────────────────────────────────────────────────────────
    1  ★ best       40 x 30  900 B  a.jpg
                                    - best: oldest; the others free 1.2 kB
       ✓ identical  40 x 30  900 B  b.jpg
       ≈ similar    40 x 30  900 B  c.jpg
       ✓ same       40 x 30  900 B  d.jpg
                                    - a copy of the similar one above

9 files looked at, 5 pictures among them: 4 are in 1 group. The 3 files that are not the best would free 1.2 kB.
1 of them is similar: another picture. Look first.
Nothing was deleted; --format paths lists those that are not the best.
""".splitlines()[2:]
        == text(answer(GROUP)).splitlines()[2:]
    )


def test_one_other() -> None:
    """In the singular."""
    pair = Group(GROUP.members[:2], "most pixels")
    assert "- best: most pixels; the other frees 900 B\n" in text(answer(pair))
    assert "The 1 file that is not the best would free 900 B." in text(answer(pair))


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (Evidence.IDENTICAL, "no two files have the same bytes"),
        (Evidence.SAME, "no two files are copies of each other"),
        (Evidence.SIMILAR, "no two files are copies of each other or look alike"),
    ],
)
def test_no_groups(level: Evidence, words: str) -> None:
    """A sentence that says no more than what was looked for."""
    given = GroupsResult("1.0", ["c"], level, "phash", 10, True, 9, None, [], [])
    assert f"9 files looked at: {words}.\n" == text(given)


@pytest.mark.parametrize("width", [30, 59, 60, 80, 200])
def test_screens(width: int) -> None:
    """Nothing is wider than the screen, and every path is whole when its parts are put together."""
    shown = text(answer(GROUP), Screen(width, is_terminal=True, encoding="ascii"))
    plain = "".join(part.partition("m")[2] if place else part for place, part in enumerate(shown.split("\x1b[")))
    assert all(len(line) <= width for line in plain.splitlines())
    assert all(f"{name}.jpg" in plain for name in "abcd")
    assert ("Pixels" in plain) == (width >= 60)
    assert plain.isascii()


def test_long_paths_have_the_width_of_the_screen() -> None:
    """Where one would be broken beside the numbers, these stand below it, in full."""
    path = "Holidays/2006/second week/IMG_0001 a long name.jpg"
    long = Group([GROUP.best._replace(path=path), *GROUP.members[1:]], "oldest")
    assert path in text(answer(long), Screen(100, is_terminal=True, encoding="ascii"))
    shown = text(answer(long), Screen(80, is_terminal=True, encoding="ascii"))
    assert path in shown
    assert "Pixels" not in shown
    assert "- best: oldest; the others free 1.2 kB; 40 x 30, 900 B" in shown
    assert "- 40 x 30, 900 B" in shown


def test_hostile_names() -> None:
    """Escaped for people, marked for programs, and no formula for a spreadsheet."""
    shown = text(answer(BAD))
    assert "c/\\x1b[31mred\\n\\xff=1.jpg" in shown
    assert "\x1b" not in shown
    whole = json.loads(text(answer(BAD), format_=Format.JSON))
    (group,) = whole["groups"]
    assert group["best"] == group["members"][0]["path"] == "c/\x1b[31mred\n\ufffd=1.jpg"
    assert group["best_bytes"] == group["members"][0]["path_bytes"]
    assert None is group["members"][0]["modified"]
    rows = list(csv.DictReader(StringIO(text(answer(BAD), format_=Format.CSV))))
    assert "'=b" == rows[1]["path"]
    assert b"=b\0" == report.render(answer(BAD), Format.PATHS, Screen(), print0=True)


def test_json() -> None:
    """One object with a schema of its own: settings, counts, groups with all their members, problems."""
    problem = Problem("c/x", Side.HAYSTACK, "walk", "permission denied")
    whole = json.loads(text(answer(GROUP, problems=(problem,)), format_=Format.JSON))
    assert "dupfind.groups/1" == whole["schema"]
    assert {
        "folders": ["c"],
        "level": "similar",
        "algorithm": "phash",
        "threshold_bits": 10,
        "rotations": True,
    } == whole["settings"]
    assert {
        "files": 9,
        "pictures": 5,
        "groups": 1,
        "members": 4,
        "not_best": {"identical": 1, "same": 1, "similar": 1},
        "frees_bytes": 1200,
    } == whole["summary"]
    (group,) = whole["groups"]
    assert ["similar", "a.jpg", "oldest", 2, 1200] == [
        group[key] for key in ("evidence", "best", "why_best", "stacks", "frees_bytes")
    ]
    assert {
        "path": "d.jpg",
        "is_best": False,
        "stack": 1,
        "evidence": "same",
        "distance_bits": 2,
        "score": 0.96875,
        "reason": None,
        "reason_code": None,
        "size_bytes": 900,
        "frees_bytes": 300,
        "width": 40,
        "height": 30,
        "format": "JPEG",
        "captured": None,
        "modified": "1970-01-01T00:00:00Z",
    } == group["members"][3]
    assert [{"path": "c/x", "stage": "walk", "reason": "permission denied"}] == whole["problems"]


def test_reasons() -> None:
    """All of a member's in one sentence, of it and the best one; the code is that of the first."""
    place = Reason(ReasonCode.PLACE, ("full size", "near the top"))
    reasons = place, Reason(ReasonCode.SAME_BYTES, ("c.jpg",)), Reason(ReasonCode.HARD_LINK_ELSEWHERE)
    smaller = Reason(ReasonCode.SMALLER, (30, 20, 40, 30))
    members = [GROUP.best, GROUP.members[2]._replace(reasons=reasons), GROUP.members[3]._replace(reasons=(smaller,))]
    given = answer(Group(members, "oldest"))
    linked = "has a hard link elsewhere: frees nothing"
    said = [
        f"at full size something differs from the best one near the top; the same bytes as c.jpg; {linked}",
        "the best one is smaller: 30 x 20 against 40 x 30",
    ]
    (group,) = json.loads(text(given, format_=Format.JSON))["groups"]
    told = [(one["reason"], one["reason_code"]) for one in group["members"]]
    assert [(None, None), (said[0], "something-differs"), (said[1], "witness-smaller")] == told
    rows = csv.DictReader(StringIO(text(given, format_=Format.CSV)))
    assert ["", *said] == [row["reason"] for row in rows]
    shown = " ".join(text(given).split())
    assert all(one in shown for one in said)


def test_json_lines() -> None:
    """A line a group, then the summary, each with its type; together they are what JSON is."""
    given = answer(GROUP, BAD)
    *groups, summary = [json.loads(line) for line in text(given, format_=Format.JSONL).splitlines()]
    whole = json.loads(text(given, format_=Format.JSON))
    assert [{"type": "group", **one} for one in whole["groups"]] == groups
    assert {"type": "summary", **{key: value for key, value in whole.items() if key != "groups"}} == summary


def test_csv() -> None:
    """A row a member."""
    rows = list(csv.DictReader(StringIO(text(answer(GROUP, GROUP), format_=Format.CSV))))
    assert ["1"] * 4 + ["2"] * 4 == [row["group"] for row in rows]
    first, last = rows[0], rows[3]
    assert ("a.jpg", "yes", "", "") == (first["path"], first["is_best"], first["evidence"], first["score"])
    assert ("d.jpg", "no", "same", "0.96875", "300") == (
        last["path"],
        last["is_best"],
        last["evidence"],
        last["score"],
        last["frees_bytes"],
    )


def test_paths() -> None:
    """Those that are not the best, group by group."""
    assert "b.jpg\nc.jpg\nd.jpg\n" == text(answer(GROUP), format_=Format.PATHS)
    assert "b.jpg\0c.jpg\0d.jpg\0" == text(answer(GROUP), format_=Format.PATHS, print0=True)
