"""Archives made in memory, sound ones and others."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Files = Mapping[str, bytes]
MOMENT = (2020, 2, 3, 4, 5, 6)


def zipped(files: Files, method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    """A ZIP as Python writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), data, method)
        archive.comment = comment
    return out.getvalue()


def streamed(files: Files) -> bytes:
    """A ZIP whose members have their sizes behind them, as programs write it that cannot go back."""

    class Pipe(io.RawIOBase):
        """Takes bytes in order."""

        data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(data)  # type: ignore[arg-type]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), data, zipfile.ZIP_DEFLATED)
    return pipe.data


def zip64(files: Files) -> bytes:
    """A ZIP with the records of 64 bits, though it is small."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            with archive.open(zipfile.ZipInfo(name, MOMENT), "w", force_zip64=True) as file:
                file.write(data)
    data, count = out.getvalue(), len(files)
    end = data.rindex(b"PK\5\6")
    size, place = struct.unpack_from("<II", data, end + 12)
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, place)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    return (
        data[:end] + record + locator + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    )


def tarred(files: Files, mode: str = "", form: int = tarfile.PAX_FORMAT, more: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """A TAR as Python writes it; ``mode`` is ``gz``, ``bz2``, ``xz`` or nothing."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{mode}", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_500_000_000
            archive.addfile(info, io.BytesIO(data))
        for info in more:
            archive.addfile(info)
    return out.getvalue()


def special(name: str, type_: bytes, target: str = "") -> tarfile.TarInfo:
    """A link, a device, a pipe."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type_, target
    return info


PACKERS: Mapping[str, Callable[[Files], bytes]] = {
    "zip": zipped,
    "deflated.zip": lambda files: zipped(files, zipfile.ZIP_DEFLATED),
    "streamed.zip": streamed,
    "64.zip": zip64,
    "tar": tarred,
    "gnu.tar": lambda files: tarred(files, form=tarfile.GNU_FORMAT),
    "tar.gz": lambda files: tarred(files, "gz"),
    "tar.bz2": lambda files: tarred(files, "bz2"),
    "txz": lambda files: tarred(files, "xz"),
}
"""By the end of the name."""


@dataclass
class RawMember:
    """A member of a ZIP of which each header may say anything."""

    name: bytes
    data: bytes
    method: int = 0
    flags: int = 0
    host: int = 3
    attributes: int = 0
    local_name: bytes | None = None
    local_method: int | None = None
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    extra: bytes = b""
    before: bytes = b""


def raw_zip(*members: RawMember, prefix: bytes = b"", suffix: bytes = b"", count: int | None = None) -> bytes:
    """A ZIP written by hand."""
    out, directory = prefix, b""
    for member in members:
        packed = member.packed
        if packed is None:
            packed = member.data
            if member.method == zipfile.ZIP_DEFLATED:
                packer = zlib.compressobj(9, zlib.DEFLATED, -15)
                packed = packer.compress(member.data) + packer.flush()
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        size = len(member.data) if member.size is None else member.size
        name = member.name if member.local_name is None else member.local_name
        method = member.method if member.local_method is None else member.local_method
        out += member.before
        start = len(out)
        sizes = crc, len(packed), size
        out += (
            struct.pack("<4s5H3I2H", b"PK\3\4", 20, member.flags, method, 0, 33, *sizes, len(name), 0) + name + packed
        )
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\1\2", member.host << 8 | 20, 20, member.flags, member.method, 0, 33, *sizes,
            len(member.name), len(member.extra), 0, 0, 0, member.attributes, start,
        )  # fmt: skip
        directory += member.name + member.extra
    number = len(members) if count is None else count
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, number, number, len(directory), len(out), 0)
    return out + directory + end + suffix
