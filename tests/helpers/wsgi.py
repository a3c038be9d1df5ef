"""A server of HTTP on loopback around an application of WSGI; it ends with its block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server

Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing."""

    def log_error(self, *_: Any) -> None:
        """Say nothing: a test cut the connection."""


class WsgiServer:
    """Serves ``answer``, each question on a thread; ``url`` is where."""

    def __init__(self, answer: Application) -> None:
        self._server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


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
