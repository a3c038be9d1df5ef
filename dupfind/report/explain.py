"""``dupfind explain`` for people, and as JSON with the schema ``dupfind.explain/1``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from dupfind.answers.explain import Advice, ExplainResult, Explanation, NearPicture
from dupfind.evidence.facts import Test
from dupfind.reasons import ReasonCode, is_fragment, never_proves
from dupfind.report import Screen
from dupfind.report.json import catalogs, encoded, how_compared, named_path, sided_problem
from dupfind.report.look import Page, likeness
from dupfind.report.measures import MEASURES, TURNS, as_json, bound, limit, value
from dupfind.report.reasons import as_json as reasons_as_json
from dupfind.report.reasons import sentence, sentences
from dupfind.report.text import catalog_line, count, printable, size, valid_text
from dupfind.values import HASH_BITS, Evidence, FileState, Kind, ScanSettings

SCHEMA = "dupfind.explain/1"
_OF_FILMS = frozenset({ReasonCode.NO_FILM, ReasonCode.FILM_BY_BYTES, ReasonCode.FILM_NEVER_SAME})


def render(answer: ExplainResult, screen: Screen) -> bytes:
    """Render a paragraph a needle; paths stand on lines of their own and are never broken."""
    page = Page(screen)
    for explanation in answer.explanations:
        page.add("")
        verdict = explanation.verdict
        page.add(page.verdict(verdict.state.value).append(f"  {printable(verdict.path)}", style="default"))
        for path in explanation.itself:
            page.add(f"  is itself in the haystack, as {printable(path)}: not taken for its own witness")
        if verdict.state is FileState.PRESENT:
            _witness(page, explanation, answer.settings)
        else:
            _nearest(page, explanation, answer.settings)
    if answer.not_trusted and not answer.is_complete:
        page.add("")
        places = count(answer.not_trusted, "place")
        them = "it" if answer.not_trusted == 1 else "them"
        page.add(f"Not searched, since hidden and trash folders prove nothing: {places} (-v lists {them}).", wrap=True)
    for catalog in answer.catalogs:
        page.add("")
        page.add(catalog_line(catalog), wrap=True)
    return page.encoded()


def render_json(answer: ExplainResult) -> bytes:
    """Render one object with an object for each needle."""
    settings = answer.settings
    whole = {
        "schema": SCHEMA,
        "dupfind": answer.version,
        "settings": {
            "haystack": [valid_text(path) for path in settings.haystack],
            **how_compared(settings),
        },
        "needles": [_as_json(explanation) for explanation in answer.explanations],
        "problems": list(map(sided_problem, answer.problems)),
        **catalogs(answer.catalogs),
    }
    return encoded(whole)


def _witness(page: Page, explanation: Explanation, settings: ScanSettings) -> None:
    verdict = explanation.verdict
    assert verdict.witness is not None
    assert verdict.evidence is not None
    page.add(f"  {likeness(verdict)} {printable(verdict.witness)}")
    if verdict.evidence is Evidence.IDENTICAL:
        page.add(f"  every byte is the same ({size(verdict.size_bytes)})")
        return
    reason = sentences(verdict.reasons)
    if reason and verdict.reasons[0].code is ReasonCode.SAME_IMAGE_DATA:
        page.add(f"{printable(reason)}, whatever the metadata say", wrap=True, indent=2)
        return
    if reason and verdict.evidence is Evidence.SIMILAR:
        page.add(printable(reason), wrap=True, indent=2)
    bits = f"{verdict.distance_bits} of {HASH_BITS} bits apart by {settings.algorithm}"
    turn = TURNS[explanation.orientation or 0]
    page.add(f"  {bits} (threshold {settings.threshold_bits}), {turn}")
    page.add("")
    _tests(page, explanation.tests)


def _tests(page: Page, tests: Sequence[Test]) -> None:
    table = page.table()
    table.add_column("Test", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("At most", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("What it measures")
    for test in tests:
        passed = Text("pass", style="green") if test.passed else Text("fail", style="red")
        table.add_row(test.name, value(test), limit(test), passed, MEASURES.get(test.name, ""))
    page.add(table, indent=2)


def _nearest(page: Page, explanation: Explanation, settings: ScanSettings) -> None:
    verdict = explanation.verdict
    reason = sentences(verdict.reasons)
    is_of_wholes = not (verdict.reasons and never_proves(verdict.reasons[0]))
    if not is_of_wholes and verdict.witness is not None:
        page.add(f"  {likeness(verdict)} {printable(verdict.witness)}")
    if reason and (not explanation.nearest or verdict.reasons != (explanation.nearest[0].reason,)):
        page.add(printable(reason), wrap=True, indent=2)
    if not explanation.nearest:
        advice = explanation.advice
        if advice is not None and advice.obstacle is not None and advice.obstacle.code in _OF_FILMS:
            page.add(printable(_obstacle(advice)), wrap=True, indent=2)
        elif verdict.kind is Kind.OTHER:
            page.add("  no picture: only equal bytes could prove it, and no file has them")
        elif explanation.advice is not None and verdict.state is not FileState.UNREADABLE:
            page.add(printable(_obstacle(explanation.advice)), wrap=True, indent=2)
        return
    page.add(f"  nearest in the haystack by {settings.algorithm} (threshold {settings.threshold_bits}):")
    for number, near in enumerate(explanation.nearest, start=1):
        _near(page, number, near)
    if any("--accept similar" in near.advice.options for near in explanation.nearest):
        page.add("  A similar picture is no proof: look at both before you accept it.")


def _near(page: Page, number: int, near: NearPicture) -> None:
    grade = {Evidence.SAME: "the same picture", Evidence.SIMILAR: "similar", None: "unlike"}[near.evidence]
    turn = f", {TURNS[near.orientation]}" if near.orientation else ""
    page.add(f"{number:3}  {printable(near.path)}")
    page.add(f"     {grade}, {count(near.distance_bits, 'bit')} apart{turn}")
    if near.failed is not None:
        page.add(f"     failed {near.failed.name}: {value(near.failed)}, where {bound(near.failed)} passes")
    if near.reason and near.evidence is Evidence.SIMILAR:
        page.add(printable(sentence(near.reason)), wrap=True, indent=5)
    options = " ".join(near.advice.options)
    advice = f"accepted with {options}" if options else f"no option accepts it: {_obstacle(near.advice)}"
    page.add(printable(advice), wrap=True, indent=5)


def _obstacle(advice: Advice) -> str:
    if is_fragment(advice.obstacle):
        return "a part of a picture does not prove the whole: look at both"
    return "" if advice.obstacle is None else sentence(advice.obstacle)


def _advice(advice: Advice) -> str:
    """Say ``--threshold 12 --accept similar``, or ``nothing: unlike each other``.

    >>> _advice(Advice(("--threshold 12", "--accept similar")))
    '--threshold 12 --accept similar'
    """
    return " ".join(advice.options) or f"nothing: {_obstacle(advice)}"


def _as_json(explanation: Explanation) -> dict[str, Any]:
    verdict = explanation.verdict
    return {
        **named_path("needle", verdict.path),
        "kind": verdict.kind.value,
        "verdict": verdict.state.value,
        "evidence": verdict.evidence.value if verdict.evidence else None,
        **named_path("witness", verdict.witness),
        "distance_bits": verdict.distance_bits,
        "orientation": None if explanation.orientation is None else explanation.orientation + 1,
        **reasons_as_json(verdict.reasons),
        "tests": [as_json(test) for test in explanation.tests],
        "nearest": [_near_as_json(near) for near in explanation.nearest],
        "advice": valid_text(_advice(explanation.advice)) if explanation.advice else None,
        "itself": [valid_text(path) for path in explanation.itself],
    }


def _near_as_json(near: NearPicture) -> dict[str, Any]:
    return {
        **named_path("path", near.path),
        "evidence": near.evidence.value if near.evidence else None,
        "distance_bits": near.distance_bits,
        "check_bits": near.check_bits,
        "orientation": near.orientation + 1,
        **reasons_as_json(() if near.reason is None else (near.reason,)),
        "tests": [as_json(test) for test in near.tests],
        "advice": valid_text(_advice(near.advice)),
    }
