"""Verify again that a needle is in the haystack: both files are read again, past every cache (``--paranoid``).

:func:`reverify` is a plain picklable function, as in :mod:`dupfind.pool.tasks`. Identical bytes are compared byte by
byte. Pictures are decoded afresh, their best view is that of a scan, and what is `same` there is compared at full size
by :mod:`dupfind.pool.full_size`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar

from dupfind.errors import NoMemoryError, NotAPictureError, UndecodableError
from dupfind.pictures import formats
from dupfind.pool.full_size import Comparer, pair_of
from dupfind.pool.processes import Death
from dupfind.pool.tasks import ReadError, lost, opened, timed_out, unreadable
from dupfind.pool.time_limit import TimeLimit
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import HASH_BITS, ORIENTATIONS, SECOND_LOOK, Evidence, Failure, FileEntry, Thumbnail

if TYPE_CHECKING:
    from dupfind.evidence.evidence import Judgement
    from dupfind.run import Reading

T = TypeVar("T")

_BLOCK_BYTES = 1 << 20


class Claim(NamedTuple):
    """What a scan has found and is to be seen again."""

    needle: FileEntry
    witnesses: tuple[FileEntry, ...]
    """The witness; behind it, for identical bytes, others of the same size, which may do as well where it falls."""
    evidence: Evidence
    listed: tuple[str, bytes] | None = None
    """Path and digest of a witness that a catalog lists, for identical bytes: it cannot be read itself."""
    is_same_data: bool = False
    """True where the claim rests on equal image data."""


class Look(NamedTuple):
    """What the second look gave."""

    witness: str | None
    """Path of what proves the needle; None where nothing does."""
    evidence: Evidence | None
    """None where nothing is left of the claim."""
    reason: Reason | None = None
    """Why it is weaker than claimed; None when it is not."""
    failure: str | None = None
    """Why nothing is left; None where the claim holds, or a weaker one does."""


class _Doubt(Exception):  # noqa: N818 - a doubt is an answer, not an error
    """The claim does not hold; the text is for the user."""


class Views(NamedTuple):
    """In which orientations a needle is looked at, and which of them a scan takes."""

    orientations: int = ORIENTATIONS
    algorithm: str = "phash"
    threshold_bits: int = HASH_BITS


_ALL_VIEWS = Views()


def reverify_all(run: Reading, claims: Sequence[Claim]) -> Iterator[tuple[Claim, Look]]:
    """Yield what looking at each claim again gave, past the cache, in the order in which they are done."""
    settings, scan = run.settings, run.settings.scan
    task = partial(
        reverify,
        max_pixels=settings.max_pixels,
        timeout_seconds=settings.timeout_seconds,
        views=Views(ORIENTATIONS if scan.rotations else 1, scan.algorithm, scan.threshold_bits),
    )
    unread = partial(_unread, timeout_seconds=settings.timeout_seconds)
    return run.reader.map("reading witnesses again", task, claims, unread, _size_bytes)


def _size_bytes(claim: Claim) -> int:
    return 2 * claim.needle.size_bytes


def _unread(claim: Claim, death: Death, timeout_seconds: float) -> Look:
    """Give the outcome for a claim whose reader died."""
    is_decoded = claim.evidence is not Evidence.IDENTICAL
    reason = lost(death, timeout_seconds).reason if is_decoded else death.reason
    return Look(None, None, failure=f"its witness could not be read again: {reason}")


def reverify(
    claims: Sequence[Claim], max_pixels: int, timeout_seconds: float, *, views: Views = _ALL_VIEWS
) -> list[Look]:
    """Look at each claim again."""

    def look(claim: Claim) -> Look:
        try:
            if claim.evidence is Evidence.IDENTICAL:
                return _compare_bytes(claim)
            if claim.is_same_data:
                return _compare_image_data(claim, max_pixels, timeout_seconds)
            return _Pair(claim, max_pixels, timeout_seconds, views).look()
        except _Doubt as doubt:
            return Look(None, None, failure=str(doubt))
        except ReadError as error:  # of the needle: those of a witness are told of as such where they come up
            return Look(None, None, failure=f"it could not be read again: {error.failure.reason}")

    return [look(claim) for claim in claims]


def _compare_bytes(claim: Claim) -> Look:
    """Return the first witness that has every byte of the needle."""
    doubts = []
    with opened(claim.needle, SECOND_LOOK) as needle:
        for witness in claim.witnesses:
            try:
                with opened(witness, SECOND_LOOK) as file:
                    is_equal = _is_equal(needle, file, claim.needle.size_bytes)
            except ReadError as error:
                doubts.append(f"its witness could not be read again: {error.failure.reason}")
                continue
            if is_equal:
                return Look(witness.path, Evidence.IDENTICAL)
            doubts.append("its witness no longer has the same bytes")
        if claim.listed is not None:
            path, digest_listed = claim.listed
            if _digest_again(needle, claim.needle.size_bytes) == digest_listed:
                return Look(path, Evidence.IDENTICAL)
            doubts.append("it no longer has the bytes that the catalog lists")
    return Look(None, None, failure=doubts[0])


def _compare_image_data(claim: Claim, max_pixels: int, timeout_seconds: float) -> Look:
    """Digest the image data of both files again."""
    from dupfind.pool.film_digests import read_film_data
    from dupfind.pool.tasks import read_image_data

    witness = claim.witnesses[0]
    both = [claim.needle, witness]
    if formats.is_film_name(claim.needle.path):
        outcomes = read_film_data(both, timeout_seconds, _forget)
        digests = [_film_digest(outcome.result) for outcome in outcomes]
    else:
        outcomes = read_image_data(both, max_pixels, timeout_seconds, _forget)
        digests = [outcome.result for outcome in outcomes]
    for whose, digest in zip(("it", "its witness"), digests, strict=True):
        if isinstance(digest, Failure):
            raise _Doubt(f"{whose} could not be read again: {digest.reason}")
    if not digests[0] or digests[0] != digests[1]:
        raise _Doubt("read again, it and its witness have other image data")
    return Look(witness.path, Evidence.SAME)


def _film_digest(result: Thumbnail | bytes | Failure) -> Thumbnail | bytes | Failure:
    """Return the digest in what was read of a film, empty where there is none."""
    from dupfind.pool.film_digests import unpacked

    return (unpacked(result).digest or b"") if isinstance(result, bytes) else result


def _digest_again(needle: IO[bytes], size_bytes: int) -> bytes | None:
    """Return the digest of a needle as it is on the disk; None where it is of another length."""
    from dupfind.digest import digest

    _forget(needle)
    needle.seek(0)
    try:
        value, length_bytes = digest(needle)
    except OSError as error:
        raise _Doubt(f"it could not be read again: {unreadable(error, SECOND_LOOK).reason}") from None
    return value if length_bytes == size_bytes else None


def _is_equal(needle: IO[bytes], witness: IO[bytes], size_bytes: int) -> bool:
    """Tell whether the two hold the same ``size_bytes`` bytes."""
    _forget(needle)
    _forget(witness)
    needle.seek(0)
    compared_bytes = 0
    while True:
        try:
            block = needle.read(_BLOCK_BYTES)
        except OSError as error:
            raise _Doubt(f"it could not be read again: {unreadable(error, SECOND_LOOK).reason}") from None
        if block != witness.read(_BLOCK_BYTES):
            return False
        if not block:
            return compared_bytes == size_bytes
        compared_bytes += len(block)


def _forget(file: IO[bytes]) -> None:
    """Ask the system to read from the disk, where it can be asked, and not from its memory of the first time."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # advice only
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class _Pair:
    """A needle and its witness, both pictures, decoded afresh."""

    def __init__(self, claim: Claim, max_pixels: int, timeout_seconds: float, views: Views) -> None:
        self._claim = claim
        self._views = views
        self._max_pixels = max_pixels
        self._timeout_seconds = timeout_seconds

    def look(self) -> Look:
        """Judge the two as a scan does, and at full size where that finds them the same."""
        claim, witness = self._claim, self._claim.witnesses[0]
        with opened(claim.needle, SECOND_LOOK) as needle_file:
            try:
                with opened(witness, SECOND_LOOK) as witness_file:
                    _forget(needle_file)
                    _forget(witness_file)
                    judgement = self._judge((needle_file, witness_file))
            except ReadError as error:
                raise _Doubt(f"its witness could not be read again: {error.failure.reason}") from None
        if judgement.evidence is None:
            raise _Doubt("decoded again, it and its witness are unlike each other")
        return Look(witness.path, judgement.evidence, judgement.reason)

    def _judge(self, files: tuple[IO[bytes], IO[bytes]]) -> Judgement:
        """Judge the best view of the two, and compare them at full size where that is `same`."""
        from dupfind.evidence import evidence, fingerprint
        from dupfind.matching.views import Turned, best_view, views_of
        from dupfind.pictures import decode

        entries = self._claim.needle, self._claim.witnesses[0]
        thumbnails = [
            self._decode(entry, partial(decode.read_thumbnail, file, entry.path, self._max_pixels))
            for file, entry in zip(files, entries, strict=True)
        ]
        algorithm, orientations = self._views.algorithm, self._views.orientations
        hashes, (witness_hash,) = (
            fingerprint.search_hashes(fingerprint.pixels(thumbnail.pixels), algorithm, count)
            for thumbnail, count in zip(thumbnails, (orientations, 1), strict=True)
        )
        views = views_of(Turned(thumbnails[0]), hashes, evidence.prepare(thumbnails[1]), witness_hash)
        view = best_view(views, self._views.threshold_bits)
        if view.grade is not Evidence.SAME or self._claim.evidence is not Evidence.SAME:
            return view.judgement
        pair = pair_of((entries[0], thumbnails[0]), (entries[1], thumbnails[1]), view.orientation)
        objection = Comparer(self._max_pixels, self._timeout_seconds, is_afresh=True).compare(pair).objection
        if objection is None:
            return view.judgement
        if objection.code == ReasonCode.NOT_COMPARED:
            raise _Doubt(f"it and its witness could not be compared at full size: {objection.facts[0]}")
        return evidence.Judgement(Evidence.SIMILAR, objection, view.judgement.tests)

    def _decode(self, entry: FileEntry, read: Callable[[], T]) -> T:
        """Return what ``read`` makes of the file of ``entry``; raises :class:`_Doubt` where it makes nothing."""
        try:
            with TimeLimit(self._timeout_seconds) as limit, limit.each():
                return read()
        except NoMemoryError as error:
            raise MemoryError(str(error)) from None
        except (NotAPictureError, UndecodableError) as error:
            reason = str(error)
        except TimeoutError:
            reason = timed_out(self._timeout_seconds).reason
        whose = "it" if entry.path == self._claim.needle.path else "its witness"
        raise _Doubt(f"{whose} could not be read again: {reason}")
