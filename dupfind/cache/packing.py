"""Findings to bytes and back, with files by their positions in two lists instead of their paths; pure.

A folder of copies has its witnesses in its own order, so positions are kept as steps from one to the next: most are 1,
and a hundred thousand of them are deflated to some hundred bytes.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate, chain, compress, count, groupby, repeat
from operator import itemgetter, sub
from typing import Any

from dupfind.answers.findings import Findings, Remains
from dupfind.reasons import from_json
from dupfind.values import Evidence, Failure, FileEntry, Match

_PATH = itemgetter(FileEntry._fields.index("path"))
_WITNESS, _SAID = itemgetter(Match._fields.index("witness")), itemgetter(slice(1, None))
"""Of a match, its witness and all else."""
_DETAILS = len(Match._fields) - 1
_STEP = "i"
"""Type code of the columns: whole numbers of 32 bits in the machine's own order of bytes."""
_LEVEL = 1
_HEAD_BYTES = 8
_COLUMNS = 6
_BATCH = 1 << 8
"""Witnesses that are looked for together."""


class PackingError(ValueError):
    """What is to be unpacked was not packed for these files."""


def pack(findings: Findings, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> bytes:
    """Return findings on these files, some bytes a needle."""
    matches, failures = findings.matches, findings.failures
    of_all = list(map(matches.get, map(_PATH, needles)))
    matched = list(compress(count(), of_all))
    of_needles = list(filter(None, of_all))
    witnesses = _found(list(map(_WITNESS, of_needles)), haystack)
    all_grades: dict[tuple[Any, ...], int] = {}
    grades = list(_numbered(of_needles, all_grades))
    decoded = findings.pictures
    pictures = list(compress(count(), map(decoded.__contains__, map(_PATH, needles)))) if decoded else []
    failed: list[int] = []
    causes: list[int] = []
    all_causes: dict[tuple[Any, ...], int] = {}
    for position, entry in enumerate(chain(needles, haystack) if failures else ()):
        failure = failures.get(entry.path)
        if failure is not None:
            failed.append(position)
            cause = failure.reason, failure.is_image, failure.lasting, failure.stage
            causes.append(all_causes.setdefault(cause, len(all_causes)))
    columns = [_steps(matched), _steps(witnesses), grades, _steps(pictures), _steps(failed), causes]
    head = {
        "lengths": [len(column) for column in columns],
        "grades": list(all_grades),
        "causes": list(all_causes),
        "haystack_pictures": findings.haystack_pictures,
        "remains": _pack_remains(findings.remains, needles, haystack),
    }
    text = json.dumps(head).encode()
    data = b"".join(
        [len(text).to_bytes(_HEAD_BYTES, "big"), text, *(array(_STEP, column).tobytes() for column in columns)]
    )
    return zlib.compress(data, _LEVEL)


class Packer:
    """Packs findings on these files; the same ones, which two memories ask for, once."""

    def __init__(self, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> None:
        self.needles, self.haystack = needles, haystack
        self._packed: tuple[Findings | None, bytes] = None, b""

    def pack(self, findings: Findings) -> bytes:
        """Return findings on these files, as :func:`pack` does."""
        if self._packed[0] is not findings:
            self._packed = findings, pack(findings, self.needles, self.haystack)
        return self._packed[1]


def _numbered(matches: Iterable[Match], grades: dict[tuple[Any, ...], int]) -> Iterator[int]:
    """Yield the number of what each match says besides its witness; new ones are added to ``grades``."""
    # Neighbours nearly always say the same, and what an enumeration hashes to takes long.
    for details, alike in groupby(map(_SAID, matches)):
        yield from repeat(grades.setdefault(details, len(grades)), len(list(alike)))


def unpack(data: bytes, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> Findings:
    """Undo :func:`pack`; raises :class:`PackingError`."""
    try:
        return _unpack(zlib.decompress(data), needles, haystack)
    except (zlib.error, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise PackingError(str(error)) from error


def _unpack(data: bytes, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> Findings:
    begin = _HEAD_BYTES + int.from_bytes(data[:_HEAD_BYTES], "big")
    head = json.loads(data[_HEAD_BYTES:begin])
    columns = list(_columns(memoryview(data)[begin:], head["lengths"]))
    matched, witnesses, grades, pictures, failed, causes = columns
    if len(matched) != len(witnesses) or len(matched) != len(grades) or len(failed) != len(causes):
        raise PackingError("its columns are not of one length")
    all_grades = [
        (Evidence(grade), _typed(distance_bits, int, None), None if reason is None else from_json(reason))
        for grade, distance_bits, reason in head["grades"]
    ]
    all_causes = [
        Failure(_typed(reason, str), is_image=bool(is_image), lasting=bool(lasting), stage=_typed(stage, str))
        for reason, is_image, lasting, stage in head["causes"]
    ]
    # Column by column, so that what is done for each of a hundred thousand needles is done in C.
    witness_paths = map(_PATH, _chosen(haystack, witnesses))
    _below(grades, len(all_grades))
    if len(all_grades) == 1:  # as of a plain copy
        rows = zip(witness_paths, *map(repeat, all_grades[0]), strict=False)  # which go on for ever
    else:
        details = list(map(all_grades.__getitem__, grades))
        rows = zip(witness_paths, *(map(itemgetter(place), details) for place in range(_DETAILS)), strict=True)
    needle_paths = map(_PATH, _chosen(needles, matched))
    matches = dict(zip(needle_paths, map(partial(tuple.__new__, Match), rows), strict=True))
    everything = [*needles, *haystack] if failed else []
    failures = {
        everything[place].path: all_causes[cause]
        for place, cause in zip(_places(failed, len(everything)), _below(causes, len(all_causes)), strict=True)
    }
    remains = {
        needles[needle].path: Remains(_typed(damage, str), None if nearest is None else haystack[nearest].path)
        for needle, damage, nearest in head["remains"]
    }
    decoded = frozenset(map(_PATH, _chosen(needles, pictures)))
    return Findings(matches, failures, decoded, _typed(head["haystack_pictures"], int, None), remains)


def _typed(value: Any, kind: type, *allowed: None) -> Any:  # noqa: ANN401 - what JSON gave
    """Return ``value``; raises :class:`PackingError` where it is not of this kind,
    nor None where that is ``allowed``.
    """
    if not isinstance(value, kind) and value not in allowed:
        raise PackingError("it holds a value of another kind")
    return value


def _pack_remains(
    remains: Mapping[str, Remains], needles: Iterable[FileEntry], haystack: Sequence[FileEntry]
) -> list[tuple[int, str, int | None]]:
    places = _places_of({partial.nearest for partial in remains.values()}, haystack) if remains else {}
    return [
        (position, partial.damage, None if partial.nearest is None else places[partial.nearest])
        for position, entry in enumerate(needles if remains else ())
        if (partial := remains.get(entry.path)) is not None
    ]


def _found(paths: Sequence[str], haystack: Sequence[FileEntry]) -> list[int]:
    """Return the positions of these files in the haystack.

    Witnesses of neighbours nearly always are neighbours, too: where they are, nothing is looked up.
    """
    places: dict[str, int] = {}
    found: list[int] = []
    for start in range(0, len(paths), _BATCH):
        few = paths[start : start + _BATCH]
        place = found[-1] + 1 if found else 0
        if few == list(map(_PATH, haystack[place : place + len(few)])):
            found += range(place, place + len(few))
        else:
            places = places or _places_of(set(paths), haystack)
            found += map(places.__getitem__, few)
    return found


def _places_of(wanted: Collection[str | None], haystack: Sequence[FileEntry]) -> dict[str, int]:
    """Return where the wanted ones of the haystack stand, by path: it may be a hundred times as large as they are."""
    is_wanted = list(map(wanted.__contains__, map(_PATH, haystack)))
    return dict(zip(compress(map(_PATH, haystack), is_wanted), compress(count(), is_wanted), strict=True))


def _columns(data: memoryview, lengths: Sequence[int]) -> Iterable[array[int]]:
    if len(lengths) != _COLUMNS:
        raise PackingError("it has other columns")
    for length in lengths:
        column = array(_STEP)
        size_bytes = length * column.itemsize
        if length < 0 or size_bytes > len(data):
            raise PackingError("it is cut off")
        column.frombytes(data[:size_bytes])
        data = data[size_bytes:]
        yield column
    if data:
        raise PackingError("it is too long")


def _steps(positions: Sequence[int]) -> list[int]:
    """Replace each position by the step from the one before."""
    return list(map(sub, positions, chain((0,), positions)))


def _chosen(entries: Sequence[FileEntry], steps: array[int]) -> Sequence[FileEntry]:
    """Return the entries at these positions."""
    places = list(accumulate(steps))
    if places == list(range(len(entries))):
        return entries
    return [entries[place] for place in _below(places, len(entries))]


def _places(steps: array[int], end: int) -> Sequence[int]:
    """Turn steps into positions again; each is to be below ``end``."""
    return _below(list(accumulate(steps)), end)


def _below(numbers: Sequence[int], end: int) -> Sequence[int]:
    if numbers and not (min(numbers) >= 0 and max(numbers) < end):
        raise PackingError("it names a file or a reason that is not there")
    return numbers
