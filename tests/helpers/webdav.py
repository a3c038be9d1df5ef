"""A server of WebDAV on loopback, WsgiDAV, with faults where a test wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from wsgidav.wsgidav_app import WsgiDAVApp

from tests.helpers import wsgi
from tests.helpers.wsgi import Start, WsgiServer, path_of

NAME, PASSWORD = "me", "s3cret-of-nobody"


class Webdav(WsgiServer):
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
        super().__init__(self._answer)

    def real(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Give the server's own answer."""
        answer: Iterable[bytes] = self._dav(environ, start)
        return answer

    def edited(self, environ: dict[str, Any], start: Start, edit: Callable[[bytes], bytes]) -> list[bytes]:
        """Give the server's own answer with another body."""
        return wsgi.edited(self.real, environ, start, edit)

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if "HTTP_AUTHORIZATION" in environ:
            self.asked.append(path_of(environ))
        answer = self.fault(environ, self, start)
        return self.real(environ, start) if answer is None else answer
