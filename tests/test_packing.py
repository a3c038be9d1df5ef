"""Findings packed and unpacked: what comes out is what went in, and nothing comes out of what was spoilt."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.findings import Findings, Remains
from dupfind.cache.packing import PackingError, pack, unpack
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, Failure, FileEntry, Match

NEEDLES = [FileEntry(f"/n/{name}", 1, 2, 3, 4) for name in ("a", "b", "c\udcff", "d")]
HAYSTACK = [FileEntry(f"/h/{name}", 1, 2, 3, 4) for name in ("x", "y\udc80", "z")]
TURNED = Reason(ReasonCode.TURNED, (90,))


def paths(entries: list[FileEntry]) -> st.SearchStrategy[str]:
    """The path of one of these."""
    return st.sampled_from([entry.path for entry in entries])


FACTS = st.text(max_size=5) | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False)
REASONS = st.recursive(
    st.builds(Reason, st.sampled_from(ReasonCode), st.lists(FACTS, max_size=3).map(tuple)),
    lambda inner: st.builds(Reason, st.just(ReasonCode.CONFLICT), st.tuples(inner)),
    max_leaves=3,
)
MATCHES = st.builds(
    Match, paths(HAYSTACK), st.sampled_from(Evidence), st.none() | st.integers(0, 64), st.none() | REASONS
)
FAILURES = st.builds(Failure, st.text(max_size=5), is_image=st.booleans(), stage=st.sampled_from(["digest", "extra"]))
FINDINGS = st.builds(
    Findings,
    st.dictionaries(paths(NEEDLES), MATCHES),
    st.dictionaries(paths(NEEDLES + HAYSTACK), FAILURES),
    st.frozensets(paths(NEEDLES)),
    st.none() | st.integers(0, 3),
    st.dictionaries(paths(NEEDLES), st.builds(Remains, st.text(max_size=5), st.none() | paths(HAYSTACK))),
)


@given(FINDINGS)
def test_what_was_packed_is_unpacked(findings: Findings) -> None:
    """Every field, whatever the names and reasons are made of."""
    assert findings == unpack(pack(findings, NEEDLES, HAYSTACK), NEEDLES, HAYSTACK)


def whole() -> Findings:
    """Findings with something in every part."""
    return Findings(
        {"/n/a": Match("/h/x", Evidence.IDENTICAL, None), "/n/d": Match("/h/z", Evidence.SIMILAR, 3, TURNED)},
        {"/n/b": Failure("broken"), "/h/z": Failure("no picture", is_image=False)},
        frozenset(["/n/d"]),
        1,
        {"/n/c\udcff": Remains("cut off", "/h/x")},
    )


def test_fewer_files_than_were_packed_are_refused() -> None:
    """A position beyond the end is an error and never another file."""
    data = pack(whole(), NEEDLES, HAYSTACK)
    for needles, haystack in ((NEEDLES[:2], HAYSTACK), (NEEDLES, HAYSTACK[:2]), ([], [])):
        with pytest.raises(PackingError):
            unpack(data, needles, haystack)


def test_a_position_before_the_first_is_refused() -> None:
    """Lists take -1 for the last; here it is an error."""
    raw = zlib.decompress(pack(Findings({"/n/a": whole().matches["/n/a"]}, {}, frozenset(), None), NEEDLES, HAYSTACK))
    spoilt = raw[:-8] + b"\xff\xff\xff\xff" + raw[-4:]  # columns: needle, witness, grade
    with pytest.raises(PackingError, match="not there"):
        unpack(zlib.compress(spoilt), NEEDLES, HAYSTACK)


@pytest.mark.parametrize("keep", [0, 1, 4, 8, 40, -4, -1])
def test_what_was_cut_off_is_refused(keep: int) -> None:
    """Before and after it was inflated."""
    data = pack(whole(), NEEDLES, HAYSTACK)
    with pytest.raises(PackingError):
        unpack(data[:keep], NEEDLES, HAYSTACK)
    with pytest.raises(PackingError):
        unpack(zlib.compress(zlib.decompress(data)[:keep]), NEEDLES, HAYSTACK)


def test_what_is_too_long_is_refused() -> None:
    """Something after the last column was not packed here."""
    with pytest.raises(PackingError, match="too long"):
        unpack(zlib.compress(zlib.decompress(pack(whole(), NEEDLES, HAYSTACK)) + b"\0"), NEEDLES, HAYSTACK)


def test_a_copy_of_a_tree_packs_small() -> None:
    """A hundred thousand needles that have their witnesses in the same order take less than a byte each."""
    needles = [FileEntry(f"/n/{number}", 1, 2, 3, 4) for number in range(10_000)]
    haystack = [FileEntry(f"/h/{number}", 1, 2, 3, 4) for number in range(10_000)]
    matches = {
        needle.path: Match(witness.path, Evidence.IDENTICAL, None)
        for needle, witness in zip(needles, haystack, strict=True)
    }
    data = pack(Findings(matches, {}, frozenset(), None), needles, haystack)
    assert len(data) < 1000
    assert matches == unpack(data, needles, haystack).matches


HEAD = {"lengths": [0] * 6, "grades": [], "causes": [], "haystack_pictures": None, "remains": []}


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 100_000,
        b"[1]",
        {"lengths": [1.5] * 6},
        {"lengths": {}},
        {"lengths": [10**30] + [0] * 5},
        {"remains": 5},
        {"remains": [[0, 5, None]]},
        {"haystack_pictures": "x"},
        {"causes": [[5, True, True, "digest"]]},
        {"causes": [["gone", True, True, None]]},
        {"grades": [["same", "near", None]]},
        {"grades": [["same", 0, 7]]},
        {"grades": [["same", 0, "turned by 90 degrees"]]},
        {"grades": [["same", 0, ["turned"]]]},
        {"grades": [["same", 0, ["turned", 90]]]},
        {"grades": [["same", 0, ["turned", "90"]]]},
        {"grades": [["same", 0, ["turned", [None]]]]},
        {"grades": [["same", 0, ["overturned", [90]]]]},
        {"grades": [["same", 0, ["conflict", [["overturned", []]]]]]},
        {"grades": [["same", 0, ["turned", [90]], None]]},
        {"grades": [["certain", 0, None]]},
    ],
    ids=str,
)
def test_what_was_written_by_somebody_else_is_refused(head: bytes | dict[str, object]) -> None:
    """Whatever JSON can hold, it is an error of this module and nothing else."""
    text = head if isinstance(head, bytes) else json.dumps(HEAD | head).encode()
    with pytest.raises(PackingError):
        unpack(zlib.compress(len(text).to_bytes(8, "big") + text), NEEDLES, HAYSTACK)


def test_the_head_of_the_test_above_is_one() -> None:
    """But for what is changed there."""
    text = json.dumps(HEAD).encode()
    assert Findings({}, {}, frozenset(), None) == unpack(
        zlib.compress(len(text).to_bytes(8, "big") + text), NEEDLES, HAYSTACK
    )
