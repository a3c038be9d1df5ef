"""An S3 server on loopback, moto's own, with faults where a test wants them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app

from tests.helpers import wsgi
from tests.helpers.wsgi import Start, WsgiServer, path_of

Fault = Callable[[dict[str, Any], "S3", Start], Iterable[bytes] | None]
"""Gives an answer in the place of the server's, or None."""

KEY, SECRET, TOKEN = "AKIAMOTHOLDSSECRETS", "s3cr3t-k3y-of-nobody", "t0ken-of-nobody"


class S3(WsgiServer):
    """A server, with what it was asked as ``METHOD /bucket/key?query``, and the fault that it has for now."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Fault | None = None
        self._moto = DomainDispatcherApplication(create_backend_app)
        super().__init__(self._answer)

    @property
    def environment(self) -> dict[str, str]:
        """What a client finds in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": TOKEN,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "NO_PROXY": "127.0.0.1",
        }

    def put(self, bucket: str, files: Mapping[str, bytes]) -> None:
        """Store these, in a bucket that is made where it is not there; past all faults."""
        fake = _backend()
        if bucket not in fake.buckets:
            fake.create_bucket(bucket, "us-east-1")
        for key, content in files.items():
            fake.put_object(bucket, key, content)

    def delete(self, bucket: str, key: str) -> None:
        """Take an object away."""
        _backend().delete_object(bucket, key)

    def clear(self) -> None:
        """Forget all buckets, questions and faults."""
        from moto.s3.models import s3_backends

        _backend().buckets.clear()
        s3_backends.bucket_accounts.clear()
        self.asked.clear()
        self.fault = None

    def real(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Give moto's own answer."""
        answer: Iterable[bytes] = self._moto(environ, start)
        return answer

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        self.asked.append(f"{path_of(environ)}{query}")
        answer = None if self.fault is None else self.fault(environ, self, start)
        return self.real(environ, start) if answer is None else answer


def _backend() -> Any:
    from moto.s3.models import s3_backends

    return s3_backends["123456789012"]["aws"]


def is_get(environ: dict[str, Any], name: str) -> bool:
    """Tell whether a question is for the content of an object whose name ends so."""
    return environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(name)


def is_list(environ: dict[str, Any]) -> bool:
    """Tell whether a question is for a listing."""
    return environ["REQUEST_METHOD"] == "GET" and "list-type=2" in environ["QUERY_STRING"]


def refused(start: Start, status: str, code: str, words: str = "") -> list[bytes]:
    """Answer with an error of S3."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message></Error>".encode()
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def edited(environ: dict[str, Any], server: S3, start: Start, edit: Callable[[bytes], bytes]) -> list[bytes]:
    """Give moto's answer with another body."""
    return wsgi.edited(server.real, environ, start, edit)


def with_headers(environ: dict[str, Any], server: S3, start: Start, **changed: str | None) -> Iterable[bytes]:
    """Give moto's answer with other headers; those that are None are taken away. ``_`` stands for ``-``."""
    names = {name.replace("_", "-").lower(): value for name, value in changed.items()}

    def start_otherwise(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        kept = [(name, value) for name, value in headers if name.lower() not in names]
        return start(status, [*kept, *((name, value) for name, value in names.items() if value is not None)], *rest)

    return server.real(environ, start_otherwise)


def endless(block: bytes = b"x" * (1 << 16)) -> Iterator[bytes]:
    """Give bytes without an end."""
    while True:
        yield block


def dripping() -> Iterator[bytes]:
    """Give a little, again and again."""
    while True:
        time.sleep(0.02)
        yield b" "
