"""The files of large catalogs that needles can have to do with: the others are counted, and neither listed nor read.

Byte for byte the answer is that of the whole catalog, since nothing is left out that a stage would have looked at:
files of a needle's size, pictures within the threshold of one in any orientation, with frames and without, the
pictures that damaged and smooth needles are compared with, and files that the report tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from dupfind.cache.cache_schema import COARSE, FRAMED, PictureRef, is_damaged
from dupfind.matching.borders import inner_hashes
from dupfind.matching.damaged import likeliest, smooth_among
from dupfind.run import Reading
from dupfind.scanning.identical import find_identical
from dupfind.sources.source import Sought
from dupfind.values import ORIENTATIONS, FileEntry, Tree

_MOST_WITHOUT_HASH = 512
"""Damaged and smooth needles: each is compared with all pictures of a catalog. Of more, all of it is listed."""


def with_candidates(needles: Sequence[Tree], haystack: Sequence[Tree], run: Reading) -> list[Tree]:
    """Return the trees of the haystack with all that the needles may meet among what they left out at first."""
    files = [entry for tree in needles for entry in tree.entries]
    sources = run.sources.haystack
    trees = [source.with_twins(tree, files) for source, tree in zip(sources, haystack, strict=True)]
    identical, failures, _ = find_identical(files, [entry for tree in trees for entry in tree.entries], run.reader)
    unproved = [
        entry for entry in files if entry.path not in identical and entry.path not in failures and entry.size_bytes
    ]
    if not unproved:
        return trees
    sought = _sought(unproved, run)
    with run.listener.part("search", len(unproved)):
        return [source.with_lookalikes(tree, sought) for source, tree in zip(sources, trees, strict=True)]


def _sought(needles: Sequence[FileEntry], run: Reading) -> Sought | None:
    """Decode the needles; gives what they are searched for by, or None where that does not tell what they meet."""
    scan, reader, cache = run.settings.scan, run.reader, run.cache
    orientations = ORIENTATIONS if scan.rotations else 1
    pictures = reader.pictures(needles, "decoding needles", orientations)
    previews = [entry for entry, ref in zip(pictures.entries, pictures.refs, strict=True) if ref.id & COARSE]
    full = reader.full_decodes(previews)  # a frame, or damage, may be seen only then
    refs = [*pictures.refs, *full.values()]
    failures = [*pictures.failures.values(), *(ref for ref in refs if not isinstance(ref, PictureRef))]
    if not all(failure.lasting for failure in failures):  # it may be decoded when it is asked for again
        return None
    ids = list(dict.fromkeys(ref.id for ref in refs if isinstance(ref, PictureRef)))
    smooth = smooth_among(ids, cache, scan.algorithm)
    without_hash = [id_ for id_ in ids if is_damaged(id_) or id_ in smooth]
    if len(without_hash) > _MOST_WITHOUT_HASH:
        return None
    inner = inner_hashes(cache, [id_ for id_ in ids if id_ & FRAMED], scan.algorithm, orientations)
    hashes = np.unique(np.concatenate([pictures.hashes.ravel(), inner.ravel()]))
    find = partial(likeliest, cache.thumbnails(without_hash), thumbnails=cache.thumbnails) if without_hash else None
    most_pixels, recipe = run.settings.max_pixels, cache.recipe.hashes
    return Sought(hashes, scan.threshold_bits, find, most_pixels, recipe, reader.elsewhere)
