"""What the text chunks of a PNG hold: words about the picture, or the drawing that it is only the rendering of.

The words are registered with the PNG specification or are ImageMagick's; drawings are known by their keyword.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dupfind.pictures import descriptive, exif_extent, kinds
from dupfind.pictures.container_format import Part, Reader

CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_HEAD_BYTES, _CRC_BYTES, _LONGEST_KEYWORD = 8, 4, 80
_MOST_TEXT_BYTES, _TOGETHER_BYTES = 1 << 24, 1 << 20
_ITXT_FLAGS_BYTES = 2
XMP = b"xml:com.adobe.xmp"
"""The keyword of XMP, in the one spelling."""
_RAW_PROFILE = b"raw profile type "
_EXIF_PROFILES, _XMP_PROFILES = (b"exif", b"app1"), (b"xmp",)
_XMP_START = b"http://ns.adobe.com/xap/1.0/\0"

_DRAWINGS = {
    b"mxfile": "a drawing (draw.io)",
    b"mxgraphmodel": "a drawing (draw.io)",
    b"application/vnd.excalidraw+json": "a drawing (Excalidraw)",
    b"application/vnd.tldraw+json": "a drawing (tldraw)",
    b"plantuml": "a drawing (PlantUML)",
    b"chara": "a character card",
    b"ccv3": "a character card",
}
_WORDS = frozenset(
    b"title author description copyright creation-time software disclaimer warning source comment xml:com.adobe.xmp "
    b"signature label caption url document artist make model orientation dpi parameters mime-type collection".split()
)
_FAMILIES = (_RAW_PROFILE, *(b"date: exif: thumb:: png: icc: xmp: iptc: dc: tiff:".split()))


class Text(NamedTuple):
    """A text chunk, unpacked."""

    name: str
    """Its keyword as it is stored."""
    keyword: bytes
    """The same in one spelling: lower case, without spaces."""
    content: bytes

    @property
    def drawing(self) -> str | None:
        """What kind of drawing it is; None where it is none."""
        return _DRAWINGS.get(self.keyword)

    @property
    def is_known(self) -> bool:
        """Whether the keyword is one of words about the picture."""
        return self.keyword in _WORDS or self.keyword.startswith(_FAMILIES)

    @property
    def xmp(self) -> bytes | None:
        """The XMP that it is, also one in the digits of ImageMagick's and ExifTool's raw profiles; None for others."""
        if self.keyword == XMP:
            return self.content
        profile = self._profile(*_XMP_PROFILES, *_EXIF_PROFILES)
        if profile is None or profile.startswith(_XMP_START):
            return None if profile is None else profile.removeprefix(_XMP_START)
        return profile if self._profile(*_XMP_PROFILES) is not None else None

    @property
    def exif(self) -> bytes | None:
        """The Exif block that it is, in such digits; None for other texts."""
        profile = self._profile(*_EXIF_PROFILES)
        return None if profile is None or profile.startswith(_XMP_START) else profile

    def _profile(self, *names: bytes) -> bytes | None:
        """Return what a raw profile of one of these names holds, as it is stored where its digits cannot be read."""
        if not self.keyword.startswith(_RAW_PROFILE) or self.keyword.removeprefix(_RAW_PROFILE).strip() not in names:
            return None
        fields = self.content.split(None, 2)  # the name, the length, the digits
        try:
            return bytes.fromhex(fields[2].decode("ascii"))
        except (IndexError, ValueError):
            return self.content


def read(kind: bytes, payload: bytes) -> Text:
    """Return the text of a chunk of this kind, its first 16 MiB where it is compressed."""
    stored, _, value = payload.partition(b"\0")
    lower = stored.lower()
    keyword = lower if b" type " in lower else lower.replace(b" ", b"-")
    return Text(stored[:_LONGEST_KEYWORD].decode("latin-1"), keyword, _content(kind, value))


def unread_bytes(kind: bytes, payload: bytes) -> int:
    """Count the bytes of a text chunk that are neither its keyword nor its text, as :func:`read` gives them.

    What a keyword has more than it may; the language and the keyword in it; what lies behind the packed text.
    """
    stored, _, value = payload.partition(b"\0")
    beside_bytes = max(0, len(stored) - _LONGEST_KEYWORD)
    if kind == b"zTXt":
        return beside_bytes + behind_packed(value[1:])
    if kind == b"iTXt":
        language, _, rest = value[_ITXT_FLAGS_BYTES:].partition(b"\0")
        keyword, _, text = rest.partition(b"\0")
        beside_bytes += len(language) + len(keyword)
        if value[:1] == b"\1":
            beside_bytes += behind_packed(text)
    return beside_bytes


def behind_packed(data: bytes) -> int:
    """Count the bytes behind what is packed by Deflate; all of them where it cannot be unpacked."""
    unpack = zlib.decompressobj()
    left = _MOST_TEXT_BYTES
    try:
        while data and left > 0:
            left -= len(unpack.decompress(data, _TOGETHER_BYTES))
            data = unpack.unconsumed_tail
    except zlib.error:
        return len(data)
    return len(unpack.unused_data) + len(data)


def kinds_of(reader: Reader, chunks: Iterable[Part]) -> Iterator[str]:
    """Yield what these text chunks hold beside words about the picture.

    Texts under other keywords count from :data:`~dupfind.pictures.kinds.SMALL_BYTES` on, together.
    """
    unknown = []
    for chunk in chunks:
        start = chunk.start + _HEAD_BYTES
        text = read(chunk.kind, reader.at(start, min(_MOST_TEXT_BYTES, chunk.stop - _CRC_BYTES - start)))
        if text.drawing is not None:
            yield text.drawing
        elif text.xmp is not None:
            yield from kinds.of_xmp(text.xmp)
        elif text.exif is not None:
            yield from exif_extent.kinds_of(text.exif)
        elif text.keyword in _WORDS:
            yield from kinds.of_base64(text.content)
        elif not text.is_known:
            unknown.append(text)
    size_bytes = _size_bytes(unknown)
    if size_bytes > kinds.SMALL_BYTES:
        yield kinds.unknown(f'in its text "{unknown[0].name}"', size_bytes)


def counting(texts: Sequence[Text]) -> list[bytes]:
    """Return what of these texts is more than words about the picture: drawings, and what is large, alone or together.

    As above, but that a single large text counts under any keyword.
    """
    unknown = [text for text in texts if not text.is_known]
    are_many = _size_bytes(unknown) > kinds.SMALL_BYTES
    return [
        piece
        for text in texts
        if text.drawing is not None or (are_many and not text.is_known) or descriptive.text_counts(text.content)
        for piece in (text.keyword, text.content)
    ]


def _size_bytes(texts: Iterable[Text]) -> int:
    return sum(len(text.name) + len(text.content) for text in texts)


def _content(kind: bytes, stored: bytes) -> bytes:
    """Return what follows the keyword, unpacked; what cannot be unpacked as it is stored."""
    if kind == b"tEXt":
        return stored
    if kind == b"zTXt":
        return _inflated(stored[1:])
    is_compressed, fields = stored[:1] == b"\1", stored[_ITXT_FLAGS_BYTES:]
    text = b"\0".join(fields.split(b"\0", 2)[2:])
    return _inflated(text) if is_compressed else text


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_TEXT_BYTES)
    except zlib.error:
        return data
