"""``dupfind find`` for people, and for programs: JSON with the schema ``dupfind.find/1``, CSV and paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from dupfind.answers.find import FILMS_BY_BYTES, NO_SAME_FILM, FindResult, NearFile, Sought
from dupfind.report import Screen
from dupfind.report.csv import cell, lines
from dupfind.report.json import catalogs, encoded, encoded_lines, how_compared, named_path, problem_facts
from dupfind.report.look import Page
from dupfind.report.paths import listed
from dupfind.report.reasons import as_json, sentence
from dupfind.report.text import catalog_line, printable, valid_text
from dupfind.settings import Format
from dupfind.values import HASH_BITS, Evidence

SCHEMA = "dupfind.find/1"
_CSV_COLUMNS = ("image", "seen", "path", "evidence", "witness", "distance_bits", "score", "reason", "error")


def render(answer: FindResult, format_: Format, screen: Screen, *, print0: bool) -> bytes:
    """Render the answer in this format."""
    match format_:
        case Format.TABLE:
            return _table(answer, screen)
        case Format.JSON:
            whole = {
                **_head(answer),
                "images": [_sought(image) for image in answer.sought],
                "problems": list(map(problem_facts, answer.problems)),
            }
            return encoded(whole)
        case Format.JSONL:
            shown: list[dict[str, Any]] = [{"type": "image", **_sought(image)} for image in answer.sought]
            shown.append({"type": "summary", **_head(answer), "problems": list(map(problem_facts, answer.problems))})
            return encoded_lines(shown)
        case Format.CSV:
            return lines([_CSV_COLUMNS, *_rows(answer.sought)], screen)
        case Format.PATHS:
            witnesses = (near.path for sought in answer.sought for near in sought.witnesses)
            return listed(list(dict.fromkeys(witnesses)), screen, print0=print0)


def _table(answer: FindResult, screen: Screen) -> bytes:
    page = Page(screen)
    for sought in answer.sought:
        page.add("")
        page.add(
            page.verdict("seen" if sought.is_seen else "not seen").append(f"  {printable(sought.path)}", "default")
        )
        for line in remarks(sought, answer):
            page.add(f"  {line}")
        if sought.nearest:
            _list(page, sought.nearest)
    if any(near.evidence is Evidence.SIMILAR for sought in answer.sought for near in sought.nearest):
        page.add("")
        page.add("A similar picture is another picture: look at both.", wrap=True)
    for catalog in answer.catalogs:
        page.add("")
        page.add(catalog_line(catalog), wrap=True)
    return page.encoded()


def remarks(sought: Sought, answer: FindResult) -> Iterable[str]:
    """Yield what is to be said of a picture beside its nearest, ready to be shown."""
    if sought.error is not None and sought.nearest:
        yield f"compared by its bytes only: {printable(sought.error)}"
    elif sought.error == FILMS_BY_BYTES:
        yield f"no other file has its bytes: {FILMS_BY_BYTES}"
    elif sought.error == NO_SAME_FILM:
        yield NO_SAME_FILM
    elif sought.error is not None:
        yield f"could not be looked at: {printable(sought.error)}"
    for path in sought.itself:
        yield f"is itself in the haystack, as {printable(path)}: not taken for its own witness"
    if sought.error is None and not sought.nearest:
        yield _why_nothing(len(sought.itself), answer)


def _why_nothing(itself: int, answer: FindResult) -> str:
    if answer.pictures is not None and not answer.pictures:
        return "the haystack holds no picture"
    if answer.most_bits == HASH_BITS or (answer.pictures is not None and answer.pictures <= itself):
        return "the haystack holds no other picture"
    return "nothing in the haystack is as near as that"


def _list(page: Page, nearest: Sequence[NearFile]) -> None:
    table = page.table()
    table.add_column("", no_wrap=True)
    table.add_column("Bits", justify="right", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("File", overflow="fold")
    for near in nearest:
        file = Text(printable(near.path))
        if near.reason is not None and near.evidence is not None:
            file.append(f"\n- {printable(sentence(near.reason))}", style="dim")
        word = page.verdict(near.evidence.value if near.evidence else "unlike")
        bits = "" if near.distance_bits is None else str(near.distance_bits)
        table.add_row(word, bits, "" if near.score is None else f"{near.score:.2f}", file)
    page.add(table, indent=2)


def _head(answer: FindResult) -> dict[str, Any]:
    settings = answer.settings
    return {
        "schema": SCHEMA,
        "dupfind": answer.version,
        "settings": {
            "haystack": [valid_text(path) for path in settings.haystack],
            **how_compared(settings),
            "nearest": answer.nearest,
        },
        "summary": {
            "images": {"seen": sum(image.is_seen for image in answer.sought), "all": len(answer.sought)},
            "haystack": {"files": answer.files, "images": answer.pictures},
        },
        **catalogs(answer.catalogs),
    }


def _sought(sought: Sought) -> dict[str, Any]:
    return {
        **named_path("image", sought.path),
        "seen": sought.is_seen,
        "nearest": [_near(near) for near in sought.nearest],
        "itself": [valid_text(path) for path in sought.itself],
        "error": None if sought.error is None else valid_text(sought.error),
    }


def _near(near: NearFile) -> dict[str, Any]:
    return {
        **named_path("path", near.path),
        "evidence": near.evidence.value if near.evidence else None,
        "witness": near.is_witness,
        "distance_bits": near.distance_bits,
        "score": near.score,
        **as_json(() if near.reason is None else (near.reason,)),
    }


def _rows(images: Iterable[Sought]) -> Iterable[Sequence[object]]:
    for sought in images:
        head = cell(sought.path), _yes(sought.is_seen)
        error = cell(sought.error or "")
        if not sought.nearest:
            yield (*head, "", "", "", "", "", "", error)
        for near in sought.nearest:
            yield (
                *head,
                cell(near.path),
                near.evidence.value if near.evidence else "",
                _yes(near.is_witness),
                "" if near.distance_bits is None else near.distance_bits,
                "" if near.score is None else near.score,
                cell(sentence(near.reason) if near.reason else ""),
                error,
            )


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
