"""The server of the page: which address gives what. It reads no file itself, and knows none but by its number.

Runs in a thread of its own; whatever needs files or the answer is handed to the main thread, see
:mod:`dupfind.reviewing.jobs`.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import Any, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dupfind.answers.decisions import Ruling
from dupfind.errors import DupfindError, reason_of
from dupfind.report.text import printable
from dupfind.reviewing.acts import Acts
from dupfind.reviewing.guards import HEADERS, MOST_BODY_BYTES, TOKEN_BYTES, Door, RequestHead, refusal
from dupfind.reviewing.jobs import EndedError, Jobs
from dupfind.reviewing.page_state import WantedPicture
from dupfind.reviewing.review import MOST_ASKED, RefusedError, Review, Said
from dupfind.run import Reading
from dupfind.values import Failure

LOOPBACK = "127.0.0.1"
T = TypeVar("T")
_NO_DOCUMENT = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""The policy of what is no page."""
_KINDS = {"small": ("image/webp", False), "full": ("image/jpeg", True)}
_END_SECONDS = 2.0
_MOST_HEAD_BYTES = 16 << 10
_MOST_CONNECTIONS = 64


class Guarded:
    """Turns away, before anything else looks at them, all requests but those of the page; dresses every answer."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":  # there are no other kinds here
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        raw = scope.get("raw_path") or scope["path"].encode()
        status = refusal(self._door, RequestHead(scope["method"], raw.decode("latin-1"), headers))
        if status is None and len([1 for name, _ in scope["headers"] if name == b"host"]) != 1:
            status = HTTPStatus.BAD_REQUEST
        app = self._app if status is None else _plain(status)
        await app(scope, receive, partial(_send_dressed, send))


async def _send_dressed(send: Send, message: Message) -> None:
    if message["type"] == "http.response.start":
        given = dict(message["headers"])
        added = {"Content-Security-Policy": _NO_DOCUMENT, **HEADERS}
        more = [(name.lower().encode(), value.encode()) for name, value in added.items()]
        message = {
            **message,
            "headers": [*given.items(), *((name, value) for name, value in more if name not in given)],
        }
    await send(message)


def _plain(status: HTTPStatus) -> Response:
    return PlainTextResponse(status.phrase, status)


class Site:
    """The routes, over one review."""

    def __init__(self, review: Review, jobs: Jobs, acts: Acts, door: Door) -> None:
        self._review = review
        self._jobs = jobs
        self._acts = acts
        self.app = Guarded(self._routes(door.token), door)

    def _routes(self, token: str) -> Starlette:
        gets: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "": self._page,
            "changes": self._since,
            "details": self._details,
            "picture/{size}/{number}": self._picture,
            "decisions.json": self._export,
        }
        posts = {"decide": self._decide, "undo": self._undo, "end": self._end}
        posts |= {"plan": self._plan, "carry-out": self._carry_out, "take-back": self._take_back}
        routes = [Route(f"/{token}/{path}", _answering(get), methods=["GET"]) for path, get in gets.items()]
        routes += [Route(f"/{token}/{path}", _answering(post), methods=["POST"]) for path, post in posts.items()]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _turned_away})
        app.router.redirect_slashes = False
        return app

    async def _done(self, work: Callable[[Reading], T]) -> T:
        self._jobs.use()
        return await _result(self._jobs.do(work))

    async def _page(self, _: Request) -> Response:
        served = await self._done(self._review.page)
        headers = {"Content-Security-Policy": served.policy}
        return Response(served.page, media_type="text/html; charset=utf-8", headers=headers)

    async def _since(self, request: Request) -> Response:
        version = _number(request.query_params.get("since"))
        # The page asks by itself every few seconds: that is no sign of a person.
        return JSONResponse(await _result(self._jobs.do(partial(self._review.since, version))))

    async def _details(self, request: Request) -> Response:
        numbers = [_number(text) for text in request.query_params.get("numbers", "").split(",")]
        if len(numbers) > MOST_ASKED:
            raise HTTPException(HTTPStatus.BAD_REQUEST)
        era = _number(request.query_params.get("era", "0"))
        return JSONResponse(await self._done(partial(self._review.details, numbers, era)))

    async def _picture(self, request: Request) -> Response:
        kind, is_full = _KINDS.get(request.path_params["size"], (None, False))
        number = _number(request.path_params["number"])
        if kind is None or number >= len(self._review.files):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        self._jobs.use()
        era = _number(request.query_params.get("era", "0"))
        picture = await _result(self._jobs.picture(WantedPicture(number, is_full, era)))
        if isinstance(picture, Failure):
            return PlainTextResponse(picture.reason, HTTPStatus.CONFLICT)
        return Response(picture, media_type=kind)

    async def _export(self, _: Request) -> Response:
        content = await self._done(self._review.decisions_file)
        headers = {"Content-Disposition": 'attachment; filename="decisions.json"'}
        return Response(content, media_type="application/json", headers=headers)

    async def _decide(self, request: Request) -> Response:
        body = await _body(request)
        said, version = _said(body), _number(body.get("version"))
        return JSONResponse(await self._done(partial(self._review.say, said, version)))

    async def _undo(self, request: Request) -> Response:
        version = _number((await _body(request)).get("version"))
        return JSONResponse(await self._done(partial(self._review.undo, version)))

    async def _plan(self, request: Request) -> Response:
        what = (await _body(request)).get("what")
        if what not in self._acts.offered:
            raise HTTPException(HTTPStatus.BAD_REQUEST)
        return await self._alone(lambda: self._acts.plan(what, self._review.decisions_now()))

    async def _carry_out(self, request: Request) -> Response:
        name = (await _body(request)).get("plan")
        if not isinstance(name, str):
            raise HTTPException(HTTPStatus.BAD_REQUEST)
        return await self._alone(lambda: self._acts.carry_out(name, self._review.decisions_now()))

    async def _take_back(self, request: Request) -> Response:
        await _body(request)
        return await self._alone(self._acts.take_back)

    async def _alone(self, work: Callable[[], dict[str, Any]]) -> Response:
        """Do what needs the files for itself; what goes wrong is said in the words of the command that does it."""
        self._jobs.use()
        try:
            return JSONResponse(await _result(self._jobs.do_alone(work)))
        except EndedError:
            raise
        except DupfindError as error:
            return JSONResponse({"error": str(error)}, HTTPStatus.CONFLICT)
        except OSError as error:
            where = f"{printable(os.fsdecode(error.filename))}: " if isinstance(error.filename, str | bytes) else ""
            return JSONResponse({"error": f"{where}{reason_of(error)}"}, HTTPStatus.CONFLICT)

    async def _end(self, request: Request) -> Response:
        await _body(request)
        self._jobs.end()
        return JSONResponse({})


async def _result(future: Future[T]) -> T:
    """Wait for what the main thread makes; that the browser hangs up takes it from nobody else who waits for it."""
    return await asyncio.shield(asyncio.wrap_future(future))


def _answering(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Tell the page in a line why it does not get what it asks for."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as error:
            return JSONResponse({"error": str(error)}, error.status)
        except DupfindError:  # of the run, whose words may name any file
            return JSONResponse({"error": "it could not be done: see the terminal"}, HTTPStatus.SERVICE_UNAVAILABLE)

    return answer


async def _turned_away(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _plain(HTTPStatus(error.status_code))


async def _body(request: Request) -> dict[str, Any]:
    """Read the object that a request brings; what is too large is turned away before it is read whole."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BODY_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        value = json.loads(bytes(content))
    except (ValueError, RecursionError):
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    if not isinstance(value, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    return value


def _number(value: object) -> int:
    """Read a number from 0 on; raises ``HTTPException`` for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:  # noqa: PLR2004 - digits
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise HTTPException(HTTPStatus.BAD_REQUEST)


def _said(body: dict[str, Any]) -> Said:
    ruling, witness = body.get("ruling"), body.get("witness")
    if ruling is not None and ruling not in [choice.value for choice in Ruling]:
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    said = None if ruling is None else Ruling(ruling)
    return Said(_number(body.get("needle")), said, None if witness is None else _number(witness))


class Serving:
    """A server on a port of loopback, as long as the block."""

    def __init__(self, review: Review, jobs: Jobs, acts: Acts, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((LOOPBACK, port))
        except BaseException:
            self._socket.close()
            raise
        self.door = Door(f"{LOOPBACK}:{self._socket.getsockname()[1]}", secrets.token_urlsafe(TOKEN_BYTES))
        config = uvicorn.Config(
            Site(review, jobs, acts, self.door).app,
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="server", daemon=True)

    def __enter__(self) -> Self:
        self._socket.listen(128)  # from here on whoever comes waits until the thread takes him in
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_END_SECONDS)
        self._socket.close()
