"""What dupfind explain prints: every word of it, on every kind of screen."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from dupfind.answers.explain import Advice, ExplainResult, Explanation, NearPicture
from dupfind.evidence import evidence, facts
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen
from dupfind.report.explain import MEASURES, render, render_json
from dupfind.values import Evidence, FileState, FileVerdict, Kind, Problem, ScanSettings, Side, Thumbnail

SETTINGS = ScanSettings(("hay",), (), "phash", 8, Evidence.SAME, rotations=True)
SMALLER, UNLIKE = Reason(ReasonCode.SMALLER, (320, 240, 640, 480)), Reason(ReasonCode.UNLIKE)
CHECK = facts.Test("check hash", 20.0, 68.0, passed=True)
SIZE = facts.Test("size", 2.0, 10 / 9, passed=False)


def verdict(path: str, state: FileState, **facts: Any) -> FileVerdict:
    """One needle's verdict."""
    values: dict[str, Any] = {"evidence": None, "witness": None, "distance_bits": None, **facts}
    kind = values.pop("kind", Kind.IMAGE)
    return FileVerdict(path, kind, state, 1234, **values)


def near(path: str = "hay/a.jpg", **facts: Any) -> NearPicture:
    """A similar picture that is too small."""
    values: dict[str, Any] = {
        "distance_bits": 1,
        "check_bits": 20,
        "orientation": 0,
        "evidence": Evidence.SIMILAR,
        "reason": SMALLER,
        "tests": (CHECK, SIZE),
        "advice": Advice(("--accept similar",)),
        **facts,
    }
    return NearPicture(path, **values)


def unlike(path: str = "hay/b.jpg") -> NearPicture:
    """Another picture."""
    return near(
        path,
        distance_bits=20,
        check_bits=110,
        orientation=4,
        evidence=None,
        reason=UNLIKE,
        tests=(facts.Test("check hash", 110.0, 68.0, passed=False),),
        advice=Advice(obstacle=UNLIKE),
    )


def answer(*explanations: Explanation, problems: tuple[Problem, ...] = ()) -> ExplainResult:
    """Everything that one run has to say."""
    return ExplainResult("1.0", SETTINGS, explanations, problems)


def text(*explanations: Explanation, **screen: Any) -> str:
    """The page as text."""
    found = Screen(**screen)
    return render(answer(*explanations), found).decode(found.encoding)


PRESENT = Explanation(
    verdict("n/p.jpg", FileState.PRESENT, evidence=Evidence.SAME, witness="hay/p.jpg", distance_bits=2),
    5,
    (CHECK, facts.Test("mirrored", 0.0, 0.0, passed=True), facts.Test("spot", 1.23456, 2.7, passed=True)),
    (),
    None,
)
SIMILAR = Explanation(
    verdict(
        "n/s.jpg",
        FileState.SIMILAR,
        evidence=Evidence.SIMILAR,
        witness="hay/a.jpg",
        distance_bits=1,
        reasons=(SMALLER,),
    ),
    0,
    (CHECK, SIZE),
    (near(), unlike()),
    Advice(("--accept similar",)),
    ("hay/s.jpg",),
)


def test_a_present_needle() -> None:
    """Witness, grade, distance, orientation, and each test with its value and bound."""
    expected = (
        "✓ present  n/p.jpg\n"
        "  the same picture as hay/p.jpg\n"
        "  2 of 64 bits apart by phash (threshold 8), turned by 90 degrees\n"
        "\n"
        "  Test        Value  At most        What it measures\n"
        "  ──────────────────────────────────────────────────────────────────\n"
        "  check hash     20       68  pass  bits of 256 in which they differ\n"
        "  mirrored       no       no  pass  is it a mirror image?\n"
        "  spot         1.23      2.7  pass  the worst pixel of 64 x 64\n"
    )
    assert expected == text(PRESENT).rstrip("\n") + "\n"


def test_a_similar_needle_and_its_neighbours() -> None:
    """The nearest, each with its grade, the test that it failed, and what would accept it."""
    assert text(SIMILAR).splitlines() == [
        "≈ similar  n/s.jpg",
        "  is itself in the haystack, as hay/s.jpg: not taken for its own witness",
        "  nearest in the haystack by phash (threshold 8):",
        "  1  hay/a.jpg",
        "     similar, 1 bit apart",
        "     failed size: 2, where at most 1.11 passes",
        "     the haystack's copy is smaller: 320 x 240 against 640 x 480",
        "     accepted with --accept similar",
        "  2  hay/b.jpg",
        "     unlike, 20 bits apart, mirrored and turned by 90 degrees",
        "     failed check hash: 110, where at most 68 passes",
        "     no option accepts it: unlike each other",
        "  A similar picture is no proof: look at both before you accept it.",
    ]


def test_bytes_no_picture_and_unreadable() -> None:
    """What has no neighbours says why in one line."""
    identical = verdict("n/i.txt", FileState.PRESENT, evidence=Evidence.IDENTICAL, witness="hay/i.txt", kind=Kind.OTHER)
    other = verdict("n/o.txt", FileState.MISSING, kind=Kind.OTHER)
    broken = Reason(ReasonCode.UNREADABLE, ("cannot be decoded: cut off",))
    cut = verdict("n/c.jpg", FileState.UNREADABLE, reasons=(broken,))
    alone = verdict("n/a.jpg", FileState.MISSING)
    found = text(
        Explanation(identical, None, (), (), None),
        Explanation(other, None, (), (), Advice(obstacle=Reason(ReasonCode.NO_PICTURE))),
        Explanation(cut, None, (), (), Advice(obstacle=broken)),
        Explanation(alone, None, (), (), Advice(obstacle=Reason(ReasonCode.NO_PICTURES))),
    )
    assert found.splitlines() == [
        "✓ present  n/i.txt",
        "  identical to hay/i.txt",
        "  every byte is the same (1.2 kB)",
        "",
        "✗ missing  n/o.txt",
        "  no picture: only equal bytes could prove it, and no file has them",
        "",
        "! unreadable  n/c.jpg",
        "  cannot be decoded: cut off",
        "",
        "✗ missing  n/a.jpg",
        "  the haystack holds no picture",
    ]


def test_every_test_of_the_evidence_is_explained() -> None:
    """Each has its few words, short enough for a screen of 80 columns."""
    pixels = bytes(range(256)) * 16
    picture = evidence.prepare(Thumbnail(pixels, 100, 100, "PNG", 1, None))
    names = [test.name for test in evidence.judge(picture, picture).tests]
    assert set(names) <= set(MEASURES)
    tests = tuple(facts.Test(name, 12345.678, 12345.678, passed=True) for name in names)
    page = text(Explanation(PRESENT.verdict, 0, tests, (), None), width=80, is_terminal=True)
    for measure in MEASURES.values():
        assert measure in page


@pytest.mark.parametrize("is_terminal", [True, False])
def test_long_paths_are_not_broken(is_terminal: bool) -> None:
    """A path of 200 characters stays one line, on 40 columns too."""
    path = "hay/" + "a long name " * 16 + ".jpg"
    one = Explanation(verdict(path, FileState.MISSING), None, (), (near(path),), Advice(), (path,))
    page = text(one, width=40, is_terminal=is_terminal)
    assert 3 == sum(path in line for line in page.splitlines())


def test_hostile_names_forge_nothing() -> None:
    """Escapes, line ends and bytes that are no UTF-8 are spelt out; JSON carries the bytes."""
    path = "n/\x1b[31mred\nline\udcff.jpg"
    evil = Reason(ReasonCode.WITNESS_DAMAGED, ("\x1b[2J",))
    others = near(path, reason=evil), near(path, evidence=None, advice=Advice(obstacle=evil))
    one = Explanation(
        verdict(path, FileState.MISSING, reasons=(evil,)), None, (), others, Advice(obstacle=evil), (path,)
    )
    page = text(one, width=80)
    assert "\x1b" not in page
    assert 4 == page.count(r"n/\x1b[31mred\nline\xff.jpg")
    present = text(Explanation(PRESENT.verdict._replace(witness=path, reasons=(evil,)), 0, (), (), None))
    assert "\x1b" not in present
    (found,) = json.loads(render_json(answer(one)))["needles"]
    raw = b"n/\x1b[31mred\nline\xff.jpg"
    assert raw == base64.b64decode(found["needle_bytes"]) == base64.b64decode(found["nearest"][0]["path_bytes"])


def test_a_screen_without_unicode() -> None:
    """ASCII signs and lines, and nothing that had to be replaced."""
    page = text(PRESENT, SIMILAR, encoding="ascii")
    assert page.startswith("= present  n/p.jpg\n")
    assert "~ similar" in page
    assert "?" not in page.replace("is it a mirror image?", "")
    assert "  ------" in page


def test_json_is_the_schema_to_the_letter() -> None:
    """Every key, with orientations as EXIF counts them."""
    problem = Problem("hay/x.jpg", Side.HAYSTACK, "thumbnail", "cut")
    whole = json.loads(render_json(answer(PRESENT, SIMILAR, problems=(problem,))))
    present, similar = whole.pop("needles")
    assert whole == {
        "schema": "dupfind.explain/1",
        "dupfind": "1.0",
        "settings": {
            "haystack": ["hay"],
            "algorithm": "phash",
            "threshold_bits": 8,
            "accept": "same",
            "rotations": True,
        },
        "problems": [{"path": "hay/x.jpg", "side": "haystack", "stage": "thumbnail", "reason": "cut"}],
    }
    check = {"name": "check hash", "value": 20.0, "bound": 68.0, "passed": True}
    assert present == {
        "needle": "n/p.jpg",
        "kind": "image",
        "verdict": "present",
        "evidence": "same",
        "witness": "hay/p.jpg",
        "distance_bits": 2,
        "orientation": 6,
        "reason": None,
        "reason_code": None,
        "tests": [
            check,
            {"name": "mirrored", "value": 0.0, "bound": 0.0, "passed": True},
            {"name": "spot", "value": 1.2346, "bound": 2.7, "passed": True},
        ],
        "nearest": [],
        "advice": None,
        "itself": [],
    }
    assert ("similar", "--accept similar", ["hay/s.jpg"]) == (
        similar["verdict"],
        similar["advice"],
        similar["itself"],
    )
    assert similar["nearest"][0] == {
        "path": "hay/a.jpg",
        "evidence": "similar",
        "distance_bits": 1,
        "check_bits": 20,
        "orientation": 1,
        "reason": "the haystack's copy is smaller: 320 x 240 against 640 x 480",
        "reason_code": "witness-smaller",
        "tests": [check, {"name": "size", "value": 2.0, "bound": 1.1111, "passed": False}],
        "advice": "--accept similar",
    }
    assert (None, 5, "unlike", "nothing: unlike each other") == tuple(
        similar["nearest"][1][key] for key in ("evidence", "orientation", "reason_code", "advice")
    )
    assert ("the haystack's copy is smaller: 320 x 240 against 640 x 480", "witness-smaller") == (
        similar["reason"],
        similar["reason_code"],
    )


def test_sentences_on_a_terminal() -> None:
    """Are broken between words, and go on below where they begin."""
    film = verdict("n/film.mov", FileState.MISSING, kind=Kind.OTHER)
    shown = text(Explanation(film, None, (), (), Advice((), Reason(ReasonCode.NO_FILM))), width=50, is_terminal=True)
    assert [
        "  no film or sound has the same bytes, or the same",
        "  packets and what else counts, or looks alike",
    ] == shown.splitlines()[1:]
