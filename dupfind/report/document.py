"""One self-contained page: a template with its style, script and data, and a policy that lets nothing else in.

Data goes into blocks of JSON that no browser runs or takes for markup, and the page's script puts it on the screen as
text. Knows nothing of scans or groups.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, Protocol

from dupfind.answers.page import Sight
from dupfind.report.text import count, moment, printable, size, valid_text

COMMON = ("common.js", "pictures.js", "lists.js")
"""Scripts that every page begins with."""
_FOLDER = "page"
_MARKUP = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
_PLAIN = re.compile(r"[ -~]*")
_BYTE = range(0xDC80, 0xDD00)
"""How :func:`os.fsdecode` keeps the bytes from 0x80 on that are no UTF-8, less 0xDC00."""
SIGNS = {
    "missing": "✗", "unreadable": "!", "partial": "±", "review": "≈", "similar": "≈", "contained": "✓", "present": "✓",
    "unwanted": "✎", "empty": "·", "decided": "✎", "best": "★", "same": "✓", "identical": "✓", "seen": "✓",
    "not seen": "✗", "unlike": "✗",
}  # fmt: skip
"""What stands before the word of each verdict, so that colour is not all that tells them apart."""


def render(
    template: str, scripts: tuple[str, ...], context: Mapping[str, Any], data: object, pictures: list[str]
) -> bytes:
    """Render ``template`` with ``context``, its ``scripts`` one after the other, ``data`` and ``pictures`` for them.

    ``pictures`` are WebP in base64; apart from ``data``, so that the first rows need not wait for them.
    """
    style, script = part("style.css"), "".join(map(part, scripts))
    return _filled(template, context, style, script, policy(style, script), embedded(data), pictures)


class Served(NamedTuple):
    """A page that a server sends."""

    page: bytes
    policy: str
    """The same Content-Security-Policy that the page has, with what only a header can say."""


def render_live(template: str, scripts: tuple[str, ...], context: Mapping[str, Any], data: str) -> Served:
    """Return the same page for a server, from which alone it may fetch; ``data`` as :func:`embedded` gives it."""
    style, script = part("style.css") + part("live.css"), "".join(map(part, scripts))
    live = policy(style, script, images="'self'", connections="'self'")
    page = _filled(template, {**context, "is_live": True}, style, script, live, data, [])
    return Served(page, f"{live}; frame-ancestors 'none'")


def _filled(
    template: str, context: Mapping[str, Any], style: str, script: str, policy_: str, data: str, pictures: list[str]
) -> bytes:
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    loader = PackageLoader("dupfind", "report/page")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"size": size, "count": count, "moment": moment, "printable": shown}
    return (
        environment.get_template(template)
        .render(
            **context,
            policy=policy_,
            style=Markup(style),  # noqa: S704 - our own files, in which no name of a file has a part
            script=Markup(script),  # noqa: S704 - likewise
            data=Markup(data),  # noqa: S704 - escaped for where it stands
            pictures=Markup(embedded(pictures)),  # noqa: S704 - likewise
        )
        .encode()
    )


@cache
def part(name: str) -> str:
    """Read a file of the page that is taken as it is."""
    return (resources.files("dupfind.report") / _FOLDER / name).read_text("utf-8")


def policy(style: str, script: str, images: str = "data: blob:", connections: str | None = None) -> str:
    """Return the Content-Security-Policy: this style, this script, pictures that the page itself holds, films on this
    machine that a person plays, and nothing else.

    ``images`` are where pictures may come from else, ``connections`` what the script may ask: nobody, where None.
    """
    films = "media-src file:; " if connections is None else ""  # a server's page may open no file
    connect = "" if connections is None else f"connect-src {connections}; "
    return (
        f"default-src 'none'; img-src {images}; {films}{connect}style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def embedded(value: object) -> str:
    r"""Write JSON that can end no element and no line of a script, whatever it holds.

    >>> embedded({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    return json.dumps(value, separators=(",", ":")).translate(_MARKUP)


def shown(path: str) -> str:
    """Spell a path for people: nothing in it is hidden or turns the direction of writing."""
    return printable(valid_text(path))


def quoted(path: str) -> str:
    r"""Quote a path for a shell: pasting it names the file and runs nothing.

    >>> print(quoted("a b.jpg"), quoted("a\n.jpg"), quoted("\udcff.jpg"))
    'a b.jpg' $'a\n.jpg' $'\xff.jpg'
    """
    if _PLAIN.fullmatch(path) or printable(path) == path:
        return shlex.quote(path)
    return "$'" + "".join(map(_in_shell, path)) + "'"


def _in_shell(character: str) -> str:
    code = ord(character)
    if code in _BYTE:
        return f"\\x{code - 0xDC00:02x}"
    if character in "\\'":
        return "\\" + character
    if printable(character) == character:
        return character
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    return short or "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


class Places(Protocol):
    """Where a page finds files."""

    def place(self, key: str, path: str | None) -> dict[str, int]:
        """Tell where the page finds the file at a path as reported, under ``key``; nothing where it does not."""


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
        """Say where the page finds a file, under ``key``; nothing where there is nothing to be known of it."""
        if path is not None and path not in self._sights and shown(path) != path:
            self._enter(path, {"copy": quoted(path)})  # not taken in, but its path cannot be copied as it is shown
        place = None if path is None else self._sights.get(path)
        return {} if place is None else {key: place}

    def _enter(self, path: str, facts: dict[str, Any]) -> None:
        # By number: two names may look alike on the page, and a decision has to hit the right file.
        self._sights[path] = len(self.sights)
        self.sights.append(facts)

    def _sight(self, path: str, sight: Sight) -> dict[str, Any]:
        facts: dict[str, Any] = {"bytes": size(sight.size_bytes), "size": sight.size_bytes, "copy": quoted(path)}
        if shown(path) == path:  # nothing in it has to be spelt out: it is copied as it is
            del facts["copy"]
        if sight.digest is not None:
            facts["digest"] = sight.digest.hex()
        if sight.preview is None:
            return {**facts, "why": shown(sight.obstacle)} if sight.obstacle else facts
        preview = sight.preview
        place = self._pictures.setdefault(id(preview), len(self.pictures))
        if place == len(self.pictures):
            self.pictures.append(base64.b64encode(preview.data).decode("ascii"))
        facts |= {"picture": place, "width": preview.width, "height": preview.height}
        if sight.film is not None:
            facts["film"] = sight.film
        return {**facts, "taken": shown(preview.captured)} if preview.captured else facts
