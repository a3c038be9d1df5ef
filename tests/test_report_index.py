"""What ``dupfind index`` prints, of values that are made up."""

from __future__ import annotations

import json

from dupfind.answers.index import Checked, Indexed
from dupfind.report import Screen
from dupfind.report.index import render
from dupfind.report.text import catalog_line, duration
from dupfind.settings import Format
from dupfind.values import Cataloged, Problem, Side

WHEN = "2026-11-20T21:04:05+01:00"
DONE = Indexed("1", "c", "/d", WHEN, False, 1234, 1000, 3, 1231, 2, 1, 5_000_000, [])
CHECKED = Checked("1", "c", "/d", WHEN, True, False, 30, [], [], [], [], [], [])


def text(answer: Indexed | Checked) -> str:
    """For people, off a terminal."""
    return render(answer, Format.TABLE, Screen()).decode()


def test_what_was_done() -> None:
    """Only what there was of each."""
    assert (
        "c is up to date: 1,234 files of /d, 1,000 pictures, 5.0 MB.\n3 read, 1,231 unchanged, 2 gone, 1 unreadable.\n"
        == text(DONE)
    )


def test_what_differs() -> None:
    """Twenty of each kind at most, and how many more; nothing where nothing does."""
    assert "c of 2026-11-20 21:04 (30 files) lists what is in /d.\n" == text(CHECKED)
    many = Checked("1", "c", "/d", WHEN, False, True, 30, [f"/d/{n}" for n in range(22)], [], ["/d/\x1b"], [], [], [])
    lines = text(many).splitlines()
    assert ["new        /d/19", "new        2 more", r"gone       /d/\x1b", ""] == lines[19:23]
    assert "c is not complete: its indexing was stopped; dupfind index goes on with it." == lines[23]
    assert "c of 2026-11-20 21:04 (30 files) is not what is in /d: 22 new, 1 gone." == lines[24]
    deep = Checked("1", "c", "/d", WHEN, True, True, 30, [], [], [], [], [], [])
    assert "c of 2026-11-20 21:04 (30 files) lists what is in /d, every byte.\n" == text(deep)


def test_whether_all_is_well() -> None:
    """A note is no fault, a problem is one, an unread file, a catalog that is not complete."""
    note = Problem("/d/x", Side.HAYSTACK, "walk", "hidden", is_note=True)
    assert not DONE.is_whole
    whole = Indexed("1", "c", "/d", WHEN, False, 1, 1, 1, 0, 0, 0, 1, [note])
    assert whole.is_whole
    whole.problems.append(note._replace(is_note=False))
    assert not whole.is_whole
    assert CHECKED.is_equal
    assert not Checked("1", "c", "/d", WHEN, False, False, 30, [], [], [], [], [], []).is_equal
    assert not Checked("1", "c", "/d", WHEN, True, False, 30, [], [], [], ["/d/x"], [], []).is_equal
    assert not Checked(
        "1", "c", "/d", WHEN, True, False, 30, [], [], [], [], [], [note._replace(is_note=False)]
    ).is_equal


def test_json() -> None:
    """Every number and every path."""
    found = json.loads(render(DONE, Format.JSON, Screen()))
    assert ("dupfind.index/1", WHEN, 3, 1) == (
        found["schema"], found["updated"], found["summary"]["read"], found["summary"]["unreadable"],
    )  # fmt: skip
    found = json.loads(render(CHECKED, Format.JSON, Screen()))
    assert {"files": 30, "new": 0, "changed": 0, "gone": 0, "rotten": 0, "unreadable": 0} == found["summary"]


def test_how_old_it_is() -> None:
    """In the largest unit of which there are two."""
    assert ["0 seconds", "1 second", "119 seconds", "2 minutes", "119 minutes", "47 hours", "2 days"] == [
        duration(seconds) for seconds in (0, 1.9, 119, 120, 7199, 47 * 3600 + 5, 2 * 86400)
    ]
    one = Cataloged("c", "/d", WHEN, 7200.0, 1, is_complete=False)
    assert "c stands for /d as it was 2 hours ago (2026-11-20 21:04, 1 file, not complete)." == catalog_line(one)


def test_a_line_for_each_file_that_is_otherwise() -> None:
    """With what is the matter with it, and why it could not be read, where that is known; as paths alone, with NUL."""
    problem = Problem("/d/x", Side.HAYSTACK, "digest", "input/output error")
    changes = {"new": ["/d/a\nb"], "changed": ["/d/=c"], "gone": [], "unreadable": ["/d/x"]}
    done = Indexed("1", "c", "/d", WHEN, False, 4, 3, 2, 1, 0, 1, 1, [problem], changes)
    assert b'path,change,reason\n"/d/a\nb",new,\n/d/=c,changed,\n/d/x,unreadable,input/output error\n' == render(
        done, Format.CSV, Screen()
    )
    assert b"/d/a\\nb\n/d/=c\n/d/x\n" == render(done, Format.PATHS, Screen())
    assert b"/d/a\nb\0/d/=c\0/d/x\0" == render(done, Format.PATHS, Screen(), print0=True)
    *files, summary = map(json.loads, render(done, Format.JSONL, Screen()).splitlines())
    assert ["new", "changed", "unreadable"] == [one["change"] for one in files]
    assert ({"file"}, "input/output error", None) == (
        {one["type"] for one in files}, files[2]["reason"], files[0]["reason"],
    )  # fmt: skip
    assert ("summary", 4, 1) == (summary["type"], summary["summary"]["files"], len(summary["problems"]))
    assert {"new", "changed", "gone", "unreadable"}.isdisjoint(summary)
    checked = Checked("1", "c", "/d", WHEN, True, True, 3, ["/d/n"], ["/d/c"], ["/d/g"], ["/d/r"], ["/d/u"], [])
    assert b"/d/n\n/d/c\n/d/g\n/d/r\n/d/u\n" == render(checked, Format.PATHS, Screen())
    whole = json.loads(render(done, Format.JSON, Screen()))
    assert [{"path": "/d/x"}] == whole["unreadable"]
