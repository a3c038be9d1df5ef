"""A server of HTTP on loopback around an application of WSGI; it ends with its block."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.helpers.loopback import LoopbackServer

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing."""

    def log_error(self, *_: Any) -> None:
        """Say nothing: a test cut the connection."""


class WsgiServer(LoopbackServer):
    """Serves ``answer``, each question on a thread; ``url`` is where."""

    def __init__(self, answer: Application) -> None:
        server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True  # type: ignore[attr-defined]
        super().__init__(server)
        self.url = f"http://127.0.0.1:{self.port}"


def edited(answer: Application, environ: dict[str, Any], start: Start, edit: Callable[[bytes], bytes]) -> list[bytes]:
    """Give what an application answers with another body."""
    told: list[Any] = []
    body = edit(b"".join(answer(environ, lambda status, headers, *_: told.extend([status, headers]))))
    headers = [(name, value) for name, value in told[1] if name.lower() != "content-length"]
    start(told[0], [*headers, ("Content-Length", str(len(body)))])
    return [body]


def path_of(environ: dict[str, Any]) -> str:
    """Return method and path of a question."""
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].encode('latin-1').decode()}"
