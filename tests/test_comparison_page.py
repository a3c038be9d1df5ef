"""docs/comparison.md says nothing of others without telling where it was read."""

from __future__ import annotations

import re

from tests.helpers.places import ROOT

PAGE = (ROOT / "docs" / "comparison.md").read_text()


def _sources() -> dict[str, str]:
    """By number, where it was read."""
    return dict(re.findall(r"^(\d+)\. (.*)$", PAGE, re.MULTILINE))


def test_each_claim_has_its_source() -> None:
    """Each cell about another tool ends with the number of a source, but for those that say nothing."""
    table = PAGE.partition("| tool |")[2].partition("\n\n")[0]
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:]]
    assert len(rows) >= 8
    cells = [cell.strip() for _, *told in rows for cell in told if cell.strip()]
    assert [] == [cell for cell in cells if not re.search(r"\[\d+\]$", cell)]


def test_each_number_is_a_source_with_a_link() -> None:
    """And none stands there that nobody names."""
    sources = _sources()
    assert set(re.findall(r"\[(\d+)\](?!\()", PAGE)) == set(sources)
    assert [] == [text for text in sources.values() if "](https://" not in text]
