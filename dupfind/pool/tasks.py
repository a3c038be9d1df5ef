"""Tasks on single files, as plain picklable functions that take a list and give a list.

They run in a worker process or anywhere else that an executor puts them. Each opens its file once, sees that it is the
file that the walk saw, before and after, and turns whatever goes wrong into a :class:`~dupfind.values.Failure`; but for
want of memory, which is raised as ``MemoryError``: who runs the tasks knows whether more can be had.
"""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO, Any, NamedTuple, TypeVar

from dupfind.errors import NoMemoryError, NotAPictureError, UndecodableError, reason_of
from dupfind.pool.processes import Death
from dupfind.pool.time_limit import TimeLimit
from dupfind.sources.entries import ChangedError, StoredEntry, open_entry, read_small
from dupfind.values import Failure, FileEntry, Thumbnail

T = TypeVar("T")

_SMALL_BYTES = 1 << 16
NO_IMAGE_DATA = b""
"""In the place of a digest: the file has none that could be relied on."""
_IMAGE_DATA = "image data"
_BLOCKS = (0x8769, 0x8825, 0xA005)
"""Of metadata: EXIF's own block, GPS, interoperability."""
_OTHER_FACTS = frozenset({"xmp", "XML:com.adobe.xmp", "photoshop", "icc_profile", "comment"})
"""Under what names Pillow keeps what is no EXIF; each counts as one fact."""


class ReadError(Exception):
    """A file that could not be read as the walk saw it; carries the failure to report."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Outcome(NamedTuple):
    """What reading one file gave, and when the reading began (``time.time_ns``)."""

    result: Thumbnail | bytes | Failure
    read_ns: int
    hashes: bytes | None = None
    """Of a thumbnail the search hashes, as :func:`hash_thumbnails` gives them, where they were asked for."""


class Hashing(NamedTuple):
    """Which search hashes are wanted."""

    algorithm: str
    orientations: int


class Bare(NamedTuple):
    """Allows thumbnails that are bare, but of what lies within the threshold of one of these hashes.

    Those are judged, and so measured at once. More may be judged than that, and is decoded again.
    """

    hashes: bytes = b""
    """Of the other side, in all orientations, 8 bytes each, the highest first."""
    algorithm: str = ""
    threshold_bits: int = 0
    is_gray: bool = False
    """Whether gray ones are enough, which take less and whose hashes may be off by some bits."""
    mirrored: bytes = b""
    """Hashes of the other side in the orientations that mirror it: within the threshold of those a bare one does."""


def decoders() -> tuple[str, str]:
    """Return what can alter a thumbnail: the number of our own way, and the versions of the decoders."""
    from dupfind.pictures import decode

    return str(decode.RECIPE), decode.versions()


def hashing() -> str:
    """Return what can alter a hash."""
    from dupfind.evidence import fingerprint

    return fingerprint.recipe()


def read_digests(entries: Sequence[FileEntry]) -> list[Outcome]:
    """Digest each file whole; a file that is no longer as the walk saw it gives a failure."""
    from dupfind.digest import digest, digest_blocks, digest_of

    def digest_whole(entry: FileEntry) -> bytes:
        if isinstance(entry, StoredEntry):
            with _as_failures("digest"):
                value, length_bytes = digest_blocks(entry.blocks())
        else:
            with opened(entry, "digest") as file:
                value, length_bytes = digest(file)
        if length_bytes != entry.size_bytes:
            raise ReadError(_changed("digest"))
        return value

    return [_read_small(entry, digest_of) or _outcome(partial(digest_whole, entry)) for entry in entries]


def read_thumbnails(
    entries: Sequence[FileEntry],
    max_pixels: int,
    timeout_seconds: float,
    *,
    may_be_coarse: bool = False,
    bare: Bare | None = None,
    hashing: Hashing | None = None,
) -> list[Outcome]:
    """Decode each picture to its thumbnail, to a coarse or bare one where that is allowed and faster, and hash it."""
    from dupfind.pictures import decode, formats

    def read(file: IO[bytes], entry: FileEntry) -> Thumbnail:
        return decode.read_thumbnail(
            file,
            entry.path,
            max_pixels,
            may_be_coarse=may_be_coarse,
            may_be_bare=may_be_bare,
            may_be_gray=may_be_gray,
        )

    def thumbnail_of(file: IO[bytes], entry: FileEntry) -> Thumbnail | Failure:
        return decoded(partial(read, file, entry), limit, timeout_seconds)

    def read_from_memory(entry: FileEntry) -> Thumbnail | None:
        content = read_small(entry)
        return None if content is None else read(io.BytesIO(content), entry)

    def of_small(entry: FileEntry) -> Outcome | None:
        """Read a small file at once: a decoder asks for it in pieces, back and forth. None as by :func:`read_small`."""
        if not 0 < entry.size_bytes <= formats.MOST_BARE_BYTES:
            return None
        read_ns = time.time_ns()
        result = decoded(partial(read_from_memory, entry), limit, timeout_seconds)
        return None if result is None else Outcome(result, read_ns)

    may_be_bare, may_be_gray = (None, None) if bare is None else _enough(bare)
    with TimeLimit(timeout_seconds) as limit:
        outcomes = [of_small(entry) or outcome_of(entry, thumbnail_of, "thumbnail") for entry in entries]
    return outcomes if hashing is None else _with_hashes(outcomes, hashing)


def _enough(bare: Bare) -> tuple[Callable[[bytes], bool], Callable[[bytes], bool] | None]:
    """Tell of the pixels of a thumbnail whether nothing will be judged by it, as far as that is known; and the same of
    those of a gray one, None where there is to be none.
    """
    import numpy as np

    from dupfind.evidence.fingerprint import is_near_any, may_search_gray, pixels

    hashes, mirrored = (np.frombuffer(packed, ">u8").astype(np.uint64) for packed in (bare.hashes, bare.mirrored))
    both = np.concatenate([hashes, mirrored])

    def is_enough(thumbnail: bytes) -> bool:
        return not bare.hashes or not is_near_any(pixels(thumbnail), bare.algorithm, hashes, bare.threshold_bits)

    def is_gray_enough(thumbnail: bytes) -> bool:
        return may_search_gray(pixels(thumbnail), both, bare.threshold_bits)

    return is_enough, is_gray_enough if bare.is_gray else None


def _with_hashes(outcomes: list[Outcome], hashing: Hashing) -> list[Outcome]:
    from dupfind.evidence.fingerprint import packed_hashes

    thumbnails = [outcome.result.pixels for outcome in outcomes if isinstance(outcome.result, Thumbnail)]
    hashes = iter(packed_hashes(thumbnails, *hashing))
    return [
        outcome._replace(hashes=next(hashes)) if isinstance(outcome.result, Thumbnail) else outcome
        for outcome in outcomes
    ]


def decoded(read: Callable[[], T], limit: TimeLimit, timeout_seconds: float) -> T | Failure:
    """Decode a file by ``read``, or say why that gives nothing.

    Raises ``MemoryError`` where memory is short: who runs the tasks knows whether more can be had.
    """
    try:
        with limit.each():
            return read()
    except NotAPictureError as error:
        return Failure(str(error), is_image=False)
    except NoMemoryError as error:
        raise MemoryError(str(error)) from None
    except UndecodableError as error:
        return Failure(str(error), lasting=error.lasting, stage=error.stage)
    except TimeoutError:
        return timed_out(timeout_seconds)


def read_image_data(
    entries: Sequence[FileEntry],
    max_pixels: int,
    timeout_seconds: float,
    prepare: Callable[[IO[bytes]], None] = lambda _: None,
) -> list[Outcome]:
    """Digest the image data of each file; ``prepare`` is told of each file before it is read."""
    from dupfind.pictures import decode, image_data

    def digest(file: IO[bytes]) -> bytes:
        with decode.in_plain_words(file):
            return image_data.read_digest(file, max_pixels) or NO_IMAGE_DATA

    def digest_of(file: IO[bytes], _: FileEntry) -> bytes | Failure:
        prepare(file)
        return decoded(partial(digest, file), limit, timeout_seconds)

    with TimeLimit(timeout_seconds) as limit:
        return [outcome_of(entry, digest_of, _IMAGE_DATA) for entry in entries]


def read_film(
    entry: FileEntry, read: Callable[[IO[bytes]], bytes | Failure], stage: str, timeout_seconds: float
) -> Outcome:
    """Return what ``read`` makes of one film in ``timeout_seconds``, which are more the longer the film is."""
    from dupfind.pictures import decode_errors

    def read_decoded(file: IO[bytes]) -> bytes | Failure:
        with decode_errors.in_plain_words(lambda: 0):  # no header tells how much memory a film takes
            return read(file)

    def read_in_time(file: IO[bytes], _: FileEntry) -> bytes | Failure:
        with TimeLimit(timeout_seconds) as limit:
            return decoded(partial(read_decoded, file), limit, timeout_seconds)

    return outcome_of(entry, read_in_time, stage)


def hash_thumbnails(pictures: Sequence[tuple[int, bytes]], algorithm: str, orientations: int) -> list[bytes]:
    """Hash each (id, thumbnail) in its first ``orientations`` to 64 bits, packed big-endian."""
    from dupfind.evidence.fingerprint import packed_hashes

    return packed_hashes([thumbnail for _, thumbnail in pictures], algorithm, orientations)


def count_tags(entries: Sequence[FileEntry], timeout_seconds: float) -> list[int]:
    """Return for each file the number of facts in its metadata: EXIF, GPS, IPTC, XMP. Nothing is decoded.

    What cannot be read holds none: the number only breaks ties.
    """
    from PIL import Image

    from dupfind.pictures import decode, formats

    assert decode.RECIPE  # whose import makes Pillow know HEIC
    Image.MAX_IMAGE_PIXELS = None  # nothing is decoded, whatever its size
    counts = []
    with TimeLimit(timeout_seconds) as limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for entry in entries:
            try:
                with (
                    limit.each(),
                    opened(entry, "metadata") as file,
                    Image.open(file, formats=formats.DECODED) as image,
                ):
                    exif = image.getexif()
                    of_blocks = sum(len(exif.get_ifd(block)) for block in _BLOCKS)
                    count = len(exif) + of_blocks + len(image.info.keys() & _OTHER_FACTS)
            except Exception:  # noqa: BLE001 - Pillow raises nearly every class there is on hostile files
                count = 0
            counts.append(count)
    return counts


def timed_out(seconds: float) -> Failure:
    """Make the failure of a picture that took longer than ``--timeout`` allows."""
    return Failure(f"decoding took longer than {seconds:g} s (--timeout)", is_image=False, lasting=False)


def lost(death: Death, timeout_seconds: float) -> Failure:
    """Give the failure of what a process was at that died: it took too long, or why the process died."""
    return timed_out(timeout_seconds) if death.is_late(timeout_seconds) else Failure(death.reason, lasting=False)


def _changed(stage: str) -> Failure:
    return Failure("changed while it was read", is_image=False, lasting=False, stage=stage)


def outcome_of(entry: FileEntry, read: Callable[[IO[bytes], FileEntry], Any], stage: str) -> Outcome:
    """Return what ``read`` makes of the opened file, or why it cannot be read as the walk saw it."""
    if entry.size_bytes == 0 and stage == "thumbnail":
        return Outcome(Failure("empty file", is_image=False), time.time_ns())

    def read_opened() -> Any:  # noqa: ANN401 - whatever reading gives
        with opened(entry, stage) as file:
            return read(file, entry)

    return _outcome(read_opened)


def _outcome(read: Callable[[], Any]) -> Outcome:
    """Give what ``read`` gives of one file, or why it gives nothing."""
    read_ns = time.time_ns()
    try:
        return Outcome(read(), read_ns)
    except ReadError as error:
        return Outcome(error.failure, read_ns)


def _read_small(entry: FileEntry, digest_of: Callable[[Sequence[bytes]], bytes]) -> Outcome | None:
    """Digest a small file, with as few calls of the system as can be: they take longer than the hash.

    None for other files, and where anything is not as usual.
    """
    if entry.size_bytes > _SMALL_BYTES:
        return None
    read_ns = time.time_ns()
    content = read_small(entry)
    return None if content is None else Outcome(digest_of([content]), read_ns)


@contextmanager
def opened(entry: FileEntry, stage: str) -> Iterator[IO[bytes]]:
    """Open the file of ``entry``; raises :class:`ReadError` where it is not, before or after, the one listed."""
    # Digests take large blocks, which need no second buffer.
    with _as_failures(stage), open_entry(entry, is_buffered=stage != "digest") as file:
        yield file


@contextmanager
def _as_failures(stage: str) -> Iterator[None]:
    """Make of what opening and reading raises a :class:`ReadError`."""
    try:
        yield
    except ChangedError:
        raise ReadError(_changed(stage)) from None
    except OSError as error:
        raise ReadError(unreadable(error, stage)) from None


def unreadable(error: OSError, stage: str) -> Failure:
    """Make the failure of a file that the system does not give."""
    return Failure(f"cannot be read: {reason_of(error)}", is_image=False, lasting=False, stage=stage)
