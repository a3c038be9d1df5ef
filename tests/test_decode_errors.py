"""What decoders raise, in two classes: broken files, want of memory, and mistakes of our own told apart."""

from __future__ import annotations

import errno
import json
import struct
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, UnidentifiedImageError

from dupfind import memory_limit
from dupfind.errors import NoMemoryError, NotAPictureError, UndecodableError
from dupfind.pictures import containers, decode, decode_errors


def meet(raise_it: Callable[[], Any], size_pixels: int = 0) -> Exception:
    """The error that comes out."""
    with (
        pytest.raises((NotAPictureError, UndecodableError)) as caught,
        decode_errors.in_plain_words(lambda: size_pixels),
    ):
        raise_it()
    return caught.value


def fail(error: BaseException) -> Callable[[], None]:
    """Raise it, from outside of the package."""

    def raise_it() -> None:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("error", "text", "lasting"),
    [
        (OSError("broken data stream (15 bytes\nleft)"), "cannot be decoded: broken data stream", True),
        (OSError(errno.EIO, "Input/output error"), "cannot be decoded: [Errno 5] Input/output error", False),
        (OSError(errno.EINVAL, "Invalid argument"), "cannot be decoded: [Errno 22] Invalid argument", True),
        (SyntaxError("not a TIFF"), "cannot be decoded: not a TIFF", True),
        (struct.error("unpack"), "cannot be decoded: unpack", True),
        (KeyError(), "cannot be decoded: KeyError", True),
        (MemoryError(), "not enough memory to decode it", False),
    ],
)
def test_the_words(error: Exception, text: str, lasting: bool) -> None:
    """One line, and whether it is for ever."""
    found = meet(fail(error))
    assert isinstance(found, UndecodableError)
    assert (text, lasting) == (str(found), found.lasting)


def test_no_picture() -> None:
    """What Pillow does not know is none."""
    assert isinstance(meet(fail(UnidentifiedImageError("x"))), NotAPictureError)


def test_panics() -> None:
    """What Rust raises is no Exception; anything else of that kind is not ours to catch."""
    panic = type("PanicException", (BaseException,), {})
    assert "cannot be decoded: its decoder panicked: index out of bounds" == str(
        meet(fail(panic("index out of bounds")))
    )
    with pytest.raises(KeyboardInterrupt), decode_errors.in_plain_words(lambda: 0):
        raise KeyboardInterrupt


def test_a_mistake_of_our_own_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last line that ran is of this package: not the file's fault, and not kept for ever."""
    found = meet(lambda: decode.read_full_size(None, "a", 1, (1, 1)))  # type: ignore[arg-type]
    assert isinstance(found, UndecodableError)
    assert str(found).startswith("a fault of dupfind in raw.py:")
    assert "AttributeError" in str(found)
    assert not found.lasting
    monkeypatch.setattr(containers, "_LOOKS", {})
    assert "cannot be decoded: Expecting value: line 1 column 1" == str(meet(lambda: json.loads("")))


def test_warnings_are_not_heard() -> None:
    """Not of the decoder, and not of the header that is read again."""

    def warn() -> int:
        warnings.warn("loud", stacklevel=1)
        return 0

    assert "cannot be decoded: ValueError" == str(meet(lambda: fail(ValueError())() if warn() == 0 else None))
    with pytest.raises(UndecodableError), decode_errors.in_plain_words(warn):
        fail(ValueError())()


@pytest.mark.skipif(not memory_limit.IS_HELD, reason="this system does not limit the memory of a process")
def test_decoders_that_do_not_say_that_memory_was_short() -> None:
    """Where the header promises more than fits, a failure may be due to that, and says so."""
    with memory_limit.held(4 << 30):
        small, large = (meet(fail(OSError("broken")), size) for size in (10**6, 10**9))
        refused = meet(fail(UndecodableError("larger than allowed", lasting=False)), 10**9)
    assert ("cannot be decoded: broken", False) == (str(small), isinstance(small, NoMemoryError))
    assert "cannot be decoded: broken; or not enough memory to decode it" == str(large)
    assert isinstance(large, NoMemoryError)
    assert ("larger than allowed", False) == (str(refused), isinstance(refused, NoMemoryError))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "AVIF", "HEIF", "TIFF"])
def test_the_size_is_read_of_the_header(kind: str) -> None:
    """Of files of which nothing else can be read."""
    import io

    file = io.BytesIO()
    Image.new("RGB", (640, 480)).save(file, kind)
    assert 640 * 480 == decode._size_pixels(file)
    assert 0 == decode._size_pixels(io.BytesIO(b"text"))
