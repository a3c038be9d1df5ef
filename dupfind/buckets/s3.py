"""S3 and what speaks like it; the only place that knows botocore.

Keys, profiles, regions and the endpoint are found where every program of AWS finds them: the environment, ``~/.aws``,
the machine's own role. Where there are none at all, requests are not signed: public buckets answer that.

What a server says of an object is compared with what was listed in each answer, beside ``If-Match``, which some servers
take and do not heed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError
from botocore.loaders import Loader
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as ReadTimeout

from dupfind.buckets.store import (
    CONNECT_SECONDS,
    CONNECTIONS,
    CUT_SHORT,
    MOST_SIZE_BYTES,
    NO_ACCESS,
    SILENCE_SECONDS,
    TRIES,
    AgainError,
    Bounds,
    EndlessError,
    GaveUpError,
    Listed,
    Part,
    State,
    Store,
    Trouble,
    ns_of,
    within_bounds,
)
from dupfind.errors import ServerError
from dupfind.sources.bucket_roots import Address
from dupfind.sources.entries import ChangedError

_PAGE = 1000
_MOST_EMPTY_PAGES = 100
"""Pages without an object that a listing may have one after the other; a bucket full of markers has some."""
_BLOCK_BYTES = 1 << 18
_REFUSED = 300
_CODE = re.compile(r"[A-Za-z0-9.]{1,60}")
_NO_SUCH = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_OTHER_STATE = frozenset({"412", "PreconditionFailed", "416", "InvalidRange", "304", "NotModified"})
_NO_ANSWER = frozenset({"500", "502", "503", "504", "InternalError", "ServiceUnavailable", "SlowDown"})
_WORDS = {
    "403": NO_ACCESS,
    "AccessDenied": NO_ACCESS,
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key is not the right one",
    "ExpiredToken": "the session token has expired",
    "InvalidObjectState": "the object lies in an archive tier",
    "SlowDown": "too many requests, also after waiting",
}
_HOW = "write http://HOST:PORT or https://HOST"


class S3Store(Store):
    """A bucket."""

    def __init__(self, address: Address, count: Callable[[int, int], None]) -> None:
        super().__init__(address, count)
        try:
            session = botocore.session.get_session()
            session.register_component("data_loader", _descriptions())
            is_signed = session.get_credentials() is not None
            config = Config(
                signature_version=None if is_signed else UNSIGNED,
                connect_timeout=CONNECT_SECONDS,
                read_timeout=SILENCE_SECONDS,
                retries={"total_max_attempts": TRIES, "mode": "standard"},
                max_pool_connections=CONNECTIONS,
                response_checksum_validation="when_required",
                request_checksum_calculation="when_required",
            )
            self._client = session.create_client("s3", config=config)
        except (BotoCoreError, ValueError) as error:
            raise ServerError(f"{address.url}: {_told(error)}") from None
        self._client.meta.events.register("before-send.s3", self._send)

    @property
    def host(self) -> str:
        """The name of the machine that is asked."""
        return urlsplit(str(self._client.meta.endpoint_url)).hostname or ""

    def list(self) -> Iterator[Listed | Trouble]:
        """Yield all objects below the folder, page after page, and see that no page is missing.

        A server that says that this was all is asked for what comes after the last name, once more.
        """
        prefix = self.prefix
        last, is_ascending, more = "", True, dict[str, str]()
        tokens: set[str] = set()
        empty = 0
        bounds = Bounds(self.address.url)
        while True:
            page = self._page(prefix, more)
            objects = [_listed(item) for item in page.get("Contents") or []]
            if "StartAfter" in more:  # some servers do not heed it, and begin again
                objects = [each for each in objects if each is None or _in_bytes(each.key) > _in_bytes(last)]
            for listed in objects:
                # What was not asked for shows that the server did not understand the question.
                if listed is None or not listed.key.startswith(prefix):
                    raise self._not_whole("it lists what was not asked for")
                bounds.count()
                is_ascending = is_ascending and (not last or _in_bytes(listed.key) > _in_bytes(last))
                last = listed.key
                yield listed
            empty = 0 if objects else empty + 1
            if empty > _MOST_EMPTY_PAGES:
                raise self._not_whole("page after page has nothing in it")
            if page.get("IsTruncated"):
                token = page.get("NextContinuationToken")
                # Without a new token the listing would begin anew for ever, or end too soon.
                if not token or token in tokens:
                    raise self._not_whole("it says that there is more, and not how to get it")
                tokens.add(token)
                more = {"ContinuationToken": token}
            elif last and is_ascending and objects:
                more = {"StartAfter": last}
            elif last or not self.address.folder:
                return
            else:  # a folder that is there has an object or a marker: none may be a mistyped name, which proves nothing
                raise ServerError(f"{self.address.url} cannot be listed: there is no such folder")

    def _page(self, prefix: str, more: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever the server says
        try:
            page = self._client.list_objects_v2(Bucket=self.address.host, Prefix=prefix, MaxKeys=_PAGE, **more)
        except (ClientError, BotoCoreError, ValueError) as error:
            raise ServerError(f"{self.address.url} cannot be listed: {_told(error)}") from None
        told = page.get("KeyCount")
        # A page that lost keys on the way would make folders look smaller than they are.
        if told is not None and told != len(page.get("Contents") or []):
            raise self._not_whole("a page has not as many names as it says")
        return page

    def _not_whole(self, reason: str) -> ServerError:
        return ServerError(f"{self.address.url}: its listing is not whole: {reason}")

    def look_at(self, key: str) -> State | None:
        """Ask by HEAD; raises ``OSError``."""
        try:
            answer = self._client.head_object(Bucket=self.address.host, Key=key)
        except (ClientError, BotoCoreError, ValueError) as error:
            failure = _failure(error)
            if isinstance(failure, FileNotFoundError):
                return None
            raise failure from None
        size_bytes = answer.get("ContentLength")
        if size_bytes is None:
            raise OSError("the server does not tell its size")
        return State(int(size_bytes), _ns(answer.get("LastModified")), str(answer.get("ETag") or ""))

    def read_on(self, key: str, state: State, content: bytearray, part: Part) -> None:
        """Ask for a range by GET, with ``If-Match``."""
        begin = part.start + len(content)
        condition = {"IfMatch": state.tag} if state.tag else {}
        try:
            answer = self._client.get_object(
                Bucket=self.address.host, Key=key, Range=f"bytes={begin}-{part.end - 1}", **condition
            )
        except (ClientError, BotoCoreError, ValueError) as error:
            raise _failure(error) from None
        try:
            with closing(answer["Body"]) as body:  # what is left of an answer is not waited for
                self._take(body, self._refuse_other(answer, state, begin, part.end), content, part)
        except (BotoCoreError, HTTPError) as error:
            raise AgainError(_told(error)) from None

    def _take(self, body: Any, skipped: int, content: bytearray, part: Part) -> None:  # noqa: ANN401 - of botocore
        """Add to ``content`` what an answer gives behind its first ``skipped`` bytes, and nothing beyond the part."""
        while (left := part.left(content)) > 0:
            block = body.read(min(_BLOCK_BYTES, left + skipped))
            if not block:
                return
            self.count(0, len(block))
            content += block[skipped:]
            skipped = max(0, skipped - len(block))
            part.refuse_late()

    def _refuse_other(self, answer: Mapping[str, Any], state: State, begin: int, end: int) -> int:
        """Raise where an answer is about another state or range; returns how many bytes come before the range."""
        if (tag := answer.get("ETag")) != state.tag and (tag or state.tag):
            raise ChangedError
        if _ns(answer.get("LastModified")) != state.mtime_ns:
            raise ChangedError
        content_range = answer.get("ContentRange")
        if content_range is None:  # it does not give parts, and begins at the beginning
            if answer.get("ContentLength", state.size_bytes) != state.size_bytes:
                raise ChangedError
            return begin
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", str(content_range))
        if match is None or int(match[1]) != begin or int(match[2]) > end - 1:
            raise OSError("it answers with another part than it was asked for")
        if match[3] not in ("*", str(state.size_bytes)):
            raise ChangedError
        return 0

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _send(self, request: Any, **_: object) -> Any:  # noqa: ANN401 - of botocore
        """Count a request and send it; what is no content of an object is read here, as botocore does it without end.

        Raises the errors of botocore, by which it knows whether to ask again.
        """
        self.count(1, 0)
        is_for_content = request.stream_output
        request.stream_output = True
        answer = self._client._endpoint.http_session.send(request)  # noqa: SLF001 - set up with certificates and proxies
        if is_for_content and answer.status_code < _REFUSED:
            return answer
        body = answer.raw
        try:
            answer.raw = _Body(list(within_bounds(body.stream(_BLOCK_BYTES))))
        except EndlessError as error:
            body.close()
            raise _TooLongError(error=error) from None
        except ReadTimeout as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from None
        except HTTPError as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from None
        return answer


class _Body(NamedTuple):
    """A body that was read, as botocore takes it."""

    blocks: list[bytes]

    def stream(self) -> list[bytes]:
        """Return all of it."""
        return self.blocks


class _TooLongError(BotoCoreError):  # type: ignore[misc]  # of a library without types
    """What :class:`EndlessError` is to botocore: no reason to ask again."""

    fmt = "{error}"


@cache
def _descriptions() -> Loader:
    """Keep what describes the API: it takes a quarter of a second to be read, and every bucket needs it."""
    return Loader()


def _listed(item: Mapping[str, Any]) -> Listed | None:
    key, size_bytes = item.get("Key"), item.get("Size")
    if not isinstance(key, str) or not key or not isinstance(size_bytes, int):
        return None
    if not 0 <= size_bytes <= MOST_SIZE_BYTES:
        return None
    return Listed(key, State(size_bytes, _ns(item.get("LastModified")), str(item.get("ETag") or "")))


def _in_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _ns(moment: object) -> int:
    """Return a time as S3 has it, in whole seconds; 0 for none. A HEAD has no fractions that a listing may have."""
    return ns_of(moment.timestamp()) if isinstance(moment, datetime) else 0


def _code(error: ClientError) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if not _CODE.fullmatch(code):
        code = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "no code"))
    return code


def _failure(error: Exception) -> OSError | ChangedError:
    """Return what to raise where no answer came, after botocore has asked again, or one that refuses."""
    if isinstance(error, HTTPClientError):
        return GaveUpError(_told(error))
    if isinstance(error, ClientError):
        code = _code(error)
        if code in _OTHER_STATE:
            return ChangedError()
        if code in _NO_SUCH:
            return FileNotFoundError(2, "it is no longer there")
        if code in _NO_ANSWER:
            return GaveUpError(_told(error))
    return OSError(_told(error))


def _told(error: Exception) -> str:
    """Say what is wrong, in words that hold no key: messages of the library and of servers may."""
    if isinstance(error, ClientError):
        code = _code(error)
        return _WORDS.get(code) or f"the server answers {code}"
    name = type(error).__name__
    words = {
        "EndpointConnectionError": "the server cannot be reached",
        "ConnectTimeoutError": "the server cannot be reached in time",
        "ReadTimeoutError": f"the server says nothing for {SILENCE_SECONDS:g} seconds",
        "ConnectionClosedError": "the connection broke off",
        "IncompleteReadError": CUT_SHORT,
        "ResponseStreamingError": CUT_SHORT,
        "SSLError": "its certificate is not to be trusted",
        "ProfileNotFound": "there is no such profile of AWS",
        "_TooLongError": "an answer that is too long, or takes too long",
        "PartialCredentialsError": "a part of the credentials is missing",
        "NoCredentialsError": "there are no credentials",
        "ConfigParseError": "the configuration of AWS cannot be read",
    }
    if name == "HTTPClientError":
        return "the connection broke off"
    if str(error).startswith("Invalid endpoint"):
        return f"AWS_ENDPOINT_URL (or endpoint_url in ~/.aws/config) is no address: {_HOW}"
    return words.get(name) or f"no answer that could be understood ({name})"
