"""What a person names as a bucket, or as a folder of a server, to a root; asks nobody.

``s3://BUCKET[/FOLDER]``, ``sftp://[USER@]HOST[:PORT]/FOLDER``, and ``https://HOST[:PORT]/FOLDER`` (or ``http://``) for
WebDAV. No password belongs there: what is typed stands in the history of a shell, and in every report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dupfind.errors import SettingsError, option_error
from dupfind.sources.entries import number_of
from dupfind.values import Root, Side, is_below

_IS_BUCKET = re.compile(r"(s3|sftp|https?)://", re.IGNORECASE)
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_OTHER_NAMES = ("-s3alias", "--ol-s3", "--op-s3", ".mrap")
"""What names of access points end with: another name of a bucket, by which it would prove itself."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What stands for bytes that are no UTF-8."""
_HOST = re.compile(r"[A-Za-z0-9_.:%-]+")
_USER = re.compile(r"[\w.-]+", re.ASCII)
_DEVICE = -3
"""Stands for ``st_dev`` of what lies on no device of this machine, and on no server of :mod:`~.servers`."""
_HOW = "write s3://BUCKET/FOLDER, sftp://USER@HOST/FOLDER or https://HOST/FOLDER"


class Address(NamedTuple):
    """Where a bucket or a folder of a server is; no key or password is part of it."""

    scheme: str
    host: str
    """Of ``s3`` the name of the bucket: the host is what the environment says."""
    port: int | None
    user: str | None
    folder: str
    """Without slashes around it, as the server spells it; empty for the whole bucket or server."""

    @property
    def url(self) -> str:
        """Return how it is spelt once for all, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{user}{host}{port}/{self.folder}".rstrip("/")


_NOWHERE = Address("s3", "", None, None, "")


@dataclass(frozen=True, slots=True)
class BucketRoot(Root):
    """A bucket, or a folder in it or of a server, in the place of a folder; ``real`` is its address."""

    address: Address = _NOWHERE


def is_bucket(given: str) -> bool:
    """Tell whether something that was named as a folder is a bucket or a server of files.

    >>> is_bucket("s3://photos"), is_bucket("SFTP://nas/x"), is_bucket("./s3://photos"), is_bucket("immich://nas")
    (True, True, False, False)
    """
    return _IS_BUCKET.match(given) is not None


def without_buckets(given: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what was named that is no bucket, and the buckets."""
    named = list(given)
    return [path for path in named if not is_bucket(path)], [path for path in named if is_bucket(path)]


def refuse_bucket(given: str) -> None:
    """Raise :class:`~dupfind.errors.SettingsError` for a bucket where only what lies on this machine will do.

    Only its host is told: the rest may hold a password.
    """
    if is_bucket(given):
        shown = f"{given.partition('://')[0].lower()}://{re.split(r'[/?#]', given.partition('://')[2])[0].rpartition('@')[2]}"
        raise SettingsError(f"{shown}: a bucket or a server is read by dupfind scan only; here, name a folder")


def bucket_roots(haystack: Sequence[str], needles: Sequence[str], elsewhere: Iterable[str] = ()) -> tuple[Root, ...]:
    """Return a root for each bucket, each once; raises :class:`~dupfind.errors.SettingsError`.

    ``elsewhere`` are those of which a person says that they hold no file of the other side.

    >>> [root.real for root in bucket_roots(["s3://photos/2006/"], ["S3://old"])]
    ['s3://photos/2006', 's3://old']
    """
    hay = {root.real: root for root in (_root(given, Side.HAYSTACK) for given in haystack)}
    old = {root.real: root for root in (_root(given, Side.NEEDLES) for given in needles)}
    for real in old:
        if real in hay:
            raise option_error("--needles", f"{real} and --haystack {real} are the same folder")
    roots = (*hay.values(), *(root for root in old.values() if not _is_inner(root.real, [*old], [*hay])))
    said = {_root(given, Side.HAYSTACK).real for given in elsewhere}
    return tuple(replace(root, is_elsewhere=True) if root.real in said else root for root in roots)


def _is_inner(real: str, needles: Sequence[str], haystack: Sequence[str]) -> bool:
    """Tell whether what lies at ``real`` is counted with needles around it; not where a haystack lies between."""
    around = max((root for root in needles if root != real and is_below(real, root)), key=len, default=None)
    return around is not None and not any(is_below(real, root) and is_below(root, around) for root in haystack)


def _root(given: str, side: Side) -> BucketRoot:
    address = _address(given, f"--{side.value} of a bucket or server")
    number = number_of(address.url.encode("utf-8", "surrogateescape"))
    return BucketRoot(side, address.url, address.url, (_DEVICE, number), address=address)


def _address(given: str, called: str) -> Address:
    from urllib.parse import unquote, urlsplit  # takes 3 ms to load, for those who name no bucket as well

    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its words, as the whole, may hold a password
        raise SettingsError(f"{called}: this is no address: {_HOW}") from None
    scheme = parts.scheme.lower()
    has_user = parts.username is not None and scheme != "sftp"
    if parts.password is not None or has_user or parts.query or parts.fragment:
        raise SettingsError(
            f"{called}: an address holds no password, no ?, no # and, but with sftp, no user; "
            "docs/buckets.md says where such things are found"
        )
    folder = (parts.path if scheme in ("s3", "sftp") else unquote(parts.path)).removeprefix("/").removesuffix("/")
    if any(part in ("", ".", "..") for part in folder.split("/")) and folder:
        raise SettingsError(f"{called}: {given} has a path with empty names or dots in it")
    if "\0" in folder or _SURROGATE.search(folder):
        raise SettingsError(f"{called}: a path that is not in UTF-8")
    if scheme == "s3":
        bucket = parts.netloc
        if not _BUCKET_NAME.fullmatch(bucket):
            raise SettingsError(f"{called}: {given} names no bucket: {_HOW}")
        if bucket.endswith(_OTHER_NAMES):
            raise SettingsError(f"{called}: {bucket} is an access point, another name of a bucket: name that")
        return Address("s3", bucket, None, None, folder)
    if not host or not _HOST.fullmatch(host) or (parts.username is not None and not _USER.fullmatch(parts.username)):
        raise SettingsError(f"{called}: {given} names no server: {_HOW}")
    usual = {"sftp": 22, "http": 80, "https": 443}[scheme]
    return Address(scheme, host, None if port == usual else port, parts.username, folder)
