"""Paths, counts and sizes as text for people; pure."""

from __future__ import annotations

import re
import unicodedata

from dupfind.answers.changes import Changes
from dupfind.values import Cataloged, Fetched, Served, Side

_JOINER = "\u200d"  # holds emoji of several parts together and can forge nothing
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
OBEYED = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]"
)
"""Characters beyond JSON's own escapes that control a terminal, end a line, or show nothing and turn what follows."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

QUICK = "Judged by thumbnails only (--quick): do not delete by this answer"
"""What every report of a quick run says."""


def printable(path: str) -> str:
    r"""Escape everything in ``path`` that could colour a terminal, forge a line or turn the direction of writing.

    >>> print(printable("a\x1b[31mb\nc"))
    a\x1b[31mb\nc
    """
    if path.isascii() and path.isprintable():
        return path
    return "".join(_escaped(character) for character in path)


def _escaped(character: str) -> str:
    if character == _JOINER or unicodedata.category(character) not in _UNSAFE:
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def valid_text(path: str) -> str:
    """Make valid Unicode of ``path``, or of a text that names one, with U+FFFD for bytes that are no UTF-8."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def other_settings(changes: Changes) -> str:
    """Say, for :attr:`Changes.other_settings`, why changes may be none of the files."""
    return f"baseline was made with other settings, which may change verdicts: {', '.join(changes.other_settings)}"


def size(size_bytes: int) -> str:
    """Write a size for people, in powers of 1000 as disks are sold.

    >>> size(999), size(1_250_000)
    ('999 B', '1.2 MB')
    """
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value, units = size_bytes / 1000, ["kB", "MB", "GB", "TB", "PB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        del units[0]
    return f"{value:.1f} {units[0]}" if value < 9.95 else f"{value:.0f} {units[0]}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 file``, ``12,345 files``.

    >>> count(1, "file"), count(12345, "file")
    ('1 file', '12,345 files')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def moment(iso: str) -> str:
    """Write a moment in ISO 8601 to the minute, as people do.

    >>> moment("2026-11-20T03:00:07+01:00")
    '2026-11-20 03:00'
    """
    return iso[:16].replace("T", " ")


def duration(seconds: float) -> str:
    """Write how long something was, in the largest unit of which there are two at least.

    >>> duration(59), duration(7200), duration(10**6)
    ('59 seconds', '2 hours', '11 days')
    """
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return count(int(seconds // length), unit)
    return count(int(seconds), "second")


def catalog_line(catalog: Cataloged) -> str:
    """Say what a verdict rests on that rests on a catalog."""
    age = duration(catalog.age_seconds)
    word = " By your word it is another drive than that of the needles (--elsewhere)." if catalog.is_elsewhere else ""
    if catalog.side is Side.NEEDLES:
        word = " What is said of it is a plan: nobody looked at the drive. Scan the drive itself before you delete."
    return (
        f"{printable(catalog.path)} stands for {printable(catalog.root)} as it was {age} ago "
        f"({moment(catalog.updated)}, {count(catalog.files, 'file')}{'' if catalog.is_complete else ', not complete'})."
        f"{word}"
    )


def bucket_line(bucket: Fetched) -> str:
    """Say what went over the network for a bucket or a server of files.

    >>> bucket_line(Fetched("s3://photos", Side.NEEDLES, 1200, 35, 4_500_000))
    's3://photos: 1,200 objects listed; 35 requests made, 4.5 MB read.'
    """
    requests, read = count(bucket.requests, "request"), size(bucket.bytes_read)
    word = " By your word it holds no file of the other side (--elsewhere)." if bucket.is_elsewhere else ""
    return f"{printable(bucket.url)}: {count(bucket.objects, 'object')} listed; {requests} made, {read} read.{word}"


def server_line(server: Served) -> str:
    """Return what a verdict rests on that rests on the word of a server."""
    needles = count(server.asked, "needle")
    who = f"{printable(server.url)} is Immich {server.version}"
    line = f"{who} and has {server.there:,} of {needles} by its checksums (SHA-1)."
    if not server.previews:
        return line
    looked = f"{count(server.previews, 'preview')} looked at"
    return f"{line} For the others {looked}, {count(server.originals, 'original')} downloaded and compared."
