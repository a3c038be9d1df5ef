"""Reasons: every code has its words in every role, and what a cache gives back is what was kept or an error."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dupfind
from dupfind.answers.findings import Findings
from dupfind.cache import checksum
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Compared, FilePair, Judged, Pair, Recipe, identity
from dupfind.cache.packing import PackingError, pack, unpack
from dupfind.errors import CacheLostError
from dupfind.reasons import AT_FULL_SIZE, AT_THUMBNAIL, Fact, Reason, ReasonCode, decode, encode, from_json
from dupfind.report import reasons
from dupfind.report.reasons import IN_A_GROUP, IN_A_PAIR, IN_A_SCAN, Roles, as_json, sentence, sentences
from dupfind.values import Evidence, FileEntry, Match

Code = ReasonCode
ROLES = {"scan": IN_A_SCAN, "pair": IN_A_PAIR, "group": IN_A_GROUP}
TIMES = "2017:07:18 15:31:30.25+02:00", "2017:07:18 15:31:31"
FACTS: dict[ReasonCode, list[tuple[Fact, ...]]] = {
    Code.MORE_COMPRESSED: [(6_700_000, 3_000_000), (900_000, 500)],
    Code.TURNED: [(90,), (180,)],
    Code.SAME_BYTES: [("a.jpg",)],
    Code.CAPTURE_TIME: [TIMES, (TIMES[1], TIMES[1])],
    Code.MORE_IN_FILE: [("a video",)],
    Code.DAMAGED: [("no end marker",)],
    Code.WITNESS_DAMAGED: [("no end marker",)],
    Code.SMALLER: [(160, 120, 320, 240)],
    Code.LOWER_QUALITY: [(30, 95), (30, 0)],
    Code.FEWER_BYTES: [(1_300_000, 6_700_000)],
    Code.BRIGHTNESS: [(AT_THUMBNAIL,), (AT_FULL_SIZE,)],
    Code.PLACE: [(AT_THUMBNAIL, "near the top"), (AT_FULL_SIZE, "near the top")],
    Code.COLOR: [(AT_THUMBNAIL,), (AT_FULL_SIZE, "all over")],
    Code.LESS_DETAIL: [(AT_THUMBNAIL,), (AT_FULL_SIZE,)],
    Code.DETAIL: [(AT_FULL_SIZE,)],
    Code.LESS_SHARP_PART: [("near the top",)],
    Code.PARTLY_INTACT: [("cut off", 0.4321), ("", 1.0)],
    Code.FRAGMENT: [
        (0, 0, 100, 100, 25, 0, 75, 100, 100, 0),
        (0, 0, 100, 100, 0, 0, 100, 100, 66, 0),
        (0, 0, 50, 50, 0, 0, 100, 100, 99, -90, Reason(Code.ALSO_SHOWS, ("hay/b.jpg", 50, 50, 100, 100))),
    ],
    Code.ALSO_SHOWS: [("hay/a.jpg", 50, 50, 100, 100)],
    Code.CONFLICT: [(Reason(Code.UNLIKE),), (Reason(Code.PLACE, (AT_THUMBNAIL, "near the top")),)],
    Code.RE_ENCODED_FILM: [(), (Reason(Code.TURNED, (90,)),)],
    Code.FILM_PART: [(Reason(Code.FILM_WITHIN, (2.0, 6.4)), Reason(Code.FILM_SMALLER, (320, 180, 640, 360)))],
    Code.FILM_CHANGED: [(Reason(Code.FILM_SUBTITLES), Reason(Code.FILM_SCENE, (2.0, 6.4)))],
    Code.FILM_LACKS: [(0.0, 2.0)],
    Code.FILM_WITHIN: [(72.44, 3661.0)],
    Code.FILM_SCENE: [(2.4, 2.8)],
    Code.FILM_COLORS: [(2.4, 2.8)],
    Code.FILM_SHIFTED: [(4.2, 1.0), (4.2, -1.0)],
    Code.FILM_SPEED: [(1.25,), (0.96,)],
    Code.FILM_TONE: [(50, 80), (-30, 100), (0, 120)],
    Code.FILM_SOUND: [(2.4, 2.8)],
    Code.FILM_SOUND_TRACKS: [(1, 2)],
    Code.FILM_DAMAGED: [(3,)],
    Code.WITNESS_FILM_DAMAGED: [(3,)],
    Code.FILM_SMALLER: [(320, 180, 640, 360)],
    Code.FILM_RATE: [(25.0, 29.97)],
    Code.FILM_BITS: [(300, 1200)],
    Code.FILM_DEPTH: [(8, 10)],
    Code.NOT_COMPARED: [("cannot be decoded",)],
    Code.TOO_MANY: [(8,)],
    Code.BEYOND_THRESHOLD: [(12,)],
    Code.THRESHOLD_ENDS: [(32, 40)],
    Code.WITH_OPTIONS: [("--rotations --accept similar",)],
    Code.LOOKS_MOST_LIKE: [("cut off", "hay/a.jpg"), ("", "hay/a.jpg")],
    Code.LOOKS_LIKE_NOTHING: [("cut off",), ("",)],
    Code.UNREADABLE: [("cannot be decoded: cut off",)],
    Code.NOT_READ: [("changed while it was read",)],
    Code.SAME_ON_YOUR_WORD: [("hay/a.jpg", "2026-11-21")],
    Code.DIFFERENT_ON_YOUR_WORD: [(), ("hay/a.jpg", 0, "2026-11-21"), ("hay/a.jpg", 1234, "2026-11-21")],
    Code.UNWANTED_ON_YOUR_WORD: [("2026-11-21",)],
    Code.SIDECAR: [("XMP", "n/a.jpg")],
    Code.DISREGARDED: [("--disregard *.tmp",), ("n/.dupfindignore", "line 1: *.tmp"), ()],
    Code.HARD_LINK: [("a.jpg",)],
    Code.HARD_LINK_COUNTED: [("a.jpg",)],
}
"""What each code has, in each of its forms; the others have nothing."""
EXAMPLES = [Reason(code, facts) for code in Code for facts in FACTS.get(code, [()])]
WORDS = st.text(st.characters(codec=None), max_size=8)
SIMPLE = WORDS | st.integers() | st.floats(allow_nan=False)
REASONS = st.recursive(
    st.builds(Reason, st.sampled_from(Code), st.lists(SIMPLE, max_size=4).map(tuple)),
    lambda inner: st.builds(Reason, st.sampled_from(Code), st.lists(SIMPLE | inner, max_size=3).map(tuple)),
    max_leaves=6,
)
ENTRIES = FileEntry("/n/a", 1, 1, 1, 1), FileEntry("/h/a", 2, 2, 2, 2)


def name(reason: Reason) -> str:
    """For the list of tests."""
    return reason.code.value


def test_every_code_has_its_template() -> None:
    """And there is none of a code that is not."""
    assert set(Code) == set(reasons._TEMPLATES)
    assert len(Code) == len({code.value for code in Code})
    assert all(code.value == code.value.lower() and " " not in code.value for code in Code)


@pytest.mark.parametrize("roles", ROLES.values(), ids=ROLES)
def test_every_reason_is_a_sentence(roles: Roles) -> None:
    """Whole, with its facts, in words of its own role only."""
    witnesses_elsewhere = {elsewhere.witness for elsewhere in ROLES.values()} - {roles.witness}
    for reason in EXAMPLES:
        said = sentence(reason, roles)
        assert said == said.strip() != ""
        assert "  " not in said
        assert "{" not in said
        assert "None" not in said
        assert not any(witness in said for witness in witnesses_elsewhere)
        assert roles is IN_A_SCAN or "the needle" not in said.replace("another needle", "")
        assert {"reason": said, "reason_code": reason.code.value} == as_json([reason], roles)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason(Code.MORE_COMPRESSED, (2_000_000, 900_000)),
         "{needle} is the better copy: 2.0 MB of image data against 900 kB"),
        (Reason(Code.SMALLER, (160, 120, 320, 240)), "{witness} is smaller: 160 x 120 against 320 x 240"),
        (Reason(Code.WITNESS_DAMAGED, ("cut",)), "{witness}: cut"),
        (Reason(Code.LOWER_QUALITY, (30, 0)),
         "{witness} is compressed much more: JPEG quality about 30 against nothing lost"),
        (Reason(Code.LESS_COLOR_DETAIL), "{witness} shows less detail of colour at full size"),
        (Reason(Code.LESS_SHARP_PART, ("near the top",)), "a part of {witness} is less sharp or smoothed near the top"),
        (Reason(Code.FRAMED), "it has a frame around it that {witness} has not"),
        (Reason(Code.CONFLICT, (Reason(Code.NO_COLOR),)),
         "another needle with the same witness is not this picture: {witness} is black and white"),
    ],
    ids=str,
)  # fmt: skip
def test_the_roles(reason: Reason, expected: str) -> None:
    """Each of the two files is called as the report calls it, also within another reason."""
    for roles in ROLES.values():
        assert expected.format(needle=roles.needle, witness=roles.witness) == sentence(reason, roles)


def test_a_group_says_from_what_something_differs() -> None:
    """Where there are more than two files."""
    place = Reason(Code.PLACE, (AT_FULL_SIZE, "near the top"))
    assert "at full size something differs near the top" == sentence(place) == sentence(place, IN_A_PAIR)
    assert "at full size something differs from the best one near the top" == sentence(place, IN_A_GROUP)


def test_capture_times() -> None:
    """Both, or the second that holds both, without what follows the seconds, as dates are spelt everywhere."""
    for times, expected in (
        (TIMES, "2017-07-18 15:31:30 and 2017-07-18 15:31:31"),
        (("2017:07:18 12:00:00.25", "2017:07:18 12:00:00.75"), "within the second 2017-07-18 12:00:00"),
    ):
        assert f"taken at another time: {expected}" == sentence(Reason(Code.CAPTURE_TIME, times))


def test_several_reasons() -> None:
    """One after the other; the code is that of the first; none is nothing."""
    both = Reason(Code.TURNED, (90,)), Reason(Code.HARD_LINK, ("a.jpg",))
    assert "turned by 90 degrees; a hard link to a.jpg: frees nothing" == sentences(both)
    assert "turned" == as_json(both)["reason_code"]
    assert (None, {"reason": None, "reason_code": None}) == (sentences([]), as_json(()))
    assert sentences(both) == dupfind.describe(*both)
    assert "" == dupfind.describe(None)
    smaller = Reason(Code.SMALLER, (1, 2, 3, 4))
    assert "B is smaller: 1 x 2 against 3 x 4" == dupfind.describe(smaller, None, needle="A", witness="B")


@pytest.mark.parametrize("words", ["{}", "{0}", "{needle} of {witness}", "{", "}}", "%s {!r:>9}", "{0.__class__}"])
def test_braces_come_out_as_they_are(words: str) -> None:
    """In a file's name and in what a decoder says: nothing in them is replaced by anything."""
    marked = f"<{words}>"
    reasons = [Reason(code, facts) for code, examples in FACTS.items() for facts in examples]
    for code, facts in reasons:
        for place, fact in enumerate(facts):
            if isinstance(fact, str) and fact not in (AT_THUMBNAIL, AT_FULL_SIZE, *TIMES, ""):
                reason = Reason(code, (*facts[:place], marked, *facts[place + 1 :]))
                assert sentence(Reason(code, facts)).replace(fact, marked) == sentence(reason)
                assert marked in sentence(Reason(Code.CONFLICT, (reason,)), IN_A_GROUP)


@given(REASONS)
def test_what_was_encoded_is_decoded(reason: Reason) -> None:
    """Whatever its facts are, to their types, and reasons within reasons."""
    found = decode(encode(reason))
    assert reason == found
    assert repr(reason) == repr(found)  # 1 is not 1.0
    assert decode(encode(None)) is None


def test_every_reason_that_there_is_can_be_kept() -> None:
    """And says the same afterwards."""
    for reason in EXAMPLES:
        decoded = decode(encode(reason))
        assert decoded is not None
        assert (reason, sentence(reason)) == (decoded, sentence(decoded))


HOSTILE = [
    "", "null", "true", "0", '"turned"', "[]", "{}", '{"code": 1, "facts": []}', '["turned"]', '["turned", 90]',
    '["turned", "90"]', '["turned", {"a": 1}]', '["turned", null]', '["turned", [null]]', '["turned", [{}]]',
    '["turned", [90], 1]', '["overturned", [90]]', '[["turned"], [90]]', "[{}, [90]]", "[null, []]",
    '["conflict", [[]]]', '["conflict", [["overturned", []]]]', '["turned", [90]',
    "turned by 90 degrees", "[" * 100_000,
    '["conflict", [' * 700 + "]]" * 700, '["conflict", [' * 700 + '["unlike", []]' + "]]" * 700, '{"a": ' * 100_000,
    "9" * 10_000, "\x00", "\udcff",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:30]))
def test_hostile_text_is_an_error(text: str) -> None:
    """Of two kinds, which a cache takes for damage."""
    with pytest.raises((ValueError, TypeError)):
        decode(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from([code.value for code in Code]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=8,
)


@given(json_values.map(json.dumps) | st.text() | REASONS.map(encode).map(lambda text: (text or "")[:-1]))
def test_any_text_is_a_reason_or_an_error(text: str) -> None:
    """Nothing else is raised, and what is read can be written."""
    try:
        found = decode(text)
    except (ValueError, TypeError):
        return
    assert found is not None
    assert repr(found) == repr(decode(encode(found)))


def recipe() -> Recipe:
    """That of every run here."""
    return Recipe("recipe", "phash", "rules", comparison="1")


@pytest.mark.parametrize("text", ['["overturned", [90]]', "turned by 90 degrees", "[" * 100_000, '["turned", 90]'])
def test_a_comparison_with_an_unreadable_reason_is_damage(tmp_path: Path, text: str) -> None:
    """Though its seal is right: the cache is set aside."""
    path, pair = tmp_path / "cache.sqlite", FilePair(*ENTRIES, 0)
    with Cache(str(path), recipe) as cache:
        cache.keep_comparison(pair, Compared(Reason(Code.TURNED, (90,))), 10**18)
    with Cache(str(path), recipe) as cache:
        assert {pair: Compared(Reason(Code.TURNED, (90,)))} == cache.comparisons([pair])
    with closing(sqlite3.connect(path)) as connection, connection:
        code, label = connection.execute("SELECT code, text FROM comparison JOIN label ON label.id = recipe").fetchone()
        mark = checksum.of_text(label)
        seal = checksum.of_comparison(*map(identity, ENTRIES), 0, (code, text), mark)
        connection.execute("UPDATE comparison SET reason = ?, seal = ?", (text, seal))
    with pytest.raises(CacheLostError, match="set aside"), Cache(str(path), recipe) as cache:
        cache.comparisons([pair])
    with Cache(str(path), recipe) as cache:
        assert {} == cache.comparisons([pair])


@pytest.mark.parametrize("text", ['["overturned", [90]]', "turned by 90 degrees", "[" * 100_000, '["turned", 90]'])
def test_a_judgement_with_an_unreadable_reason_is_damage(tmp_path: Path, text: str) -> None:
    """Likewise; a grade that is none too."""
    path, pair = tmp_path / "cache.sqlite", Pair(1, 2, 0)
    judged = Judged(Evidence.SAME, Reason(Code.TURNED, (90,)), is_last=True, closeness=0.4)
    keep = partial(Cache, str(path), recipe)
    with keep() as cache:
        cache.keep_judgement(pair, judged)
    with keep() as cache:
        assert {pair: judged} == cache.judgements([1])
    with closing(sqlite3.connect(path)) as connection, connection:
        (label,) = connection.execute("SELECT text FROM judgement JOIN label ON label.id = rules").fetchone()
        row = "same", text, True, 0.4
        seal = checksum.of_judgement(pair, row, checksum.of_text(label))
        connection.execute("UPDATE judgement SET reason = ?, seal = ?", (text, seal))
    with pytest.raises(CacheLostError, match="set aside"), keep() as cache:
        cache.judgements([1])
    with keep() as cache:
        assert {} == cache.judgements([1])


@pytest.mark.parametrize("reason", [["overturned", [90]], "turned", ["turned", 90], ["conflict", [["overturned", []]]]])
def test_packed_findings_with_an_unreadable_reason_are_refused(reason: object) -> None:
    """As everything else that was not packed here."""
    kept = Reason(Code.TURNED, (90,))
    findings = Findings({"/n/a": Match("/h/a", Evidence.SAME, 2, kept)}, {}, frozenset(), None)
    data = pack(findings, ENTRIES[:1], ENTRIES[1:])
    assert findings == unpack(data, ENTRIES[:1], ENTRIES[1:])
    raw = zlib.decompress(data)
    length = int.from_bytes(raw[:8], "big")
    head = json.loads(raw[8 : 8 + length])
    (grade,) = head["grades"]
    assert kept == from_json(grade[2])
    head["grades"] = [[*grade[:2], reason]]
    text = json.dumps(head).encode()
    with pytest.raises(PackingError):
        unpack(zlib.compress(len(text).to_bytes(8, "big") + text + raw[8 + length :]), ENTRIES[:1], ENTRIES[1:])


def test_the_docs_list_every_code() -> None:
    """Once each, with its words."""
    text = (Path(__file__).parents[1] / "docs" / "report.md").read_text()
    assert [1] * len(Code) == [text.count(f"\n| `{code.value}` | ") for code in Code]
