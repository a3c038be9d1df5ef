"""The page of ``dupfind groups``: a sheet for each group, with the best member marked and why it is the best."""

from __future__ import annotations

from typing import Any

from dupfind.answers.groups import Group, GroupsResult, Member
from dupfind.answers.page import PageContents
from dupfind.report import document
from dupfind.report.document import SIGNS, Album, shown
from dupfind.report.reasons import IN_A_GROUP, sentences
from dupfind.report.text import catalog_line, count, size
from dupfind.values import Evidence

MOST_GROUPS = 20_000
MOST_PROBLEMS = 1_000
KEYS = (
    ("j", "the next group"),
    ("k", "the group before"),
    ("/", "search"),
    ("?", "this help"),
)
_ORDERS = (("free", "what frees most first"), ("members", "largest groups first"), ("path", "by path"))


def render(answer: GroupsResult, seen: PageContents) -> bytes:
    """Render the page; ``seen`` is what it shows beside the answer."""
    album = Album()
    album.add(seen.sights)
    data = {
        "signs": SIGNS,
        "groups": [_group(group, album) for group in answer.groups[:MOST_GROUPS]],
        "sights": album.sights,
    }
    context = {
        "title": f"dupfind groups: {', '.join(map(shown, answer.folders)) or 'files of a list'}",
        "version": answer.version,
        "keys": KEYS,
        "orders": _ORDERS,
        "answer": answer,
        "headline": _headline(answer),
        "others": len(list(answer.others)),
        "kept": sum(not member.is_removable for member in answer.others),
        "similar": sum(member.evidence is Evidence.SIMILAR for member in answer.others),
        "problems": list(answer.problems)[:MOST_PROBLEMS],
        "more_problems": len(answer.problems) - MOST_PROBLEMS,
        "left_out": _left_out(answer, seen),
    }
    return document.render(
        "groups.html.j2", (*document.COMMON, "sheets.js", "groups.js"), context, data, album.pictures
    )


def _headline(answer: GroupsResult) -> str:
    looked = count(answer.files, "file")
    if not answer.groups:
        return f"Nothing belongs together among {looked}"
    members = sum(len(group.members) for group in answer.groups)
    return f"{members:,} of {looked} are in {count(len(answer.groups), 'group')}"


def _left_out(answer: GroupsResult, seen: PageContents) -> list[str]:
    """Say what the page does not hold."""
    without = sum(member.path not in seen.sights for group in answer.groups for member in group.members)
    lines = list(map(catalog_line, answer.catalogs))
    if without:
        lines.append(
            f"{count(without, 'file')} {'has' if without == 1 else 'have'} no picture here: --html-pictures takes more."
        )
    if len(answer.groups) > MOST_GROUPS:
        lines.append(f"Of {len(answer.groups):,} groups, {MOST_GROUPS:,} are listed; --format json has all.")
    return lines


def _group(group: Group, album: Album) -> dict[str, Any]:
    return {
        "why": shown(group.why_best),
        "frees": size(group.frees_bytes),
        "free": group.frees_bytes,
        "evidence": group.evidence.value,
        "members": [_member(member, album) for member in group.members],
    }


def _member(member: Member, album: Album) -> dict[str, Any]:
    """Describe one file; what is not known is left out."""
    facts: dict[str, Any] = {"path": shown(member.path), "bytes": size(member.size_bytes), "stack": member.stack}
    facts |= album.place("at", member.path)
    if member.evidence is not None:
        facts |= {"evidence": member.evidence.value, "bits": member.distance_bits}
        facts |= {"frees": size(member.frees_bytes)} if member.is_removable else {}
    if reason := sentences(member.reasons, IN_A_GROUP):
        facts["reason"] = shown(reason)
    return facts
