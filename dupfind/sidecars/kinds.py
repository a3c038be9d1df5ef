"""The kinds of sidecars: what each is called, and which files of its folder it may describe by its name. Pure.

A name is a promise only; :mod:`dupfind.sidecars.contents` sees whether the content keeps it. Where a name fits several
files, it may describe any of them, so all have to be present.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from operator import itemgetter

from dupfind.pictures import formats


class Kind(StrEnum):
    """What a sidecar is, as reports call it."""

    XMP = "XMP"
    AAE = "AAE"
    TAKEOUT = "Takeout JSON"
    ALBUM = "Takeout album"
    RAWTHERAPEE = "RawTherapee"
    DXO = "DxO"
    ON1 = "ON1"
    CAPTURE_ONE = "Capture One"
    THUMBNAIL = "THM"
    PICASA = "Picasa"
    DESCRIPTIONS = "descript.ion"


EDITS = frozenset({Kind.XMP, Kind.AAE, Kind.RAWTHERAPEE, Kind.DXO, Kind.ON1, Kind.CAPTURE_ONE, Kind.PICASA})
"""Kinds that may hold the only copy of an edit."""

FILM_SUFFIXES = formats.FILM_SUFFIXES
"""Suffixes, in lower case, of films."""
MEDIA_SUFFIXES = (
    formats.IMAGE_SUFFIXES
    | FILM_SUFFIXES
    | frozenset(".aac .aif .aiff .flac .insp .m4a .mp3 .ogg .opus .wav .wma .pdf".split())
)
"""Suffixes, in lower case, of what a sidecar without the whole name of its owner may describe."""

_SUFFIXES = {
    ".xmp": Kind.XMP, ".aae": Kind.AAE, ".json": Kind.TAKEOUT, ".pp3": Kind.RAWTHERAPEE, ".dop": Kind.DXO,
    ".on1": Kind.ON1, ".cos": Kind.CAPTURE_ONE, ".thm": Kind.THUMBNAIL,
}  # fmt: skip
_NAMES = {"picasa.ini": Kind.PICASA, ".picasa.ini": Kind.PICASA, "descript.ion": Kind.DESCRIPTIONS}
_ENDINGS = (*_SUFFIXES, ".ini", ".ion")
_END = itemgetter(slice(-max(map(len, _ENDINGS)), None))
_ALBUM = re.compile(
    r"(metadata|metadaten|m\u00e9tadonn\u00e9es|metadatos|metadati|metadados|metagegevens|metadane)"
    r"(\(\d+\))?\.json"
)
"""What Takeout calls the file of an album, in its languages."""

_SUPPLEMENT = "supplemental-metadata"
_CUT_CHARACTERS = (46, 51)
"""Where Takeout cuts the name of a JSON file, without ``.json``: a file of its has 51 characters at most."""
_NUMBER = re.compile(r"\((\d+)\)$")


def kind_of(name: str) -> Kind | None:
    """Return the kind of sidecar that a name promises; None for nearly all names.

    >>> kind_of("IMG_1.JPG.xmp"), kind_of("metadata.json"), kind_of("notes.ini")
    (<Kind.XMP: 'XMP'>, <Kind.ALBUM: 'Takeout album'>, None)
    """
    low = name.lower()
    if (kind := _NAMES.get(low)) is not None:
        return kind
    stem, dot, last = low.rpartition(".")
    if not stem:
        return None
    return Kind.ALBUM if _ALBUM.fullmatch(low) else _SUFFIXES.get(dot + last)


def may_be_sidecars(paths: Sequence[str]) -> list[bool]:
    """Tell of each path by a cheap look whether :func:`kind_of` has to be asked: a hundred thousand end alike.

    >>> may_be_sidecars(["/IMG_1.jpg.XMP", "/IMG_1.jpg"])
    [True, False]
    """
    ends = list(map(_END, paths))
    may_be = {end: end.lower().endswith(_ENDINGS) for end in set(ends)}
    return list(map(may_be.__getitem__, ends))


def owners_of(kind: Kind, name: str, names: Iterable[str]) -> list[str]:
    """Return those of ``names``, the files of the folder, that a sidecar may describe by its name. Case does not count.

    Of an album, and of a list of files, all that are no sidecars by their names: the content has to say more.

    >>> owners_of(Kind.XMP, "a.xmp", ["a.jpg", "a.CR2", "ab.jpg", "a.txt", "a.xmp"])
    ['a.jpg', 'a.CR2']
    """
    candidates = [candidate for candidate in names if kind_of(candidate) is None]
    stem = name.rpartition(".")[0].lower()
    match kind:
        case Kind.ALBUM | Kind.PICASA | Kind.DESCRIPTIONS:
            return candidates
        case Kind.TAKEOUT:
            whole = [candidate for candidate in candidates if _is_of_takeout(stem, candidate.lower())]
            return whole or _of_stem(stem, candidates)
        case Kind.XMP:
            return _named(stem, candidates) or _of_stem(stem, candidates)
        case Kind.RAWTHERAPEE | Kind.DXO | Kind.CAPTURE_ONE:
            return _named(stem, candidates)
        case _:
            return _of_stem(stem, candidates)


def _named(whole: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.lower() == whole]


def _of_stem(stem: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if _is_media(name) and name.rpartition(".")[0].lower() == stem]


def _is_media(name: str) -> bool:
    stem, dot, last = name.rpartition(".")
    # A file called ".jpg" has no ending: its name begins with a dot.
    return bool(stem) and dot + last.lower() in MEDIA_SUFFIXES


def numbered(name: str) -> tuple[str, str | None]:
    """Take the number that Takeout gives the second of two equal names out of the name of a picture.

    >>> numbered("a(1).jpg"), numbered("a.jpg")
    (('a.jpg', '1'), ('a.jpg', None))
    """
    stem, dot, last = name.rpartition(".")
    if not stem:
        return name, None
    number = _NUMBER.search(stem)
    return (name, None) if number is None else (stem[: number.start()] + dot + last, number[1])


def _is_of_takeout(base: str, owner: str) -> bool:
    """Tell whether ``base``, a name of Takeout's without ``.json``, is made of that of ``owner``; both in lower case.

    The number of a copy stands in the owner's stem, and behind the whole of the other or in its stem likewise.
    """
    if _is_made_of(base, owner):  # x(1).jpg.json
        return True
    plain, number = numbered(owner)
    copy = _NUMBER.search(base)
    if number is None or copy is None or copy[1] != number:
        return False
    return _is_made_of(base[: copy.start()], plain, number_characters=len(copy[0]))  # x.jpg(1).json


def _is_made_of(base: str, owner: str, number_characters: int = 0) -> bool:
    if base == owner:
        return True
    if base.startswith(owner + ".") and _SUPPLEMENT.startswith(base[len(owner) + 1 :]):
        return True
    is_cut = any(length in _CUT_CHARACTERS for length in (len(base), len(base) + number_characters))
    return is_cut and owner.startswith(base)
