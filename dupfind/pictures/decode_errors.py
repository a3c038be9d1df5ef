"""Whatever a decoder raises, as one of two errors with words for the user.

Pillow raises nearly every class there is on hostile files, and so would a mistake of our own, which must not pass for
a broken file: where the error comes from tells them apart. Knows no formats and no pixels.
"""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from PIL import UnidentifiedImageError

from dupfind import memory_limit
from dupfind.errors import NoMemoryError, NotAPictureError, UndecodableError

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_PANIC = "PanicException"
"""What code in Rust raises for its own mistakes; no ``Exception``, and its class cannot be imported."""


@contextmanager
def in_plain_words(size_pixels: Callable[[], int]) -> Iterator[None]:
    """Raise :class:`NotAPictureError`, :class:`UndecodableError` or ``TimeoutError`` in the block, and nothing else.

    ``size_pixels`` tells the size that the header promises, 0 where it promises none: it is asked where a decode has
    failed and memory may have been short, which decoders do not always say.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with _in_two_classes():
                yield
        except UndecodableError as error:
            if error.lasting and memory_limit.may_be_short(size_pixels()):
                raise NoMemoryError(f"{error}; or not enough memory to decode it") from None
            raise


@contextmanager
def _in_two_classes() -> Iterator[None]:
    try:
        yield
    except (NotAPictureError, UndecodableError, TimeoutError):
        raise
    except UnidentifiedImageError:
        raise NotAPictureError("not a picture in a known format") from None
    except MemoryError:
        raise NoMemoryError("not enough memory to decode it") from None
    except OSError as error:
        # With an error number it is the disk that failed; a seek to where no file goes is the fault of the content.
        raise UndecodableError(_one_line(error), lasting=error.errno in (None, errno.EINVAL)) from None
    except Exception as error:
        if place := _own_place(error.__traceback__):
            raise UndecodableError(
                f"a fault of dupfind in {place}: {type(error).__name__}: {_words(error)}", lasting=False
            ) from error
        raise UndecodableError(_one_line(error)) from None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise UndecodableError(f"cannot be decoded: its decoder panicked: {_words(error)}") from None


def _own_place(traceback: TracebackType | None) -> str | None:
    """Tell where in this package an error was raised; None where it was raised elsewhere."""
    place = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        is_own = code.co_filename.startswith(_PACKAGE)
        place = f"{os.path.basename(code.co_filename)}:{traceback.tb_lineno}" if is_own else None
        traceback = traceback.tb_next
    return place


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()).partition(" (")[0]  # Pillow adds "(15 bytes not processed)"


def _one_line(error: Exception) -> str:
    return f"cannot be decoded: {_words(error) or type(error).__name__}"
