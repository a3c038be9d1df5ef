"""What the text chunks of a PNG hold: words about the picture, or the drawing that it is only the rendering of.

The words are registered with the PNG specification or are ImageMagick's; drawings are known by their keyword.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from dupfind.pictures import kinds
from dupfind.pictures.parts import Part, Reader

CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_HEAD_BYTES, _CRC_BYTES, _LONGEST_KEYWORD = 8, 4, 80
_MOST_TEXT_BYTES = 1 << 24
_ITXT_FLAGS_BYTES = 2

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
_FAMILIES = (b"raw profile type ", *(b"date: exif: thumb:: png: icc: xmp: iptc: dc: tiff:".split()))


def kinds_of(reader: Reader, chunks: Iterable[Part]) -> Iterator[str]:
    """Yield what these text chunks hold beside words about the picture.

    Texts under other keywords count from :data:`~dupfind.pictures.kinds.SMALL_BYTES` on, as they are stored, together.
    """
    unknown_bytes, names = 0, []
    for chunk in chunks:
        start = chunk.start + _HEAD_BYTES
        stored = reader.at(start, min(_LONGEST_KEYWORD, chunk.stop - _CRC_BYTES - start)).partition(b"\0")[0]
        keyword = stored.lower().replace(b" ", b"-") if b" type " not in stored.lower() else stored.lower()
        size_bytes = chunk.stop - chunk.start
        if keyword in _DRAWINGS:
            yield _DRAWINGS[keyword]
        elif keyword in _WORDS:
            if size_bytes > kinds.SMALL_BYTES and keyword != b"xml:com.adobe.xmp":
                yield from kinds.of_base64(_content(reader, chunk, len(stored)))
        elif not keyword.startswith(_FAMILIES):
            unknown_bytes += size_bytes
            names.append(stored.decode("latin-1"))
    if unknown_bytes > kinds.SMALL_BYTES:
        yield kinds.unknown(f'in its text "{names[0]}"', unknown_bytes)


def _content(reader: Reader, chunk: Part, keyword_bytes: int) -> bytes:
    """Return the text of a chunk, its first 16 MiB where it is compressed; what cannot be unpacked as it is stored."""
    start = chunk.start + _HEAD_BYTES + keyword_bytes + 1
    stored = reader.at(start, min(_MOST_TEXT_BYTES, chunk.stop - _CRC_BYTES - start))
    if chunk.kind == b"tEXt":
        return stored
    if chunk.kind == b"zTXt":
        return _inflated(stored[1:])
    is_compressed, rest = stored[:1] == b"\1", stored[_ITXT_FLAGS_BYTES:]
    text = b"\0".join(rest.split(b"\0", 2)[2:])
    return _inflated(text) if is_compressed else text


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MOST_TEXT_BYTES)
    except zlib.error:
        return data
