"""``dupfind compare`` for people, and for programs: JSON with the schema ``dupfind.compare/1``, CSV and paths."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from rich.table import Table
from rich.text import Text

from dupfind.answers.compare import Compared, Comparison, Comparisons, Proof
from dupfind.evidence.facts import Test
from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen
from dupfind.report.csv import cell, lines
from dupfind.report.json import encoded, encoded_lines, named_path
from dupfind.report.look import Page
from dupfind.report.measures import TURNS, as_json, limit, value
from dupfind.report.paths import listed
from dupfind.report.reasons import IN_A_PAIR, Roles, sentence
from dupfind.report.reasons import as_json as reasons_as_json
from dupfind.report.text import count, printable, size, valid_text
from dupfind.settings import Format
from dupfind.values import Evidence

SCHEMA = "dupfind.compare/1"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OF_FILMS = {
    ReasonCode.NO_FILM: (
        "not the same film or sound: their bytes differ, and so do their packets or what else counts; "
        "nothing in them was found to look alike"
    ),
    ReasonCode.FILM_BY_BYTES: (
        "other bytes, and nothing else of films and sounds was compared: with its extra video, dupfind compares packets"
    ),
}
_CSV_COLUMNS = ("first", "other", "evidence", "accepted", "score", "distance_bits", "orientation", "first_by_other",
                "other_by_first", "reason", "error")  # fmt: skip


def render(answer: Comparisons, format_: Format, screen: Screen, *, visual: bool, print0: bool) -> bytes:
    """Render the answer in this format; ``visual`` draws the pictures into a table."""
    match format_:
        case Format.TABLE:
            return _table(answer, screen, visual=visual)
        case Format.JSON:
            files = [_file(file) for file in answer.files]
            return encoded({**_head(answer), "files": files, "pairs": _pairs(answer)})
        case Format.JSONL:
            return _lines(answer)
        case Format.CSV:
            return lines([_CSV_COLUMNS, *(_row(pair, answer) for pair in answer.pairs)], screen)
        case Format.PATHS:
            accepted = [pair.other.path for pair in answer.pairs if pair.can_go(answer.settings.accept)]
            return listed(accepted, screen, print0=print0)


def letter(number: int) -> str:
    """Make the letters that stand for the file of this number.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'AA')
    """
    more, last = divmod(number, len(_LETTERS))
    return (letter(more - 1) if more else "") + _LETTERS[last]


def _table(answer: Comparisons, screen: Screen, *, visual: bool) -> bytes:
    page = Page(screen)
    for number, pair in enumerate(answer.pairs, start=1):
        page.add("")
        names = letter(0), letter(number)
        _pair(page, pair, names, answer.settings.algorithm)
        if visual and pair.seen is not None:
            from dupfind.report import visual as drawing

            page.add("")
            drawing.draw(page, pair, names, screen.width)
    return page.encoded()


def _pair(page: Page, pair: Comparison, names: tuple[str, str], algorithm: str) -> None:
    grade = pair.evidence if pair.better is None else Evidence.SAME
    word = "unknown" if pair.error is not None else grade.value if grade else "unlike"
    score = pair.score(algorithm)
    head = page.verdict(word)
    if score is not None:
        head.append(f", score {score:.2f} by {algorithm}", style="default")
    page.add(head)
    for name, file in zip(names, (pair.first, pair.other), strict=True):
        page.add(f"  {name}  {printable(file.path)}")
        page.add(f"  {' ' * len(name)}  {_facts(file)}")
    for line in _sentences(pair, names):
        page.add(printable(line), wrap=True, indent=2)
    if pair.first.hashes and pair.other.hashes and pair.first_by_other.distances_bits is not None:
        page.add("")
        page.add(_hashes(page, pair, names), indent=2)
        if pair.first_by_other.orientation:
            page.add(f"  The distances are those of {names[0]} {TURNS[pair.first_by_other.orientation]}.")
    if pair.first_by_other.tests:
        page.add("")
        page.add(_tests(page, pair, names), indent=2)


def _facts(file: Compared) -> str:
    if file.size_bytes is None:
        return printable(file.error or "no file")
    if file.thumbnail is None:
        what = "film or sound" if file.is_film else "no picture"
        return f"{size(file.size_bytes)}, {printable(file.error or what)}"
    seen = file.thumbnail
    quality = "" if seen.quality is None else f" of quality {seen.quality}"
    return f"{seen.format}{quality}, {seen.width} x {seen.height}, {size(file.size_bytes)}"


def _sentences(pair: Comparison, names: tuple[str, str]) -> list[str]:
    """Say what the two are to each other, both ways."""
    if pair.error is not None:
        return ["no answer: they could not be compared"]
    if pair.evidence is Evidence.IDENTICAL:
        return ["every byte is the same"]
    if pair.evidence is None and pair.reason is not None and pair.reason.code in _OF_FILMS:
        return [_OF_FILMS[pair.reason.code]]
    if pair.evidence is None and pair.reason is not None and pair.reason.code is ReasonCode.NOT_READ:
        return [_OF_FILMS[ReasonCode.NO_FILM], _said(pair.reason)]
    if pair.better is not None:
        better, worse = names if pair.better is pair.first else names[::-1]
        return [f"the same picture, {better} is the better copy", _said(pair.reason, Roles(better, worse))]
    return _both_ways(pair, *names)


def _both_ways(pair: Comparison, first: str, second: str) -> list[str]:
    proofs = pair.first_by_other, pair.other_by_first
    if not any(proof.evidence for proof in proofs):
        return [f"{first} and {second} are {_said(proofs[0].reason)}"]
    if proofs[0].evidence is proofs[1].evidence and proofs[0].reason == proofs[1].reason:
        how = "neither proves the other" if proofs[0].evidence is Evidence.SIMILAR else "each proves the other"
        return [f"{how}: {_why(proofs[0])}"]
    return [_sentence(proofs[0], first, second), _sentence(proofs[1], second, first)]


def _sentence(proof: Proof, needle: str, witness: str) -> str:
    return f"{needle} is {'' if proof.evidence is Evidence.SAME else 'not '}proved by {witness}: {_why(proof)}"


def _why(proof: Proof) -> str:
    if proof.evidence is Evidence.SAME:
        if proof.reason is not None and proof.reason.code is ReasonCode.SAME_IMAGE_DATA:
            return _said(proof.reason)
        return "the same picture" + (f", {_said(proof.reason)}" if proof.reason else "")
    return _said(proof.reason) or "similar"


def _said(reason: Reason | None, roles: Roles = IN_A_PAIR) -> str:
    return "" if reason is None else sentence(reason, roles)


def _hashes(page: Page, pair: Comparison, names: tuple[str, str]) -> Table:
    table = page.table()
    for title in ("Hash", *names):
        table.add_column(title, no_wrap=True)
    table.add_column("Apart", justify="right", no_wrap=True)
    for algorithm, bits in (pair.first_by_other.distances_bits or {}).items():
        both = pair.first.hashes[algorithm], pair.other.hashes[algorithm]
        table.add_row(algorithm, *both, f"{count(bits, 'bit')}")
    return table


def _tests(page: Page, pair: Comparison, names: tuple[str, str]) -> Table:
    """Set out the tests both ways, side by side; where the check hash fails one way, that way has no others."""
    table = page.table()
    table.add_column("Test", no_wrap=True)
    for needle, witness in (names, names[::-1]):
        table.add_column(f"{needle} by {witness}", justify="right", no_wrap=True)
        table.add_column("At most", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    for forth, back in zip_longest(pair.first_by_other.tests, pair.other_by_first.tests):
        table.add_row((forth or back).name, *_outcome(forth), *_outcome(back))
    return table


def _outcome(test: Test | None) -> tuple[str, str, Text]:
    if test is None:
        return "", "", Text("")
    return value(test), limit(test), Text("pass", style="green") if test.passed else Text("fail", style="red")


def _lines(answer: Comparisons) -> bytes:
    """Make a line a file, a line a pair, and the summary last, each with its ``type``."""
    lines: list[dict[str, Any]] = [{"type": "file", **_file(file)} for file in answer.files]
    lines += [{"type": "pair", **pair} for pair in _pairs(answer)]
    lines.append({"type": "summary", **_head(answer)})
    return encoded_lines(lines)


def _head(answer: Comparisons) -> dict[str, Any]:
    settings = answer.settings
    return {
        "schema": SCHEMA,
        "dupfind": answer.version,
        "settings": {
            "algorithm": settings.algorithm,
            "accept": settings.accept.value,
            "rotations": settings.rotations,
        },
        "accepted": answer.are_accepted,
    }


def _file(file: Compared) -> dict[str, Any]:
    seen = file.thumbnail
    return {
        **named_path("path", file.path),
        "size_bytes": file.size_bytes,
        "format": None if seen is None else seen.format,
        "width": None if seen is None else seen.width,
        "height": None if seen is None else seen.height,
        "captured": None if seen is None else seen.captured,
        "hashes": dict(file.hashes) or None,
        "error": None if file.error is None else valid_text(file.error),
    }


def _pairs(answer: Comparisons) -> list[dict[str, Any]]:
    algorithm, accept = answer.settings.algorithm, answer.settings.accept
    return [
        {
            **named_path("first", pair.first.path),
            **named_path("other", pair.other.path),
            "evidence": pair.evidence.value if pair.evidence else None,
            "accepted": pair.is_accepted(accept),
            "better": None if pair.better is None else "first" if pair.better is pair.first else "other",
            "distance_bits": _distance_bits(pair, algorithm),
            "score": pair.score(algorithm),
            **_reason(pair.reason),
            "first_by_other": _proof(pair.first_by_other),
            "other_by_first": _proof(pair.other_by_first),
            "error": None if pair.error is None else valid_text(pair.error),
        }
        for pair in answer.pairs
    ]


def _distance_bits(pair: Comparison, algorithm: str) -> int | None:
    distances_bits = pair.first_by_other.distances_bits
    return None if distances_bits is None else distances_bits[algorithm]


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "evidence": proof.evidence.value if proof.evidence else None,
        **_reason(proof.reason),
        "orientation": None if proof.distances_bits is None else proof.orientation + 1,
        "distances_bits": None if proof.distances_bits is None else dict(proof.distances_bits),
        "check_bits": proof.check_bits,
        "tests": [as_json(test) for test in proof.tests],
    }


def _reason(reason: Reason | None) -> dict[str, str | None]:
    return reasons_as_json(() if reason is None else (reason,), IN_A_PAIR)


def _row(pair: Comparison, answer: Comparisons) -> tuple[object, ...]:
    algorithm = answer.settings.algorithm
    distance_bits, score = _distance_bits(pair, algorithm), pair.score(algorithm)
    return (
        cell(pair.first.path),
        cell(pair.other.path),
        pair.evidence.value if pair.evidence else "",
        "yes" if pair.is_accepted(answer.settings.accept) else "no",
        "" if score is None else score,
        "" if distance_bits is None else distance_bits,
        "" if distance_bits is None else pair.first_by_other.orientation + 1,
        pair.first_by_other.evidence.value if pair.first_by_other.evidence else "",
        pair.other_by_first.evidence.value if pair.other_by_first.evidence else "",
        cell(_said(pair.reason)),
        cell(pair.error or ""),
    )
