"""Who is let in: the page of this run, by the head of each request, and nobody else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.reviewing.guards import HEADERS, TOKEN_BYTES, Door, RequestHead, refusal

DOOR = Door("127.0.0.1:4711", "a-token_of-32-characters-it-is-it")
PATH = f"/{DOOR.token}/decide"
HOME = {"host": DOOR.host}
FROM_THE_PAGE = {**HOME, "origin": DOOR.origin, "sec-fetch-site": "same-origin", "content-type": "application/json"}


def asked(method: str = "GET", path: str = PATH, headers: dict[str, str] = HOME, **other: str | None) -> Any:
    """What becomes of a request, with other headers (``_`` for ``-``), None for one that is left out."""
    named = {**headers, **{name.replace("_", "-"): value for name, value in other.items()}}
    return refusal(DOOR, RequestHead(method, path, {name: value for name, value in named.items() if value is not None}))


def test_the_page_comes_in() -> None:
    """By its address, by what it fetches, by what it sends; a browser that says less of itself too."""
    assert asked() is None
    assert asked(sec_fetch_site="same-origin") is None
    assert asked(sec_fetch_site="none", sec_fetch_mode="navigate", sec_fetch_dest="document") is None
    assert asked(sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="document") is None  # a link
    assert asked("POST", headers=FROM_THE_PAGE) is None
    assert asked("POST", headers=FROM_THE_PAGE, sec_fetch_site=None) is None
    assert asked("POST", headers=FROM_THE_PAGE, content_type="application/json; charset=utf-8") is None


@pytest.mark.parametrize("host", ["localhost:4711", "127.0.0.1", "127.0.0.1:80", "evil.example:4711", "[::1]:4711", ""])
def test_another_host_is_turned_away(host: str) -> None:
    """A name that leads here is not this address: DNS rebinding."""
    assert asked(host=host) is HTTPStatus.MISDIRECTED_REQUEST
    assert asked("POST", headers={**FROM_THE_PAGE, "host": host}) is HTTPStatus.MISDIRECTED_REQUEST
    assert refusal(DOOR, RequestHead("GET", PATH, {})) is HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize(
    "path",
    ["/", "", "//", "/decide", f"/{DOOR.token}x/decide", f"/{DOOR.token[:-1]}/decide", f"/x/{DOOR.token}/decide",
     f"/../{DOOR.token}/", f"/{DOOR.token.upper()}/", f"/%61{DOOR.token[1:]}/", "/caf\u00e9/", f"//{DOOR.token}/"],
)  # fmt: skip
def test_a_wrong_token_finds_nothing(path: str) -> None:
    """As if there were nothing."""
    assert asked(path=path) is HTTPStatus.NOT_FOUND
    assert asked("POST", path, FROM_THE_PAGE) is HTTPStatus.NOT_FOUND


@given(st.text(max_size=40))
def test_no_other_token_is_taken(token: str) -> None:
    """Whatever it is."""
    if token != DOOR.token:
        assert asked(path=f"/{token.replace('/', '')}/") is HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "wrong",
    [{"origin": None}, {"origin": "null"}, {"origin": "http://127.0.0.1:80"}, {"origin": "https://127.0.0.1:4711"},
     {"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
     {"sec_fetch_site": "none"}, {"content_type": "text/plain"}, {"content_type": None},
     {"content_type": "application/x-www-form-urlencoded"}],
    ids=str,
)  # fmt: skip
def test_what_another_page_sends_is_turned_away(wrong: dict[str, str | None]) -> None:
    """Also where it knows the token: another server of this machine has the same site, and a form needs no CORS."""
    assert asked("POST", headers=FROM_THE_PAGE, **wrong) is HTTPStatus.FORBIDDEN


def test_what_another_page_embeds_is_turned_away() -> None:
    """A picture, a script or a frame of another origin learns nothing; nor does one of another port."""
    for site in ("cross-site", "same-site"):
        assert asked(sec_fetch_site=site, sec_fetch_mode="no-cors", sec_fetch_dest="image") is HTTPStatus.FORBIDDEN
        assert asked(sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="iframe") is HTTPStatus.FORBIDDEN
        assert asked(sec_fetch_site=site) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "get"])
def test_other_methods_are_turned_away(method: str) -> None:
    """OPTIONS among them: there is no CORS."""
    assert asked(method, headers=FROM_THE_PAGE) is HTTPStatus.METHOD_NOT_ALLOWED


def test_the_door() -> None:
    """The token is too long to be guessed, and no header lets another origin in."""
    assert TOKEN_BYTES * 8 >= 128
    assert DOOR.address == f"http://127.0.0.1:4711/{DOOR.token}/"
    assert not [name for name in HEADERS if name.lower().startswith("access-control")]
    assert HEADERS["Cache-Control"] == "no-store"
