"""Answers of `groups`, made by hand."""

from __future__ import annotations

from dupfind.answers.groups import Group, GroupsResult, Member
from dupfind.values import Evidence, Problem

BEST = Member("a.jpg", 0, None, None, (), 900, 0, 0, 40, 30, "JPEG", None)
GROUP = Group(
    [
        BEST,
        BEST._replace(path="b.jpg", evidence=Evidence.IDENTICAL, frees_bytes=900),
        BEST._replace(path="c.jpg", stack=1, evidence=Evidence.SIMILAR, distance_bits=8, frees_bytes=0),
        BEST._replace(path="d.jpg", stack=1, evidence=Evidence.SAME, distance_bits=2, frees_bytes=300),
    ],
    "oldest",
)


def answer(*groups: Group, problems: tuple[Problem, ...] = ()) -> GroupsResult:
    """An answer with these groups."""
    return GroupsResult("1.0", ["c"], Evidence.SIMILAR, "phash", 10, True, 9, 5, groups, problems)
