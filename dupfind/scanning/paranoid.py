"""The stage of ``--paranoid``: what is about to count as present is read again, both files, in this run.

Decides what becomes of a claim that does not hold; :mod:`dupfind.matching.reverify` reads and compares the files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dupfind.matching.reverify import Claim, Look, reverify_all
from dupfind.matching.same_image_data import REASON
from dupfind.reading import Reader
from dupfind.reasons import never_proves
from dupfind.run import Reading
from dupfind.values import SECOND_LOOK, Evidence, Failure, FileEntry, Match

_MOST_TWINS = 16
"""Haystack files of one size that are tried where the first is no longer identical."""


def read_again(
    run: Reading, matches: Mapping[str, Match], needles: Sequence[FileEntry], haystack: Sequence[FileEntry]
) -> tuple[dict[str, Match], dict[str, Failure]]:
    """Return the matches that hold, some of them weaker, and a failure for each needle whose claim does not hold.

    A file that only a catalog lists is compared by its digest.
    """
    claims = _claims(matches, needles, haystack, run.settings.scan.accept, run.reader)
    if not claims:
        return dict(matches), {}
    left = dict(matches)
    failures: dict[str, Failure] = {}
    for claim, look in reverify_all(run, claims):
        path = claim.needle.path
        match = _matched(left.pop(path), look)
        if match is None:
            failures[path] = Failure(look.failure or "", is_image=False, lasting=False, stage=SECOND_LOOK)
        else:
            left[path] = match
    return left, failures


def _claims(
    matches: Mapping[str, Match],
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    accept: Evidence,
    reader: Reader,
) -> list[Claim]:
    """Give what is to be read again, in the order of the needles."""
    by_path = {entry.path: entry for entry in haystack}
    identical = (match for match in matches.values() if match.evidence is Evidence.IDENTICAL)
    sizes = {by_path[match.witness].size_bytes for match in identical}
    twins: dict[int, list[FileEntry]] = defaultdict(list)
    for entry in haystack:
        if entry.size_bytes in sizes and len(twins[entry.size_bytes]) < _MOST_TWINS and entry.can_be_read:
            twins[entry.size_bytes].append(entry)
    witnesses = [by_path[match.witness] for match in matches.values()]
    listed = [entry for entry in witnesses if not entry.can_be_read]
    digests = reader.digests(listed) if listed else {}
    claims = []
    for needle in needles:
        match = matches.get(needle.path)
        if match is None or match.evidence.rank > accept.rank or never_proves(match.reason):
            continue
        witness = by_path[match.witness]
        alike = twins[witness.size_bytes] if match.evidence is Evidence.IDENTICAL else ()
        readable = (witness,) if witness.can_be_read else ()
        digest = digests.get(witness.path)
        listed_bytes = (witness.path, digest) if isinstance(digest, bytes) else None
        tried = (*readable, *(entry for entry in alike if entry != witness))
        claims.append(Claim(needle, tried, match.evidence, listed_bytes, match.reason == REASON))
    return claims


def _matched(match: Match, look: Look) -> Match | None:
    """Return what is left of ``match``; None where nothing is, or where what is left was not looked for."""
    if look.witness is None or look.evidence is None:
        return None
    if look.evidence.rank <= match.evidence.rank:  # no stronger than it was: other stages may have had their reasons
        return match._replace(witness=look.witness)
    return match._replace(witness=look.witness, evidence=look.evidence, reason=look.reason)
