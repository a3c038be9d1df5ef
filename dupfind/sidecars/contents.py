"""Whether a file is the sidecar that its name promises: its content to the owners that it may describe. Pure.

The content has to be of its kind from the first byte to the last, to name its owner where its kind does that, and to
carry no picture of its own. What is cut, too large, or in any other doubt is a file like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import normalize
from xml.parsers import expat

from dupfind.sidecars.kinds import Kind, numbered

MOST_BYTES = 1 << 20
"""What is larger is looked at as a file like any other."""
_MOST_THUMBNAIL_BYTES = 1 << 16
_LONG_CODED = re.compile(r"[A-Za-z0-9+/]{65536}")
_CODED_PICTURE = re.compile(
    r"(?<![A-Za-z0-9+/])(/9j/|iVBORw0KGgo|R0lGOD[ld]|UklGR|SUkqA|TU0AK|AAAA[A-Za-z0-9+/][GWm2]Z0eX[AB]"
    r"|AAAADGpQICA|/0//|AAAADEpYTCA|/wo[A-Za-z0-9+/]{400}|Qk[0-3][A-Za-z0-9+/]{400})"
)
"""How JPEG, PNG, GIF, WebP, TIFF, HEIC and AVIF (``ftyp`` behind four bytes of size), JPEG 2000, JPEG XL and BMP begin
in base64."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")
_PICTURES_IN_DATA = (*_PICTURES, b"ftyp", b"WEBPVP8", b"jP  ", b"JXL ", b"\xff\x4f\xff\x51")
"""Also those that are words, and so told in binary data only."""

_ADJUSTED = "adjustment"
_XMP_ROOTS = frozenset({"adobe:ns:meta/ xmpmeta", "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF"})
_XMP_OWNERS = frozenset({
    "http://ns.adobe.com/camera-raw-settings/1.0/ RawFileName",
    "http://ns.adobe.com/xap/1.0/mm/ DerivedFrom",
})  # fmt: skip
_XMP_SUFFIX = "http://ns.adobe.com/photoshop/1.0/ SidecarForExtension"
_TAKEOUT_KEYS = frozenset({
    "photoTakenTime", "creationTime", "photoLastModifiedTime", "geoData", "url", "googlePhotosOrigin", "imageViews",
})  # fmt: skip
_ALBUM_KEYS = frozenset({"access", "date", "albumData", "location", "geoData"})
_CUT_STEM_CHARACTERS = 43
"""From this length on the stem of a name in a Takeout may be cut: names have 51 characters at most, suffix and all."""
_PICASA_SECTIONS = frozenset({"picasa", "encoding", "contacts", "contacts2"})
_INI_LINE = re.compile(r"\s*(\[[^\]]+\]|[#;].*|[^=\s\[][^=]*=.*)?\s*")
_DESCRIBED = re.compile(r'(?:"([^"]+)"|(\S+))\s+\S.*')


def described(kind: Kind, content: bytes, owners: Sequence[str]) -> list[str]:
    """Return those of ``owners``, who fit by the sidecar's name, that the content describes; none where it is none."""
    # What describes a picture is small; more may be a picture or a film in disguise.
    if len(content) > MOST_BYTES or not owners:
        return []
    try:
        return _READERS[kind](content, owners)
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError, expat.ExpatError):
        return []  # cut, of another kind, or made to be misread


def _xmp(content: bytes, owners: Sequence[str]) -> list[str]:
    roots, facts = _parsed_xml(content)
    # Any XML would pass for XMP by its name alone.
    if roots[0] not in _XMP_ROOTS:
        return []
    names = {value.rpartition("/")[2].lower() for key, value in facts if key in _XMP_OWNERS and "." in value}
    suffixes = {value.lower() for key, value in facts if key == _XMP_SUFFIX}
    return [owner for owner in owners if names <= {owner.lower()} and suffixes <= {owner.rpartition(".")[2].lower()}]


def _aae(content: bytes, owners: Sequence[str]) -> list[str]:
    if not content.startswith(b"bplist"):
        roots, _ = _parsed_xml(content)
        if roots == ["plist"]:
            return list(owners)  # without any value: it holds nothing
    import plistlib  # brings the parser of XML

    value = plistlib.loads(content)
    if not isinstance(value, dict) or not any(str(key).startswith(_ADJUSTED) for key in value):
        return []
    data = [leaf for leaf in _leaves(value) if isinstance(leaf, bytes)]
    texts = [leaf for leaf in _leaves(value) if isinstance(leaf, str)]
    has_picture = any(begin in leaf for leaf in data for begin in _PICTURES_IN_DATA) or any(
        map(_carries_picture, texts)
    )
    return [] if has_picture else list(owners)


def _takeout(content: bytes, owners: Sequence[str]) -> list[str]:
    value = _parsed_json(content)
    title = value["title"]
    if not isinstance(title, str) or _TAKEOUT_KEYS.isdisjoint(value):
        return []
    return [owner for owner in owners if is_titled(title, owner)]


def taken_seconds(content: bytes) -> int | None:
    """Return when a picture was taken by its JSON of a Takeout, in seconds since 1970 (UTC); None for no time.

    >>> taken_seconds(b'{"title": "a.jpg", "photoTakenTime": {"timestamp": "1500000000"}}')
    1500000000
    """
    try:
        seconds = int(_parsed_json(content)["photoTakenTime"]["timestamp"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return seconds or None  # 0 is what is written for no time


def is_titled(title: str, name: str) -> bool:
    """Tell whether a Takeout may have made ``name`` of the title of a picture.

    It puts ``_`` in the place of what no file system likes, cuts at 51 characters and numbers the second of two.

    >>> is_titled("a&b.JPG", "a_b(1).jpg"), is_titled("IMG_2.jpg", "IMG_1.jpg")
    (True, False)
    """
    wanted = normalize("NFC", title).lower()
    given = normalize("NFC", name).lower()
    return any(_is_spelt(wanted, form) for form in {given, numbered(given)[0]})


def _is_spelt(title: str, name: str) -> bool:
    stem, _, suffix = name.rpartition(".")
    title_stem, dot, title_suffix = title.rpartition(".")
    if dot and title_suffix == suffix:
        title = title_stem
    if len(stem) != len(title) and not (_CUT_STEM_CHARACTERS <= len(stem) < len(title)):
        return False
    return all(
        ours == theirs or (ours == "_" and not theirs.isalnum()) for ours, theirs in zip(stem, title, strict=False)
    )


def _album(content: bytes, owners: Sequence[str]) -> list[str]:
    value = _parsed_json(content)
    is_album = "albumData" in value or (isinstance(value.get("title"), str) and not _ALBUM_KEYS.isdisjoint(value))
    return list(owners) if is_album and "photoTakenTime" not in value else []


def _on1(content: bytes, owners: Sequence[str]) -> list[str]:
    value = _parsed_json(content)
    return list(owners) if isinstance(value.get("photos"), dict | list) else []


def _rawtherapee(content: bytes, owners: Sequence[str]) -> list[str]:
    lines = _text(content).splitlines()
    is_whole = all(map(_INI_LINE.fullmatch, lines))
    return list(owners) if is_whole and any(line.strip() == "[Version]" for line in lines) else []


def _dxo(content: bytes, owners: Sequence[str]) -> list[str]:
    text = _text(content).strip()
    return list(owners) if re.match(r"Sidecar\s*=\s*\{", text) and text.endswith("}") else []


def _capture_one(content: bytes, owners: Sequence[str]) -> list[str]:
    roots, _ = _parsed_xml(content)
    return list(owners) if roots[0] == "SL" else []


def _thumbnail(content: bytes, owners: Sequence[str]) -> list[str]:
    is_small = len(content) <= _MOST_THUMBNAIL_BYTES
    return list(owners) if is_small and content.startswith(_PICTURES[0]) else []


def _picasa(content: bytes, owners: Sequence[str]) -> list[str]:
    lines = _text(content).splitlines()
    if not all(map(_INI_LINE.fullmatch, lines)):
        return []
    sections = [line.strip()[1:-1] for line in lines if line.strip().startswith("[")]
    files = [
        section for section in sections if section.lower() not in _PICASA_SECTIONS and not section.startswith(".album:")
    ]
    if not sections:
        return []
    return _all_of(files, owners) if files else list(owners)


def _descriptions(content: bytes, owners: Sequence[str]) -> list[str]:
    lines = [line for line in _text(content).splitlines() if line.strip("\x04\xc2 \t")]
    matches = list(map(_DESCRIBED.fullmatch, lines))
    files = [match[1] or match[2] for match in matches if match is not None]
    return _all_of(files, owners) if len(files) == len(lines) > 0 else []


def _all_of(files: Sequence[str], owners: Sequence[str]) -> list[str]:
    """Return the owners that a list names; none where it also names a file that is not there."""
    wanted = {normalize("NFC", name).lower() for name in files}
    named = [owner for owner in owners if normalize("NFC", owner).lower() in wanted]
    return named if len({normalize("NFC", owner).lower() for owner in named}) == len(wanted) else []


def _text(content: bytes) -> str:
    """Return the text; raises ``ValueError`` where it is none, or holds a picture in base64."""
    if b"\0" in content or any(begin in content for begin in _PICTURES):
        raise ValueError("it is no text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    # XMP may carry a thumbnail, or the only copy of a picture, in base64.
    if _has_coded_picture(text):
        raise ValueError("it carries a picture")
    return text


def _has_coded_picture(text: str) -> bool:
    return _CODED_PICTURE.search(text) is not None or _LONG_CODED.search(text) is not None


def _carries_picture(value: str) -> bool:
    """Tell whether a single value holds a picture in base64, in lines or in one piece."""
    return _has_coded_picture(value) or _has_coded_picture("".join(value.split()))


def _parsed_json(content: bytes) -> dict[str, Any]:
    value = json.loads(_text(content))
    if not isinstance(value, dict):
        raise TypeError("it is no object")
    if any(isinstance(leaf, str) and _carries_picture(leaf) for leaf in _leaves(value)):
        raise ValueError("it carries a picture")
    return value


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


def _parsed_xml(content: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of all elements, and all attributes and texts by their names; raises where it is not whole.

    What declares entities is refused: a few lines of them can stand for gigabytes.
    """
    _text(content)
    names: list[str] = []
    facts: list[tuple[str, str]] = []
    texts: list[str] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        facts.append((names[-1] if names else "", "".join(texts).strip()))
        names.append(name)
        facts.extend(attributes.items())
        texts.clear()

    def end(name: str) -> None:
        facts.append((name, "".join(texts).strip()))
        texts.clear()

    def refuse(*_: object) -> None:
        raise ValueError("it declares something")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = texts.append
    parser.EntityDeclHandler = refuse
    parser.Parse(content, True)
    if any(_carries_picture(value) for _, value in facts):
        raise ValueError("it carries a picture")
    return names, facts


_READERS: dict[Kind, Callable[[bytes, Sequence[str]], list[str]]] = {
    Kind.XMP: _xmp,
    Kind.AAE: _aae,
    Kind.TAKEOUT: _takeout,
    Kind.ALBUM: _album,
    Kind.RAWTHERAPEE: _rawtherapee,
    Kind.DXO: _dxo,
    Kind.ON1: _on1,
    Kind.CAPTURE_ONE: _capture_one,
    Kind.THUMBNAIL: _thumbnail,
    Kind.PICASA: _picasa,
    Kind.DESCRIPTIONS: _descriptions,
}
