"""What a run learns of bytes and pictures on its way, for the next one (:mod:`dupfind.scanning.scan_again`)."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from dupfind.cache.last_run import Hashes, Learned, Links, marks_of
from dupfind.values import Evidence, FileEntry

if TYPE_CHECKING:
    from dupfind.answers.findings import Findings
    from dupfind.matching.decodes import Side
    from dupfind.matching.match import Matched
    from dupfind.run import Reading

Entries = Sequence[FileEntry]
_PATH = itemgetter(FileEntry._fields.index("path"))


def learn_digests(learned: Learned, needles: Entries, haystack: Entries, digests: Mapping[str, object]) -> None:
    """Take in the ``digests`` of these files, by path, and forget what a scan learned whose cache was lost."""
    learned.is_filled = True
    learned.links, learned.claims = None, ()
    learned.is_bounded = learned.has_late_frames = False
    if learned.is_kept:
        learned.marks = _marks(needles, digests), _marks(haystack, digests)


def _marks(entries: Entries, digests: Mapping[str, object]) -> array[int]:
    return marks_of(map(digests.get, map(_PATH, entries)))


def learn_pictures(learned: Learned, needles: Entries, haystack: Entries, matched: Matched, run: Reading) -> None:
    """Take in the pictures of these files, once they are matched."""
    decodes = matched.decodes
    learned.claims = matched.claims
    learned.is_bounded = decodes.is_bounded
    learned.has_late_frames = any(map(_has_late_frames, (decodes.needles, decodes.haystack)))
    if learned.is_kept:
        learned.links = Links(_hashes(needles, decodes.needles, run), _hashes(haystack, decodes.haystack, run))


def learn_fallen(learned: Learned, matched: Findings, standing: Findings) -> None:
    """Take in the claims of needles that were matched and whose match fell at the last look: as long as they had it,
    others lost that witness.
    """
    fallen = matched.matches.keys() - standing.matches.keys()
    claims = ((path, matched.matches[path]) for path in fallen)
    learned.claims = [
        *learned.claims,
        *((path, match.witness) for path, match in claims if match.evidence is Evidence.SAME),
    ]


def _has_late_frames(side: Side) -> bool:
    """Tell whether a picture has a frame in the one decode and not, or another one, in the other."""
    from dupfind.cache.cache_schema import FRAMED

    refs = zip(side.first_refs, side.refs, strict=True)
    return any(before.id != now.id and (before.id | now.id) & FRAMED for before, now in refs)


def _hashes(entries: Entries, side: Side, run: Reading) -> Hashes:
    """Return the hashes of all pictures, and those of what has a frame without it, by every decode that has one."""
    import numpy as np

    from dupfind.cache.cache_schema import FRAMED
    from dupfind.matching.borders import inner_hashes

    places = {entry.path: place for place, entry in enumerate(entries)}
    rows = [places[entry.path] for entry in side.entries]
    framed = [
        (position, ref.id)
        for position, refs in enumerate(zip(side.first_refs, side.refs, strict=True))
        for ref in dict.fromkeys(refs)
        if ref.id & FRAMED
    ]
    inner = inner_hashes(run.cache, [id_ for _, id_ in framed], run.settings.scan.algorithm, side.hashes.shape[1])
    values = np.concatenate([side.hashes, inner]).astype(np.uint64, copy=False)
    return Hashes(
        array("q", [*rows, *(rows[position] for position, _ in framed)]),
        array("Q", values.tobytes()),
        _unsure(side, [*enumerate(ref.id for ref in side.refs), *framed]),
    )


def _unsure(side: Side, rows: Sequence[tuple[int, int]]) -> array[int]:
    """Return which bits are unsure of the hashes of these rows, by position and thumbnail; nothing where none is."""
    import numpy as np

    from dupfind.cache.cache_schema import is_gray
    from dupfind.matching.near_gray import ALL_BITS

    gray = [row for row, (_, id_) in enumerate(rows) if is_gray(id_)]
    if not gray:
        return array("Q")
    unsure = np.zeros((len(rows), side.hashes.shape[1]), np.uint64)
    unsure[gray] = ALL_BITS if side.unsure is None else side.unsure[[rows[row][0] for row in gray]]
    return array("Q", unsure.tobytes())
