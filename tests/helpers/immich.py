"""A server with as much of Immich's API as is asked: its documented endpoints, on this machine only."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.helpers.loopback import LoopbackServer

KEY = "a-key-that-nobody-may-see"
_NAMESPACE = uuid.UUID(int=1)
Trick = Callable[[BaseHTTPRequestHandler], bool]


class Immich(LoopbackServer):
    """Assets by their ids, and whoever asks for them; ends with the block."""

    def __init__(self) -> None:
        self.assets: dict[str, dict[str, Any]] = {}
        self.originals: dict[str, bytes] = {}
        self.previews: dict[str, bytes] = {}
        self.others: dict[str, dict[str, Any]] = {}
        """Assets of partners: a search gives them, and nobody else does."""
        self.page_size = 1000
        self.asked: list[str] = []
        """Method and path of each request."""
        self.lines: set[object] = set()
        """Where the connections came from, each once."""
        self.trick: Trick = lambda _: False
        """Answers in the place of the server; tells whether it has."""
        super().__init__(_Server(("127.0.0.1", 0), _handler(self)))

    @property
    def url(self) -> str:
        """How it is named as a haystack."""
        return f"immich+http://127.0.0.1:{self.port}"

    def upload(self, content: bytes, name: str = "IMG_1.jpg", **facts: Any) -> str:
        """Take an original, and say of it what Immich says, or what ``facts`` say otherwise; gives its id."""
        asset = str(uuid.uuid5(_NAMESPACE, f"{name} {content!r}"))
        checksum = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
        self.originals[asset] = content
        self.assets[asset] = {
            "id": asset,
            "checksum": checksum,
            "originalFileName": name,
            "originalPath": f"/data/library/admin/2024/05/{name}",
            "isTrashed": False,
            "isOffline": False,
            "libraryId": None,
            "visibility": "timeline",
            "livePhotoVideoId": None,
            "type": "IMAGE",
            "localDateTime": "2024-05-01T10:00:00.000Z",
            "exifInfo": {"fileSizeInByte": len(content)},
            **facts,
        }
        return asset

    def check(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer a bulk upload check."""
        known = {facts["checksum"]: asset for asset, facts in self.assets.items()}
        return {"results": [self._result(item, known.get(item["checksum"])) for item in question["assets"]]}

    def picture(self, content: bytes, preview: bytes, name: str = "IMG_1.jpg", **facts: Any) -> str:
        """Take the original of a picture with the preview that Immich makes of it; gives its id."""
        asset = self.upload(content, name, **facts)
        self.previews[asset] = preview
        return asset

    def search(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer a search by time (in UTC; the local times here are of a zone two hours ahead) or by name."""
        hits = []
        for facts in (*self.assets.values(), *self.others.values()):
            local = str(facts.get("localDateTime"))
            taken = (datetime.fromisoformat(local) - timedelta(hours=2)).isoformat() if local[:1].isdigit() else ""
            is_wanted = facts["type"] == question["type"] and not facts["isTrashed"]
            if "originalFileName" in question:
                is_wanted &= question["originalFileName"].lower() in facts["originalFileName"].lower()
            if "takenAfter" in question:
                is_wanted &= question["takenAfter"][:19] <= taken[:19] <= question["takenBefore"][:19]
            if is_wanted:
                hits.append({name: value for name, value in facts.items() if name != "exifInfo"})
        start = (question["page"] - 1) * self.page_size
        items, has_more = hits[start : start + self.page_size], len(hits) > start + self.page_size
        page = str(question["page"] + 1) if has_more else None
        return {"assets": {"items": items, "count": len(items), "total": len(items), "nextPage": page}}

    def _result(self, item: dict[str, str], asset: str | None) -> dict[str, Any]:
        if asset is None:
            return {"id": item["id"], "action": "accept"}
        is_trashed = self.assets[asset]["isTrashed"]
        duplicate = {"action": "reject", "reason": "duplicate", "assetId": asset, "isTrashed": is_trashed}
        return {"id": item["id"], **duplicate}


def answer(handler: BaseHTTPRequestHandler, status: int, content: bytes, **headers: str) -> bool:
    """Send an answer; gives True, as a trick does."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)
    return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of whoever hangs up."""


def _handler(immich: Immich) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class of four methods
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            """Answer about the server, or about one asset."""
            self._answer(b"")

        def do_POST(self) -> None:
            """Answer a bulk upload check, or a search."""
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            immich.asked.append(f"{self.command} {self.path}")
            immich.lines.add(self.client_address)
            if immich.trick(self):
                return
            if self.headers["x-api-key"] != KEY and self.path != "/api/server/version":
                answer(self, 401, b'{"message": "Invalid API key"}')
                return
            content = self._content(body)
            kind = "image/jpeg" if "/thumbnail" in self.path else "application/json"
            answer(self, 400 if content is None else 200, content or b'{"message": "Not found"}', Content_Type=kind)

        def _content(self, body: bytes) -> bytes | None:
            if self.path == "/api/server/version":
                return json.dumps({"major": 2, "minor": 3, "patch": 1}).encode()
            if self.path == "/api/assets/bulk-upload-check":
                return json.dumps(immich.check(json.loads(body))).encode()
            if self.path == "/api/search/metadata":
                return json.dumps(immich.search(json.loads(body))).encode()
            asset = self.path.split("/")[3]
            if self.path.endswith("/thumbnail?size=preview"):
                return immich.previews.get(asset)
            if self.path.endswith("/original"):
                return immich.originals.get(asset)
            facts = immich.assets.get(asset) or immich.others.get(asset)
            return None if facts is None else json.dumps(facts).encode()

    return Handler
