"""Decisions in a scan: they are about bytes, they prove no more than was said, and what has changed is undecided."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.answers.decisions import Decision, Mark, Ruling
from dupfind.answers.findings import Findings
from dupfind.events import Silence
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import sentence, sentences
from dupfind.scanning import apply_decisions
from dupfind.scanning.apply_decisions import Standing
from dupfind.values import Evidence, Failure, FolderState, Match, Report
from fixtures import pictures
from tests.helpers.decisions import WHEN, word
from tests.helpers.scans import one_thread, settings

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO, OTHER = pictures.photo(1, (640, 480)), pictures.photo(2, (640, 480))
SMALL, SMALLER = PHOTO.resize((480, 360)), PHOTO.resize((320, 240))


class Told(Silence):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)


def scan(haystack: Path, needles: Path, *words: Decision, told: Told | None = None, **options: Any) -> Report:
    """A scan that goes by these decisions."""
    return pipeline.scan_trees(settings(haystack, needles, **options), told, one_thread, words).report


def verdicts(report: Report) -> dict[str, tuple[str, str | None, str | None]]:
    """By name: verdict, name of the witness, reason."""
    return {
        os.path.basename(one.path): (
            one.state.value,
            one.witness and os.path.basename(one.witness),
            sentences(one.reasons),
        )
        for one in report.files
    }


def test_a_pair_that_is_the_same(tree: TreeBuilder) -> None:
    """The needle is present on the person's word, wherever the two lie by now, and the report says so."""
    haystack, needles = tree("hay", {"small.png": SMALL}), tree("n", {"a.png": PHOTO, "b.png": PHOTO, "c.png": OTHER})
    said = word("same", needles / "a.png", haystack / "small.png")
    (haystack / "moved").mkdir()
    (haystack / "small.png").rename(haystack / "moved" / "else.png")
    report = scan(haystack, needles, said)
    found = verdicts(report)
    for name in ("a.png", "b.png"):  # the same bytes twice
        assert found[name][:2] == ("present", "else.png")
        assert found[name][2] == f"the same picture as {haystack}/moved/else.png on your word, 2026-11-21"
    assert found["c.png"][0] == "missing"
    assert report.decided == {str(needles / "a.png"): "same", str(needles / "b.png"): "same"}
    (folder,) = report.folders
    assert (FolderState.PARTIAL, 2, 1, 2) == (folder.state, folder.present, folder.missing, folder.decided)
    assert ("similar", "present") == (report.files[0].evidence, report.files[0].state)


def test_a_missing_needle_and_its_nearest(tree: TreeBuilder) -> None:
    """A person may see what no test does."""
    haystack, needles = tree("hay", {"h.png": OTHER}), tree("n", {"a.png": PHOTO})
    report = scan(haystack, needles, word("same", needles / "a.png", haystack / "h.png", None))
    assert verdicts(report)["a.png"][:2] == ("present", "h.png")
    assert report.is_complete


@pytest.mark.parametrize("change", ["needle", "witness", "witness gone", "needle grown"])
def test_what_was_changed_is_undecided(tree: TreeBuilder, change: str) -> None:
    """One other byte on either side, and nobody has said anything of it; also where size and name are as before."""
    haystack, needles = tree("hay", {"h.png": SMALL}), tree("n", {"a.png": PHOTO})
    said = [word("same", needles / "a.png", haystack / "h.png")]
    if change == "witness gone":
        (haystack / "h.png").unlink()
        tree("hay", {"other.png": SMALLER})
    else:
        path = haystack / "h.png" if change == "witness" else needles / "a.png"
        content = path.read_bytes()
        marked = content.replace(b"IEND", b"IENE") if "grown" not in change else content + b"\0"
        path.write_bytes(marked)
    told = Told()
    report = scan(haystack, needles, *said, told=told)
    assert verdicts(report)["a.png"][0] != "present"
    assert report.decided == {}
    assert told.warnings == ["1 of 1 decisions is about files that this scan did not meet"]


@pytest.mark.parametrize("code", [ReasonCode.FRAGMENT, ReasonCode.FILM_PART, ReasonCode.RE_ENCODED_FILM])
@pytest.mark.parametrize("ruling", ["same", "not-wanted"])
def test_what_is_never_present_is_settled_by_a_word(tmp_path: Path, code: ReasonCode, ruling: str) -> None:
    """Also where what is similar is accepted: a part and a film that looks alike are no proofs then either."""
    for name in ("needle", "witness"):
        (tmp_path / name).write_text(name)
    said = word(ruling, tmp_path / "needle", None if ruling == "not-wanted" else tmp_path / "witness")
    match = Match("/h/a.jpg", Evidence.SIMILAR, 5, Reason(code))
    standing = Standing({}, {"/n/a.jpg": said}, {}, frozenset())
    if ruling == "same":
        standing = Standing({"/n/a.jpg": ("/h/a.jpg", said)}, {}, {}, frozenset())
    findings = Findings({"/n/a.jpg": match}, {}, frozenset({"/n/a.jpg"}), 1)
    after = apply_decisions.apply(findings, standing, Evidence.SIMILAR, str)
    assert {"/n/a.jpg": said} == after.words


def test_a_pair_that_is_different(tree: TreeBuilder) -> None:
    """It falls to its next witness; without one it is missing; other needles keep theirs; copies of the bytes count."""
    haystack = tree("hay", {"a.png": SMALL, "copy.png": SMALL, "b.png": SMALLER})
    needles = tree("n", {"a.png": PHOTO, "b.jpg": PHOTO})
    first = word("different", needles / "a.png", haystack / "a.png")
    smaller = "the haystack's copy is smaller: 320 x 240 against 640 x 480"
    parting = f"you have said that it differs from {haystack}/a.png"
    assert verdicts(scan(haystack, needles, first)) | {"b.jpg": ()} == {
        "a.png": ("similar", "b.png", f"{smaller}; {parting} and 1 other file, 2026-11-21"), "b.jpg": (),
    }  # fmt: skip
    second = word("different", needles / "a.png", haystack / "b.png")
    report = scan(haystack, needles, first, second)
    found = verdicts(report)
    assert found["a.png"] == ("missing", None, f"{parting} and 2 other files, 2026-11-21")
    assert found["b.jpg"][1:] == ("a.png", "the haystack's copy is smaller: 480 x 360 against 640 x 480")
    assert report.decided == {str(needles / "a.png"): "different"}
    assert [one.decided for one in report.folders] == [1]


def test_what_parts_nothing_leaves_no_mark(tree: TreeBuilder) -> None:
    """A pair is not told of where the needle is proved otherwise, not wanted, there on another word, or unreadable."""
    broken = b"\xff\xd8\xff\xe0 broken"
    haystack = tree("hay", {"a.png": SMALL, "b.png": SMALLER, "c.jpg": OTHER})
    needles = tree("n", {"a.png": PHOTO, "c.jpg": OTHER, "d.jpg": broken})
    for extra in (word("same", needles / "a.png", haystack / "b.png"), word("not-wanted", needles / "a.png")):
        report = scan(haystack, needles, word("different", needles / "a.png", haystack / "a.png"), extra)
        assert report.decided == {str(needles / "a.png"): extra.ruling.value}
        assert "differs" not in (verdicts(report)["a.png"][2] or "")
    for name in ("c.jpg", "d.jpg"):
        report = scan(haystack, needles, word("different", needles / name, haystack / "a.png"))
        assert report.decided == {}


def test_the_split_witness_that_is_named() -> None:
    """That which the scan had thought most of, whatever the order of the decisions."""
    pairs = [("/a", None), ("/c", Evidence.SAME), ("/b", Evidence.SIMILAR)]
    words = [(path, said(Ruling.DIFFERENT)._replace(evidence=grade)) for path, grade in pairs]
    assert min(words, key=apply_decisions._weight)[0] == "/c"
    assert min(words[::2], key=apply_decisions._weight)[0] == "/b"


def test_a_frame_does_not_bring_it_back(tree: TreeBuilder) -> None:
    """What is found without frames is split likewise."""
    framed = Image.new("RGB", (760, 600), "white")
    framed.paste(PHOTO, (60, 60))
    haystack, needles = tree("hay", {"f.png": framed, "g.jpg": framed}), tree("n", {"a.png": PHOTO})
    assert verdicts(scan(haystack, needles))["a.png"][:2] == ("similar", "f.png")
    said = [word("different", needles / "a.png", haystack / "f.png")]
    assert verdicts(scan(haystack, needles, *said))["a.png"][:2] == ("similar", "g.jpg")
    said.append(word("different", needles / "a.png", haystack / "g.jpg"))
    last = f"you have said that it differs from {haystack}/f.png and 1 other file, 2026-11-21"
    assert verdicts(scan(haystack, needles, *said))["a.png"] == ("missing", None, last)


@pytest.mark.slow
def test_a_proof_that_was_wrong_makes_the_next_one_doubtful(tree: TreeBuilder) -> None:
    """Where a person has split what passed for the same picture, a copy of that proves nothing; bytes still do."""
    haystack, needles = tree("hay", {"a.png": PHOTO, "b.webp": PHOTO}), tree("n", {"a.jpg": PHOTO})
    assert verdicts(scan(haystack, needles))["a.jpg"][:2] == ("present", "a.png")
    said = word("different", needles / "a.jpg", haystack / "a.png", "same")
    found = verdicts(scan(haystack, needles, said))["a.jpg"]
    assert found[:2] == ("similar", "b.webp")
    doubt = sentence(Reason(ReasonCode.DOUBTED_ON_YOUR_WORD))
    assert f"{doubt}; you have said that it differs from {haystack}/a.png, 2026-11-21" == found[2]
    weaker = word("different", needles / "a.jpg", haystack / "a.png")
    assert verdicts(scan(haystack, needles, weaker))["a.jpg"][:2] == ("present", "b.webp")
    (haystack / "c.jpg").write_bytes((needles / "a.jpg").read_bytes())
    assert verdicts(scan(haystack, needles, said))["a.jpg"][:2] == ("present", "c.jpg")


def test_what_is_not_wanted(tree: TreeBuilder) -> None:
    """It is neither present nor missing; it may be anything that can be read; what is present needs no word."""
    haystack = tree("hay", {"a.png": PHOTO, "t.txt": b"text"})
    needles = tree("n", {
        "in/a.png": PHOTO, "in/b.png": OTHER, "in/c.jpg": b"\xff\xd8\xff\xe0 broken", "in/d.txt": b"other",
        "e/f.txt": b"x",
    })  # fmt: skip
    said = [word("not-wanted", needles / "in" / name) for name in ("a.png", "b.png", "c.jpg", "d.txt")]
    report = scan(haystack, needles, *said)
    found = verdicts(report)
    assert found["a.png"] == ("present", "a.png", None)
    assert {name: found[name][0] for name in ("b.png", "c.jpg", "d.txt")} == dict.fromkeys(
        ("b.png", "c.jpg", "d.txt"), "unwanted"
    )
    assert found["b.png"][2] == "not wanted on your word, 2026-11-21"
    assert {os.path.basename(path) for path in report.decided or ()} == {"b.png", "c.jpg", "d.txt"}
    folders = {os.path.basename(one.path): one for one in report.folders}
    assert {"n": "partial", "in": "contained", "e": "missing"} == {name: one.state for name, one in folders.items()}
    assert (1, 3, 3) == (folders["in"].present, folders["in"].unwanted, folders["in"].decided)
    assert folders["in"].bytes_not_present == 0
    assert folders["n"].bytes_not_present == 1  # f.txt
    assert not report.is_complete
    report = scan(haystack, needles, *said, word("not-wanted", needles / "e" / "f.txt"))
    assert report.is_complete


def test_no_word_makes_a_picture_of_what_is_none(tree: TreeBuilder) -> None:
    """Texts are present by their bytes, and what cannot be decoded was seen by nobody."""
    haystack = tree("hay", {"a.png": PHOTO})
    needles = tree("n", {"c.jpg": b"\xff\xd8\xff\xe0 broken", "d.txt": b"other", "e.png": OTHER})
    said = [word("same", needles / name, haystack / "a.png") for name in ("c.jpg", "d.txt")]
    report = scan(haystack, needles, *said)
    assert [one[0] for one in verdicts(report).values()] == ["unreadable", "missing", "missing"]
    assert report.decided == {}


def test_nothing_of_it_is_remembered(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan without the decisions gives what it gave before, also from memory, and one with them is not from there."""
    for name in ("cache", "result_cache"):
        monkeypatch.setattr(f"dupfind.cache.{name}._RACY_NS", 0)  # the files are seconds old
    haystack, needles = tree("hay", {"h.png": SMALL}), tree("n", {"a.png": PHOTO})
    said = word("same", needles / "a.png", haystack / "h.png")
    cache = str(tmp_path / "cache.sqlite")
    runs = [scan(haystack, needles, *words, cache=cache) for words in ((said,), (), (), (said,), ())]
    assert [verdicts(one)["a.png"][0] for one in runs] == ["present", "similar", "similar", "present", "similar"]
    assert ["your word" in (verdicts(one)["a.png"][2] or "") for one in runs] == [True, False, False, True, False]


def test_paranoid_reads_the_bytes_again(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest that the cache remembers is not enough there."""
    monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
    haystack, needles = tree("hay", {"h.png": SMALL}), tree("n", {"a.png": PHOTO})
    said = word("same", needles / "a.png", haystack / "h.png")
    cache = str(tmp_path / "cache.sqlite")
    assert verdicts(scan(haystack, needles, said, cache=cache))["a.png"][0] == "present"
    monkeypatch.setattr("dupfind.pool.tasks.read_digests", lambda entries: pytest.fail("read"))
    assert verdicts(scan(haystack, needles, said, cache=cache))["a.png"][0] == "present"
    with pytest.raises(pytest.fail.Exception):
        scan(haystack, needles, said, cache=cache, paranoid=True)


def applied(match: Match | None, standing: Standing, **found: Any) -> Findings:
    """What becomes of one needle's findings."""
    values: dict[str, Any] = {"failures": {}, "pictures": frozenset(["/n"]), "haystack_pictures": 1, **found}
    findings = Findings({"/n": match} if match else {}, **values)
    return apply_decisions.apply(findings, standing, Evidence.SAME, str)


def said(ruling: Ruling) -> Decision:
    """A decision on the needle."""
    witness = None if ruling is Ruling.NOT_WANTED else Mark(b"w", 1, "h")
    return Decision(ruling, Mark(b"n", 1, "n"), witness, Evidence.SIMILAR, 9, WHEN)


def test_whose_distance_is_told() -> None:
    """That of the scan where it found the same witness, else that of the page."""
    standing = Standing({"/n": ("/h", said(Ruling.SAME))}, {}, {}, frozenset())
    for match, bits in ((None, 9), (Match("/h", Evidence.SIMILAR, 4), 4), (Match("/o", Evidence.SIMILAR, 4), 9)):
        found = applied(match, standing)
        assert (found.matches["/n"].witness, found.matches["/n"].distance_bits) == ("/h", bits)


def test_what_is_proved_needs_no_word() -> None:
    """Neither to be there nor to be not wanted."""
    proof = Match("/h2", Evidence.SAME, 4)
    standing = Standing({"/n": ("/h", said(Ruling.SAME))}, {"/n": said(Ruling.NOT_WANTED)}, {}, frozenset())
    found = applied(proof, standing)
    assert (found.matches, found.words) == ({"/n": proof}, {})


def test_what_failed_is_not_made_good_by_a_word() -> None:
    """Such as a needle whose witness fell at a second look."""
    standing = Standing({"/n": ("/h", said(Ruling.SAME))}, {}, {}, frozenset())
    assert applied(None, standing, failures={"/n": Failure("x")}).words == {}
    assert applied(None, standing, pictures=frozenset()).words == {}
    assert applied(None, standing).words.keys() == {"/n"}


def test_a_witness_that_is_no_picture(tree: TreeBuilder) -> None:
    """Nobody can have seen that it is the same, whatever the file of decisions says; twice said is no more."""
    haystack, needles = tree("hay", {"notes.txt": b"notes", "small.png": SMALL}), tree("n", {"a.png": PHOTO})
    said = word("same", needles / "a.png", haystack / "notes.txt")
    assert "present" != verdicts(scan(haystack, needles, said))["a.png"][0]
    both = [word("same", needles / "a.png", haystack / "small.png", one) for one in ("similar", None)]
    assert "present" == verdicts(scan(haystack, needles, *both))["a.png"][0]
