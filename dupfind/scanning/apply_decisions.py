"""Where decisions of a person meet the files of this run, and what becomes of the findings.

The bytes of this run decide: a file is looked for by the size that was decided on, and its digest is made, or known by
the rules of the cache, in this run. What was edited since is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, Protocol

from dupfind.answers.decisions import Decision, Ruling
from dupfind.answers.findings import Findings, Split
from dupfind.events import Listener
from dupfind.pictures.formats import is_film_name, is_image_name
from dupfind.reasons import Reason, ReasonCode, never_proves
from dupfind.values import Evidence, Failure, FileEntry, Match, grade_rank


class Standing(NamedTuple):
    """The decisions that are about files of this run, by the path of the needle."""

    same: dict[str, tuple[str, Decision]]
    """The lowest path of the witness, and the decision."""
    unwanted: dict[str, Decision]
    split: Mapping[str, frozenset[str]]
    """By the path of a needle, the haystack files that prove nothing of it."""
    doubted: frozenset[str]
    """Needles whose split witness had passed for the same picture."""
    differing: Mapping[str, tuple[str, Decision]] = MappingProxyType({})
    """Of those that were split, the lowest path of the witness that the scan had thought most of, and the decision."""


class ReadsDigests(Protocol):
    """What is asked of a :class:`~dupfind.reading.Reader` here."""

    def digests(self, entries: Sequence[FileEntry], *, is_afresh: bool = False) -> Mapping[str, bytes | Failure]:
        """Return the digest of each file, or why it has none, by path; ``is_afresh`` reads them past the cache."""


def decide(
    decisions: Sequence[Decision],
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    reader: ReadsDigests,
    listener: Listener,
    *,
    is_paranoid: bool,
) -> Standing:
    """Find the files that the ``decisions`` are about; warns of decisions that are about none.

    ``is_paranoid`` reads them past the cache.
    """
    sizes = {decision.needle.size_bytes for decision in decisions}
    asked = [entry for entry in needles if entry.size_bytes in sizes]
    sizes = {decision.witness.size_bytes for decision in decisions if decision.witness is not None}
    answered = [entry for entry in haystack if entry.size_bytes in sizes]
    digests = reader.digests(list({entry.path: entry for entry in (*asked, *answered)}.values()), is_afresh=is_paranoid)
    ours, theirs = _by_digest(asked, digests), _by_digest(answered, digests)
    same: dict[str, tuple[str, Decision]] = {}
    unwanted: dict[str, Decision] = {}
    split: dict[str, set[str]] = {}
    doubted: set[str] = set()
    differing: dict[str, tuple[str, Decision]] = {}
    idle = 0
    for decision in decisions:
        paths = ours.get(decision.needle.digest, [])
        witnesses = [] if decision.witness is None else theirs.get(decision.witness.digest, [])
        if not paths or (decision.witness is not None and not witnesses):
            idle += 1
            continue
        for path in paths:
            match decision.ruling:
                case Ruling.NOT_WANTED:
                    unwanted[path] = decision
                case Ruling.SAME:
                    # What is no picture cannot have been seen to be the same.
                    seen = min(filter(is_image_name, witnesses), default=None)
                    if seen is not None and (path not in same or seen < same[path][0]):
                        same[path] = seen, decision
                case Ruling.DIFFERENT:
                    split.setdefault(path, set()).update(witnesses)
                    said = min(witnesses), decision
                    differing[path] = min(said, differing.get(path, said), key=_weight)
                    if decision.evidence is Evidence.SAME:
                        doubted.add(path)
    if idle:
        listener.warn(_idle(idle, len(decisions)))
    refused = {path: frozenset(witnesses) for path, witnesses in split.items()}
    return Standing(same, unwanted, refused, frozenset(doubted), differing)


def _idle(number: int, decisions: int) -> str:
    verb = "is" if number == 1 else "are"
    return f"{number:,} of {decisions:,} decisions {verb} about files that this scan did not meet"


def _weight(said: tuple[str, Decision]) -> tuple[int, str, str]:
    """Rank split witnesses, the lowest is named: what the scan had
    thought most of, then the lowest path.
    """
    witness, decision = said
    return grade_rank(decision.evidence), witness, decision.decided


def _by_digest(entries: Iterable[FileEntry], digests: Mapping[str, object]) -> dict[bytes, list[str]]:
    paths: dict[bytes, list[str]] = {}
    for entry in entries:
        digest = digests[entry.path]
        if isinstance(digest, bytes):
            paths.setdefault(digest, []).append(entry.path)
    return paths


def apply(findings: Findings, standing: Standing, accept: Evidence, spell: Callable[[str], str]) -> Findings:
    """Return the findings as the decisions leave them; ``spell`` gives the path of a haystack file as reported.

    What was proved without a word needs none, and no word proves what is no picture or could not be decoded.
    """
    matches: dict[str, Match] = {}
    for path, match in findings.matches.items():
        if match.witness in standing.split.get(path, ()) and match.evidence is not Evidence.IDENTICAL:
            continue
        is_proof = match.evidence is Evidence.SAME
        matches[path] = _doubted(match) if is_proof and path in standing.doubted else match
    words: dict[str, Decision] = {}
    for path, (witness, decision) in standing.same.items():
        earlier = matches.get(path)
        if _is_proved(earlier, accept) or path in findings.failures or path not in findings.pictures:
            continue
        bits = earlier.distance_bits if earlier is not None and earlier.witness == witness else decision.distance_bits
        reason = Reason(ReasonCode.SAME_ON_YOUR_WORD, (spell(witness), decision.day))
        matches[path] = Match(witness, Evidence.SIMILAR, bits, reason)
        words[path] = decision
    unwanted = standing.unwanted.items()
    words |= {path: decision for path, decision in unwanted if not _is_proved(matches.get(path), accept)}
    split: dict[str, Split] = {}
    for path, (witness, decision) in standing.differing.items():
        is_seen = path in findings.pictures and path not in findings.failures
        is_told = is_seen or _was_film(path, decision, findings.failures.get(path))
        if path in words or not is_told or _is_proved(matches.get(path), accept):
            continue
        words[path], witnesses = decision, standing.split[path]
        facts = spell(witness), len(witnesses) - 1, decision.day
        reason = Reason(ReasonCode.DIFFERENT_ON_YOUR_WORD, facts)
        split[path] = Split(reason, witnesses, witness)
    return replace(findings, matches=matches, words=words, split=split)


def _is_proved(match: Match | None, accept: Evidence) -> bool:
    if match is None or never_proves(match.reason):
        return False
    return match.evidence is Evidence.IDENTICAL or match.evidence.rank <= accept.rank


def _was_film(path: str, decision: Decision, failure: Failure | None) -> bool:
    """Tell whether a decision took a witness from a film that the scan had proved by its packets.

    That it is no picture is no ``failure`` of a film.
    """
    is_film = is_film_name(path) and (failure is None or (failure.lasting and not failure.is_image))
    return is_film and decision.evidence is Evidence.SAME


def _doubted(match: Match) -> Match:
    """Return a proof of a needle about which such a proof was wrong before."""
    return match._replace(evidence=Evidence.SIMILAR, reason=Reason(ReasonCode.DOUBTED_ON_YOUR_WORD))
