"""The page of ``dupfind find``: a sheet for each picture, whether it was seen before, and its nearest ones."""

from __future__ import annotations

from typing import Any

from dupfind.answers.find import FindResult, NearFile, Sought
from dupfind.answers.page import PageContents
from dupfind.report import document
from dupfind.report.document import SIGNS, Album, shown
from dupfind.report.find import remarks
from dupfind.report.reasons import sentence
from dupfind.report.text import catalog_line, count
from dupfind.values import HASH_BITS, Evidence

MOST_IMAGES = 20_000
MOST_PROBLEMS = 1_000
KEYS = (
    ("j", "the next picture"),
    ("k", "the picture before"),
    ("Space", "compare with the best one; flip between the two"),
    ("n", "compare with the next of the nearest"),
    ("p", "compare with the one before"),
    ("/", "search"),
    ("?", "this help"),
)
_ORDERS = (("asked", "as asked"), ("unseen", "not seen first"), ("path", "by path"))
_INPUT = "standard input"


def render(answer: FindResult, seen: PageContents) -> bytes:
    """Render the page; ``seen`` is what it shows beside the answer."""
    album = Album()
    album.add(seen.sights)
    data = {
        "signs": SIGNS,
        "images": [_image(image, answer, seen, album) for image in answer.sought[:MOST_IMAGES]],
        "sights": album.sights,
    }
    context = {
        "title": f"dupfind find: {', '.join(map(_name, answer.sought[:10]))}",
        "version": answer.version,
        "keys": KEYS,
        "orders": _ORDERS,
        "answer": answer,
        "headline": _headline(answer),
        "similar": any(near.evidence is Evidence.SIMILAR for image in answer.sought for near in image.nearest),
        "settings": _settings(answer),
        "problems": list(answer.problems)[:MOST_PROBLEMS],
        "more_problems": len(answer.problems) - MOST_PROBLEMS,
        "left_out": _left_out(answer, seen),
    }
    scripts = (*document.COMMON, "stage.js", "sheets.js", "find.js")
    return document.render("find.html.j2", scripts, context, data, album.pictures)


def _name(sought: Sought) -> str:
    return _INPUT if sought.path == "-" else shown(sought.path)


def _headline(answer: FindResult) -> str:
    seen = sum(image.is_seen for image in answer.sought)
    if len(answer.sought) == 1:
        return f"The picture was {'' if seen else 'not '}seen before"
    return f"{seen:,} of {count(len(answer.sought), 'picture')} {'was' if seen == 1 else 'were'} seen before"


def _settings(answer: FindResult) -> list[tuple[str, str]]:
    settings = answer.settings
    within = "" if answer.most_bits == HASH_BITS else f", none farther than {count(answer.most_bits, 'bit')} of 64"
    return [
        ("Shown", f"the {answer.nearest:,} nearest of each{within}" if answer.nearest > 1 else f"the nearest{within}"),
        ("Search", f"{settings.algorithm}; a witness is up to {count(settings.threshold_bits, 'bit')} of 64 apart"),
        ("Seen by", f"evidence “{settings.accept.value}” or stronger"),
        ("Turned copies", "looked for" if settings.rotations else "not looked for"),
    ]


def _left_out(answer: FindResult, seen: PageContents) -> list[str]:
    """Say what the answer rests on besides folders, and what the page does not hold."""
    lines = [catalog_line(catalog) for catalog in answer.catalogs]
    files = {image.path for image in answer.sought if image.error is None or image.nearest}
    files |= {near.path for image in answer.sought for near in image.nearest}
    without = len(files - seen.sights.keys())
    if without:
        they = f"{count(without, 'file')} {'has' if without == 1 else 'have'}"
        lines.append(f"{they} no picture here: --html-pictures takes more.")
    if len(answer.sought) > MOST_IMAGES:
        lines.append(f"Of {len(answer.sought):,} pictures, {MOST_IMAGES:,} are listed; --format json has all.")
    return lines


def _image(sought: Sought, answer: FindResult, seen: PageContents, album: Album) -> dict[str, Any]:
    return {
        "path": _name(sought),
        "input": sought.path == "-",
        "seen": sought.is_seen,
        "remarks": [f"{line[0].upper()}{line[1:]}." for line in remarks(sought, answer)],
        "near": [_near(near, sought, seen, album) for near in sought.nearest],
        **album.place("at", sought.path),
    }


def _near(near: NearFile, sought: Sought, seen: PageContents, album: Album) -> dict[str, Any]:
    """Describe one of the nearest; what is not known is left out."""
    facts: dict[str, Any] = {
        "path": shown(near.path),
        "grade": near.evidence.value if near.evidence else "unlike",
        "witness": near.is_witness,
        "bits": near.distance_bits,
        "score": near.score,
        **album.place("at", near.path),
    }
    if near.reason is not None and near.evidence is not None:
        facts["reason"] = shown(sentence(near.reason))
    turn = seen.turns.get((sought.path, near.path))
    return facts if turn is None else {**facts, "turn": turn}
