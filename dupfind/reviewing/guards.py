"""Who may ask this server for what, told by the head of a request alone; pure.

Other programs of this machine, and every page that is open in the browser, can send requests to a port of loopback.
Only the page that this run has opened may get an answer: it knows the token, and the browser says where it comes from.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

TOKEN_BYTES = 24
"""192 bits, which nobody guesses."""
MOST_BODY_BYTES = 64 << 10
"""Of a request: a hundred times what the page sends."""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer. No header of CORS is among them: no other origin may read one."""
_READING, _WRITING = "GET", "POST"


class RequestHead(NamedTuple):
    """The head of a request."""

    method: str
    path: str
    """As it came, not decoded."""
    headers: Mapping[str, str]
    """By their names in lower case."""


class Door(NamedTuple):
    """What a request has to know, and where it has to come from."""

    host: str
    """The address that is listened on, with its port, as a browser puts it into ``Host``."""
    token: str

    @property
    def origin(self) -> str:
        """Where the page comes from."""
        return f"http://{self.host}"

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"{self.origin}/{self.token}/"


def refusal(door: Door, asked: RequestHead) -> HTTPStatus | None:
    """Tell with which status a request is to be turned away; None where it may come in."""
    if asked.headers.get("host") != door.host:
        return HTTPStatus.MISDIRECTED_REQUEST  # a name that was made to lead here: DNS rebinding
    token = asked.path.removeprefix("/").partition("/")[0]
    if not hmac.compare_digest(token.encode(), door.token.encode()):
        return HTTPStatus.NOT_FOUND  # as for whatever there is not: nothing is learned by trying
    if asked.method == _WRITING:
        return None if _is_from_the_page(door, asked.headers) else HTTPStatus.FORBIDDEN
    if asked.method != _READING:
        return HTTPStatus.METHOD_NOT_ALLOWED
    return None if _may_read(asked.headers) else HTTPStatus.FORBIDDEN


def _is_from_the_page(door: Door, headers: Mapping[str, str]) -> bool:
    if headers.get("origin") != door.origin or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def _may_read(headers: Mapping[str, str]) -> bool:
    """Tell whether it is the page that asks, or a person who has followed its address."""
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
