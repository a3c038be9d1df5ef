"""Names in archives as they are shown: each below its archive, whatever it says; pure.

No name is ever followed. What would climb out of the archive is shown so that no program that is given the path
climbs out by it either.
"""

from __future__ import annotations

PARENT = "[..]"
"""In the place of a ``..``: programs shorten ``a.zip/../b`` to ``b``."""
NAMELESS = "[no name]"
_DOS_HOSTS = frozenset({0, 6, 10, 11, 14})
"""Systems by whose names a backslash divides folders: MS-DOS, OS/2, NTFS, MVS as Info-ZIP numbers NTFS, VFAT."""
_IS_UTF8 = 0x800
_KANA = range(0x3040, 0x3100)
_WIDE = 0x100


def below(name: str) -> str:
    r"""Return the path below the archive that a member of this name is shown by, divided by slashes.

    >>> below("../../etc/passwd"), below("/a//./b.jpg"), below("a\0b"), below("/")
    ('[..]/[..]/etc/passwd', 'a/b.jpg', 'a\u2400b', '[no name]')
    """
    parts = (part for part in name.replace("\0", "\u2400").split("/") if part not in ("", "."))
    return "/".join(PARENT if part == ".." else part for part in parts) or NAMELESS


class Unique:
    """Makes paths unique: several members may bear one name, and each is to be told of.

    >>> path = Unique()
    >>> path("a/b.jpg"), path("a/b.jpg"), path("a/b (again 2).jpg"), path("a/b.jpg")
    ('a/b.jpg', 'a/b (again 2).jpg', 'a/b (again 2) (again 2).jpg', 'a/b (again 3).jpg')
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}
        """How often each path has come; counted, since an archive may have one name a hundred thousand times."""

    def __call__(self, path: str) -> str:
        """Return ``path``, or one like it where it was given before."""
        unique = path
        # Of two members of one name a program unpacks the last: each has to be proved.
        while unique in self._used:
            self._counts[path] = number = self._counts.get(path, 1) + 1
            folder, slash, name = path.rpartition("/")
            stem, dot, suffix = name.rpartition(".")
            if not stem:
                stem, dot, suffix = name, "", ""
            unique = f"{folder}{slash}{stem} (again {number}){dot}{suffix}"
        self._used.add(unique)
        return unique


def zip_name(raw: bytes, flags: int, host: int) -> str:
    r"""Return the name of a member of a ZIP as its writer meant it, as far as that can be told.

    ``flags`` and ``host`` are those of its entry. Without the flag for UTF-8 it is UTF-8 all the same where it can be
    (as macOS writes it), Shift-JIS where it looks like it, and else in code page 437, as the format has it.

    >>> zip_name("Ferien/Übung.jpg".encode("cp437"), 0, 0), zip_name(b"\x83\x74\x83\x48\x83\x67.jpg", 0, 0)
    ('Ferien/Übung.jpg', 'フォト.jpg')
    """
    if raw.isascii():
        name = raw.decode("ascii")
    elif flags & _IS_UTF8:
        name = raw.decode("utf-8", "surrogateescape")
    else:
        name = _guessed(raw)
    return name.replace("\\", "/") if host in _DOS_HOSTS and "/" not in name else name


def _guessed(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        name = raw.decode("cp932")
    except UnicodeDecodeError:
        return raw.decode("cp437")
    return name if _is_japanese(name) else raw.decode("cp437")


def _is_japanese(name: str) -> bool:
    """Tell whether a name that can be read as Shift-JIS is: it has kana, or its kanji are not in the midst of letters.

    Western names have one letter above ASCII or two between others, and these look like one kanji between others.
    """
    wide = [ord(letter) >= _WIDE for letter in name]
    has_kana = any(ord(letter) in _KANA for letter in name)
    pairs = zip(name, wide, name[1:], wide[1:], strict=False)
    is_mixed = any(
        (first_wide and second.isascii() and second.isalpha()) or (second_wide and first.isascii() and first.isalpha())
        for first, first_wide, second, second_wide in pairs
    )
    return any(wide) and (has_kana or not is_mixed)
