"""The catalogs of all shards of a folder to the one that a single machine would have made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from dupfind.answers.index import Indexed
from dupfind.cache.cache_file import translated
from dupfind.catalog import columns
from dupfind.catalog.catalog_file import About, CatalogFile, explained
from dupfind.catalog.shards import Shard
from dupfind.errors import CatalogError
from dupfind.events import Silence
from dupfind.session import recipe
from dupfind.settings import DEFAULT_ALGORITHM
from dupfind.sources.catalog_head import why_no_catalog
from dupfind.version import __version__

_COPY = (
    "INSERT OR IGNORE INTO label (text) SELECT text FROM shard.label",
    "INSERT OR IGNORE INTO folder (path) SELECT path FROM shard.folder",
    """INSERT INTO file (
        folder, name, size, mtime_ns, ctime_ns, inode, digest, recipe, picture, size_pixels, failure, is_image, seal,
        whole, whole_failure, whole_seal
    ) SELECT d.id, f.name, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.digest, l.id, f.picture, f.size_pixels, f.failure,
        f.is_image, f.seal, f.whole, f.whole_failure, f.whole_seal
    FROM shard.file f
    JOIN shard.folder sd ON sd.id = f.folder JOIN folder d ON d.path = sd.path
    LEFT JOIN shard.label sl ON sl.id = f.recipe LEFT JOIN label l ON l.text = sl.text""",
    "INSERT OR IGNORE INTO picture SELECT * FROM shard.picture",
    """INSERT OR IGNORE INTO hash (picture, algorithm, hashes) SELECT h.picture, l.id, h.hashes
    FROM shard.hash h JOIN shard.label sl ON sl.id = h.algorithm JOIN label l ON l.text = sl.text""",
    "INSERT INTO unread SELECT * FROM shard.unread",
    "INSERT INTO unsettled SELECT * FROM shard.unsettled",
    # Each machine has walked the whole folder, and most of them met the same.
    "INSERT INTO problem SELECT * FROM shard.problem EXCEPT SELECT path, stage, reason, is_note FROM problem",
)
"""Rows are taken as they are, with their seals, which are looked at where the rows are used; only the numbers of labels
and folders are each catalog's own."""


def merge(catalog: str, shards: Sequence[str], *, with_columns: bool = False) -> Indexed:
    """Write the catalog that all these shards make together, in the place of one that is there.

    Columns are made ``with_columns``, and where there are some already.

    Raises :class:`~dupfind.errors.CatalogError` where they are not the shards of one folder, or not all of them, and
    where that one lists another folder.
    """
    abouts = [_about(path) for path in shards]
    _refuse_mixed(shards, abouts)
    with explained(catalog):
        if os.path.lexists(catalog) and (reason := why_no_catalog(catalog)) is not None:
            raise CatalogError(f"{catalog}: {reason}: it is left as it is")
    if os.path.lexists(catalog):
        _refuse_another(catalog, abouts[0].root)
    with explained(catalog), CatalogFile.replacing(os.path.abspath(catalog)) as file:
        for path, about in zip(shards, abouts, strict=True):
            _add(file, path, about)
        # As old as its oldest part, and on all drives that they lie on.
        oldest = min(abouts, key=lambda about: about.updated)
        volumes = tuple(dict.fromkeys(volume for about in abouts for volume in about.volumes))
        merged = replace(oldest, made=min(about.made for about in abouts), volumes=volumes, shard=None)
        with file.transaction():
            file.set_about(merged)
        files, pictures = file.count_files(), file.count_pictures()
        unread = len(file.unread()) + sum(1 for _ in file.broken())
        problems = [problem._replace(path=os.path.join(merged.root, problem.path)) for problem in file.problems()]
    if with_columns or columns.are_there(catalog):
        _write_columns(catalog)
    return Indexed(
        version=__version__,
        catalog=catalog,
        folder=merged.root,
        updated=merged.updated,
        is_new=True,
        files=files,
        pictures=pictures,
        read=0,
        kept=0,
        gone=0,
        unread=unread,
        size_bytes=os.path.getsize(catalog),
        problems=problems,
    )


def _write_columns(catalog: str) -> None:
    """Make columns by the hashes that an index makes; raises :class:`~dupfind.errors.CatalogError`."""
    made_by = recipe(DEFAULT_ALGORITHM, Silence())
    with explained(catalog):
        file = CatalogFile.for_reading(os.path.realpath(catalog))
        try:
            columns.write(os.path.realpath(catalog), file, DEFAULT_ALGORITHM, made_by.hashes)
        finally:
            file.close()


def _refuse_another(catalog: str, root: str) -> None:
    """Raise :class:`~dupfind.errors.CatalogError` for a catalog that lists another folder, which may
    be of a drive that is in a drawer.
    """
    about = _told(catalog)
    if about is not None and about.root != root:
        raise CatalogError(f"{catalog} lists {about.root}, and not {root}: it is left as it is; name another file")


def _told(path: str) -> About | None:
    with explained(path):
        file = CatalogFile.for_reading(os.path.realpath(path))
        try:
            return file.about()
        finally:
            file.close()


def _about(path: str) -> About:
    about = _told(path)
    if about is None or not about.is_complete:
        raise CatalogError(f"{path}: its indexing has not come to its end; dupfind index goes on with it")
    if about.shard is None:
        raise CatalogError(
            f"{path} is no shard: it was made without --shard; catalogs can be several --haystack as they are"
        )
    return about


def _refuse_mixed(paths: Sequence[str], abouts: Sequence[About]) -> None:
    """Raise :class:`~dupfind.errors.CatalogError` for shards that do not make one whole."""
    first, parts = abouts[0], _shard(abouts[0]).parts
    by_number: dict[int, str] = {}
    for path, about in zip(paths, abouts, strict=True):
        what = (
            ("lists another folder", about.root, first.root),
            ("left other files out", about.excludes, first.excludes),
            ("was made with another --follow-symlinks", about.follow_symlinks, first.follow_symlinks),
            ("is one of another number of shards", _shard(about).parts, parts),
        )
        for words, own, expected in what:
            if own != expected:
                raise CatalogError(f"{path} {words} than {paths[0]} ({own}, not {expected})")
        if _shard(about).number in by_number:
            raise CatalogError(f"{by_number[_shard(about).number]} and {path} are both shard {about.shard}")
        by_number[_shard(about).number] = path
    # A haystack without one shard would call its photos missing; needles without one would look contained.
    if missing := [number for number in range(1, parts + 1) if number not in by_number]:
        more = "" if len(missing) == 1 else f" and {len(missing) - 1:,} more"
        what_for = f"what it lists of {first.root} would be missing"
        raise CatalogError(f"shard {missing[0]}/{parts}{more} is not among them: {what_for}")


def _shard(about: About) -> Shard:
    assert about.shard is not None, "others were refused"
    return about.shard


def _add(file: CatalogFile, path: str, about: About) -> None:
    """Copy the rows of one shard; raises :class:`~dupfind.errors.CatalogError` for a file that is another's."""
    shard = _shard(about)
    with explained(path):
        source = CatalogFile.for_reading(os.path.realpath(path))
        try:
            strange = next((folder for folder in source.folders() if not shard.holds_folder(folder)), None)
        finally:
            source.close()
        if strange is not None:
            raise CatalogError(f"{path}: the folder {strange or about.root} is not of shard {shard}")
        with translated():
            file.connection.execute("ATTACH ? AS shard", (os.path.realpath(path),))
            try:
                with file.transaction():
                    for statement in _COPY:
                        file.connection.execute(statement)
            finally:
                file.connection.execute("DETACH shard")
