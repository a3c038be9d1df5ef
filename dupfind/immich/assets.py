"""What an Immich server says of its assets, checked before anything rests on it; pure.

An answer that lacks a fact, or has it in another form, says nothing. A checksum of Immich is the SHA-1 of the original,
which the server computes while it takes the upload; of files of an external library it is one of their path.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dupfind.errors import ServerError
from dupfind.sources.ignore import NOT_TRUSTED
from dupfind.sources.normal_form import folded

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_OWN_FOLDERS = frozenset({"upload", "library"})
"""Where Immich keeps originals."""
_HIDDEN = "hidden"
_VISIBLE = frozenset({"timeline", "archive", "locked", _HIDDEN})
"""Who sees an asset: films of Live Photos are hidden, and may be about to go with a picture that is in the trash."""
_LEAST_NAMES = 2
_MOST_NAME = 255


class Sums(NamedTuple):
    """What was read of one needle, or of several that are equal."""

    size_bytes: int
    sha1: bytes
    digest: bytes

    @property
    def checksum(self) -> str:
        """The SHA-1 as the API spells it."""
        return b64encode(self.sha1).decode()


class Asset(NamedTuple):
    """An asset whose original has the bytes of a needle, by the server's word."""

    id: str
    name: str
    """As it was called when it was uploaded, without anything that a path is not made of."""
    sums: Sums
    way: tuple[str, ...]
    """The last names of the way to its original, on the server."""
    is_part: bool = False
    """True for the film of a Live Photo or a motion photo, which goes with its picture."""
    part: str | None = None
    """The id of the film that goes with this picture."""


def version_in(answer: Any) -> str:  # noqa: ANN401 - whatever the server says
    """Return the version in an answer; raises :class:`~dupfind.errors.ServerError` where that is none of Immich."""
    numbers = [answer.get(name) for name in ("major", "minor", "patch")] if isinstance(answer, dict) else []
    if not numbers or not all(isinstance(number, int) for number in numbers):
        raise ServerError("it does not tell its version: is it an Immich server?")
    return ".".join(map(str, numbers))


def question(batch: Sequence[Sums]) -> dict[str, Any]:
    """Return the body of a bulk upload check: the number of each in ``batch``, and its checksum."""
    return {"assets": [{"id": str(number), "checksum": sums.checksum} for number, sums in enumerate(batch)]}


def duplicates_in(answer: Any, batch: Sequence[Sums]) -> Iterator[tuple[str, Sums]]:  # noqa: ANN401 - likewise
    """Yield the ids of assets that the server has of those in ``batch``; raises likewise."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != len(batch):
        raise ServerError("it does not answer a bulk upload check as it is documented")
    unanswered = {str(number): sums for number, sums in enumerate(batch)}
    for result in results:
        sums = unanswered.pop(str(result.get("id")), None) if isinstance(result, dict) else None
        if sums is None:
            raise ServerError("it does not answer a bulk upload check as it is documented")
        asset = result.get("assetId")
        is_there = result.get("action") == "reject" and result.get("reason") == "duplicate"
        if is_there and isinstance(asset, str) and UUID.fullmatch(asset):
            yield asset.lower(), sums


def why_not(answer: Any, asset: str, sums: Sums) -> str | None:  # noqa: ANN401, PLR0911 - likewise; a reason a line
    """Tell why an asset proves nothing, by what the server says of it; None where it may."""
    if not isinstance(answer, Mapping) or str(answer.get("id")).lower() != asset:
        return f"the server does not tell of it: {NOT_TRUSTED}"
    if answer.get("checksum") != sums.checksum:
        return f"its checksum is another: {NOT_TRUSTED}"
    # Immich deletes it by itself after some days.
    if answer.get("isTrashed") is not False:
        return f"in the trash of Immich: {NOT_TRUSTED}"
    # Immich remembers the asset, and its file is gone or cannot be reached.
    if answer.get("isOffline") is not False:
        return f"its original is not there (offline): {NOT_TRUSTED}"
    if answer.get("libraryId") is not None:
        return f"of an external library, whose files Immich does not keep: {NOT_TRUSTED}"
    if answer.get("visibility") not in _VISIBLE:
        return f"the server does not tell who sees it (Immich before 1.133): {NOT_TRUSTED}"
    exif = answer.get("exifInfo")
    size_bytes = exif.get("fileSizeInByte") if isinstance(exif, Mapping) else None
    if size_bytes != sums.size_bytes or isinstance(size_bytes, bool):
        return f"the server does not tell its size, or another: {NOT_TRUSTED}"
    return None


def asset_in(answer: Mapping[str, Any], asset: str, sums: Sums) -> Asset:
    """Return an asset, of which :func:`why_not` had nothing to say."""
    name = str(answer.get("originalFileName") or asset)
    plain = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)[:_MOST_NAME]
    part = answer.get("livePhotoVideoId")
    return Asset(
        asset,
        plain if plain.strip(".") else asset,
        sums,
        way_of(str(answer.get("originalPath") or "")),
        answer.get("visibility") == _HIDDEN,
        part.lower() if isinstance(part, str) else None,
    )


def way_of(path: str) -> tuple[str, ...]:
    """Return the last names of the way to an original: those below Immich's own folder, which may be mounted anywhere.

    >>> way_of("/data/library/admin/2024/IMG_1.jpg"), way_of("upload/upload/u/0a/1b/x.jpg")
    (('admin', '2024', 'IMG_1.jpg'), ('u', '0a', '1b', 'x.jpg'))
    """
    names = [name for name in path.split("/") if name]
    places = [place for place, name in enumerate(names[:-_LEAST_NAMES]) if name in _OWN_FOLDERS]
    return tuple(names[places[-1] + 1 :] if places else names[-_LEAST_NAMES - 1 :])


def may_be_itself(asset: Asset, needles: Iterable[str]) -> bool:
    """Tell whether one of these needles, at the paths given, may be the original itself, on the server's own disk.

    The folder of a user may be mounted or shared under any name, so that name does not count.
    """
    way = asset.way[1:] if len(asset.way) > _LEAST_NAMES else asset.way
    tail = os.sep + folded(os.sep.join(way))
    return not asset.way or any(folded(path).endswith(tail) for path in needles)
