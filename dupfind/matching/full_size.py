"""Proof at full size: no witness makes a needle the same picture before the two files were compared whole.

Thumbnails find and refuse; what they let pass is asked here, once a pair of files. Knows which pairs were asked and
what speaks against them; how files are read and compared is :mod:`dupfind.pool.full_size`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import NamedTuple

from dupfind.cache.cache import Cache
from dupfind.evidence import facts
from dupfind.matching.decodes import Decodes
from dupfind.pool.full_size import LISTED, FullSizePair, pair_of
from dupfind.reasons import Reason, ReasonCode

MOST_COMPARED = 8
"""Witnesses that one needle is compared with at full size. What eight do not prove is `similar`: frames of a static
camera have hundreds that their thumbnails find to be the same."""

_THUMBNAILS_TOGETHER = 512
"""Pairs whose thumbnails, 5 kB each, are in memory together: there may be as many pairs as needles."""

CompareFiles = Callable[[Sequence[FullSizePair]], Mapping[FullSizePair, "Reason | None"]]

_TOO_MANY = Reason(ReasonCode.TOO_MANY, (MOST_COMPARED,))


class Place(NamedTuple):
    """A needle and a witness by their positions, and how the needle is turned."""

    needle: int
    witness: int
    orientation: int


class FullSize:
    """Compares needles with witnesses by their positions among the pictures of a run, each pair once.

    ``proved`` are the paths of needles that something stronger proves: they keep their claim to a witness and are not
    compared.
    """

    def __init__(
        self,
        decodes: Decodes,
        cache: Cache,
        compare: CompareFiles,
        proved: Container[str] = (),
    ) -> None:
        self._proved = proved
        self._decodes = decodes
        self._cache = cache
        self._compare = compare
        self._outcomes: dict[Place, Reason | None] = {}
        self._notes: dict[Place, Reason] = {}
        """What is to be said of pairs that nothing speaks against."""
        self._counts: dict[int, int] = {}
        """How many witnesses each needle was compared with."""

    def objection(self, place: Place) -> Reason | None:
        """Tell what speaks against a pair, as far as that is known before the files are compared."""
        if place in self._outcomes:
            return self._outcomes[place]
        pair = self._decodes.haystack.entries[place.witness], self._decodes.needles.entries[place.needle]
        if not all(entry.can_be_read for entry in pair):
            return LISTED
        return _TOO_MANY if self._counts.get(place.needle, 0) >= MOST_COMPARED else None

    def note(self, place: Place) -> Reason | None:
        """Tell what is to be said of a pair although nothing speaks against it."""
        return self._notes.get(place)

    def refuse(self, places: Sequence[Place]) -> list[Place]:
        """Compare the pairs that were not compared yet; gives those of ``places`` that something speaks against."""
        entries = self._decodes.needles.entries
        new = [place for place in places if place not in self._outcomes]
        self._outcomes |= {place: None for place in new if entries[place.needle].path in self._proved}
        new = [place for place in new if place not in self._outcomes]
        for place in new:
            self._counts[place.needle] = self._counts.get(place.needle, 0) + 1
        if new:
            self._compare_all(new)
        return [place for place in places if self._outcomes[place] is not None]

    def _compare_all(self, places: Sequence[Place]) -> None:
        pairs = dict[Place, FullSizePair]()
        for start in range(0, len(places), _THUMBNAILS_TOGETHER):
            self._describe(places[start : start + _THUMBNAILS_TOGETHER], pairs)
        outcomes = self._compare(list(pairs.values()))
        self._outcomes |= {place: outcomes[pair] for place, pair in pairs.items()}

    def _describe(self, places: Sequence[Place], pairs: dict[Place, FullSizePair]) -> None:
        """Add to ``pairs`` what is to be compared, by the thumbnails of both sides."""
        needles, haystack = self._decodes.needles, self._decodes.haystack
        ids = {needles.refs[place.needle].id for place in places} | {
            haystack.refs[place.witness].id for place in places
        }
        thumbnails = self._cache.thumbnails(list(ids))
        for place in places:
            needle, witness = thumbnails[needles.refs[place.needle].id], thumbnails[haystack.refs[place.witness].id]
            sides = (needles.entries[place.needle], needle), (haystack.entries[place.witness], witness)
            pairs[place] = pair_of(*sides, place.orientation)
            better = facts.better_copy(needle, witness)
            if better is not None:
                self._notes[place] = better
