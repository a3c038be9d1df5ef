"""A server of WebDAV on loopback, WsgiDAV, with faults where a test wants them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server
from wsgidav.wsgidav_app import WsgiDAVApp

Start = Callable[..., Any]
NAME, PASSWORD = "me", "s3cret-of-nobody"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing."""


class Webdav:
    """A server that shows ``folder``, and below ``/again`` once more.

    ``fault`` may answer in its place, and edits what it answers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.fault: Callable[[dict[str, Any], Webdav, Start], Iterable[bytes] | None] = lambda *_: None
        self._dav = WsgiDAVApp(
            {
                "provider_mapping": {"/": str(folder), "/again": str(folder)},
                "simple_dc": {"user_mapping": {"*": {NAME: {"password": PASSWORD}}}},
                "verbose": 0,
                "logging": {"enable": False},
                "lock_storage": False,
                "property_manager": False,
            }
        )
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
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

    def real(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Give the server's own answer."""
        answer: Iterable[bytes] = self._dav(environ, start)
        return answer

    def edited(self, environ: dict[str, Any], start: Start, edit: Callable[[bytes], bytes]) -> list[bytes]:
        """Give the server's own answer with another body."""
        told: list[Any] = []
        body = edit(b"".join(self.real(environ, lambda status, headers, *_: told.extend([status, headers]))))
        headers = [(name, value) for name, value in told[1] if name.lower() != "content-length"]
        start(told[0], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if "HTTP_AUTHORIZATION" in environ:
            self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].encode('latin-1').decode()}")
        answer = self.fault(environ, self, start)
        return self.real(environ, start) if answer is None else answer
