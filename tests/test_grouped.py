"""The values of dupfind groups."""

from __future__ import annotations

from dupfind.values import Evidence, Problem, Side
from tests.helpers.grouped import BEST, GROUP, answer


def test_what_a_group_says_of_itself() -> None:
    """Its weakest evidence, its best, how many pictures it holds, and what the others free."""
    assert (Evidence.SIMILAR, BEST, 2, 1200) == (GROUP.evidence, GROUP.best, GROUP.stacks, GROUP.frees_bytes)
    assert [None, 1.0, 0.875, 0.96875] == [one.score for one in GROUP.members]
    assert ["b.jpg", "c.jpg", "d.jpg"] == [one.path for one in GROUP.others]


def test_an_answer() -> None:
    """Sums over groups; clean only without groups, and where nothing was skipped but by design."""
    assert (2400, 6) == (answer(GROUP, GROUP).frees_bytes, len(list(answer(GROUP, GROUP).others)))
    note = Problem("c/.x", Side.HAYSTACK, "walk", "hidden", is_note=True)
    assert [False, True, True, False] == [
        answer(GROUP).is_clean,
        answer().is_clean,
        answer(problems=(note,)).is_clean,
        answer(problems=(note._replace(is_note=False),)).is_clean,
    ]
