"""Findings of the stages between walk and verdict, as one value; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dupfind.answers.decisions import Decision
from dupfind.reasons import Reason
from dupfind.values import Failure, Match


class Remains(NamedTuple):
    """What is known of a damaged or smooth needle that has no match."""

    damage: str
    """What its decoder says; nothing for a picture of too little structure to be searched for."""
    nearest: str | None
    """Path of the haystack picture that looks most like what is left of it; None where none does."""


class Split(NamedTuple):
    """What a person has said a needle differs from."""

    reason: Reason
    """From which file it differs, and when that was said."""
    witnesses: frozenset[str]
    """Paths of the files of the haystack that prove nothing of it."""
    witness: str
    """The one of them that ``reason`` names."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the files of both trees once no more of them has to be read."""

    matches: Mapping[str, Match]
    """By the path of the needle."""
    failures: Mapping[str, Failure]
    """By path, on either side."""
    pictures: frozenset[str]
    """Paths of the needles that gave a thumbnail."""
    haystack_pictures: int | None
    """How many files of the haystack gave a thumbnail; None where no needle asked for them."""
    remains: Mapping[str, Remains] = field(default_factory=dict)
    """By path, what is known of damaged needles without a match."""
    words: Mapping[str, Decision] = field(default_factory=dict)
    """By path, the decisions of a person that verdicts on needles rest on."""
    split: Mapping[str, Split] = field(default_factory=dict)
    """By path, needles of which the decision in ``words`` is that they are different."""
    passing: frozenset[str] = frozenset()
    """Paths of files on either side, readable or not, of which a later run may find more, though nothing changes: what
    took too long this time, or more memory than there was."""
