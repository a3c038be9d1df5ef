"""``dupfind doctor`` for people, and for programs: JSON, schema ``dupfind.doctor/1``."""

from __future__ import annotations

from rich.text import Text

from dupfind.answers.doctor import Diagnosed
from dupfind.report import Screen
from dupfind.report.json import encoded
from dupfind.report.look import Page
from dupfind.report.text import count, printable, valid_text
from dupfind.settings import Format

SCHEMA = "dupfind.doctor/1"


def render(answer: Diagnosed, format_: Format, screen: Screen, version: str) -> bytes:
    """Return what was looked at, as lines or as JSON."""
    if format_ is Format.JSON:
        sections = {
            section.title.lower(): [
                {"name": fact.name, "value": valid_text(fact.value), "advice": fact.advice and valid_text(fact.advice)}
                for fact in section.facts
            ]
            for section in answer.sections
        }
        whole = {"schema": SCHEMA, "dupfind": version, "healthy": answer.is_healthy, **sections}
        return encoded(whole)
    page = Page(screen)
    width = max(len(fact.name) for section in answer.sections for fact in section.facts)
    for section in answer.sections:
        page.add(Text(section.title, style="bold"))
        for fact in section.facts:
            page.add(f"  {fact.name.ljust(width)}  {printable(fact.value)}", wrap=True)
            if fact.advice is not None:
                page.add(Text(f"  {' ' * width}  ! {printable(fact.advice)}", style="yellow"), wrap=True)
        page.add("")
    matters = sum(fact.advice is not None for section in answer.sections for fact in section.facts)
    page.add("Nothing is wrong." if answer.is_healthy else f"{count(matters, 'thing')} to look at, marked with !")
    return page.encoded()
