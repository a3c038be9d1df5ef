"""Decisions of a person about files, as the page of a scan exports them and ``--decisions`` reads them; pure.

A decision is about bytes: it names files by their digests, so that it survives renames and ends with the first edit.
Schema ``dupfind.decisions/1``, see docs/decisions.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from dupfind.values import HASH_BITS, Evidence

SCHEMA, ALGORITHM = "dupfind.decisions/1", "blake3"
_HEX_DIGITS = 64


class Ruling(StrEnum):
    """What can be decided."""

    SAME = "same"
    """Needle and witness are the same picture."""
    DIFFERENT = "different"
    """They are not."""
    NOT_WANTED = "not-wanted"
    """The needle is not to be kept."""


class Mark(NamedTuple):
    """A file, known by its bytes."""

    digest: bytes
    """BLAKE3, 32 bytes."""
    size_bytes: int
    path: str
    """Where it lay when it was decided on, for people only."""


class Decision(NamedTuple):
    """One decision of a person."""

    ruling: Ruling
    needle: Mark
    witness: Mark | None
    """None for ``not-wanted``."""
    evidence: Evidence | None
    """What the scan had said of the two; None for nothing, or where it is not known."""
    distance_bits: int | None
    decided: str
    """When: ISO 8601."""

    @property
    def day(self) -> str:
        """When, for people."""
        return self.decided[:10]


class MalformedError(ValueError):
    """No decisions; the text says what is wrong."""


def parse(data: bytes) -> tuple[Decision, ...]:
    """Read the decisions in the bytes of such a file; raises :class:`MalformedError`."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None
    if not isinstance(whole, dict) or whole.get("schema") != SCHEMA:
        raise MalformedError(f"its schema is not {SCHEMA}")
    if whole.get("digest") != ALGORITHM:
        raise MalformedError(f"its digests are not {ALGORITHM}")
    rows = whole.get("decisions")
    if not isinstance(rows, list):
        raise MalformedError('"decisions" is not a list')
    decisions = []
    for number, row in enumerate(rows, start=1):
        try:
            decisions.append(_decision(row))
        except (ValueError, TypeError, KeyError) as error:
            reason = error if isinstance(error, MalformedError) else "not as dupfind writes it"
            raise MalformedError(f"decision {number}: {reason}") from None
    _refuse_contradictions(decisions)
    return tuple(dict.fromkeys(decisions))


def _decision(row: Mapping[str, Any]) -> Decision:
    if not isinstance(row, dict):
        raise MalformedError("not an object")
    if row.get("decision") not in set(Ruling):
        raise MalformedError('"decision" is not one of same, different, not-wanted')
    ruling = Ruling(row["decision"])
    needle = _mark(row.get("needle"), "needle")
    witness = None if ruling is Ruling.NOT_WANTED else _mark(row.get("witness"), "witness")
    if ruling is Ruling.NOT_WANTED and row.get("witness") is not None:
        raise MalformedError('"not-wanted" takes no witness')
    if witness is not None and witness.digest == needle.digest:
        raise MalformedError("needle and witness are the same bytes, which needs no decision")
    evidence, bits = row.get("evidence"), row.get("distance_bits")
    if bits is not None and (not isinstance(bits, int) or isinstance(bits, bool) or not 0 <= bits <= HASH_BITS):
        raise MalformedError('"distance_bits" is not a number from 0 to 64')
    decided = row.get("decided")
    if not isinstance(decided, str):
        raise MalformedError('"decided" is not a time')
    datetime.fromisoformat(decided)
    return Decision(ruling, needle, witness, None if evidence is None else Evidence(evidence), bits, decided)


def _mark(value: object, name: str) -> Mark:
    if not isinstance(value, dict):
        raise MalformedError(f"no {name}")
    digest, size_bytes, path = value.get("digest"), value.get("size_bytes"), value.get("path")
    if not isinstance(digest, str) or len(digest) != _HEX_DIGITS:
        raise MalformedError(f'the {name}\'s "digest" is not {_HEX_DIGITS} hexadecimal digits')
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or size_bytes < 0:
        raise MalformedError(f'the {name}\'s "size_bytes" is not a number of bytes')
    if not isinstance(path, str):
        raise MalformedError(f'the {name}\'s "path" is not a text')
    return Mark(bytes.fromhex(digest), size_bytes, path)


def _refuse_contradictions(decisions: Sequence[Decision]) -> None:
    """Refuse a file that says two things of one needle: there is doubt, and no verdict rests on doubt."""
    unwanted = {decision.needle.digest for decision in decisions if decision.ruling is Ruling.NOT_WANTED}
    split = {
        (decision.needle.digest, decision.witness) for decision in decisions if decision.ruling is Ruling.DIFFERENT
    }
    digests = {(needle, witness.digest) for needle, witness in split if witness is not None}
    for number, decision in enumerate(decisions, start=1):
        if decision.ruling is not Ruling.SAME or decision.witness is None:
            continue
        if decision.needle.digest in unwanted:
            raise MalformedError(f"decision {number}: the needle is not wanted by another decision")
        if (decision.needle.digest, decision.witness.digest) in digests:
            raise MalformedError(f"decision {number}: the two are different by another decision")


def as_row(decision: Decision) -> dict[str, Any]:
    """Make the row of a decision, as the file has it."""
    return {
        "decision": decision.ruling.value,
        "needle": _as_mark(decision.needle),
        "witness": None if decision.witness is None else _as_mark(decision.witness),
        "evidence": None if decision.evidence is None else decision.evidence.value,
        "distance_bits": decision.distance_bits,
        "decided": decision.decided,
    }


def _as_mark(mark: Mark) -> dict[str, Any]:
    return {"digest": mark.digest.hex(), "size_bytes": mark.size_bytes, "path": mark.path}


def with_decision(decisions: Sequence[Decision], new: Decision) -> tuple[Decision, ...]:
    """Return the decisions with a ``new`` one in place of those on the same needle, or on the same pair, before it.

    Decisions that the needle differs from other files stay. The page of ``--html`` keeps to the same rules.
    """
    needle = new.needle.digest
    left = [earlier for earlier in decisions if earlier.needle.digest != needle or _is_of_another_pair(earlier, new)]
    return (*left, new)


def _is_of_another_pair(earlier: Decision, new: Decision) -> bool:
    if earlier.ruling is not Ruling.DIFFERENT:
        return False
    return new.witness is None or earlier.witness is None or earlier.witness.digest != new.witness.digest


def without_last(decisions: Sequence[Decision], digest: bytes) -> tuple[Decision, ...]:
    """Return the decisions without the last on the needle of this ``digest``; all of them where there is none."""
    for place in range(len(decisions) - 1, -1, -1):
        if decisions[place].needle.digest == digest:
            return (*decisions[:place], *decisions[place + 1 :])
    return tuple(decisions)
