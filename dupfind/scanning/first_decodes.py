"""What of pictures is decoded at first: all measures, or less where few of them will be judged.

No answer rests on it: what is judged is decoded in full before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dupfind.pool.tasks import Bare
    from dupfind.reading import Pictures
    from dupfind.run import Reading
    from dupfind.search.blocks import Hashes
    from dupfind.values import FileEntry

    NeededOfNeedles = Callable[[Sequence[FileEntry], Sequence[FileEntry], int, Reading], Bare | None]

MANY_NEEDLES = 2
"""With more needles than this for each file of the haystack, needles are decoded bare at first. That saves 1.5 ms of
measures each, and costs a second decode of 3.4 ms where a candidate is found: most needles can have none then."""
FEW_NEEDLES = 4
"""With so many files of the haystack for each needle, few of them can be candidates: they are decoded gray at first."""
FEWEST_TO_SAMPLE = 256
"""With fewer needles than this, a sample that tells how many will have a candidate would be most of them."""


def needed_of_needles(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    orientations: int,
    run: Reading,
    known: Hashes | None = None,
) -> Bare | None:
    """Tell what of the needles is to be decoded at first, by how many there are or else by a sample; None for all.

    ``known`` are search hashes of more pictures of the haystack.
    """
    if len(needles) > MANY_NEEDLES * (len(haystack) + (0 if known is None else len(known))):
        return run.reader.bare(may_be_gray=True)
    if len(needles) < FEWEST_TO_SAMPLE:
        return None
    from dupfind.scanning.sample import needed_by_sample

    comparable = [entry for entry in haystack if entry.has_comparable_picture]
    return needed_by_sample(needles, comparable, orientations, run, known)


def needed_of_haystack(needles: Pictures, of_needles: Bare | None, files: int, run: Reading) -> Bare:
    """Tell the same of so many ``files`` of the haystack, where ``of_needles`` was needed of the ``needles``."""
    are_few = (of_needles is not None and of_needles.is_gray) or FEW_NEEDLES * len(needles.entries) <= files
    return run.reader.bare(needles, may_be_gray=are_few)
