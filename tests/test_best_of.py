"""Which member is the best, and what it is said to have won by."""

from __future__ import annotations

import pytest

from dupfind.grouping.best_of import OUTDONE, Rival, are_tied, rank, why

PLAIN = Rival("some/path", 100, 1000)


@pytest.mark.parametrize(
    ("better", "words"),
    [
        (PLAIN._replace(size_pixels=1001), "most pixels"),
        (PLAIN._replace(has_time=True), "most metadata"),
        (PLAIN._replace(is_lossless=True), "lossless format"),
        (PLAIN._replace(tags=1), "most metadata"),
        (PLAIN._replace(mtime_ns=99), "oldest"),
        (PLAIN._replace(path="zz"), "shortest path"),
        (PLAIN._replace(path="some/patg"), "first by name"),
    ],
)
def test_each_criterion(better: Rival, words: str) -> None:
    """One thing better wins by that thing, whatever comes after it in the list of criteria."""
    assert rank(better) < rank(PLAIN)
    assert words == why(better, [PLAIN])
    assert words == why(better, [PLAIN, PLAIN._replace(path="some/other/path", mtime_ns=101)])


def test_an_earlier_criterion_overrules_all_later_ones() -> None:
    """Pixels before metadata before age before path; what is damaged comes last in any case."""
    large = Rival("a/very/long/path", 900, 2000)
    told = Rival("a/long/path", 800, 1000, has_time=True)
    old = Rival("a/path", 1, 1000, tags=3)
    short = Rival("a", 2, 1000, tags=3)
    damaged = Rival("b", 0, 9000, is_damaged=True, has_time=True)
    kept = Rival("a/long/path", 900, 1000, is_lossless=True)
    assert [large, told, kept, old, short, damaged] == sorted([short, damaged, kept, told, large, old], key=rank)
    assert "most pixels" == why(large, [told, old, short, damaged])
    assert "the others are damaged" == why(large, [damaged])


def test_who_ties_on_one_thing_wins_by_the_next() -> None:
    """Two of three have most pixels; of these the older one wins, and that is what is said."""
    assert "oldest" == why(Rival("b", 1, 50), [Rival("a", 2, 50), Rival("c", 0, 49)])


def test_a_best_that_another_outranks() -> None:
    """The larger one holds less in truth: that is all that can be said."""
    assert OUTDONE == why(PLAIN, [PLAIN._replace(size_pixels=2000)])


def test_what_is_there_comes_before_all_but_pixels() -> None:
    """What is deleted is there, and what is kept should be: not a link out of the folders, nor what is only listed."""
    out, listed = PLAIN._replace(leads_out=True, has_time=True), PLAIN._replace(is_listed=True, is_lossless=True)
    assert [PLAIN, out, listed] == sorted([listed, out, PLAIN], key=rank)
    assert "the others are only listed" == why(PLAIN, [listed])
    assert "the others lead out of the folders" == why(PLAIN, [out, listed])
    assert rank(listed._replace(size_pixels=1001)) < rank(PLAIN)


def test_ties_that_tags_decide() -> None:
    """Tags are worth counting only where nothing before them decides."""
    assert are_tied(PLAIN, PLAIN._replace(path="x", mtime_ns=0, tags=9))
    assert not are_tied(PLAIN, PLAIN._replace(size_pixels=9))
    assert not are_tied(PLAIN, PLAIN._replace(has_time=True))
    assert not are_tied(PLAIN, PLAIN._replace(is_lossless=True))
    assert not are_tied(PLAIN, PLAIN._replace(is_listed=True))
    assert not are_tied(PLAIN, PLAIN._replace(is_damaged=True))
