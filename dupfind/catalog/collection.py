"""Several catalogs in one collection, each file in it once: nothing is a copy of itself.

In a collection every file may be judged by every other one, so each catalog is to all the rest what it is to the
needles of a scan: what may be one of their files is left out, and so is what is not seen any more on a drive that is
here. Beside that, a catalog may list a file twice (through a link, a second mount), and two catalogs may list one drive
at two times, where the older one knows of files that have become those of the newer one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from dupfind.catalog.catalog_file import About
from dupfind.catalog.catalogs import (
    doubtful,
    former_paths,
    holds_something,
    listed_below,
    not_there,
    read_tree,
    refuse_own_root,
    warn_of,
)
from dupfind.catalog.same_file import Relation, have_numbers, must_be_seen, relation, themselves
from dupfind.catalog.volumes import UNKNOWN_VOLUME, Volume, places_of, volumes_of
from dupfind.sources.mounts import Mounts
from dupfind.sources.source import Listing, Source
from dupfind.values import FileEntry, Problem, Root, Side, Tree

_TWICE = "the catalog lists them more than once"
_OF_OTHERS = "they may be files of the other folders or catalogs, on the drive that it lists"
_NOT_SEEN = "the drive that it lists is here, and they are no longer where it lists them, or lie below another folder"


@dataclass(slots=True, eq=False)
class _Catalog:
    """One of them, before it is known what of it stands."""

    tree: Tree
    about: About
    former: Callable[[str], str]
    is_here: bool
    """Whether there is something now where the listed folder was."""
    is_double: bool = False
    """Whether it is left out altogether."""

    @property
    def given(self) -> str:
        """As the user spelt it."""
        return self.tree.root.given

    def once(self) -> list[FileEntry]:
        """Return the files where they were when they were listed."""
        return [entry._replace(path=self.former(entry.path)) for entry in self.tree.entries]

    def leave_out(self, paths: set[str], reason: str, warn: Callable[[str], None]) -> None:
        """Go on without these, and say so."""
        if not paths:
            return
        reason = f"{len(paths):,} of its files left out: {reason}"
        warn(f"{self.given}: {reason}")
        problem = Problem(self.given, Side.HAYSTACK, "walk", reason, is_note=True)
        kept = [entry for entry in self.tree.entries if entry.path not in paths]
        self.tree = replace(self.tree, entries=kept, problems=[*self.tree.problems, problem])


@dataclass(frozen=True, slots=True)
class _Rivals:
    """What a catalog stands beside: files with the file systems that they lie on."""

    entries: Sequence[FileEntry]
    volumes: Sequence[Volume]


def list_together(
    catalogs: Iterable[Source], listing: Listing, entries: Sequence[FileEntry], *, is_proof: bool
) -> list[Tree]:
    """List all catalogs, as far as they stand beside the folders of ``listing`` with these ``entries`` and each other.

    ``is_proof`` tells whether files are to be judged by others; else a catalog's word is enough that a file is there.
    Raises :class:`~dupfind.errors.DupfindError` where one cannot be read, or lists a folder that is beside it.
    """
    warn, folders = listing.warn, listing.haystack
    listed = []
    for catalog_source in catalogs:
        root = catalog_source.root
        tree, about = read_tree(root, listing.rules.excludes)
        listed.append(_Catalog(tree, about, former_paths(root, about), holds_something(about.root)))
        warn_of(tree, about, warn)
    on_disk = [_Rivals(entries, _volumes(listing))] if entries else []
    roots = [tree.root for tree in folders if tree.root.has_folders]
    for catalog, rivals in product(listed, on_disk):
        how = relation(catalog.about.volumes, rivals.volumes)
        refuse_own_root(catalog.tree.root, catalog.about, roots, how, called="")
    if is_proof:
        _drop_doubles(listed, warn)
    standing = [catalog for catalog in listed if not catalog.is_double]
    before = list(on_disk)
    for catalog in standing:
        catalog.leave_out(_listed_twice(catalog), _TWICE, warn)
        catalog.leave_out(_files_of_others(catalog, before), _OF_OTHERS, warn)
        if is_proof:
            volumes = [rivals.volumes for rivals in on_disk]
            volumes += [rival.about.volumes for rival in standing if rival != catalog]
            _as_far_as_it_proves(catalog, volumes, roots, listing)
        before.append(_Rivals(catalog.once(), catalog.about.volumes))
    return [catalog.tree for catalog in listed]


def _volumes(listing: Listing) -> tuple[Volume, ...]:
    devices = (device for tree in listing.haystack for device, _ in tree.folders)
    volumes = volumes_of(devices, listing.rules.mounts, places_of(tree.root for tree in listing.haystack))
    # What a link led to may lie anywhere.
    return (*volumes, UNKNOWN_VOLUME) if listing.rules.follow_symlinks else volumes


def _drop_doubles(listed: Sequence[_Catalog], warn: Callable[[str], None]) -> None:
    """Leave out each that may list the drive of an earlier one, where neither drive is here to be looked at.

    The older of two such may list what was moved, written anew or deleted before the other was made, and nothing
    tells.
    """
    kept: list[_Catalog] = []
    for catalog in listed:
        away = [earlier for earlier in kept if not (catalog.is_here or earlier.is_here)]
        double = next(
            (
                earlier
                for earlier in away
                if relation(catalog.about.volumes, earlier.about.volumes) is not Relation.OTHER
            ),
            None,
        )
        # Its drive is certainly another one, or one of the two is here.
        if double is None:
            kept.append(catalog)
            continue
        reason = f"nothing tells its drive from that of {double.given}, and neither is here to be looked at"
        catalog.leave_out({entry.path for entry in catalog.tree.entries}, reason, warn)
        catalog.is_double = True


def _listed_twice(catalog: _Catalog) -> set[str]:
    """Return what may be another file of the same catalog: by a link that was followed, or by another mount.

    A hard link is taken for that, too: deleting it frees nothing. Without numbers that stay, the files of one file
    system are told by their names, where no link was followed.
    """
    are_numbered = have_numbers(catalog.about.volumes)
    is_plain = len(catalog.about.volumes) == 1 and not catalog.about.follow_symlinks
    seen: set[tuple[int, ...]] = set()
    doubles = set()
    for entry in catalog.tree.entries:
        key: tuple[int, ...]
        if entry.inode and are_numbered:
            key = (entry.inode,) if is_plain else (entry.size_bytes, entry.mtime_ns, entry.inode)
        elif is_plain:
            continue
        else:
            key = entry.size_bytes, entry.mtime_ns
        if key in seen:
            doubles.add(entry.path)
        seen.add(key)
    return doubles


def _files_of_others(catalog: _Catalog, before: Iterable[_Rivals]) -> set[str]:
    """Return what may be a file of those that come before it."""
    paths: set[str] = set()
    for source in before:
        how = relation(catalog.about.volumes, source.volumes)
        are_numbered = have_numbers((*catalog.about.volumes, *source.volumes))
        paths |= themselves(catalog.tree.entries, source.entries, how, catalog.former, are_numbered=are_numbered)
    return paths


def _as_far_as_it_proves(
    catalog: _Catalog, beside: Sequence[Sequence[Volume]], roots: Sequence[Root], listing: Listing
) -> None:
    """Leave out what is not seen any more on a drive that is here; what is not known at all proves by bytes only."""
    now = [_volume_now(catalog.about.root, listing.rules.mounts)] if catalog.is_here else []
    how = max((relation(catalog.about.volumes, volumes) for volumes in [*beside, *now]), default=Relation.OTHER)
    if must_be_seen(how, is_root_here=catalog.is_here):
        below = listed_below(catalog.tree.entries, catalog.former, roots)
        are_numbered = have_numbers(catalog.about.volumes)
        gone = not_there(catalog.tree.entries, catalog.former, below, are_numbered=are_numbered)
        catalog.leave_out(below | gone, _NOT_SEEN, listing.warn)
    elif how is Relation.UNKNOWN:
        catalog.tree = doubtful(catalog.tree)
        listing.warn(
            f"{catalog.given}: its pictures are not compared, only bytes are: nothing tells its drive from those of "
            f"the others, and {catalog.about.root} is not there to be looked at"
        )


def _volume_now(folder: str, mounts: Mounts) -> tuple[Volume, ...]:
    """Return what lies now where a catalog lists a folder."""
    try:
        device = os.stat(folder).st_dev
        return volumes_of([device], mounts, {device: folder})
    except OSError:  # it went a moment ago
        return (UNKNOWN_VOLUME,)
