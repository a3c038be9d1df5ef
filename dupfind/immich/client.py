"""Asks an Immich server over its API; the only place that speaks HTTP.

The documented endpoints (server 1.106 to 2): ``GET /api/server/version``, ``POST /api/assets/bulk-upload-check``,
``GET /api/assets/{id}``, ``GET /api/assets/{id}/original``, ``GET /api/assets/{id}/thumbnail``, ``POST
/api/search/metadata``. Everything is bounded: how long a request takes, how much
of an answer is read, how often it is tried again. Certificates are verified, and no redirect is followed: the key goes
to the server that was named and to no other. It is read from the environment where it is needed, and never told.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from dupfind.errors import ServerError, SettingsError, reason_of

KEY = "IMMICH_API_KEY"
_TRIES, _PAUSE_SECONDS = 4, 0.5
"""How often a request is made, and how long is waited before the second; twice as long before each further one."""
_MOST_PAUSE_SECONDS = 20.0
_SILENCE_SECONDS, _ANSWER_SECONDS = 30.0, 120.0
"""How long a server may say nothing, and take for one answer."""
_LEAST_BYTES_A_SECOND = 50_000
"""Of a download: what is slower for long has failed."""
_MOST_BYTES = 16 << 20
"""Of an answer in JSON."""
_MOST_PREVIEW_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 20
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_FINE, _ELSEWHERE = 2, 3
"""The first digits of answers."""
_REFUSED = frozenset({401, 403})
_NO_SUCH = frozenset({400, 404})
"""How a server answers about an asset that is not there, or not for this key."""


class _BusyError(Exception):
    """The server asked to be asked again; says in how many seconds, where it did."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


class _NoSuchError(ServerError):
    """There is no such thing on the server."""


class _ElsewhereError(ServerError):
    """The server sends us to another place."""


def key_of_environment() -> str:
    """Return the key; raises :class:`~dupfind.errors.SettingsError` where there is none, which says nothing of it."""
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise SettingsError(f"a key of the Immich server is needed in the environment variable {KEY}")
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise SettingsError(f"{KEY} holds what no key is made of")
    return key


class Client:
    """A server, with one connection a thread; ``url`` is where it is, as ``https://host:port``."""

    def __init__(self, url: str, pause: Callable[[float], object] = time.sleep) -> None:
        self._url = url
        self._parts = urlsplit(url)
        self._key = key_of_environment()
        self._pause = pause
        self._own = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close all connections."""
        for connection in self._opened:
            with suppress(OSError):
                connection.close()

    def json(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever the server says
        """Return what the server answers; raises :class:`~dupfind.errors.ServerError`."""
        for left in reversed(range(_TRIES)):
            try:
                with self._response(method, path, body) as response:
                    return _parsed(_read_all(response))
            except (OSError, http.client.HTTPException, _BusyError) as error:
                self._drop()
                if not left or isinstance(error, ssl.SSLCertVerificationError):
                    raise ServerError(f"{self._url}: {_told(error)}") from None
                self._wait(error, _TRIES - left)
            except ValueError:
                self._drop()
                raise ServerError(f"{self._url}: what it answers to {path} is no answer of Immich") from None
        raise AssertionError

    def json_if_any(self, path: str) -> Any:  # noqa: ANN401 - whatever the server says
        """Return what the server answers; None where it says that there is no such thing. Raises likewise."""
        try:
            return self.json("GET", path)
        except _NoSuchError:
            return None

    def original(self, asset: str, write: Callable[[bytes], object], most_bytes: int) -> None:
        """Download the original of an asset, up to ``most_bytes``; raises ``OSError``, so that one file fails."""
        try:
            with self._response("GET", f"/api/assets/{asset}/original", None) as response:
                left, deadline = most_bytes, time.monotonic() + _ANSWER_SECONDS + most_bytes / _LEAST_BYTES_A_SECOND
                while left > 0 and (block := response.read1(min(_BLOCK_BYTES, left))):
                    write(block)
                    left -= len(block)
                    if time.monotonic() > deadline:
                        raise TimeoutError("the download takes too long")
        except (http.client.HTTPException, _BusyError, ServerError) as error:
            raise OSError(_told(error)) from None
        finally:
            self._drop()  # what was not read to its end

    def preview(self, asset: str) -> bytes | None:
        """Download the preview of an asset; None where there is none that can be had.

        Raises :class:`~dupfind.errors.ServerError` where the key is refused.
        """
        path = f"/api/assets/{asset}/thumbnail?size=preview"
        for left in reversed(range(_TRIES)):
            try:
                with self._response("GET", path, None) as response:
                    if not (response.headers.get("Content-Type") or "").startswith("image/"):
                        break
                    return _read_all(response, _MOST_PREVIEW_BYTES)
            except (OSError, http.client.HTTPException, _BusyError) as error:
                self._drop()
                if left:
                    self._wait(error, _TRIES - left)
            except (ValueError, _NoSuchError, _ElsewhereError):
                break
        self._drop()
        return None

    def _wait(self, error: Exception, tries: int) -> None:
        asked = error.seconds if isinstance(error, _BusyError) else None
        self._pause(min(_MOST_PAUSE_SECONDS, _PAUSE_SECONDS * 2 ** (tries - 1) if asked is None else asked))

    @contextmanager
    def _response(self, method: str, path: str, body: object) -> Iterator[http.client.HTTPResponse]:
        connection = self._connection()
        content = None if body is None else json.dumps(body).encode()
        headers = {"x-api-key": self._key, "Accept": "application/json, application/octet-stream"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, self._parts.path + path, content, headers)
        response = connection.getresponse()
        if response.status in _BUSY:
            raise _BusyError(f"it answers {response.status}", _seconds(response.headers.get("Retry-After")))
        if response.status in _REFUSED:
            self._drop()
            raise ServerError(f"{self._url}: it refuses the key in {KEY} ({response.status})")
        # The key would go to another server.
        if response.status // 100 == _ELSEWHERE:
            self._drop()
            raise _ElsewhereError(
                f"{self._url}: it sends us elsewhere ({response.status}), where no key goes: name that"
            )
        if response.status // 100 != _FINE:
            self._drop()
            kind = _NoSuchError if response.status in _NO_SUCH else ServerError
            raise kind(f"{self._url}: it answers {response.status} to {path}: is it an Immich server?")
        yield response

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            host, port = self._parts.hostname or "", self._parts.port
            connection = (
                http.client.HTTPSConnection(host, port, timeout=_SILENCE_SECONDS, context=ssl.create_default_context())
                if self._parts.scheme == "https"
                else http.client.HTTPConnection(host, port, timeout=_SILENCE_SECONDS)
            )
            self._own.connection = connection
            self._opened.append(connection)
        return connection

    def _drop(self) -> None:
        """Begin anew with the next request: nobody knows what is left of this one on the line."""
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is not None:
            connection.close()
            self._opened.remove(connection)
            self._own.connection = None


def _read_all(response: http.client.HTTPResponse, most_bytes: int = _MOST_BYTES) -> bytes:
    deadline = time.monotonic() + _ANSWER_SECONDS
    content = bytearray()
    while block := response.read1(_BLOCK_BYTES):
        content += block
        if len(content) > most_bytes:
            raise ValueError("too long")
        if time.monotonic() > deadline:
            raise TimeoutError(f"it takes longer than {_ANSWER_SECONDS:.0f} seconds to answer")
    if response.length:
        raise http.client.IncompleteRead(bytes(content))
    response.close()  # read1 leaves that to whoever reads on, and until then the connection takes no other request
    return bytes(content)


def _parsed(content: bytes) -> Any:  # noqa: ANN401 - whatever the server says
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("too deep") from None


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isascii() and header.isdigit() else None


def _told(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message.lower()}"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer ended before its end"
    if isinstance(error, http.client.HTTPException):
        return "it does not speak HTTP as it should"
    return reason_of(error) if isinstance(error, OSError) else str(error)
