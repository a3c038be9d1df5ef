"""The pictures of a page, each once, and what the page is told of their files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol

from dupfind.answers.shown import Sight
from dupfind.report.document import quoted, shown
from dupfind.report.text import size

SIGNS = {
    "missing": "✗", "unreadable": "!", "partial": "±", "review": "≈", "similar": "≈", "contained": "✓", "present": "✓",
    "unwanted": "✎", "empty": "·", "decided": "✎", "best": "★", "same": "✓", "identical": "✓", "seen": "✓",
    "not seen": "✗", "unlike": "✗",
}  # fmt: skip
"""What stands before the word of each verdict, so that colour is not all that tells them apart."""


class Places(Protocol):
    """Where a page finds files."""

    def place(self, key: str, path: str | None) -> dict[str, int]:
        """Where the page finds the file at a path as reported, under ``key``; nothing where it does not."""


class Album:
    """Collects the pictures of a page while its data is made."""

    def __init__(self) -> None:
        self.pictures: list[str] = []
        """In base64, as :func:`dupfind.report.document.render` takes them."""
        self._pictures: dict[int, int] = {}
        self.sights: list[dict[str, Any]] = []
        """What the page is told of each file; by their places here, since two names may be shown alike."""
        self._sights: dict[str, int] = {}

    def add(self, sights: Mapping[str, Sight]) -> None:
        """Take in these files, by their paths."""
        for path, sight in sights.items():
            self._enter(path, self._sight(path, sight))

    def place(self, key: str, path: str | None) -> dict[str, int]:
        """Where the page finds a file, under ``key``; nothing where there is nothing to be known of it."""
        if path is not None and path not in self._sights and shown(path) != path:
            self._enter(path, {"copy": quoted(path)})  # not taken in, but its path cannot be copied as it is shown
        place = None if path is None else self._sights.get(path)
        return {} if place is None else {key: place}

    def _enter(self, path: str, facts: dict[str, Any]) -> None:
        self._sights[path] = len(self.sights)
        self.sights.append(facts)

    def _sight(self, path: str, sight: Sight) -> dict[str, Any]:
        found: dict[str, Any] = {"bytes": size(sight.size_bytes), "size": sight.size_bytes, "copy": quoted(path)}
        if shown(path) == path:  # nothing in it has to be spelt out: it is copied as it is
            del found["copy"]
        if sight.digest is not None:
            found["digest"] = sight.digest.hex()
        if sight.preview is None:
            return {**found, "why": shown(sight.obstacle)} if sight.obstacle else found
        preview = sight.preview
        place = self._pictures.setdefault(id(preview), len(self.pictures))
        if place == len(self.pictures):
            self.pictures.append(base64.b64encode(preview.data).decode("ascii"))
        found |= {"picture": place, "width": preview.width, "height": preview.height}
        return {**found, "taken": shown(preview.captured)} if preview.captured else found
