"""The stage that lets no witness count before it was compared at full size: which pairs are asked, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from dupfind.catalog.catalogs import ListedEntry
from dupfind.events import Silence
from dupfind.matching.decodes import Decodes
from dupfind.matching.full_size import MOST_COMPARED, FullSize, Place
from dupfind.matching.matcher import Matcher
from dupfind.pool.full_size import LISTED, FullSizePair
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.values import Evidence, FileEntry, Match, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.thumbnails import thumbnail

LESS = Reason(ReasonCode.LESS_DETAIL, (AT_FULL_SIZE,))


class Bench:
    """Matches needles, where ``objections`` holds what comparing them with a witness gives, by the witness's path."""

    def __init__(self, desk: Desk, needles: Mapping[str, Thumbnail], haystack: Mapping[str, Thumbnail]) -> None:
        self.desk = desk
        self.wholes = Decodes(desk.pictures(needles, 8), desk.pictures(haystack, 1), desk.read_full)
        self.objections: dict[str, Reason] = {}
        self.compared: list[tuple[str, str]] = []
        self.full_size = FullSize(self.wholes, desk.cache, self._compare)

    def let_be_listed(self, *paths: str) -> None:
        """Have a catalog list these, and the others lie where they are."""
        entries = self.wholes.haystack.entries
        entries[:] = [(ListedEntry if entry.path in paths else FileEntry)(*entry) for entry in entries]

    def match(self) -> dict[str, Match]:
        """The best match of each needle."""
        matcher = Matcher(self.wholes, 8, self.desk.cache, Silence(), full_size=self.full_size)
        return matcher.match(lambda _: None)

    def _compare(self, pairs: Sequence[FullSizePair]) -> dict[FullSizePair, Reason | None]:
        self.compared += [(pair.needle.path, pair.witness.path) for pair in pairs]
        return {pair: self.objections.get(pair.witness.path) for pair in pairs}


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def test_what_passes_is_the_same(desk: Desk) -> None:
    """One comparison for each needle that has a witness, and none for one that has not."""
    bench = Bench(desk, {"n": thumbnail(1), "m": thumbnail(2)}, {"h": thumbnail(1), "i": thumbnail(3)})
    found = bench.match()
    assert [("n", "h")] == bench.compared
    assert ("h", Evidence.SAME) == (found["n"].witness, found["n"].evidence)


def test_few_thumbnails_are_in_memory_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100,000 needles with a witness all of them took a gigabyte; all pairs are still compared together."""
    monkeypatch.setattr("dupfind.matching.full_size._THUMBNAILS_TOGETHER", 2)
    numbers = range(1, 6)
    bench = Bench(desk, {f"n{n}": thumbnail(n) for n in numbers}, {f"h{n}": thumbnail(n, 800, 600) for n in numbers})
    asked = []
    read = desk.cache.thumbnails
    monkeypatch.setattr(desk.cache, "thumbnails", lambda ids: asked.append(len(ids)) or read(ids))
    places = [Place(number, number, 0) for number in range(5)]
    assert [] == bench.full_size.refuse(places)
    assert [4, 4, 2] == asked
    assert [(f"n{n}", f"h{n}") for n in numbers] == bench.compared


def test_a_second_witness_is_taken_when_the_first_fails(desk: Desk) -> None:
    """It may hold what the first lacks; each pair is compared once."""
    bench = Bench(desk, {"n": thumbnail(1)}, {"h": thumbnail(1, 1280, 960), "i": thumbnail(1)})
    bench.objections["h"] = LESS
    found = bench.match()["n"]
    assert ("i", Evidence.SAME) == (found.witness, found.evidence)
    assert [("n", "h"), ("n", "i")] == bench.compared


def test_where_all_fail_it_is_similar(desk: Desk) -> None:
    """With what speaks against the witness."""
    bench = Bench(desk, {"n": thumbnail(1)}, {"h": thumbnail(1), "i": thumbnail(1, 1280, 960)})
    bench.objections = {"h": LESS, "i": LESS}
    found = bench.match()["n"]
    assert (Evidence.SIMILAR, LESS) == (found.evidence, found.reason)
    assert len(bench.compared) == len(set(bench.compared)) == 2


def test_at_most_so_many_are_compared(desk: Desk) -> None:
    """What the first of them do not prove is similar, whatever the next would say."""
    haystack = {f"{number:02}": thumbnail(1, 640 + number, 480 + number) for number in range(MOST_COMPARED + 3)}
    bench = Bench(desk, {"n": thumbnail(1)}, haystack)
    bench.objections = dict.fromkeys(haystack, LESS)
    found = bench.match()["n"]
    assert MOST_COMPARED == len(bench.compared) == len(set(bench.compared))
    assert Evidence.SIMILAR is found.evidence
    assert found.reason in (LESS, Reason(ReasonCode.TOO_MANY, (MOST_COMPARED,)))


def test_what_is_only_listed_is_never_compared(desk: Desk) -> None:
    """It cannot be read: similar, unless a file that is there is the same."""
    bench = Bench(desk, {"n": thumbnail(1)}, {"h": thumbnail(1, 1280, 960), "i": thumbnail(1)})
    bench.let_be_listed("h", "i")
    found = bench.match()["n"]
    assert (Evidence.SIMILAR, LISTED) == (found.evidence, found.reason)
    assert [] == bench.compared
    bench.let_be_listed("h")
    found = bench.match()["n"]
    assert ("i", Evidence.SAME) == (found.witness, found.evidence)
    assert [("n", "i")] == bench.compared


def test_what_cannot_be_compared_is_similar(desk: Desk) -> None:
    """As what differs is."""
    reason = Reason(ReasonCode.NOT_COMPARED, ("cannot be decoded",))
    bench = Bench(desk, {"n": thumbnail(1)}, {"h": thumbnail(1)})
    bench.objections["h"] = reason
    found = bench.match()["n"]
    assert (Evidence.SIMILAR, reason) == (found.evidence, found.reason)


def test_a_pair_is_compared_once(desk: Desk) -> None:
    """However often it is asked for; before that nothing is known against it."""
    bench = Bench(desk, {"n": thumbnail(1)}, {"h": thumbnail(1)})
    bench.objections["h"] = LESS
    place = Place(0, 0, 0)
    assert bench.full_size.objection(place) is None
    assert [[place], [place]] == [bench.full_size.refuse([place]) for _ in range(2)]
    assert LESS == bench.full_size.objection(place)
    assert 1 == len(bench.compared)
