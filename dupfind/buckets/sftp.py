"""SFTP; the only place that knows asyncssh.

Keys, agents, names of hosts and users are found where ``ssh`` finds them: ``~/.ssh`` with its ``config`` and its
``known_hosts``, and ``SSH_AUTH_SOCK``. A server that is not in ``known_hosts`` is not spoken with, and nobody is asked
for a password.

SFTP tells a size and a time in whole seconds, and no number: nothing is remembered of what is read here.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar, cast

import asyncssh

from dupfind.buckets.names import is_too_deep
from dupfind.buckets.store import (
    CONNECT_SECONDS,
    MOST_SIZE_BYTES,
    NO_ACCESS,
    SILENCE_SECONDS,
    AgainError,
    Bounds,
    GaveUpError,
    Listed,
    Part,
    State,
    Store,
    Trouble,
    ns_of,
)
from dupfind.errors import ServerError, reason_of
from dupfind.sources.bucket_roots import Address
from dupfind.sources.entries import ChangedError

T = TypeVar("T")
Names = list[tuple[str, asyncssh.SFTPAttrs]]

_LOST = (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, ConnectionError, EOFError)
_HOME = "~"
_UNKNOWN = "its host key is not the one in known_hosts, or there is none"


class SftpStore(Store):
    """A folder of a server, by one connection, which is made when it is needed, and again where it was lost."""

    def __init__(self, address: Address, count: Callable[[int, int], None]) -> None:
        super().__init__(address, count)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dupfind-sftp", daemon=True)
        self._thread.start()
        self._connecting = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._real: str | None = None
        self._is_here = False

    @property
    def prefix(self) -> str:
        """The folder without links, as the server has it: by two names it is one."""
        if self._real is None:
            home, folder = self.address.folder.partition("/")[::2]
            path = (folder or ".") if home == _HOME else f"/{self.address.folder}"
            self._real = self._whole(lambda: self._again(lambda: self._root(path), SILENCE_SECONDS))
        return f"{self._real.rstrip('/')}/"

    @property
    def is_here(self) -> bool:
        """Tell whether it is this machine, by its name or by the addresses of both ends."""
        return self._is_here or super().is_here

    def list(self) -> Iterator[Listed | Trouble]:
        """Yield all files, folder after folder; a folder that is denied is a trouble."""
        pending = [self.prefix]
        bounds = Bounds(self.address.url)
        while pending:
            folder = pending.pop()
            try:
                names = self._whole(partial(self._again, partial(self._names, folder, bounds), None))
            except (PermissionError, FileNotFoundError) as error:
                if folder == self.prefix:
                    raise ServerError(f"{self.address.url} cannot be listed: {reason_of(error)}") from None
                yield Trouble(folder.rstrip("/"), f"cannot read the folder: {reason_of(error)}")
                continue
            for name, attributes in sorted(names, key=itemgetter(0)):
                if "/" not in name and stat.S_ISDIR(attributes.permissions or 0) and not is_too_deep(folder):
                    pending.append(f"{folder}{name}/")
                else:
                    yield _item(folder, name, attributes)

    def look_at(self, key: str) -> State | None:
        """Ask for size and time; raises ``OSError``."""
        try:
            attributes = self._again(lambda: self._lstat(key), SILENCE_SECONDS)
        except FileNotFoundError:
            return None
        return _state(attributes) if _is_file(attributes) else None

    def read_on(self, key: str, state: State, content: bytearray, part: Part) -> None:
        """Open it, read, and see before and after that it is what was listed."""
        begin = part.start + len(content)
        read = self._run(lambda: self._read_part(key, state, begin, part.end - begin), part.seconds())
        self.count(0, len(read))
        content += read

    def close(self) -> None:
        """Close the connection, and end the thread that serves it."""
        with suppress(OSError, AgainError):
            self._run(self._drop, 1.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONNECT_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _whole(self, ask: Callable[[], T]) -> T:
        """Return an answer that a listing cannot do without; raises :class:`~dupfind.errors.ServerError`."""
        try:
            return ask()
        except (PermissionError, FileNotFoundError):
            raise
        except OSError as error:
            raise ServerError(f"{self.address.url} cannot be listed: {error}") from None

    def _again(self, ask: Callable[[], Coroutine[Any, Any, T]], seconds: float | None) -> T:
        """Return an answer, asked for several times where the connection is lost; raises ``OSError``."""
        return self.ask(lambda: self._run(ask, seconds))

    def _run(self, ask: Callable[[], Coroutine[Any, Any, T]], seconds: float | None) -> T:
        """Run on the thread of the connection, so many seconds at most; errors are raised in words of our own."""

        async def bounded() -> T:
            return await asyncio.wait_for(ask(), seconds)

        future = asyncio.run_coroutine_threadsafe(bounded(), self._loop)
        try:
            return future.result()
        except (ChangedError, ServerError):
            raise
        except Exception as error:  # noqa: BLE001 - of the library's many
            failure = _failure(error)
        finally:
            future.cancel()  # where a signal ended the waiting
        if not isinstance(failure, PermissionError | FileNotFoundError):
            self._forget()  # nobody knows what is left of it on the line
        raise failure

    def _forget(self) -> None:
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._drop(), self._loop).result(1.0)

    async def _drop(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()
            with suppress(Exception):
                await asyncio.wait_for(connection.wait_closed(), 1.0)

    async def _sftp(self) -> asyncssh.SFTPClient:
        async with self._connecting:
            if self._client is None:
                options: dict[str, Any] = {} if self.address.port is None else {"port": self.address.port}
                if self.address.user:
                    options["username"] = self.address.user
                self._connection = await asyncssh.connect(
                    self.address.host,
                    connect_timeout=CONNECT_SECONDS,
                    login_timeout=SILENCE_SECONDS,
                    keepalive_interval=SILENCE_SECONDS / 3,
                    preferred_auth="publickey",
                    **options,
                )
                ends = (self._connection.get_extra_info(name) for name in ("peername", "sockname"))
                here, there = (end[0] if end else None for end in ends)
                self._is_here = here is not None and here == there
                self._client = await self._connection.start_sftp_client(path_errors="surrogateescape")
            return self._client

    async def _root(self, path: str) -> str:
        sftp = await self._sftp()
        self.count(1, 0)
        return str(await sftp.realpath(path))

    async def _names(self, folder: str, bounds: Bounds) -> Names:
        sftp = await self._sftp()
        self.count(1, 0)
        names: Names = []
        each = sftp.scandir(folder)
        while True:
            try:
                item = await asyncio.wait_for(anext(each), SILENCE_SECONDS)
            except StopAsyncIteration:
                return names
            bounds.count()
            name = os.fsdecode(item.filename)
            if name not in (".", ".."):
                names.append((name, item.attrs))

    async def _lstat(self, key: str) -> asyncssh.SFTPAttrs:
        sftp = await self._sftp()
        self.count(1, 0)
        return await sftp.lstat(key)

    async def _read_part(self, key: str, state: State, begin: int, length: int) -> bytes:
        if not _is_file(attributes := await self._lstat(key)) or _state(attributes) != state:
            raise ChangedError
        sftp = await self._sftp()
        self.count(1, 0)
        async with sftp.open(key, "rb") as file:
            await self._refuse_other(file, state)
            content = cast(bytes, await file.read(length, begin))  # as it was opened
            await self._refuse_other(file, state)
        if len(content) > length:
            raise OSError("it gives more than it was asked for")
        return content

    async def _refuse_other(self, file: asyncssh.SFTPClientFile, state: State) -> None:
        self.count(1, 0)
        if _state(await file.stat()) != state:
            raise ChangedError


def _item(folder: str, name: str, attributes: asyncssh.SFTPAttrs) -> Listed | Trouble:
    kind = stat.S_IFMT(attributes.permissions or 0)
    if "/" in name:
        return Trouble(folder.rstrip("/"), "a file with a slash in its name: not looked at")
    if kind == stat.S_IFLNK:
        return Trouble(folder + name, "symbolic link: not followed")
    if kind == stat.S_IFDIR:
        return Trouble(folder + name, "a folder that lies too deep: not looked into")
    if not _is_file(attributes):
        return Trouble(folder + name, "not a regular file of a known size")
    return Listed(folder + name, _state(attributes))


def _failure(error: Exception) -> OSError | AgainError:
    """Say what is wrong, in words of our own: those of a server may hold anything."""
    name = type(error).__name__
    failures: tuple[tuple[Any, OSError | AgainError], ...] = (
        (_LOST, AgainError("the connection broke off, or there is none")),
        ((TimeoutError, CancelledError), GaveUpError("the server takes too long")),
        (asyncssh.SFTPNoSuchFile, FileNotFoundError(2, "it is no longer there")),
        (asyncssh.SFTPPermissionDenied, PermissionError(13, NO_ACCESS)),
        (asyncssh.HostKeyNotVerifiable, OSError(f"{_UNKNOWN}: ssh there once, and compare it")),
        (asyncssh.PermissionDenied, OSError("it accepts none of your keys")),
        (OSError, AgainError(f"the server cannot be reached ({name})")),
    )
    failure = next((failure for kinds, failure in failures if isinstance(error, kinds)), None)
    return failure or OSError(f"no answer that could be understood ({name})")


def _is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    is_regular, size_bytes = stat.S_ISREG(attributes.permissions or 0), attributes.size
    return is_regular and size_bytes is not None and size_bytes <= MOST_SIZE_BYTES


def _state(attributes: asyncssh.SFTPAttrs) -> State:
    return State(attributes.size or 0, ns_of(attributes.mtime or 0))
