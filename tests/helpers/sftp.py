"""A server of SFTP on loopback, in a thread of the test; it shows a folder, and has faults where a test wants them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import asyncssh


class Sftp:
    """A server that shows ``folder`` as its root; ``home`` gets an ``.ssh`` by which it is known, and may be entered.

    ``faults`` are asked before each question: by its name (``scandir``, ``lstat``, ``open``, ``read``), with the path;
    what they give is the answer.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[str, str], object] = lambda *_: None
        self.connections: list[asyncssh.SSHServerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        own, theirs = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        ssh = home / ".ssh"
        ssh.mkdir(mode=0o700)
        theirs.write_private_key(ssh / "id_ed25519")
        (ssh / "allowed").write_bytes(theirs.export_public_key())

        async def listen() -> Any:
            return await asyncssh.listen(
                "127.0.0.1",
                0,
                server_host_keys=[own],
                authorized_client_keys=str(ssh / "allowed"),
                sftp_factory=self._server,
                server_factory=self._met,
            )

        self._listener = self._do(listen())
        self.port = self._listener.get_port()
        self.known = ssh / "known_hosts"
        self.known.write_bytes(b"[127.0.0.1]:%d %s" % (self.port, own.export_public_key()))

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"sftp://me@127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            self._listener.close()
            for connection in self.connections:
                connection.abort()
            await asyncio.sleep(0.02)
            pending = asyncio.all_tasks() - {asyncio.current_task()}
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

        self._do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Cut all connections."""
        for connection in self.connections:
            connection.abort()

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def _met(self) -> asyncssh.SSHServer:
        server = self

        class Door(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                server.connections.append(conn)

        return Door()

    def _server(self, channel: Any) -> asyncssh.SFTPServer:
        server = self

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                super().__init__(channel, chroot=str(server.folder).encode())

            def _ask(self, name: str, path: Any) -> Any:
                shown = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else str(path)
                server.asked.append((name, shown))
                return server.fault(name, shown)

            def scandir(self, path: bytes) -> Any:
                return self._ask("scandir", path) or super().scandir(path)

            def lstat(self, path: bytes) -> Any:
                return self._ask("lstat", path) or super().lstat(path)

            def open(self, path: bytes, *rest: Any) -> Any:
                return self._ask("open", path) or super().open(path, *rest)

            def read(self, file_obj: Any, offset: int, size: int) -> Any:
                return self._ask("read", getattr(file_obj, "name", "")) or super().read(file_obj, offset, size)

        return Files(channel)
