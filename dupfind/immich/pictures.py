"""Pictures on an Immich server that needles may be copies of: found by previews, and compared as originals.

For needles that no checksum proves. The server is asked for candidates (:mod:`dupfind.immich.candidates`); of these the
previews are looked at, and the originals of those that come near are downloaded, checked against the checksum that the
server has of them, and put among the haystack: from there they are files like any other, and nothing is proved by a
preview. Each step is bounded, and what is beyond the bound is told of and proves nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from dupfind.errors import ServerError
from dupfind.immich import candidates
from dupfind.immich.assets import UUID, Asset, Sums, asset_in, duplicates_in, may_be_itself, question, why_not
from dupfind.immich.client import Client
from dupfind.pictures import formats
from dupfind.private_folder import PrivateFolder
from dupfind.sources.entries import entry_of, without_inode
from dupfind.sources.normal_form import folded
from dupfind.sources.roots import root_around
from dupfind.sources.source import Listing, Look
from dupfind.values import FileEntry

MOST_LISTED = 20_000
"""Assets that searches may give in one run."""
MOST_STEMS = 500
"""Names that are asked for."""
MOST_PREVIEWS = 5_000
MOST_ORIGINAL_BYTES = 512 << 20
MOST_BYTES = 8 << 30
"""Of all originals that are downloaded in one run, and 80% of the room that is left."""
_FREE_SHARE = 0.8
_MOST_FAILURES = 8
"""Previews that are asked for in vain, where none could be had."""
_NEAR_BITS = 4
"""How much farther than the threshold a preview may be: it is not quite the picture that it was made of."""
_BATCH = 500
_SHA1_BYTES = 20


class Original(NamedTuple):
    """An original that was downloaded."""

    asset: Asset
    copy: str
    """Where it lies, in a private folder that goes with the run."""


class Looked(NamedTuple):
    """What came of looking for pictures."""

    originals: list[Original]
    previews: int
    """How many were looked at."""
    notes: list[tuple[str, str]]
    """By the id of the asset, why one that came near proves nothing."""
    own: int = 0
    """How many of these may be needles themselves."""


class PictureSearch:
    """Looks for pictures on a server; ``executor`` makes requests beside each other."""

    def __init__(self, client: Client, executor: Executor, listing: Listing) -> None:
        self._client = client
        self._executor = executor
        self._listing = listing
        self.folder: PrivateFolder | None = None
        """Where the copies lie; gone when nothing refers to it."""

    def look_for(self, needles: Sequence[FileEntry], listed: Iterable[Sums], paths: Sequence[str]) -> Looked:
        """Find and download the originals that come near to one of ``needles``.

        ``listed`` and ``paths`` are of all needles: what the server has of one of them is no witness of another, since
        that may be it. Raises :class:`~dupfind.errors.ServerError`, and ``OSError`` where there is no room.
        """
        look_at = self._listing.look_at
        wanted = [entry for entry in needles if formats.is_image_name(entry.path)]
        if look_at is None or not wanted:
            return Looked([], 0, [])
        looks = look_at(wanted, "decoding needles")
        own = {sums.checksum for sums in listed}
        items = {
            number: (item, paths)
            for number, (item, paths) in self._candidates(looks).items()
            if item.get("checksum") not in own
        }
        if len(items) > MOST_PREVIEWS:
            self._listing.warn(f"of {len(items):,} pictures on the server {MOST_PREVIEWS:,} were looked at")
        chosen = dict(list(items.items())[:MOST_PREVIEWS])
        if not chosen:
            return Looked([], 0, [])
        self._make_folder()
        near = self._near(chosen, looks)
        assets, notes, themselves = self._trusted(near, paths)
        originals, failed = self._download(assets)
        return Looked(originals, len(chosen), notes + failed, themselves)

    def _make_folder(self) -> None:
        self.folder = PrivateFolder()
        if root_around(os.path.realpath(self.folder.path), self._listing.roots) is not None:
            self.folder.remove()
            raise ServerError("pictures would have to be downloaded, and temporary files lie below what is compared")

    def _candidates(self, looks: Mapping[str, Look]) -> dict[str, tuple[Mapping[str, Any], list[str]]]:
        """Return by its id each asset that may be a picture of needles, and the paths of these."""
        sought = candidates.sought(looks)
        near: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
        spans, stems = candidates.spans(sought.moments.values()), list(sought.stems)
        if len(stems) > MOST_STEMS:
            self._listing.warn(f"{len(stems) - MOST_STEMS:,} pictures without a time were not looked for on the server")
        with self._listing.stage("searching Immich", len(spans) + len(stems[:MOST_STEMS])) as advance:
            for item, paths in candidates.by_time(self._listed(spans, advance), sought.moments):
                _enter(near, item, paths)
            answers = self._executor.map(self._search, map(candidates.question_of_stem, stems[:MOST_STEMS]))
            for stem, answer in zip(stems, answers, strict=False):
                advance(1)
                for item in candidates.by_stem(candidates.page_in(answer)[0], stem):
                    _enter(near, item, sought.stems[stem])
        return near

    def _search(self, question: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the server says
        return self._client.json("POST", "/api/search/metadata", question)

    def _listed(self, spans: Sequence[tuple[int, int]], advance: Callable[[int], None]) -> Iterator[Mapping[str, Any]]:
        """Yield what was taken in these stretches of time, up to a bound."""
        count = 0
        for span in spans:
            page, has_more = 1, True
            seen: set[str] = set()
            while has_more:
                items, has_more = candidates.page_in(self._search(candidates.question_of_span(span, page)))
                yield from items
                new = {str(item.get("id")) for item in items} - seen
                seen |= new
                # A server that answers each page alike would be asked up to the bound.
                count, page, has_more = count + len(items), page + 1, has_more and bool(new)
                if count >= MOST_LISTED:
                    self._listing.warn(
                        f"the server has more pictures of those days than {MOST_LISTED:,}: not all were seen"
                    )
                    return
            advance(1)

    def _near(self, chosen: Mapping[str, tuple[Mapping[str, Any], list[str]]], looks: Mapping[str, Look]) -> list[str]:
        """Look at the previews of these assets; returns the ids of those that come near to one of their needles."""
        assert self.folder is not None
        assert self._listing.look_at is not None
        with tempfile.TemporaryDirectory(dir=self.folder.path, ignore_cleanup_errors=True) as folder:
            numbers = self._previews(list(chosen), folder)
            entries = [without_inode(entry_of(path, os.stat(path))) for path in numbers]  # the cache is to keep none
            seen = self._listing.look_at(entries, "decoding previews")
        most_bits = self._listing.most_bits + _NEAR_BITS
        return [
            number
            for path, number in numbers.items()
            if path in seen and any(_bits(looks[needle], seen[path]) <= most_bits for needle in chosen[number][1])
        ]

    def _previews(self, wanted: Sequence[str], folder: str) -> dict[str, str]:
        """Download previews of these assets; returns the id of each by where it lies."""

        def download(number: str) -> str | None:
            content = self._client.preview(number)
            if content is None:
                return None
            path = os.path.join(folder, number)
            with open(path, "wb") as file:
                file.write(content)
            return path

        numbers: dict[str, str] = {}
        failed = 0
        with self._listing.stage("previews from Immich", len(wanted)) as advance:
            for number, path in zip(wanted, self._executor.map(download, wanted), strict=True):
                advance(1)
                if path is not None:
                    numbers[path] = number
                elif not numbers and (failed := failed + 1) == _MOST_FAILURES:
                    raise ServerError("it gives no previews")
        return numbers

    def _trusted(self, near: Sequence[str], needles: Sequence[str]) -> tuple[list[Asset], list[tuple[str, str]], int]:
        """Return those of these assets that may prove something, why the others do not, and how many may be needles.

        Whether an asset is the user's own is asked by its checksum, as programs do before they upload: a search also
        gives those of partners.
        """
        told = dict(zip(near, self._executor.map(self._facts, near), strict=True))
        sums = {number: _sums_in(facts) for number, facts in told.items()}
        notes = [(number, "the server does not tell its checksum and size") for number in near if sums[number] is None]
        asked = [(number, of_asset) for number in near if (of_asset := sums[number]) is not None]
        own: set[str] = set()
        for start in range(0, len(asked), _BATCH):
            batch = [of_asset for _, of_asset in asked[start : start + _BATCH]]
            answer = self._client.json("POST", "/api/assets/bulk-upload-check", question(batch))
            own |= {number for number, _ in duplicates_in(answer, batch)}
        named: dict[str, list[str]] = {}
        for path in needles:
            named.setdefault(folded(os.path.basename(path)), []).append(path)
        assets, themselves = [], 0
        for number, of_asset in asked:
            reason = why_not(told[number], number, of_asset)
            # A partner may take the asset away at any time.
            if reason is None and number not in own:
                reason = "of another user"
            if reason is None:
                asset = asset_in(told[number], number, of_asset)
                if asset.is_part:
                    reason = "hidden"
                elif may_be_itself(asset, named.get(folded(asset.way[-1]), ()) if asset.way else ()):
                    reason = "it may be a needle itself"
                    themselves += 1
            if reason is None:
                assets.append(asset)
            else:
                notes.append((number, reason))
        return assets, notes, themselves

    def _facts(self, number: str) -> Any:  # noqa: ANN401 - whatever the server says
        return self._client.json_if_any(f"/api/assets/{number}")

    def _download(self, assets: Sequence[Asset]) -> tuple[list[Original], list[tuple[str, str]]]:
        """Download originals as long as there is room; returns them, and why there is none of the others."""
        assert self.folder is not None
        room_bytes = min(MOST_BYTES, int(shutil.disk_usage(self.folder.path).free * _FREE_SHARE))
        within: list[Asset] = []
        notes: list[tuple[str, str]] = []
        for asset in assets:
            size_bytes = asset.sums.size_bytes
            if size_bytes > min(MOST_ORIGINAL_BYTES, room_bytes):
                notes.append((asset.id, f"its original ({size_bytes:,} bytes) is too much to be downloaded"))
            else:
                within.append(asset)
                room_bytes -= size_bytes
        originals = []
        with self._listing.stage("originals from Immich", len(within)) as advance:
            for asset, outcome in zip(within, self._executor.map(self._original, within), strict=True):
                advance(1)
                if isinstance(outcome, Original):
                    originals.append(outcome)
                else:
                    notes.append((asset.id, outcome))
        if notes and not originals:  # as with a key that may not download
            self._listing.warn(f"no original could be had from the server: {notes[-1][1]}")
        return originals, notes

    def _original(self, asset: Asset) -> Original | str:
        """Download one and see that it has the bytes that the server says; returns why not otherwise."""
        assert self.folder is not None
        path = os.path.join(self.folder.path, asset.id)
        hasher = hashlib.sha1(usedforsecurity=False)
        try:
            with open(path, "wb") as file:

                def write(block: bytes) -> None:
                    hasher.update(block)
                    file.write(block)

                self._client.original(asset.id, write, asset.sums.size_bytes + 1)
                is_whole = file.tell() == asset.sums.size_bytes and hasher.digest() == asset.sums.sha1
        except OSError as error:
            return f"its original cannot be downloaded: {error}"
        return Original(asset, path) if is_whole else "its original has other bytes than the server says"


def _enter(near: dict[str, tuple[Mapping[str, Any], list[str]]], item: Mapping[str, Any], paths: Sequence[str]) -> None:
    """Enter an asset for some needles; one without an id that is one is left out."""
    number = str(item.get("id")).lower()
    if UUID.fullmatch(number):
        near.setdefault(number, (item, []))[1].extend(paths)


def _bits(needle: Look, preview: Look) -> int:
    """Tell how far a preview is from a needle, in the orientation in which they come closest."""
    return min((turned ^ preview.hashes[0]).bit_count() for turned in needle.hashes)


def _sums_in(facts: Any) -> Sums | None:  # noqa: ANN401 - whatever the server says
    """Return what the server says of the bytes of an asset; no digest of our own is known."""
    exif = facts.get("exifInfo") if isinstance(facts, dict) else None
    size_bytes = exif.get("fileSizeInByte") if isinstance(exif, dict) else None
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or size_bytes <= 0:
        return None
    try:
        sha1 = b64decode(str(facts.get("checksum")), validate=True)
    except ValueError:
        return None
    return Sums(size_bytes, sha1, b"") if len(sha1) == _SHA1_BYTES else None
