"""What a person names as a server in the place of a folder, to a root; asks nobody.

``immich://HOST[:PORT]/`` is HTTPS and ``immich+http://`` plain HTTP, which has to be asked for: a key goes over it.
``http://`` and ``https://`` themselves are left to files that lie on the web.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dupfind.errors import SettingsError
from dupfind.sources.entries import number_of
from dupfind.values import Root, Side

_SCHEMES = {"immich": "https", "immich+https": "https", "immich+http": "http"}
_IS_SERVER = re.compile(r"immich(\+https?)?:", re.IGNORECASE)
_DEVICE = -2
"""Stands for ``st_dev`` of what lies on no device of this machine."""


@dataclass(frozen=True, slots=True)
class ServerRoot(Root):
    """A server in the place of a folder; ``real`` is how it is spelt once for all."""

    url: str = ""
    """Where its API is: ``https://photos.example.org:2283``, without a slash at the end."""

    @property
    def has_folders(self) -> bool:
        """Tell that its files lie in no folder of this machine."""
        return False


def is_server(given: str) -> bool:
    """Tell whether something that was named as a folder is a server.

    >>> is_server("immich://nas/"), is_server("immich"), is_server("./immich:/x")
    (True, False, False)
    """
    return _IS_SERVER.match(given) is not None


def apart(given: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the folders among what was named, and the servers."""
    named = list(given)
    return [path for path in named if not is_server(path)], [path for path in named if is_server(path)]


def server_roots(given: Sequence[str]) -> tuple[Root, ...]:
    """Return a root for each server, each once; raises :class:`~dupfind.errors.SettingsError`.

    >>> server_roots(["immich://NAS.local/"])[0].url
    'https://nas.local'
    """
    roots = {root.url: root for root in map(_root, given)}
    return tuple(roots.values())


def _root(given: str) -> ServerRoot:
    from urllib.parse import urlsplit  # takes 3 ms to load

    called = "--haystack of a server"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"{called}: {str(error).lower()}") from None  # it may hold a password
    scheme = _SCHEMES.get(parts.scheme.lower())
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SettingsError(
            f"{called}: an address holds no user, no password, no ? and no #; the key is IMMICH_API_KEY"
        )
    if scheme is None or not host or not re.fullmatch(r"[\w.:%-]+", host, re.ASCII):
        raise SettingsError(f"{called}: {given} is none: write immich://HOST[:PORT]/ or immich+http://HOST[:PORT]/")
    if not re.fullmatch(r"[\w./~-]*", parts.path, re.ASCII) or ".." in parts.path:
        raise SettingsError(f"{called}: {given} has a path that is none of a server")
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"
    real = f"{parts.scheme.lower()}://{place}"
    number = number_of(f"{scheme}://{place}".encode())
    return ServerRoot(Side.HAYSTACK, real, real, (_DEVICE, number), url=f"{scheme}://{place}")
