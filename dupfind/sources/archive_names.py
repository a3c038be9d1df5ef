"""Tells by their names which files are archives: folders that somebody packed. Pure: no file is looked at.

The end of the name decides. Documents that are ZIP inside (``.docx``, ``.epub``, ``.apk``, ``.cbz`` ...) are files:
who has such a file wants the file, and nobody compares what is in it one by one. See docs/archives.md.
"""

from __future__ import annotations

from itertools import product

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
"""What the name of an archive ends with, in any case of letters."""
_TAIL = 3
_TAILS = frozenset(
    "".join(letters)
    for tail in {suffix[-_TAIL:] for suffix in SUFFIXES}
    for letters in product(*({letter, letter.upper()} for letter in tail))
)
"""The last letters of all of them, as they may be spelt: one look-up tells nearly every other name apart."""


def is_archive_name(path: str) -> bool:
    """Tell whether a file is an archive by its name.

    >>> list(map(is_archive_name, ["a/Photos.ZIP", "b.tar.gz", "c.jpg.gz", "d.docx", "zip"]))
    [True, True, False, False, False]
    """
    return path[-_TAIL:] in _TAILS and path.lower().endswith(SUFFIXES)
