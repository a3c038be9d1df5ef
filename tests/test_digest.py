"""Digest: BLAKE3 by its published vectors, whatever the length and however the bytes arrive."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind import digest as module
from dupfind.digest import DIGEST_BYTES, digest, digest_of, read_blocks

BLOCK_BYTES = module._BLOCK_BYTES

# The first 32 bytes of https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json,
# whose input is 0, 1, ... 250, 0, 1, ...
VECTORS = {
    0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
}


class Dribble(io.RawIOBase):
    """A file that gives a few bytes at a time, as a network may."""

    def __init__(self, content: bytes, step_bytes: int) -> None:
        super().__init__()
        self._rest, self._step_bytes = io.BytesIO(content), step_bytes

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Give no more than a step."""
        return self._rest.readinto(memoryview(buffer)[: self._step_bytes])


@pytest.mark.parametrize("length_bytes", VECTORS)
def test_published_vectors(length_bytes: int) -> None:
    """The digest is BLAKE3 with 32 bytes of output."""
    content = bytes(index % 251 for index in range(length_bytes))
    assert (bytes.fromhex(VECTORS[length_bytes]), length_bytes) == digest(io.BytesIO(content))


@pytest.mark.parametrize("length_bytes", [BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 7])
def test_block_bounds_do_not_show(length_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is digested alike however it is cut into blocks, and its length is counted whole."""
    content = (bytes(range(251)) * (length_bytes // 251 + 1))[:length_bytes]
    first = digest(io.BytesIO(content))
    monkeypatch.setattr(module, "_BLOCK_BYTES", length_bytes + 1)
    monkeypatch.setattr(module, "_SPARE", [])
    assert first == digest(io.BytesIO(content))
    assert (DIGEST_BYTES, length_bytes) == (len(first[0]), first[1])


def test_the_last_byte_counts() -> None:
    """Nothing beyond a block bound is forgotten, and what a buffer still holds of the block before is not read."""
    content = bytes(BLOCK_BYTES) + b"tail"
    others = [bytes(BLOCK_BYTES) + b"tai", bytes(BLOCK_BYTES) + b"taiL", b"\1" + content[1:], content + b"\0"]
    assert 5 == len({digest(io.BytesIO(one))[0] for one in [content, *others]})


@given(st.binary(max_size=300), st.integers(1, 40))
def test_short_reads_are_not_the_end(content: bytes, step_bytes: int) -> None:
    """A file that gives less than was asked for is read on to its end."""
    assert digest(io.BytesIO(content)) == digest(Dribble(content, step_bytes))  # type: ignore[arg-type]


def test_what_is_left_to_read_is_digested(tmp_path: Path) -> None:
    """The digest begins where the file stands, buffered or not."""
    path = tmp_path / "file"
    path.write_bytes(b"head" + b"tail")
    for buffering in (0, -1):
        with path.open("rb", buffering=buffering) as file:
            file.read(4)
            assert (*digest(io.BytesIO(b"tail")), b"") == (*digest(file), file.read())


def test_files_that_are_read_at_once_have_a_buffer_each() -> None:
    """A block is overwritten by the next one of its own file only, and buffers are used again."""
    contents = b"first" * 9, b"second" * 9
    spare = []
    for _ in range(2):
        files = [read_blocks(io.BytesIO(content)) for content in contents]
        blocks = [next(blocks) for blocks in files]
        assert list(contents) == [bytes(block) for block in blocks]
        for blocks in files:
            blocks.close()  # type: ignore[attr-defined]
        spare.append({id(buffer) for buffer in module._SPARE})
    assert spare[0] == spare[1]
    assert len(spare[0]) == len(module._SPARE) >= len(contents)


def test_a_failing_read_is_an_error() -> None:
    """Half a digest is none: the error goes to the caller."""

    class Broken(Dribble):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if count := super().readinto(buffer):
                return count
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        digest(Broken(b"abc", 2))  # type: ignore[arg-type]


def test_parts_are_digested_as_one() -> None:
    """Wherever the bytes are cut."""
    whole = bytes(number % 251 for number in range(1024))
    expected = bytes.fromhex(VECTORS[1024])
    assert [expected] * 3 == [digest_of(parts) for parts in ([whole], [whole[:1], b"", whole[1:]], iter([whole]))]
    assert bytes.fromhex(VECTORS[0]) == digest_of([])
