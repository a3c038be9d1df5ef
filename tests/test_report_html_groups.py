"""The page of groups, without a browser."""

from __future__ import annotations

import dataclasses

import pytest

from dupfind.answers.groups import Group
from dupfind.answers.page import PageContents, Preview, Sight, most_doubtful_members
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import html_groups
from dupfind.values import Problem, Side
from tests.helpers.grouped import GROUP, answer
from tests.helpers.report_pages import EVIL, block, words

PAIR = Group([one._replace(path=f"other/{one.path}") for one in GROUP.members[:2]], "most pixels")
ANSWER = answer(PAIR, GROUP)
PATHS = [one.path for group in ANSWER.groups for one in group.members]
SEEN = PageContents({path: Sight(1, Preview(path.encode(), 4, 3, None), None, None) for path in PATHS})


def test_the_answer_on_top() -> None:
    """How many are in groups, what would be freed, and that nothing was deleted."""
    shown = words(html_groups.render(ANSWER, SEEN))
    members, groups = len(PATHS), len(ANSWER.groups)
    assert f"{members:,} of {ANSWER.files:,} files are in {groups} groups" in shown
    assert f"{members - groups} files that are not the best would free" in shown
    assert "Nothing was deleted" in shown
    empty = dataclasses.replace(ANSWER, groups=[])
    assert f"Nothing belongs together among {ANSWER.files:,} files" in words(html_groups.render(empty, PageContents()))


def test_what_the_script_is_given() -> None:
    """Each group with its members, the best first, and why it is the best; each picture."""
    page = html_groups.render(ANSWER, SEEN)
    data = block(page, "data")
    assert [[one["path"] for one in group["members"]] for group in data["groups"]] == [
        [one.path for one in group.members] for group in ANSWER.groups
    ]
    assert [group["why"] for group in data["groups"]] == [group.why_best for group in ANSWER.groups]
    smaller = GROUP.members[3]._replace(reasons=(Reason(ReasonCode.SMALLER, (30, 20, 40, 30)),))
    of_pair = answer(dataclasses.replace(GROUP, members=[GROUP.best, smaller]))
    (small,) = block(html_groups.render(of_pair, SEEN), "data")["groups"]
    assert small["members"][1]["reason"] == "the best one is smaller: 30 x 20 against 40 x 30"
    assert all("evidence" not in group["members"][0] for group in data["groups"])
    assert all("evidence" in one for group in data["groups"] for one in group["members"][1:])
    assert len(block(page, "pictures")) == len(PATHS)


def test_what_shows_a_part_frees_nothing() -> None:
    """No list names it for deleting, so the page does not say what that would free."""
    crop = GROUP.members[2]._replace(reasons=(Reason(ReasonCode.FRAGMENT, (0, 0, 100, 100, 0, 0, 50, 50, 98, 0)),))
    whole = html_groups.render(answer(dataclasses.replace(GROUP, members=[*GROUP.members[:2], crop])), SEEN)
    (group,) = block(whole, "data")["groups"]
    assert [False, True, False] == ["frees" in one for one in group["members"]]
    assert "those that are not the best, but for 1 file that may hold what the best does not." in words(whole)
    assert "those that are not the best." in words(html_groups.render(ANSWER, SEEN))


def test_what_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that are not there, and groups that are too many."""
    monkeypatch.setattr(html_groups, "MOST_GROUPS", 1)
    page = html_groups.render(ANSWER, PageContents())
    assert f"{len(PATHS)} files have no picture here: --html-pictures takes more." in words(page)
    assert f"Of {len(ANSWER.groups)} groups, 1 are listed" in words(page)
    assert len(block(page, "data")["groups"]) == 1


def test_no_name_becomes_markup() -> None:
    """As in the page of a scan."""
    group = ANSWER.groups[0]
    evil = (Reason(ReasonCode.SAME_BYTES, (EVIL,)),)
    members = [one._replace(path=f"{EVIL}{number}", reasons=evil) for number, one in enumerate(group.members)]
    evil = dataclasses.replace(
        ANSWER,
        folders=[EVIL],
        groups=[dataclasses.replace(group, members=members, why_best=EVIL)],
        problems=[Problem(EVIL, Side.HAYSTACK, "walk", EVIL)],
    )
    page = html_groups.render(evil, PageContents()).decode()
    assert page.count("<script") == page.count("</script>") == 3
    assert "<img" not in page
    assert "\u202e" not in page


def test_no_group_has_some_of_its_pictures() -> None:
    """Those with similar members come first; what does not fit is skipped whole."""
    sizes = [len(group.members) for group in ANSWER.groups]
    for count in range(sum(sizes) + 1):
        chosen = {one.path for one in most_doubtful_members(ANSWER.groups, count)}
        assert len(chosen) <= count
        assert all(
            len(chosen & {one.path for one in group.members}) in (0, len(group.members)) for group in ANSWER.groups
        )
    assert len(chosen) == sum(sizes)
