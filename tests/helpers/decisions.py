"""Decisions as a page exports them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dupfind.answers.decisions import Decision, Mark, Ruling
from dupfind.digest import digest_of
from dupfind.values import Evidence

NEEDLE = {"digest": "ab" * 32, "size_bytes": 5, "path": "n/a.jpg"}
WITNESS = {"digest": "cd" * 32, "size_bytes": 6, "path": "hay/b.jpg"}
WHEN = "2026-11-21T12:00:00Z"


def row(decision: str = "same", **other: Any) -> dict[str, Any]:
    """One decision as the page writes it."""
    witness = None if decision == "not-wanted" else WITNESS
    return {"decision": decision, "needle": NEEDLE, "witness": witness, "decided": WHEN, **other}


def file(*rows: Any, **other: Any) -> bytes:
    """A file of them."""
    whole = {"schema": "dupfind.decisions/1", "digest": "blake3", "decisions": list(rows), **other}
    return json.dumps(whole).encode()


def mark(path: Path) -> Mark:
    """A file as the page knows it."""
    content = path.read_bytes()
    return Mark(digest_of([content]), len(content), "somewhere else")


def word(ruling: str, needle: Path, witness: Path | None = None, evidence: str | None = "similar") -> Decision:
    """What a person says."""
    grade = None if evidence is None else Evidence(evidence)
    return Decision(Ruling(ruling), mark(needle), witness and mark(witness), grade, 3, WHEN)
