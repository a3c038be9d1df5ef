"""A server on loopback that ends with its block."""

from __future__ import annotations

import threading
from socketserver import BaseServer
from typing import Self


class LoopbackServer:
    """Runs a server of the standard library, or of its kind, on a thread until the block ends."""

    def __init__(self, server: BaseServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self._server.server_address[1])
