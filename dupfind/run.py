"""One run: what travels together from its beginning to its end, as one value.

Light to import: what reads files and what knows pictures is loaded where there is something to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dupfind.events import Listener, Silence
from dupfind.settings import Settings
from dupfind.sources.bucket_roots import BucketRoot
from dupfind.sources.file_lists import NOTHING, FileList, SingleFile
from dupfind.sources.folders import Folder
from dupfind.sources.ignore import Excludes
from dupfind.sources.look_ahead import LookAhead
from dupfind.sources.mounts import Mounts, read_mounts
from dupfind.sources.roots import spelling
from dupfind.sources.servers import ServerRoot
from dupfind.sources.source import Listing, Rules, Source, Sources, in_order
from dupfind.values import Archives, FileEntry, Root, Side

if TYPE_CHECKING:
    from dupfind.cache.cache import Cache
    from dupfind.reading import Reader

MakeExecutor = Callable[[], Executor]


class Run:
    """What a run goes by, where its files come from, and who hears of it.

    ``make_executor`` puts the reading of files elsewhere than on processes of this machine; ``more`` are sources beside
    those that the settings name.
    """

    def __init__(
        self,
        settings: Settings,
        listener: Listener | None = None,
        make_executor: MakeExecutor | None = None,
        more: Iterable[Source] = (),
    ) -> None:
        more = tuple(more)
        self.settings = replace(settings, roots=(*settings.roots, *(source.root for source in more)))
        self.listener = listener or Silence()
        self.make_executor = make_executor
        self.recalls_findings = True
        """Whether what an earlier run has found of files that have not changed may be taken for what this one finds:
        not by who acts on it."""
        self.meanwhile: Callable[[], None] | None = None
        """Called while the workers load the decoders: loads what the caller needs in the end."""
        self._given = settings
        self._more = more

    @cached_property
    def mounts(self) -> Mounts:
        """The table of mounts, read once before the walk and once after it."""
        return read_mounts()

    def mounts_now(self) -> Mounts:
        """Read the table of mounts again, and go by that from then on."""
        self.mounts = read_mounts()
        return self.mounts

    @cached_property
    def sources(self) -> Sources:
        """Where the files come from; nothing else knows which kinds of sources there are."""
        lists = [FileList(self._given.named)] if self._given.named != NOTHING else []
        return in_order([*map(_source, self._given.roots), *lists, *self._more, *self._archives])

    @property
    def _archives(self) -> list[Source]:
        """What lies in archives of either side, as far as they are to be looked into."""
        asked = self._given.archives
        sides = [
            side for side in Side if asked is Archives.BOTH or (asked is Archives.NEEDLES and side is Side.NEEDLES)
        ]
        if not sides:
            return []
        from dupfind.archives.archive_source import Archives as ArchivesOf

        return [ArchivesOf(side, self.settings.roots) for side in sides]

    @cached_property
    def shown(self) -> Callable[[str], str]:
        """A function from the path of an entry to how the user would spell it."""
        return spelling(self.settings.roots)

    @cached_property
    def shown_haystack(self) -> Callable[[str], str]:
        """The same of the haystack, for paths that may lie below a root of the needles as well."""
        return spelling([root for root in self.settings.roots if root.side is Side.HAYSTACK])

    def listing(
        self,
        excludes: Excludes,
        count: Callable[[int], None] = lambda _: None,
        named: Collection[FileEntry] = (),
        *,
        is_anew: bool = False,
    ) -> Listing:
        """Begin a listing; ``is_anew`` also looks again at what is mounted."""
        mounts = read_mounts() if is_anew else self.mounts
        rules = Rules(excludes, self.settings.follow_symlinks, mounts)
        listing = Listing(self.settings.roots, rules, count, self.listener.warn, named, self.mounts_now)
        listing.ahead = LookAhead(may_fork=self.settings.workers > 1)
        return listing


class Reading(Run):
    """The same while files are read."""

    def __init__(self, run: Run, reader: Reader, cache: Cache) -> None:
        vars(self).update(vars(run))  # and so what was learned of the sources
        self.reader = reader
        self.cache = cache


def _source(root: Root) -> Source:
    if root.is_catalog:
        from dupfind.catalog.catalog_source import Catalog  # brings SQLite and the decoders

        return Catalog(root)
    if isinstance(root, BucketRoot):
        from dupfind.buckets.bucket_source import Bucket  # brings threads, and what speaks with it

        return Bucket(root)
    if isinstance(root, ServerRoot):
        from dupfind.immich.immich_source import ImmichServer  # brings HTTP

        return ImmichServer(root)
    return SingleFile(root) if root.is_archive else Folder(root)
