"""WebDAV (RFC 4918); the only place that knows httpx.

Name and password are those that ``~/.netrc`` (or the file that ``NETRC`` names) has for the host, and go to that host
only: no redirect is followed. Certificates are verified.

Most servers make their ETag of size and time in seconds, so it is a condition and a comparison, and no reason to
remember what was read.
"""

from __future__ import annotations

import netrc
import os
import re
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import httpx

from dupfind.buckets.names import is_too_deep
from dupfind.buckets.store import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    CONNECTIONS,
    CUT_SHORT,
    NO_ACCESS,
    SILENCE_SECONDS,
    AgainError,
    Bounds,
    Listed,
    Part,
    State,
    Store,
    Trouble,
    ns_of,
    size_of,
    within_bounds,
)
from dupfind.errors import ServerError, reason_of
from dupfind.sources.bucket_roots import Address
from dupfind.sources.entries import ChangedError

Members = list[tuple[str, bool, State | None]]

_DAV = "{DAV:}"
_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/>'
    b"<D:getlastmodified/><D:getetag/></D:prop></D:propfind>"
)
_MOST_XML_BYTES = 256 << 20
"""Of the listing of one folder: half a million files."""
_BLOCK_BYTES = 1 << 18
_BUSY = frozenset({408, 423, 425, 429, 500, 502, 503, 504})
_GONE, _DENIED, _OTHER_STATE = frozenset({404, 410}), frozenset({401, 403}), frozenset({412, 416})
_PARTIAL, _FINE, _MULTI, _ELSEWHERE = 206, 200, 207, range(300, 400)


class WebdavStore(Store):
    """A folder of a server."""

    def __init__(self, address: Address, count: Callable[[int, int], None]) -> None:
        super().__init__(address, count)
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._base = f"{address.scheme}://{host}{'' if address.port is None else f':{address.port}'}"
        self._is_here = False
        self._client = httpx.Client(
            auth=_login(address),
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            headers={"Accept-Encoding": "identity", "User-Agent": "dupfind"},
            follow_redirects=False,
            event_hooks={"request": [lambda _: count(1, 0)], "response": [_bound_refusal]},
        )

    @property
    def prefix(self) -> str:
        """The path of the folder, with slashes around it."""
        return f"/{self.address.folder}/" if self.address.folder else "/"

    @property
    def is_here(self) -> bool:
        """Tell whether it is this machine, by its name or by the addresses of both ends."""
        return self._is_here or super().is_here

    def list(self) -> Iterator[Listed | Trouble]:
        """Yield all files, folder after folder; a folder that is denied is a trouble."""
        pending = [self.prefix]
        met = set(pending)
        bounds = Bounds(self.address.url)
        while pending:
            folder = pending.pop()
            try:
                members = self.ask(partial(self._members, folder))
            except (PermissionError, FileNotFoundError) as error:
                if folder == self.prefix:
                    raise ServerError(f"{self.address.url} cannot be listed: {reason_of(error)}") from None
                yield Trouble(folder.rstrip("/"), f"cannot read the folder: {reason_of(error)}")
                continue
            except OSError as error:
                raise ServerError(f"{self.address.url} cannot be listed: {error}") from None
            for key, is_folder, state in sorted(members):
                bounds.count()
                if is_folder and key not in met and not is_too_deep(key):
                    met.add(key)
                    pending.append(key)
                elif is_folder:
                    yield Trouble(key.rstrip("/"), "a folder in itself, or too deep: not looked into")
                elif state is None:
                    yield Trouble(key, "the server does not tell its size")
                else:
                    yield Listed(key, state)

    def look_at(self, key: str) -> State | None:
        """Ask by HEAD; raises ``OSError``."""
        try:
            return self.ask(lambda: self._head(key))
        except FileNotFoundError:
            return None

    def read_on(self, key: str, state: State, content: bytearray, part: Part) -> None:
        """Ask for a range by GET, with ``If-Match`` where there is a tag; look again afterwards where there is none."""
        begin = part.start + len(content)
        headers = {"Range": f"bytes={begin}-{part.end - 1}"}
        if state.tag:
            headers["If-Match"] = state.tag
        with self._answer("GET", key, headers) as answer:
            if answer.status_code in _OTHER_STATE:
                raise ChangedError
            _refuse(answer.status_code, {_FINE, _PARTIAL})
            skipped = _refuse_other(answer, state, begin, part.end)
            for block in answer.iter_raw(_BLOCK_BYTES):
                self.count(0, len(block))
                content += block[skipped : skipped + part.left(content)]
                skipped = max(0, skipped - len(block))
                if part.left(content) <= 0:
                    break
                part.refuse_late()
        if not state.tag and self._head(key) != state:
            raise ChangedError

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    @contextmanager
    def _answer(
        self, method: str, key: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Iterator[httpx.Response]:
        """Yield an answer whose body is still to come; whatever goes wrong is told in words of our own."""
        url = self._base + quote(key.encode("utf-8", "surrogateescape"))
        try:
            with self._client.stream(method, url, headers=headers, content=content) as answer:
                if answer.status_code in _BUSY:
                    raise AgainError(f"the server answers {answer.status_code}, also after waiting")
                stream = answer.extensions.get("network_stream")
                ends = (stream.get_extra_info(name) for name in ("server_addr", "client_addr")) if stream else ()
                here, there = (*(end[0] if end else None for end in ends), None, None)[:2]
                self._is_here = self._is_here or (here is not None and here == there)
                yield answer
        except httpx.TimeoutException:
            raise AgainError(f"the server says nothing for {SILENCE_SECONDS:g} seconds") from None
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise OSError("its certificate is not to be trusted") from None
            raise AgainError("the connection broke off, or there is none") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise OSError(f"no answer that could be understood ({type(error).__name__})") from None

    def _head(self, key: str) -> State:
        with self._answer("HEAD", key) as answer:
            _refuse(answer.status_code, {_FINE})
            size_bytes = size_of(answer.headers.get("Content-Length", ""))
            if size_bytes is None:
                raise OSError("the server does not tell its size")
            return State(size_bytes, _ns(answer.headers.get("Last-Modified")), _tag(answer.headers.get("ETag")))

    def _members(self, folder: str) -> Members:
        """Return what lies in a folder: its key, whether it is a folder, and its state where the server tells it."""
        members: Members = []
        deadline = time.monotonic() + ANSWER_SECONDS * 5
        headers = {"Depth": "1", "Content-Type": "application/xml"}
        with self._answer("PROPFIND", folder, headers, _ASKED) as answer:
            _refuse(answer.status_code, {_MULTI})
            for element in _responses(answer.iter_raw(_BLOCK_BYTES), deadline):
                key, is_folder, state = _member(element)
                if key.rstrip("/") == folder.rstrip("/"):
                    continue
                below = key.removeprefix(folder).rstrip("/")
                if not key.startswith(folder) or not below or "/" in below:
                    raise OSError("its listing is not whole: it lists what was not asked for")
                members.append((f"{folder}{below}{'/' if is_folder else ''}", is_folder, state))
        if len({key for key, *_ in members}) < len(members):
            raise OSError("its listing is not whole: it lists a name twice")
        return members


def _responses(blocks: Iterable[bytes], deadline: float) -> Iterator[Element]:
    """Yield each response of a multi-status; raises :class:`AgainError` where it ends before its end."""
    parser: Any = XMLPullParser(["end"])
    size_bytes = 0
    try:
        for block in blocks:
            size_bytes += len(block)
            if size_bytes > _MOST_XML_BYTES or time.monotonic() > deadline or b"<!DOCTYPE" in block:
                raise OSError("a listing that is too long, takes too long, or brings its own rules")
            parser.feed(block)
            for _, element in parser.read_events():
                if element.tag == f"{_DAV}response":
                    yield element
                    element.clear()
        parser.close()
    except ParseError:
        raise AgainError(CUT_SHORT) from None
    for _, element in parser.read_events():
        if element.tag == f"{_DAV}response":
            yield element


def _member(element: Element) -> tuple[str, bool, State | None]:
    """Return the key of a response, whether it is a folder, and its state; raises ``OSError`` where it is an error."""
    status = element.findtext(f"{_DAV}status")
    if status is not None and f" {_FINE} " not in f"{status} ":  # 507 ends a listing that is too long
        raise OSError("its listing is not whole: it leaves out what it cannot tell of")
    try:
        path = urlsplit((element.findtext(f"{_DAV}href") or "").strip()).path
    except ValueError:
        raise OSError("its listing is not whole: it lists what was not asked for") from None
    key = unquote_to_bytes(path).decode("utf-8", "surrogateescape")
    told: dict[str, Element] = {}
    for group in element.iterfind(f"{_DAV}propstat"):
        if f" {_FINE} " in f"{group.findtext(f'{_DAV}status')} ":
            told |= {each.tag: each for properties in group.iterfind(f"{_DAV}prop") for each in properties}
    kind = told.get(f"{_DAV}resourcetype")
    if kind is None:
        raise OSError("its listing is not whole: it does not tell folders from files")
    length, when, tag = (
        (told[name].text or "").strip() if (name := f"{_DAV}{short}") in told else ""
        for short in ("getcontentlength", "getlastmodified", "getetag")
    )
    size_bytes = size_of(length)
    state = None if size_bytes is None else State(size_bytes, _ns(when), _tag(tag))
    return key, kind.find(f"{_DAV}collection") is not None, state


def _refuse(status: int, wanted: Container[int]) -> None:
    """Raise ``OSError`` for an answer that is none of these."""
    if status in wanted:
        return
    if status in _GONE:
        raise FileNotFoundError(2, "it is no longer there")
    if status in _DENIED:
        raise PermissionError(13, NO_ACCESS)
    if status in _ELSEWHERE:
        raise OSError("it sends us elsewhere, where no password goes: name that")
    raise OSError(f"the server answers {status}")


def _refuse_other(answer: httpx.Response, state: State, begin: int, end: int) -> int:
    """Raise where an answer is about another state, or range; returns how many of its bytes come before the range."""
    tag, when = _tag(answer.headers.get("ETag")), _ns(answer.headers.get("Last-Modified"))
    # A server that ignores If-Match answers with whatever is there now.
    if (tag and tag != state.tag) or (when and when != state.mtime_ns):
        raise ChangedError
    if answer.status_code != _PARTIAL:
        length = answer.headers.get("Content-Length")
        if length is not None and length != str(state.size_bytes):
            raise ChangedError
        return begin
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != begin or int(match[2]) > end - 1:
        raise OSError("it answers with another part than it was asked for")
    if match[3] not in ("*", str(state.size_bytes)):
        raise ChangedError
    return 0


def _tag(told: str | None) -> str:
    """Return an ETag as a condition has it; of a weak one, nothing."""
    tag = (told or "").strip()
    if not tag or tag.startswith("W/"):
        return ""
    return tag if tag.startswith('"') else f'"{tag}"'


def _ns(told: str | None) -> int:
    """Return a time of HTTP, 0 for none."""
    try:
        return ns_of(parsedate_to_datetime(told or "").timestamp())
    except (ValueError, OverflowError):
        return 0


class _Bounded(httpx.SyncByteStream):
    """The body of an answer that httpx reads to its end by itself."""

    def __init__(self, body: httpx.SyncByteStream) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return within_bounds(self._body)

    def close(self) -> None:
        """Close the connection, or give it back."""
        self._body.close()


def _bound_refusal(answer: httpx.Response) -> None:
    """Bound what is read before we say who we are: httpx reads all of an answer that asks for that."""
    if answer.status_code in _DENIED:
        assert isinstance(answer.stream, httpx.SyncByteStream)
        answer.stream = _Bounded(answer.stream)


def _login(address: Address) -> httpx.Auth | None:
    """Return how we say who we are; over plain HTTP never so that others on the way could read the password."""
    path = os.environ.get("NETRC")
    try:
        login = netrc.netrc(path).authenticators(address.host)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError, netrc.NetrcParseError):  # whose words may hold a password
        raise ServerError(f"{address.url}: {path or '~/.netrc'} cannot be read, or others can read it") from None
    if login is None:
        return None
    kind = httpx.BasicAuth if address.scheme == "https" else httpx.DigestAuth
    return kind(login[0], login[2] or "")
