"""``dupfind selftest`` for people, and for programs: JSON, schema ``dupfind.selftest/1``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from dupfind.answers.selftest import Check, Outcome, SelftestResult
from dupfind.report import Screen
from dupfind.report.json import encoded
from dupfind.report.look import Page
from dupfind.report.text import count, printable, valid_text
from dupfind.settings import Format

SCHEMA = "dupfind.selftest/1"
_WORDS = {
    Outcome.OK: "ok",
    Outcome.DIFFERS: "differs",
    Outcome.ABSENT: "absent",
    Outcome.NOT_TRIED: "not tried",
    Outcome.FAILED: "FAILED",
}
_STYLES = {Outcome.OK: "green", Outcome.DIFFERS: "yellow", Outcome.FAILED: "bold red"}
_NEAR = (
    "Other versions of a decoder may give a pixel another grey level. Pictures are found and judged as before. What "
    "was remembered of them is made anew once, and a catalog that was made elsewhere is best made again here."
)
_FAR = (
    "Do not delete by what dupfind says here before this is mended. Install the tested versions, or report it with "
    "what dupfind doctor prints."
)


def render(answer: SelftestResult, format_: Format, screen: Screen, version: str) -> bytes:
    """Return what was tried and what came of it, as lines or as JSON."""
    if format_ is Format.JSON:
        return encoded(_json(answer, version))
    page = Page(screen)
    _section(page, "Known pictures give known hashes", answer.pictures)
    failed = [check for check in answer.broken if check.outcome is not Outcome.OK]
    broken = failed or [Check(f"all {len(answer.broken)} formats", Outcome.OK)]
    _section(page, "Half of a file is refused, or called damaged", broken)
    _section(page, "Whole runs", answer.runs)
    for library in answer.libraries:
        page.add(f"{library.name} is {library.installed}; tested with {library.tested}", wrap=True)
    for line in _conclusion(answer):
        page.add(line, wrap=True)
    return page.encoded()


def _section(page: Page, title: str, checks: Sequence[Check]) -> None:
    page.add(Text(title, style="bold"))
    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        line = Text(f"  {check.name.ljust(width)}  ")
        line.append(_WORDS[check.outcome], style=_STYLES.get(check.outcome, ""))
        line.append(f": {printable(check.note)}" if check.note else "")
        page.add(line, wrap=True)
    page.add("")


def _conclusion(answer: SelftestResult) -> Iterator[str]:
    failed = sum(check.outcome is Outcome.FAILED for check in answer.checks)
    tried = len([check for check in answer.checks if check.outcome not in (Outcome.ABSENT, Outcome.NOT_TRIED)])
    if failed:
        yield f"{count(failed, 'check')} of {tried} failed."
        yield _FAR
        return
    if any(check.outcome is Outcome.DIFFERS for check in answer.checks):
        yield f"All {tried} checks passed, and some pictures have other pixels than where dupfind was tested."
        yield _NEAR
        return
    if answer.libraries:
        yield "Known pictures give the tested pixels with these versions, too."
    yield f"All {tried} checks passed in {answer.seconds:.1f} s."


def _json(answer: SelftestResult, version: str) -> dict[str, Any]:
    def rows(checks: Sequence[Check]) -> list[dict[str, Any]]:
        return [
            {"name": check.name, "outcome": check.outcome, "note": valid_text(check.note) or None} for check in checks
        ]

    return {
        "schema": SCHEMA,
        "dupfind": version,
        "elapsed_seconds": round(answer.seconds, 3),
        "passed": answer.has_passed,
        "pictures": rows(answer.pictures),
        "broken": rows(answer.broken),
        "runs": rows(answer.runs),
        "libraries": [library._asdict() for library in answer.libraries],
    }
