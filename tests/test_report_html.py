"""The page of a scan, without a browser: what stands in it, what is bounded, and that no name becomes markup."""

from __future__ import annotations

import dataclasses

import pytest

from dupfind.answers.decisions import Decision, Mark, Ruling
from dupfind.answers.page import Nearest, PageContents, Preview, Sight
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import html
from dupfind.report.reasons import sentence
from dupfind.report.text import catalog_line
from dupfind.values import Evidence, FileState, FolderState, Problem, Report, Side
from tests.helpers.report_pages import CATALOG, EVIL, block, words
from tests.helpers.reports import ANSWER, file, folder, reading, report

PREVIEW = Preview(b"picture", 640, 480, "2006:12:25 10:00:00")
SEEN = PageContents(
    {
        "n/b/2.jpg": Sight(1000, PREVIEW, None, b"\x01" * 32),
        "n/b/3.jpg": Sight(1000, None, "cannot be decoded: <b>", None),
        "hay/3.jpg": Sight(5_000_000, PREVIEW, None, b"\x02" * 32),
    },
    {"n/b/2.jpg": Nearest("hay/3.jpg", 20, (Reason(ReasonCode.UNLIKE),))},
)


def test_the_answer_on_top() -> None:
    """Counts and sizes by verdict, what to do next, when, which roots, which settings, how long."""
    shown = words(html.render(ANSWER, SEEN))
    for part in (
        "2 of 3 files (2.0 kB) are not in the haystack",
        "✗ missing 1 2.0 kB ± partial 1 0 B ≈ review 0 0 B ✓ contained 1 1.0 kB",
        "≈ similar 1 1.0 kB ✗ missing 1 1.0 kB ! unreadable 0 0 B ✓ present 1 1.0 kB",
        "Look at 1 similar file below, and decide: same or different.",
        "Bring 1 missing file over, or decide that it is not wanted. To list it, add --only missing --files",
        "1 folder is contained: all that it holds is in the haystack. To list it, add --only contained",
        "When 2026-11-21 12:00, in 1.5 s",
        "Haystack hay (9 files, 7 pictures, 1 unreadable picture)",
        "Needles n",
        "Search phash, up to 8 bits of 64 apart",
        "Present by evidence “same” or stronger",
        "Turned copies looked for",
    ):
        assert part in shown


def test_the_folders_to_be_listed_are_as_many_as_are_listed() -> None:
    """All contained ones are counted, and the top-most are what ``--only contained`` lists; numbers agree."""
    top = folder("n/a", FolderState.CONTAINED, 3)
    below = [dataclasses.replace(top, path=f"n/a/{number}", is_shown=False) for number in range(2)]
    files = [file(f"n/a/{name}", FileState.PRESENT) for name in ("x", "0/y", "1/z")]
    files += [file(f"n/{number}.jpg", state) for state in (FileState.UNREADABLE, FileState.MISSING) for number in "12"]
    shown = words(html.render(report(files, [folder("n", FolderState.PARTIAL, 3, 2), top, *below]), PageContents()))
    assert (
        "3 folders are contained: all that they hold is in the haystack. To list the topmost one, add --only contained"
    ) in shown
    below[0] = dataclasses.replace(below[0], is_shown=True)
    two = words(html.render(report(files, [folder("n", FolderState.PARTIAL, 3, 2), top, *below]), PageContents()))
    assert "To list the 2 topmost ones, add --only contained" in two
    assert "Open 2 unreadable files with another program: nothing is known of what they show." in shown
    assert "Bring 2 missing files over, or decide that they are not wanted. To list them, add" in shown
    unwanted = dataclasses.replace(top, unwanted=1)
    lone = [file("n/a/x", FileState.UNWANTED), file("n/1.jpg", FileState.UNREADABLE)]
    shown = words(html.render(report(lone, [folder("n", FolderState.PARTIAL), unwanted]), PageContents()))
    assert "1 folder is contained: all that it holds is in the haystack or not wanted. To list it, add" in shown
    assert "Open 1 unreadable file with another program: nothing is known of what it shows." in shown


def test_files_of_a_list_lie_in_no_folder() -> None:
    """They are counted as files, and no folder's size is theirs."""
    files = [file("elsewhere/1.jpg", FileState.MISSING), file("2.jpg", FileState.MISSING)]
    shown = words(html.render(report(files, []), PageContents()))
    assert "✗ missing 0 0 B ± partial 0 0 B ≈ review 0 0 B ✓ contained 0 0 B" in shown
    assert "✗ missing 2 2.0 kB" in shown


def test_capture_times_are_spelt_alike() -> None:
    """In reasons as below the pictures; what is no such time, as in a name, stays as it is."""
    times = Reason(ReasonCode.CAPTURE_TIME, ("2007:07:01 16:14:22", "2007:07:01 16:14:24"))
    path = Reason(ReasonCode.SAME_ON_YOUR_WORD, ("a/2007:07:01 16:14:22", "2026-11-21"))
    files = [file("n/b/2.jpg", FileState.MISSING, reasons=(path, times))]
    seen = dataclasses.replace(SEEN, nearest={"n/b/2.jpg": Nearest("hay/3.jpg", 2, (path, times))})
    page = html.render(report(files, [folder("n", FolderState.MISSING), folder("n/b", FolderState.MISSING)]), seen)
    (row,) = block(page, "data")["files"]
    assert row["reason"] == row["why"] == f"{sentence(path)}; {sentence(times)}"
    assert "a/2007:07:01 16:14:22 on your word" in row["reason"]
    assert row["reason"].endswith("taken at another time: 2007-07-01 16:14:22 and 2007-07-01 16:14:24")


GAP = Problem("n/x", Side.NEEDLES, "walk", "excluded")


@pytest.mark.parametrize(
    ("files", "problems", "headline"),
    [
        ([], [], "There are no files among the needles"),
        ([FileState.PRESENT], [], "The only file is in the haystack"),
        ([FileState.PRESENT] * 1200, [], "All 1,200 files are in the haystack"),
        ([FileState.PRESENT], [GAP], "What could be looked at is in the haystack"),
        ([FileState.MISSING], [], "1 of 1 file (1.0 kB) is not in the haystack"),
    ],
)  # fmt: skip
def test_the_headline(files: list[FileState], problems: list[Problem], headline: str) -> None:
    """One sentence, never more than is known."""
    answer = report([file(f"n/{number}", state) for number, state in enumerate(files)],
                    [folder("n", FolderState.PARTIAL, 1, 1)], problems)  # fmt: skip
    page = html.render(answer, PageContents())
    assert f"<h1>{headline}</h1>" in page.decode()
    assert ("skipped, below" in words(page)) == bool(problems)
    assert block(page, "data")["nothing"] == ("" if FileState.MISSING in files else headline)


def test_what_the_script_is_given() -> None:
    """Files that are not present with all that is known of them, the decidable ones first; present ones apart."""
    page = html.render(ANSWER, SEEN)
    data = block(page, "data")
    known = {"size": 1000, "bytes": "1.0 kB", "kind": "image"}
    assert data["files"] == [
        {"path": "n/b/3.jpg", "verdict": "similar", "other": "hay/3.jpg", "evidence": "similar", "bits": 4,
         "reason": "mirrored", "at": 1, "otherAt": 2, **known},
        {"path": "n/b/2.jpg", "verdict": "missing", "other": "hay/3.jpg", "bits": 20,
         "why": "unlike each other", "at": 0, "otherAt": 2, **known},
    ]  # fmt: skip
    assert data["present"] == [["n/a/1.jpg", "1.0 kB", "identical", "hay/1.jpg", None]]
    assert [row[:2] for row in data["folders"]] == [["n", "partial"], ["n/a", "contained"], ["n/b", "missing"]]
    seen = {"picture": 0, "width": 640, "height": 480, "taken": "2006:12:25 10:00:00"}
    assert data["sights"] == [
        {"size": 1000, "bytes": "1.0 kB", "digest": "01" * 32, **seen},
        {"size": 1000, "bytes": "1.0 kB", "why": "cannot be decoded: <b>"},
        {"size": 5_000_000, "bytes": "5.0 MB", "digest": "02" * 32, **seen},
    ]
    assert block(page, "pictures") == ["cGljdHVyZQ=="]  # once, though two files show it


def test_what_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files without a picture come last; lists end somewhere, the least urgent folders first."""
    shown = words(html.render(ANSWER, PageContents()))
    assert "2 files have no picture here and cannot be decided: --html-pictures takes more." in shown
    monkeypatch.setattr(html, "MOST_ROWS", 1)
    page = html.render(ANSWER, dataclasses.replace(SEEN, sights={"n/b/2.jpg": SEEN.sights["n/b/2.jpg"]}))
    data = block(page, "data")
    assert [one["path"] for one in data["files"]] == ["n/b/2.jpg"]
    assert [row[0] for row in data["folders"]] == ["n/b"]
    for line in (
        "Of 2 files that are not present, 1 are listed; --save FILE writes all.",
        "Of 3 folders, 1 are listed; --save FILE writes all.",
        "1 file has no picture here",
    ):
        assert line in words(page)


def test_folders_below_a_contained_one_are_not_listed() -> None:
    """They only repeat what it says."""
    folders = [folder(path, FolderState.CONTAINED, 1) for path in ("n", "n/a", "n/a/b")]
    page = html.render(report([file("n/a/b/1", FileState.PRESENT)], folders), PageContents())
    assert [row[0] for row in block(page, "data")["folders"]] == ["n"]
    assert "2 folders below a contained one are not listed." in words(page)
    page = html.render(report([file("n/a/b/1", FileState.PRESENT)], folders[:2]), PageContents())
    assert "1 folder below a contained one is not listed." in words(page)


@pytest.mark.parametrize("offered", [[], ["import"], ["clean"], ["import", "clean"]], ids=str)
def test_what_to_do_next_where_a_button_does_it(offered: list[str]) -> None:
    """The live page names its button, and no option of another command for the same."""
    steps = html.next_steps(ANSWER, offered)
    options = {option for _, option in steps if option}
    assert ("--only missing --files" in options) == ("import" not in offered)
    assert ("--only contained" in options) == ("clean" not in offered)
    text = " ".join(text for text, _ in steps)
    assert ("Bring 1 missing file over by “Import what is missing”" in text) == ("import" in offered)
    assert ("“Move away what is contained” shows first what can go." in text) == ("clean" in offered)


def test_what_to_do_next_names_what_acts() -> None:
    """The page of a scan gives the two commands whole, with the options of the scan; nothing else offers them."""
    scanned = ["dupfind", "scan", "--haystack", "my photos", "--needles", "n"]
    options = [option for _, option in html.next_steps(ANSWER, (), scanned) if option]
    assert "dupfind import --haystack 'my photos' --needles n --to hay/Import" in options
    assert "dupfind clean --haystack 'my photos' --needles n --trash" in options
    smaller = (Reason(ReasonCode.SMALLER, (320, 240, 640, 480)),)
    better = report([file("n/a.jpg", FileState.SIMILAR, witness="hay/a.jpg", reasons=smaller)])
    steps = html.next_steps(better, (), scanned)
    assert ("run", "dupfind scan --haystack 'my photos' --needles n --only better") in [
        (text.split()[-1], option) for text, option in steps
    ]
    page = words(html.render(ANSWER, PageContents(), again=scanned))
    assert "To see what can go, before anything is moved, run dupfind clean" in page
    quick = dataclasses.replace(ANSWER, settings=dataclasses.replace(ANSWER.settings, quick=True))
    options = [option for _, option in html.next_steps(quick, (), [*scanned, "--quick"]) if option]
    assert not any(option.startswith("dupfind") for option in options)


def test_problems_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open where they are gaps among the needles, and counted where there are too many."""
    problems = [Problem(f"n/{number}", Side.NEEDLES, "walk", "excluded") for number in range(3)]
    page = html.render(
        report([file("n/1", FileState.PRESENT)], [folder("n", FolderState.PARTIAL, 1)], problems), PageContents()
    )
    assert '<details class="facts" id="problems" open>' in page.decode()
    assert "skipped (3) n/0 needles, walk: excluded" in words(page)
    monkeypatch.setattr(html, "MOST_PROBLEMS", 2)
    problems = [Problem(f"hay/{number}", Side.HAYSTACK, "thumbnail", "truncated") for number in range(3)]
    page = html.render(
        report([file("n/1", FileState.PRESENT)], [folder("n", FolderState.CONTAINED, 1)], problems), PageContents()
    )
    assert '<details class="facts" id="problems">' in page.decode()
    assert words(page).count("truncated") == 2
    assert "1 more" in words(page)


def test_no_name_becomes_markup() -> None:
    """Wherever a name, a reason or a root of the user's stands."""
    settings = dataclasses.replace(ANSWER.settings, haystack=(EVIL,), needles=(EVIL,))
    answer: Report = dataclasses.replace(
        ANSWER,
        settings=settings,
        files=[file(f"n/{EVIL}", FileState.SIMILAR, evidence=Evidence.SIMILAR, witness=EVIL, reasons=reading(EVIL))],
        folders=[folder("n", FolderState.REVIEW), folder(f"n/{EVIL.partition('/')[0]}", FolderState.REVIEW)],
        problems=[Problem(EVIL, Side.HAYSTACK, "walk", EVIL)],
    )
    answer.folders.append(folder(f"n/{EVIL}".rpartition("/")[0], FolderState.REVIEW))
    seen = PageContents({f"n/{EVIL}": Sight(1, PREVIEW, EVIL, b"1"), EVIL: Sight(1, None, EVIL, None)})
    page = html.render(answer, seen).decode()
    assert page.count("<script") == 3
    assert page.count("</script>") == 3
    assert "<img" not in page
    assert "\u202e" not in page
    assert "7*7" in page
    (row,) = block(page.encode(), "data")["files"]
    assert row["path"] == "n/" + EVIL.replace("\u202e", "\\u202e").replace("\n", "\\n").replace("\udcff", "\ufffd")
    copy = block(page.encode(), "data")["sights"][row["at"]]["copy"]
    assert copy.startswith("$'n/</script>")
    assert copy.endswith(r"\xe2\x80\xae\n\xff'")


def test_what_rests_on_a_word() -> None:
    """It is told on top, counted by folder, and listed with the decision, so that it can be taken back."""
    mark = Mark(b"\x05" * 32, 7, "n/a/1.jpg")
    same = Decision(Ruling.SAME, mark, mark._replace(digest=b"\x06" * 32), Evidence.SIMILAR, 4, "2026-11-21")
    other = Decision(Ruling.NOT_WANTED, mark._replace(digest=b"\x07" * 32), None, None, None, "2026-11-21")
    files = [
        file(
            "n/1.jpg",
            FileState.PRESENT,
            evidence=Evidence.SIMILAR,
            witness="hay/1",
            distance_bits=4,
            reasons=(Reason(ReasonCode.SAME_ON_YOUR_WORD, ("hay/1", "2026-11-21")),),
        ),
        file("n/2.jpg", FileState.UNWANTED, reasons=(Reason(ReasonCode.UNWANTED_ON_YOUR_WORD, ("2026-11-21",)),)),
    ]
    answer = dataclasses.replace(
        report(files, [dataclasses.replace(folder("n", FolderState.CONTAINED, 1), unwanted=1, decided=2)]),
        decided={"n/1.jpg": "same", "n/2.jpg": "not-wanted"},
    )
    page = html.render(answer, PageContents(), {"n/1.jpg": same, "n/2.jpg": other}, (same, other, same))
    assert "All 2 files are in the haystack or not wanted" in words(page)
    assert (
        "Of 3 decisions that you have made, verdicts rest on your word for 1 file as the same picture, "
        "0 files as different and 1 file as not wanted." in words(page)
    )
    assert "✎ unwanted 1 1.0 kB" in words(page)
    data = block(page, "data")
    assert data["folders"][0][-1] == 2
    assert data["files"] == []
    assert [(one["path"], one["word"], one["digest"], one.get("witness")) for one in data["decided"]] == [
        ("n/1.jpg", "same", "05" * 32, "06" * 32),
        ("n/2.jpg", "not-wanted", "07" * 32, None),
    ]
    assert [one["decision"] for one in data["given"]] == ["same", "not-wanted", "same"]
    assert "2 decided files have no picture here: --html-pictures takes more." in words(page)
    seen = PageContents(
        {path: Sight(1, PREVIEW, None, b"\x05" * 32) for path in ("n/1.jpg", "hay/1")}, turns={("n/1.jpg", "hay/1"): 5}
    )
    page = html.render(answer, seen, {"n/1.jpg": same, "n/2.jpg": other}, (same, other))
    first, second = block(page, "data")["decided"]
    assert (first["at"], first["otherAt"], first["turn"]) == (0, 1, 5)
    assert second.keys().isdisjoint({"at", "otherAt", "turn"})
    assert "1 decided file has no picture here: --html-pictures takes more." in words(page)


def test_what_a_file_was_split_from() -> None:
    """Beside the nearest, where that is another."""
    files = [file("n/b/2.jpg", FileState.MISSING, reasons=(Reason(ReasonCode.DIFFERENT_ON_YOUR_WORD),))]
    answer = report(files, [folder("n/b", FolderState.MISSING)])
    mark = Mark(b"\x05" * 32, 7, "n/b/2.jpg")
    said_so = Decision(Ruling.DIFFERENT, mark, mark._replace(digest=b"\x06" * 32), None, None, "2026-11-21")
    for other, expected in (("hay/4.jpg", {"path": "hay/4.jpg"}), ("hay/3.jpg", None)):
        seen = dataclasses.replace(SEEN, split={"n/b/2.jpg": other})
        (row,) = block(html.render(answer, seen, {"n/b/2.jpg": said_so}, (said_so,)), "data")["files"]
        assert (row["other"], row.get("from")) == ("hay/3.jpg", expected)


def test_what_the_answer_rests_on_is_told() -> None:
    """A catalog, and how old it is."""
    answer = dataclasses.replace(ANSWER, catalogs=(CATALOG,))
    assert f"{catalog_line(CATALOG)} 2 files have no picture here" in words(html.render(answer, PageContents()))
