"""A source that is no folder: a bucket of objects in the memory of this process, asked for over HTTP by whoever reads.

As an object store would have it: the listing tells name, size, time and tag of each object, and what travels to a
worker is where to ask and which tag to expect.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, NamedTuple, Self
from urllib.parse import quote, unquote

from dupfind.digest import digest_of
from dupfind.sources.entries import ChangedError, StoredEntry
from dupfind.sources.ignore import EXCLUDED
from dupfind.sources.source import Listing, Source
from dupfind.values import FileEntry, Problem, Root, Side, Tree
from tests.helpers.loopback import LoopbackServer

OLD_NS = 1_500_000_000_000_000_000


class Stored(NamedTuple):
    """One object."""

    data: bytes
    mtime_ns: int
    number: int

    @property
    def tag(self) -> str:
        """What tells this state of it from any other."""
        return digest_of([self.data, str(self.mtime_ns).encode()]).hex()


class Store(LoopbackServer):
    """Buckets by name, and a server for them; ``asked`` has every request for the content of an object."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.asked: list[str] = []
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)))

    def put(self, bucket: str, files: Mapping[str, bytes], mtime_ns: int = OLD_NS) -> None:
        """Store these; what is there is replaced."""
        objects = self.buckets.setdefault(bucket, {})
        for name, data in files.items():
            self._number = getattr(self, "_number", 0) + 1
            objects[name] = Stored(data, mtime_ns, self._number)


def _handler(store: Store) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET and HEAD."""

        def do_GET(self) -> None:
            """Give an object."""
            store.asked.append(unquote(self.path))
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            """Tell of an object."""
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            bucket, _, name = unquote(self.path)[1:].partition("/")
            stored = store.buckets.get(bucket, {}).get(name)
            self.send_response(200 if stored else 404)
            if stored:
                self.send_header("ETag", stored.tag)
                self.send_header("X-Time", str(stored.mtime_ns))
                self.send_header("X-Number", str(stored.number))
                self.send_header("Content-Length", str(len(stored.data)))
            self.end_headers()
            if stored and with_body:
                self.wfile.write(stored.data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


class ObjectEntry(StoredEntry):
    """One object, as it was listed."""

    port: int
    place: str
    tag: str

    @classmethod
    def of(cls, path: str, stored: Stored, port: int, place: str) -> Self:
        """Make the entry of an object."""
        entry = cls(path, len(stored.data), stored.mtime_ns, stored.mtime_ns, stored.number)
        entry.port, entry.place, entry.tag = port, place, stored.tag
        return entry

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Fetch it whole; it is small."""
        answer, data = self._ask("GET")
        self._check(answer)
        yield io.BytesIO(data)
        self._check(self._ask("HEAD")[0])

    def now(self) -> FileEntry | None:
        """Ask again."""
        answer, _ = self._ask("HEAD")
        if answer.status == 404:
            return None
        time_ns = int(answer.headers["X-Time"])
        size_bytes = int(answer.headers["Content-Length"])
        now = self._replace(
            size_bytes=size_bytes, mtime_ns=time_ns, ctime_ns=time_ns, inode=int(answer.headers["X-Number"])
        )
        now.tag = answer.headers["ETag"]
        return now

    def _ask(self, method: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, quote(self.place))
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _check(self, answer: HTTPResponse) -> None:
        if answer.status == 404:
            raise FileNotFoundError(2, "No such object")
        if answer.headers["ETag"] != self.tag:
            raise ChangedError


class Bucket(Source):
    """A bucket of a store, as the needles or as the haystack."""

    def __init__(self, store: Store, name: str, side: Side, number: int = 1) -> None:
        super().__init__(Root(side, f"mem:{name}", f"mem://{name}", (0, number)))
        self._store = store
        self._name = name

    def list_tree(self, listing: Listing) -> Tree:
        """List the objects, those of a folder together."""
        entries: list[FileEntry] = []
        problems: list[Problem] = []
        stored = self._store.buckets[self._name]
        for name in sorted(stored, key=lambda name: (posixpath.dirname(name).split("/"), posixpath.basename(name))):
            path = f"{self.root.real}/{name}"
            if pattern := listing.rules.excludes.matching(name, posixpath.basename(name)):
                problems.append(Problem(self.root.shown(path), self.root.side, "walk", f"{EXCLUDED} {pattern}"))
                continue
            entries.append(ObjectEntry.of(path, stored[name], self._store.port, f"/{self._name}/{name}"))
        listing.count(len(entries))
        return Tree(self.root, entries, problems, frozenset())
