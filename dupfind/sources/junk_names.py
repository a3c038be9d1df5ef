"""What systems, cameras, phones, network drives and programs leave behind, each with who writes it: one table. Pure.

What is called junk is invisible in the answer and goes with its folder, so a name belongs here only when a program
writes it by itself, can write it again, and nobody would miss it. Ratings, captions, edits, orders made by hand and
lists that a person wrote are none, whatever program keeps them.

Most names say enough. Where a person's own file may bear one, more is asked: the folder that the program makes for it,
how the file begins, how large it is at most, whose companion it is. What cannot be read is a file like any other.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple


class JunkNames(NamedTuple):
    """Names that say enough, as they are usually spelt; case does not count."""

    origin: str
    """Who leaves them behind."""
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Folders that go with all that is in them."""


class Guarded(NamedTuple):
    """Names that are junk where more is true of the file. Every bound that is given has to hold."""

    origin: str
    shown: str
    """The names as the docs spell them."""
    names: str
    """What the whole of the name has to match, as a regular expression on lower case."""
    folder: str | None = None
    """Name of the folder that it lies in, in lower case."""
    is_deep: bool = False
    """True where it may also lie in a folder in that one."""
    head: bytes = b""
    """How it begins."""
    most_bytes: int | None = None
    may_be_empty: bool = False
    """True where nothing else is asked of a file without a byte."""
    is_settings: bool = False
    """True where it has to be a text as :func:`is_settings` knows it; ``most_bytes`` are read for that."""
    beside: tuple[str, ...] = ()
    """Suffixes, in lower case: a file of the same name with one of these, not empty, has to lie in the same folder."""
    why: str = ""
    """The bounds in words, for the docs."""


JUNK_NAMES = (
    JunkNames("macOS", folders=(".DocumentRevisions-V100", ".fseventsd", ".Spotlight-V100", ".TemporaryItems")),
    JunkNames("Windows", folders=("System Volume Information",)),
    JunkNames("Netatalk: file servers for Macs", folders=(".AppleDouble", ".AppleDB", ".AppleDesktop")),
    JunkNames("Canon ZoomBrowser and ImageBrowser: thumbnails", ("ZbThumbnail.info",)),
    JunkNames("Adobe Bridge: thumbnails", (".BridgeCache", ".BridgeCacheT")),
)
"""The names that say enough. Sources: the systems' own docs, and what immich-go and czkawka leave out."""

_FILMS = (".3gp", ".avi", ".m2ts", ".m4v", ".mov", ".mp4", ".mpg", ".mts", ".wmv")
_JPEG = b"\xff\xd8\xff"
_SMALL_BYTES, _THUMBNAIL_BYTES, _LARGE_BYTES = 1 << 12, 1 << 16, 1 << 19

_COMPOUND = bytes.fromhex("d0cf11e0")
"""How Microsoft's compound files begin."""

GUARDED = (
    Guarded(
        "macOS: how a folder is shown",
        "`.DS_Store`",
        r"\.ds_store",
        head=b"\0\0\0\1Bud1",
        may_be_empty=True,
        why="begins with 00 00 00 01 `Bud1`, or is empty",
    ),
    Guarded(
        "macOS: marks a folder",
        "`.localized`, `.metadata_never_index`, `Icon\\r`",
        r"\.localized|\.metadata_never_index|icon\r",
        most_bytes=0,
        why="empty",
    ),
    Guarded(
        "macOS: what a disk is shared as",
        "`.apdisk`",
        r"\.apdisk",
        head=b"<?xml",
        most_bytes=_SMALL_BYTES,
        may_be_empty=True,
        why="begins with `<?xml` and has at most 4 KiB, or is empty",
    ),
    Guarded(
        "Windows: thumbnails",
        "`Thumbs.db`, `ehthumbs.db`, `ehthumbs_vista.db`",
        r"(eh)?thumbs\.db|ehthumbs_vista\.db",
        head=_COMPOUND,
        may_be_empty=True,
        why="begins with D0 CF 11 E0, or is empty",
    ),
    Guarded(
        "Windows and KDE: how a folder is shown",
        "`desktop.ini`, `.directory`",
        r"desktop\.ini|\.directory",
        most_bytes=_SMALL_BYTES,
        may_be_empty=True,
        is_settings=True,
        why="a text of at most 4 KiB whose first line is a `[section]`, or empty",
    ),
    Guarded(
        "Linux desktops: where a file in the trash lay",
        "`info/*.trashinfo`",
        r".+\.trashinfo",
        folder="info",
        head=b"[Trash Info]\n",
        most_bytes=_THUMBNAIL_BYTES,
        why="in `info`, begins with `[Trash Info]` and has at most 64 KiB; what lies in the trash is a file like any "
        "other",
    ),
    Guarded(
        "Synology: thumbnails and indexes",
        "`@eaDir/SYNO*`, `@eaDir/*@SynoEAStream`, `*@SynoResource`",
        r"syno.+|.+@syno(eastream|resource)",
        folder="@eadir",
        is_deep=True,
        why="in `@eaDir` or in a folder in it; anything else there is a file. That of the haystack is not looked into",
    ),
    Guarded(
        "digiKam: thumbnails",
        "`thumbnails-digikam.db`",
        r"thumbnails-digikam\.db",
        head=b"SQLite format 3\0",
        may_be_empty=True,
        why="begins with `SQLite format 3`, or is empty",
    ),
    Guarded(
        "cameras (Canon, Sony, GoPro, Panasonic): the picture that stands for a film",
        "`*.THM`",
        r".+\.thm",
        head=_JPEG,
        most_bytes=_THUMBNAIL_BYTES,
        beside=_FILMS,
        why="a JPEG of at most 64 KiB beside the film of the same name: anything else of that name may be a photo; "
        "beside a photo it is a [sidecar](sidecars.md)",
    ),
    Guarded(
        "Canon: index of a card",
        "`M0100.CTG`",
        r"m\d{4}\.ctg",
        folder="canonmsc",
        most_bytes=_LARGE_BYTES,
        why="in `CANONMSC`",
    ),
    Guarded(
        "Canon: index of a card",
        "`M0100.CTG`",
        r"m\d{4}\.ctg",
        folder="eosmisc",
        most_bytes=_LARGE_BYTES,
        why="in `EOSMISC`",
    ),
    Guarded(
        "cameras: what was to be printed (DPOF)",
        "`AUTPRINT.MRK`",
        r"autprint\.mrk",
        head=b"[HDR]",
        most_bytes=_LARGE_BYTES,
        why="begins with `[HDR]`",
    ),
    Guarded(
        "Sony: index of a card",
        "`AVIN0001.BNP`, `.INP`, `.INT`",
        r"avin\d{4}\.(bnp|inp|int)",
        folder="avf_info",
        why="in `AVF_INFO`",
    ),
    Guarded(
        "Android: marks a folder that the gallery leaves out",
        "`.nomedia`",
        r"\.nomedia",
        most_bytes=0,
        why="empty",
    ),
    Guarded(
        "Android: thumbnails",
        "`.thumbdata*`",
        r"\.thumbdata\d+-{1,2}\d+(_\d+)?",
        why="`.thumbdata` with its two numbers, as in `.thumbdata4--1967290299`",
    ),
    Guarded(
        "Android: thumbnails",
        "`.thumbnails/1234.jpg`",
        r"\d+\.jpg",
        folder=".thumbnails",
        head=_JPEG,
        most_bytes=_LARGE_BYTES,
        why="a number for a name and a JPEG of at most 512 KiB: some hide photos of their own in such a folder",
    ),
    Guarded(
        "Android: whose thumbnails they are",
        "`.database_uuid`",
        r"\.database_uuid",
        most_bytes=_SMALL_BYTES,
        why="at most 4 KiB",
    ),
    Guarded(
        "QNAP: thumbnails",
        "`.@__thumb/s100*`, `s800*`, `default*`",
        r"(s100|s800|default).+",
        folder=".@__thumb",
        head=_JPEG,
        most_bytes=_LARGE_BYTES,
        why="a JPEG of at most 512 KiB",
    ),
    Guarded(
        "QNAP: thumbnails",
        "`@__thumb/s100*`, `s800*`, `default*`",
        r"(s100|s800|default).+",
        folder="@__thumb",
        head=_JPEG,
        most_bytes=_LARGE_BYTES,
        why="likewise",
    ),
    Guarded(
        "Syncthing: marks a folder that is kept in step",
        "`.stfolder/syncthing-folder-*.txt`",
        r"syncthing-folder-[0-9a-z]+\.txt",
        folder=".stfolder",
        most_bytes=_SMALL_BYTES,
        why="at most 4 KiB; `.stignore` is written by hand and is none",
    ),
    Guarded(
        "Dropbox: marks its folder",
        "`.dropbox`",
        r"\.dropbox",
        most_bytes=_SMALL_BYTES,
        why="at most 4 KiB",
    ),
    Guarded(
        "Resilio Sync: marks a folder that is kept in step",
        "`.sync/ID`",
        r"id",
        folder=".sync",
        most_bytes=_SMALL_BYTES,
        why="at most 4 KiB; `.sync/Archive` holds what was deleted, which is looked for like anything else",
    ),
    Guarded(
        "Paint Shop Pro: thumbnails",
        "`pspbrwse.jbf`",
        r"pspbrwse\.jbf",
        head=b"JASC BROWS FILE",
        why="begins with `JASC BROWS FILE`",
    ),
    Guarded(
        "xv, GIMP, XnView: thumbnails",
        "`.xvpics/*`",
        r".+",
        folder=".xvpics",
        head=b"P7 332",
        most_bytes=_LARGE_BYTES,
        why="begins with `P7 332`",
    ),
)
"""The names that need more. The numbers of Android's are those of its thumbnail files, of which there is one a version;
xv's are files of 80 x 60 pixels; Sony's and Canon's folders are made by the camera when it formats a card."""

FILES = frozenset(name.lower() for row in JUNK_NAMES for name in row.files)
"""Names of files that say enough, in lower case."""
FOLDERS = frozenset(name.lower() for row in JUNK_NAMES for name in row.folders)
"""Likewise of folders, which go with all that is in them."""
SEARCHED_FOLDERS = frozenset(rule.folder for rule in GUARDED if rule.is_deep and rule.folder is not None)
"""Folders of a program's own in which needles are looked for all the same, and nothing is that proves them."""
GUARDED_NAMES = frozenset({
    "autprint.mrk",
    "pspbrwse.jbf",
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "icon\r",
    "thumbnails-digikam.db",
})  # fmt: skip
GUARDED_SUFFIX = ".thm"
"""Guarded names, in lower case, in folders of any name, and how the others end; all further ones begin with a dot or
lie in a folder of :data:`GUARDED_FOLDERS`."""
GUARDED_FOLDERS = frozenset(rule.folder for rule in GUARDED if rule.folder is not None)


EXAMPLES = (
    "mvi_0001.thm m0100.ctg autprint.mrk avin0001.bnp avin0001.inp avin0001.int .nomedia .thumbdata4--1967290299 "
    ".thumbnails .database_uuid .@__thumb @__thumb .stfolder .dropbox pspbrwse.jbf .xvpics .ds_store .localized "
    ".metadata_never_index .apdisk thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini .directory @eadir "
    "thumbnails-digikam.db photo.jpg.trashinfo"
).split()
"""Names, in lower case, that a person has in mind who leaves such things out by a pattern."""


def guards_of(name: str, folder: str, above: str = "") -> list[Guarded]:
    """Return the rules by which a file may be junk; all names in lower case, ``above`` is the folder of its folder.

    >>> [rule.shown for rule in guards_of("m0100.ctg", "canonmsc")], guards_of("m0100.ctg", "holiday")
    (['`M0100.CTG`'], [])
    """
    return [rule for names, rule in _rules() if _is_placed(rule, folder, above) and names.fullmatch(name)]


@cache
def _rules() -> list[tuple[re.Pattern[str], Guarded]]:
    # When first asked for: most runs meet no such name, and compiling the names takes a millisecond.
    return [(re.compile(rule.names, re.DOTALL), rule) for rule in GUARDED]


def _is_placed(rule: Guarded, folder: str, above: str) -> bool:
    return rule.folder in (None, folder) or (rule.is_deep and rule.folder == above)


def is_left_over(
    rule: Guarded, stem: str, size_bytes: int, holds_something: Callable[[str], bool], head: Callable[[int], bytes]
) -> bool:
    """Tell whether all that a rule asks besides the name is true of a file.

    ``stem`` is its name in lower case without the suffix, ``holds_something`` tells of a name in lower case whether
    there is such a file in its folder, not empty, and ``head`` gives its first bytes, none where they cannot be read.
    """
    if rule.most_bytes is not None and size_bytes > rule.most_bytes:
        return False
    if rule.may_be_empty and not size_bytes:
        return True
    if rule.beside and not any(holds_something(stem + suffix) for suffix in rule.beside):
        return False
    if rule.is_settings and not is_settings(head(size_bytes)):
        return False
    return not rule.head or head(len(rule.head)) == rule.head


def is_settings(content: bytes) -> bool:
    r"""Tell whether a file is a text of settings in sections, as Windows and KDE write them.

    >>> is_settings(b"\r\n[.ShellClassInfo]\r\nIconIndex=0"), is_settings(b"[\0\1"), is_settings(b"Dear diary")
    (True, False, False)
    """
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16") if is_wide else content.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    except UnicodeDecodeError:
        return False
    if any(letter < " " and letter not in "\t\r\n" for letter in text):
        return False
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and line[0] not in ";#"), "")
    return first.startswith("[")
