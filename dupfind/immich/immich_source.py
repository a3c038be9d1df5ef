"""An Immich server as a source: which of the needles it has, by their checksums.

Its library is not listed. Each needle is read once, for the SHA-1 that Immich goes by and for our own digest, and the
server is asked about the former. What it has of them are entries: equal SHA-1 and size stand for equal bytes, so the
digest of the needle is known of the asset too, and the stages find it identical as any file. With ``--paranoid`` the
original is downloaded and compared. For pictures that are not there by their bytes, originals that may be the same are
downloaded (:mod:`dupfind.immich.pictures`); these are entries like files on disk.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any, NamedTuple

from dupfind.cache.cache_lookup import Known
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.cache.shelved_cache import ShelvedSource
from dupfind.digest import digest_of
from dupfind.errors import ServerError, SettingsError
from dupfind.immich.assets import (
    Asset,
    Sums,
    asset_in,
    duplicates_in,
    may_be_itself,
    question,
    version_in,
    why_not,
)
from dupfind.immich.client import Client
from dupfind.immich.pictures import Looked, PictureSearch
from dupfind.sources.entries import ChangedError, StoredEntry, open_entry
from dupfind.sources.ignore import NOT_TRUSTED
from dupfind.sources.photo_managers import IMMICH_MARK
from dupfind.sources.servers import ServerRoot
from dupfind.sources.source import Listing
from dupfind.values import CHANGED, Failure, FileEntry, Problem, Served, Side, Thumbnail, Tree

_BATCH = 500
"""Checksums asked about at once; Immich's own command asks about 1,000."""
_CONNECTIONS = 4
_BLOCK_BYTES = 1 << 20
_IN_MEMORY_BYTES = 64 << 20
"""Of an original that is downloaded; what is larger goes to a temporary file."""
_NOTHING = Failure("nothing of it was downloaded", is_image=False, lasting=False)


class Place(NamedTuple):
    """Where an original is to be had; the key is in no entry."""

    url: str
    asset: str
    sha1: bytes
    copy: str | None = None
    """Where it lies since it was downloaded in this run, by an absolute path."""


class AssetEntry(StoredEntry):
    """An original on the server."""

    place: Place
    keeper: object = None
    """Keeps the copy as long as this process knows the entry."""

    @classmethod
    def of(cls, path: str, size_bytes: int, place: Place, keeper: object = None) -> AssetEntry:
        """Make the entry of an asset; its times are not known, and nothing is remembered of it."""
        entry = cls(path, size_bytes, 0, 0, 0)
        entry.place, entry.keeper = place, keeper
        return entry

    @property
    def is_only_here(self) -> bool:
        """Tell that it is: the copy lies among the temporary files, and only this machine has the key of the server."""
        return True

    @property
    def has_comparable_picture(self) -> bool:
        """Tell whether its picture was downloaded; of others only bytes are compared."""
        return self.place.copy is not None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Download the original, and see that it has the bytes that the server says. Raises likewise.

        One that was downloaded before, and seen to have them, is opened where it lies.
        """
        if self.place.copy is not None:
            with open(self.place.copy, "rb") as copy:
                if os.fstat(copy.fileno()).st_size != self.size_bytes:
                    raise ChangedError
                yield copy
            return
        try:
            client = Client(self.place.url)
        except SettingsError as error:  # a worker without the key, on another machine
            raise OSError(str(error)) from None
        try:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, prefix="dupfind-") as file:
                hasher = hashlib.sha1(usedforsecurity=False)

                def write(block: bytes) -> None:
                    hasher.update(block)
                    file.write(block)

                client.original(self.place.asset, write, self.size_bytes + 1)
                if file.tell() != self.size_bytes or hasher.digest() != self.place.sha1:
                    raise ChangedError
                file.seek(0)
                yield file
        finally:
            client.close()

    def now(self) -> FileEntry | None:
        """Take what the source asks of all witnesses at once for the answer."""
        return self


class ImmichServer(ShelvedSource):
    """A server in the place of a folder."""

    is_within = True  # listed last: it is asked about the members of archives as well
    is_remembered = False  # what it has may change alone

    def __init__(self, root: ServerRoot) -> None:
        super().__init__(root)
        self._url = root.url
        self._digests: dict[str, bytes] = {}
        self._assets: dict[str, tuple[Asset, ...]] = {}
        """By the path of its entry: itself, and the picture that a film goes with."""

    def list_tree(self, listing: Listing) -> Tree:
        """Ask which of the needles it has; raises :class:`~dupfind.errors.DupfindError` where it cannot be asked."""
        needles = [entry for tree in listing.needles for entry in tree.entries]
        asked = [entry for entry in (*needles, *listing.named) if entry.size_bytes and entry.can_be_read]
        client = Client(self._url)
        try:
            with self._explained():
                version = version_in(client.json("GET", "/api/server/version"))
            by_sums: dict[Sums, list[str]] = {}
            with (
                listing.stage("reading needles for Immich", len(asked)) as advance,
                _threads(os.cpu_count() or 1) as executor,
            ):
                for entry, sums in zip(asked, executor.map(_sums, asked), strict=True):
                    advance(1)
                    if sums is not None:
                        by_sums.setdefault(sums, []).append(entry.path)
            with self._explained(), listing.stage("asking Immich", len(by_sums)) as advance:
                told = list(self._ask(client, by_sums, advance))
            entries, problems, themselves = self._take(told, by_sums)
            there = {entry.path for entry in entries}
            digests = {self._digests[path] for path in there}
            proved = {path for sums, paths in by_sums.items() if sums.digest in digests for path in paths}
            originals, looked = self._look_for_pictures(client, asked, proved, by_sums, listing)
        finally:
            client.close()
        entries += originals
        problems += [self._note(number, f"{reason}: {NOT_TRUSTED}") for number, reason in looked.notes]
        if own := themselves + looked.own:
            listing.warn(f"{self.root.given}: {own:,} of its assets prove nothing: they may be needles themselves")
        sizes = sum(entry.size_bytes for entry in originals)
        served = Served(self.root.given, version, len(by_sums), len(there), looked.previews, len(originals), sizes)
        return Tree(self.root, sorted(entries), problems, frozenset(), server=served)

    def _look_for_pictures(
        self,
        client: Client,
        needles: Sequence[FileEntry],
        proved: Container[str],
        by_sums: Iterable[Sums],
        listing: Listing,
    ) -> tuple[list[FileEntry], Looked]:
        """Look for what no checksum proves; where the server does not let us, a warning says so, and that is all.

        Needles below a mark of Immich are left out: they may be originals themselves.
        """
        marked: dict[str, bool] = {}
        wanted = [entry for entry in needles if entry.path not in proved and not _is_marked(entry.path, marked)]
        try:
            with _threads(_CONNECTIONS) as executor:
                search = PictureSearch(client, executor, listing)
                looked = search.look_for(wanted, by_sums, [entry.path for entry in needles])
        except (ServerError, OSError) as error:
            listing.warn(f"{self.root.given}: pictures are not looked for on the server: {error}")
            return [], Looked([], 0, [])
        entries: list[FileEntry] = []
        for asset, copy in looked.originals:
            path = f"{self.root.real}/photos/{asset.id}/{asset.name}"
            place = Place(self._url, asset.id, asset.sums.sha1, copy)
            entries.append(AssetEntry.of(path, asset.sums.size_bytes, place, search.folder))
            self._assets[path] = (asset,)
        return entries, looked

    def _note(self, number: str, reason: str) -> Problem:
        return Problem(f"{self.root.real}/photos/{number}", Side.HAYSTACK, "walk", reason, is_note=True)

    def _ask(
        self, client: Client, by_sums: Iterable[Sums], advance: Callable[[int], None]
    ) -> Iterator[tuple[str, Sums, Any]]:
        """Yield each asset that has such a checksum, with what the server says of it."""
        everything = list(by_sums)
        with _threads(_CONNECTIONS) as executor:  # each keeps its connection for all batches
            for start in range(0, len(everything), _BATCH):
                batch = everything[start : start + _BATCH]
                answer = client.json("POST", "/api/assets/bulk-upload-check", question(batch))
                there = list(duplicates_in(answer, batch))
                told = executor.map(
                    lambda asset_and_sums: client.json_if_any(f"/api/assets/{asset_and_sums[0]}"), there
                )
                yield from ((asset, sums, facts) for (asset, sums), facts in zip(there, told, strict=True))
                advance(len(batch))

    def _take(
        self, told: Iterable[tuple[str, Sums, Any]], by_sums: Mapping[Sums, Sequence[str]]
    ) -> tuple[list[FileEntry], list[Problem], int]:
        """Return the assets that may prove something as entries, why the others do not, and how many may be needles."""
        themselves = 0
        reasons: dict[str, str] = {}
        assets: list[Asset] = []
        for number, sums, answer in told:
            if (reason := why_not(answer, number, sums)) is not None:
                reasons[number] = reason
                continue
            asset = asset_in(answer, number, sums)
            assets.append(asset)
            needles = by_sums[sums]
            # Such a needle may be the original itself: it lies where Immich keeps that, or below a mark of Immich.
            if may_be_itself(asset, needles) or any(map(_is_below_mark, needles)):
                reasons[number] = f"it may be a needle itself, in a folder of Immich's own: {NOT_TRUSTED}"
                themselves += 1
        owners = {asset.part: asset for asset in assets if asset.part is not None and asset.id not in reasons}
        entries: list[FileEntry] = []
        for asset in assets:
            # It goes when its picture goes, and of that nobody has asked.
            if asset.is_part and asset.id not in owners:
                reasons.setdefault(asset.id, f"the film of a picture that is not among the needles: {NOT_TRUSTED}")
            if asset.id not in reasons:
                path = f"{self.root.real}/photos/{asset.id}/{asset.name}"
                entries.append(AssetEntry.of(path, asset.sums.size_bytes, Place(self._url, asset.id, asset.sums.sha1)))
                self._digests[path] = asset.sums.digest
                self._assets[path] = (asset, owners[asset.id]) if asset.is_part else (asset,)
        return entries, [self._note(number, reason) for number, reason in sorted(reasons.items())], themselves

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:  # noqa: ARG002 - done when it was listed
        """Leave it as it was listed."""
        return tree

    def changed(self, witnesses: Iterable[FileEntry], listing: Listing) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """Ask about each witness again: one that was deleted meanwhile proves nothing."""
        paths = [entry.path for entry in witnesses]
        assets = list({asset.id: asset for path in paths for asset in self._assets[path]}.values())
        if not assets:
            return
        client = Client(self._url)
        try:
            with self._explained(), _threads(_CONNECTIONS) as executor:
                told = list(executor.map(partial(_look_again, client), assets))
        finally:
            client.close()
        reasons = {asset.id: reason for asset, reason in zip(assets, told, strict=True) if reason is not None}
        for path in paths:
            reason = next((reasons[asset.id] for asset in self._assets[path] if asset.id in reasons), None)
            if reason is not None:
                yield path, f"{CHANGED}: {reason}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Name the server in what is wrong with its answers."""
        try:
            yield
        except ServerError as error:
            text = str(error)
            raise ServerError(text if text.startswith(self._url) else f"{self._url}: {text}") from None

    def shelf(self, recipe: Callable[[], Recipe]) -> AssetShelf:  # noqa: ARG002 - it has no pictures
        """Return what is known of the assets."""
        return AssetShelf(f"{self.root.real}/", self._digests)


class AssetShelf:
    """What is known of assets, in the place of downloading them."""

    def __init__(self, prefix: str, digests: Mapping[str, bytes]) -> None:
        self._prefix = prefix
        self._known = digests

    def holds(self, entry: FileEntry) -> bool:
        """Tell whether an entry is an asset of this server that was not downloaded."""
        return entry.path.startswith(self._prefix) and entry.path in self._known

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | Failure]:
        """Yield the digest of each: that of the needle that has its checksum."""
        for entry in entries:
            yield self._known.get(entry.path) or _NOTHING

    def contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """Yield that no picture is known of any."""
        for _ in entries:
            yield Known(_NOTHING, None)

    def whole(self, entry: FileEntry) -> PictureRef | Failure:  # noqa: ARG002 - of none
        """Return likewise."""
        return _NOTHING

    def thumbnails(self, ids: Sequence[int]) -> dict[int, Thumbnail]:  # noqa: ARG002 - of none
        """Return none."""
        return {}


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """Run things beside each other; what has not begun when the block ends, by an error or a signal, never does."""
    executor = ThreadPoolExecutor(number)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _look_again(client: Client, asset: Asset) -> str | None:
    try:
        return why_not(client.json_if_any(f"/api/assets/{asset.id}"), asset.id, asset.sums)
    except ServerError as error:  # it cannot be asked any more: nothing of it proves anything then
        return str(error)


def _sums(entry: FileEntry) -> Sums | None:
    """Read what a server knows a file by; None where it cannot be read, of which later stages tell."""
    sha1 = hashlib.sha1(usedforsecurity=False)
    with suppress(OSError, ChangedError):
        with open_entry(entry) as file:
            digest = digest_of(_hashed(file, sha1.update))
        return Sums(entry.size_bytes, sha1.digest(), digest)
    return None


def _hashed(file: IO[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        update(block)
        yield block


def _is_marked(path: str, marked: dict[str, bool]) -> bool:
    """Tell likewise; ``marked`` keeps what was found of each folder."""
    folder = os.path.dirname(path)
    if folder not in marked:
        marked[folder] = _is_below_mark(path)
    return marked[folder]


def _is_below_mark(path: str) -> bool:
    folder, below = os.path.dirname(path), path
    while folder != below:
        if os.path.lexists(os.path.join(folder, IMMICH_MARK)):
            return True
        folder, below = os.path.dirname(folder), folder
    return False
