"""Whether two entries are one file: nothing is a witness of itself, under whatever name it is met."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dupfind.errors import SettingsError
from dupfind.files.disguise import is_disguised
from dupfind.files.mounts import renumbering_devices
from dupfind.files.roots import NamedFile
from dupfind.values import FileEntry


def apart(files: Sequence[NamedFile]) -> tuple[list[NamedFile], list[NamedFile]]:
    """The first of ``files`` and the others, each once, and those of the others that are the first one itself.

    Raises :class:`~dupfind.errors.SettingsError` where nothing is left to compare the first one with.
    """
    first, *others = files
    if not others:
        raise SettingsError(f"two files are needed at least: what is {first.given} to be compared with?")
    kept, left_out = {first.entry.path: first}, []
    for other in others:
        if is_itself(other.entry, first.entry):
            left_out.append(other)
        else:
            kept.setdefault(other.entry.path, other)
    if len(kept) == 1:
        raise SettingsError(f"there is nothing to compare {first.given} with but itself")
    return list(kept.values()), left_out


def is_itself(entry: FileEntry, needle: FileEntry) -> bool:
    """Whether a haystack entry is the needle by the same name, by a link, or by another mount.

    A hard link in another folder or under another name is a file of its own, as in a scan: deleting one leaves the
    other.
    """
    if entry.path == needle.path:
        return True
    if entry.size_bytes != needle.size_bytes:
        return False
    if entry.inode != needle.inode or not entry.inode:
        return entry[1:4] == needle[1:4] and is_disguised(entry.path, needle.path, renumbering_devices())
    real = os.path.realpath(entry.path)
    try:
        one, other = os.stat(real), os.stat(needle.path)
        is_same_folder = os.path.samefile(os.path.dirname(real), os.path.dirname(needle.path))
    except OSError:
        return True  # gone since it was walked: no witness either way
    if not os.path.samestat(one, other):  # another device, which may be another mount of the same one
        times = one.st_mtime_ns, one.st_ctime_ns
        return one.st_size == other.st_size and times == (other.st_mtime_ns, other.st_ctime_ns)
    is_same_name = is_same_folder and os.path.basename(real) == os.path.basename(needle.path)
    return one.st_nlink == 1 or is_same_name
