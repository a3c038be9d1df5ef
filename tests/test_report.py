"""Reports: what each format shows of one and the same answer, and that no name can forge anything in it."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.changes import Changes
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen, render
from dupfind.report.text import count, printable, size, valid_text
from dupfind.settings import make_report_settings
from dupfind.values import (
    Evidence,
    FileState,
    FolderState,
    Kind,
    Problem,
    Report,
    Side,
)
from tests.helpers.reports import ANSWER, file, folder, report


def text(answer: Report, width: int = 80, *, is_terminal: bool = False, encoding: str = "utf-8", **options: Any) -> str:
    """The report as text."""
    screen = Screen(width, is_terminal, encoding)
    return render(answer, make_report_settings(**options), screen).decode(encoding)


def test_the_table_of_folders() -> None:
    """Shown folders only, contained ones last and only on demand, and the sums in a sentence."""
    rows = text(ANSWER).splitlines()
    said = ["2 of 3 fil", "Missing: 1", "1 file nee", "1 folder c"]
    assert ["✗ missing", "", *said] == [row[:10].rstrip() for row in rows[2:8]]
    assert ["✗ missing", "✓ contained"] == [
        row[:11].rstrip() for row in text(ANSWER, everything=True).splitlines()[2:4]
    ]


def test_the_table_of_files() -> None:
    """The witness, how far it is, and the reason stand below the file."""
    rows = [row.split("  ")[-1].strip() for row in text(ANSWER, files=True, only=["similar"]).splitlines()[2:5]]
    assert ["n/b/3.jpg", "- looks like hay/3.jpg (4 bits apart)", "- mirrored"] == rows


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [("crop.jpg", Kind.IMAGE, ReasonCode.FRAGMENT), ("film.mp4", Kind.OTHER, ReasonCode.RE_ENCODED_FILM)],
)
def test_a_distance_is_told_of_whole_pictures_only(path: str, kind: Kind, code: ReasonCode) -> None:
    """How far apart a crop and its witness are as wholes, or the nearest frames of two films, would mislead."""
    facts = (0, 0, 100, 100, 0, 0, 50, 50, 100, 0) if code is ReasonCode.FRAGMENT else ()
    known = {"evidence": Evidence.SIMILAR, "witness": "hay/x", "distance_bits": 28}
    verdict = file(f"n/{path}", FileState.SIMILAR, reasons=(Reason(code, facts),), **known)
    answer = report([verdict._replace(kind=kind)])
    shown = text(answer, files=True)
    assert "- looks like hay/x\n" in shown
    assert "apart" not in shown
    assert 28 == json.loads(text(answer, format_="json"))["files"][0]["distance_bits"]


def test_reasons_in_every_format() -> None:
    """All of a file's in one sentence, of the needle and the haystack's copy; the code is that of the first."""
    smaller = Reason(ReasonCode.SMALLER, (160, 120, 320, 240))
    split = Reason(ReasonCode.DIFFERENT_ON_YOUR_WORD, ("hay/=1.jpg", 2, "2026-11-21"))
    reasons = {"n/1.jpg": (smaller, split), "n/2.jpg": (split,), "n/3.jpg": ()}
    answer = report([file(path, FileState.MISSING, reasons=some) for path, some in reasons.items()])
    differs = "you have said that it differs from hay/=1.jpg and 2 other files, 2026-11-21"
    both = f"the haystack's copy is smaller: 160 x 120 against 320 x 240; {differs}"
    expected = [(both, "witness-smaller"), (differs, "different-on-your-word"), (None, None)]
    whole = json.loads(text(answer, format_="json"))
    assert expected == [(one["reason"], one["reason_code"]) for one in whole["files"]]
    lines = [json.loads(line) for line in text(answer, format_="jsonl").splitlines()]
    assert expected == [(one["reason"], one["reason_code"]) for one in lines if one["type"] == "file"]
    rows = csv.DictReader(io.StringIO(text(answer, format_="csv", files=True)))
    assert [(said or "", code or "") for said, code in expected] == [
        (row["reason"], row["reason_code"]) for row in rows
    ]
    table = " ".join(text(answer, files=True, width=200).split())
    assert f"n/1.jpg - {both} " in table
    assert f"n/2.jpg - {differs} " in table


@pytest.mark.parametrize("width", [40, 80, 109, 110, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    """Long paths fold; every character of them is there."""
    path = "n/" + "very long name 写真 " * 12
    answer = report([file(path + "/a", FileState.MISSING)], [folder(path, FolderState.MISSING, 0, 1)])
    lines = text(answer, width, is_terminal=True).splitlines()
    shown = "".join(character for line in lines[2:] for character in line if character == "写")
    assert "写" * 12 == shown
    assert all(sum(2 if character in "写真" else 1 for character in _plain(line)) <= width for line in lines)


def _plain(line: str) -> str:
    out, rest = "", line
    while rest:
        before, escape, rest = rest.partition("\x1b[")
        out += before
        if escape:
            rest = rest.partition("m")[2]
    return out


def test_colour_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not where NO_COLOR asks for none."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in text(ANSWER, is_terminal=True)
    assert "\x1b[31m" not in text(ANSWER)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in text(ANSWER, is_terminal=True)


@pytest.mark.parametrize("term", ["dumb", "unknown", "xterm-256color"])
@pytest.mark.parametrize("width", [60, 80, 132])
def test_any_terminal_has_the_width_that_it_has(monkeypatch: pytest.MonkeyPatch, term: str, width: int) -> None:
    """Such as the shell of Emacs, whose TERM is dumb: rich takes it to be 80 wide."""
    monkeypatch.setenv("TERM", term)
    name = "n/" + "x" * 300
    answer = report([file(f"{name}/1", FileState.MISSING)], [folder(name, FolderState.MISSING, 0, 1)])
    shown = text(answer, width, is_terminal=True)
    assert width == max(len(_plain(line)) for line in shown.splitlines())


def test_a_terminal_without_unicode() -> None:
    """Signs in ASCII, and a name that cannot be encoded is replaced."""
    answer = report([file("n/é", FileState.MISSING)], [folder("n/é", FolderState.MISSING, 0, 1)])
    shown = text(answer, encoding="ascii")
    assert "x missing" in shown
    assert "n/?" in shown


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (report([]), "There are no files among the needles."),
        (
            report([file("n/a", FileState.PRESENT)]),
            "The only file is in the haystack: every needle folder is contained.",
        ),
        (
            report([file("n/a", FileState.PRESENT)] * 1200),
            "All 1,200 files are in the haystack: every needle folder is contained.",
        ),
        (
            report([file("n/a", FileState.PRESENT)], problems=[Problem("n/l", Side.NEEDLES, "walk", "link")]),
            "1 item among the needles was skipped and may hold more; -v names all.",
        ),
        (report([file("n/a", FileState.UNREADABLE)]), "1 of 1 file (1.0 kB) is not in the haystack: 1 unreadable."),
    ],
)
def test_the_sentence(answer: Report, sentence: str) -> None:
    """One for each kind of answer."""
    assert sentence in text(answer).splitlines()


def test_contained_is_never_said_with_a_gap() -> None:
    """Something was skipped: the sentence does not say that every folder is contained."""
    gap = report([file("n/a", FileState.PRESENT)], problems=[Problem("n/l", Side.NEEDLES, "walk", "link")])
    assert "every needle folder is contained" not in text(gap)


def test_only_thins_out_json_but_not_its_summary() -> None:
    """Without --only everything is there."""
    whole = json.loads(text(ANSWER, format_="json"))
    assert (3, 3) == (len(whole["folders"]), len(whole["files"]))
    thin = json.loads(text(ANSWER, format_="json", only=["missing"]))
    assert (["n/b"], ["n/b/2.jpg"]) == tuple([one["path"] for one in thin[key]] for key in ("folders", "files"))
    assert whole["summary"] == thin["summary"]


def test_spreadsheet_formulas_are_defused() -> None:
    """A name that begins like a formula is text."""
    (row,) = csv.DictReader(io.StringIO(text(report([file("=cmd|x", FileState.MISSING)]), format_="csv", files=True)))
    assert "'=cmd|x" == row["path"]


names = st.text(st.characters(codec=None, exclude_categories=[]), min_size=1, max_size=12)


@given(names)
def test_no_name_forges_anything(name: str) -> None:
    """Whatever characters: one row in CSV, one path in JSON, one line in paths, no control character in the table."""
    name = name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")  # as a file system could have it
    answer = report([file(f"n/{name}", FileState.MISSING)])
    assert 1 == len(list(csv.DictReader(io.StringIO(text(answer, format_="csv", files=True), newline=""))))
    assert 1 == len(json.loads(text(answer, format_="json"))["files"])
    assert 1 == render(answer, make_report_settings(format_="paths", files=True), Screen()).count(b"\n")
    table = text(answer, files=True)
    assert not {"\x1b", "\r", "\u202e", "\x9b", "\u2028"} & set(table)


@given(names)
def test_printable_is_printable(name: str) -> None:
    """Nothing that a terminal obeys is left, and what was harmless is unchanged."""
    shown = printable(name)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in shown}
    assert shown == printable(shown)


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9949, "9.9 kB"), (9950, "10 kB"), (999_499, "999 kB"),
     (999_500, "1.0 MB"), (38_800_000_000, "39 GB"), (10**18, "1000 PB")],
)  # fmt: skip
def test_sizes(size_bytes: int, expected: str) -> None:
    """Three figures at most, and no step is left out."""
    assert expected == size(size_bytes)


def test_words() -> None:
    """Counts and replaced bytes."""
    assert ("1 file", "0 files") == (count(1, "file"), count(0, "file"))
    assert "bad\ufffd" == valid_text("bad\udcff")


def since(**changed: Any) -> Changes:
    """What has changed since an earlier report: by default the folder ``n/b`` and one of its files."""
    values: dict[str, Any] = {
        "since": "2026-11-20T03:00:00+00:00",
        "folders": {"n/b": FolderState.REVIEW},
        "files": {"n/b/2.jpg": None},
        "shown": frozenset({"n/b"}),
        "gone_folders": [],
        "gone_files": [],
    }
    return Changes(**{**values, **changed})


def of_changes(changes: Changes, **options: Any) -> str:
    """The report of changes as text."""
    settings = make_report_settings(is_of_changes=True, **options)
    return render(ANSWER, settings, Screen(), changes).decode()


def test_the_table_of_changes() -> None:
    """What has changed with what it was, what is gone, the sums, and the sums of the whole as ever."""
    rows = of_changes(since(gone_folders=["n/x\n"], gone_files=["n/x\n/1.jpg", "n/3.jpg"])).splitlines()
    assert ["✗ missing", "review", "n/b"] == [re.split("  +", rows[2])[place] for place in (0, 1, -1)]
    assert [
        "",
        r"Gone: n/x\n",
        "Gone: n/3.jpg",
        "Since the report of 2026-11-20 03:00: 1 folder with another verdict, 1 folder gone, 1 new file, 2 files gone.",
        "",
    ] == rows[3:8]
    assert rows[8].startswith("2 of 3 files")
    rows = of_changes(since(), files=True).splitlines()
    assert ["✗ missing", "new", "n/b/2.jpg"] == [re.split("  +", rows[2])[place] for place in (0, 1, -1)]
    many = of_changes(since(gone_folders=[f"n/{number:02}" for number in range(15)]))
    assert "Gone: n/09\nGone: 5 more\n" in many


def test_no_changes_are_no_table() -> None:
    """What cron would send is empty."""
    nothing = since(folders={}, files={}, shown=frozenset())
    assert of_changes(nothing) == of_changes(nothing, format_="paths") == ""
    assert not json.loads(of_changes(nothing, format_="json"))["folders"]


def test_only_files_have_changed() -> None:
    """Where folders are listed there is none to list: the files are named, what is missing first, and what is gone."""
    changes = since(folders={}, shown=frozenset(), gone_files=["n/3\n.jpg"])
    rows = of_changes(changes).splitlines()
    assert ["✗ missing", "new", "n/b/2.jpg"] == [re.split("  +", rows[2])[place] for place in (0, 1, -1)]
    assert ["", r"Gone: n/3\n.jpg", "Since the report of 2026-11-20 03:00: 1 new file, 1 file gone."] == rows[3:6]
    both = {"n/b/2.jpg": None, "n/a/1.jpg": FileState.MISSING}
    rows = [
        re.split("  +", row)[-1] for row in of_changes(since(folders={}, shown=frozenset(), files=both)).splitlines()
    ]
    assert rows.index("n/b/2.jpg") < rows.index("n/a/1.jpg")


def test_many_files_in_a_folder_whose_verdict_stays() -> None:
    """Some are named, the others counted."""
    files = [file(f"n/{number:03}.jpg", FileState.MISSING) for number in range(30)]
    answer = report(files, [folder("n", FolderState.MISSING)])
    changes = since(folders={}, shown=frozenset(), files=dict.fromkeys(one.path for one in files))
    text = render(answer, make_report_settings(is_of_changes=True), Screen(), changes).decode()
    assert (True, False) == ("n/019.jpg" in text, "n/020.jpg" in text)
    assert "... and 10 more files in folders whose verdict stays: --files lists them.\n" in text


def test_another_question_than_in_the_report_before() -> None:
    """What is news for that alone has a line that says so."""
    line = "The baseline was made with other settings, which may change verdicts: needles, accept."
    assert line in of_changes(since(other_settings=("needles", "accept"))).splitlines()
    whole = json.loads(of_changes(since(other_settings=("needles",)), format_="json"))
    assert ["needles"] == whole["baseline"]["other_settings"]


def test_changes_in_all_other_formats() -> None:
    """Rows that have changed, and what they were."""
    changes = since(gone_files=["n/\udcff.jpg"])
    whole = json.loads(of_changes(changes, format_="json"))
    assert [("n/b", "missing", "review")] == [(one["path"], one["verdict"], one["was"]) for one in whole["folders"]]
    assert [("n/b/2.jpg", "missing", None)] == [(one["path"], one["verdict"], one["was"]) for one in whole["files"]]
    gone = [{"path": "n/\ufffd.jpg", "path_bytes": "bi//LmpwZw=="}]
    before = {"started": "2026-11-20T03:00:00+00:00", "other_settings": [], "gone": {"folders": [], "files": gone}}
    assert before == whole["baseline"]
    assert 3 == sum(whole["summary"]["files"].values())
    lines = [json.loads(line) for line in of_changes(changes, format_="jsonl").splitlines()]
    assert ["file", "folder", "summary"] == [line["type"] for line in lines]
    assert whole["baseline"] == lines[2]["baseline"]
    (row,) = csv.DictReader(io.StringIO(of_changes(changes, format_="csv")))
    assert ("n/b", "review") == (row["path"], row["was"])
    (row,) = csv.DictReader(io.StringIO(of_changes(changes, format_="csv", files=True)))
    assert ("n/b/2.jpg", "") == (row["path"], row["was"])
    assert "n/b\n" == of_changes(changes, format_="paths")
    assert "" == of_changes(changes, format_="paths", only=["contained"])
