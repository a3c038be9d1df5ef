"""Whether two entries are one file: nothing is a witness of itself, under whatever name it is met."""

from __future__ import annotations

import os

from dupfind.values import FileEntry


def is_itself(entry: FileEntry, needle: FileEntry) -> bool:
    """Whether a haystack entry is the needle by the same name, by a link, or by another mount.

    A hard link in another folder or under another name is a file of its own, as in a scan: deleting one leaves the
    other.
    """
    if entry.path == needle.path:
        return True
    if entry.inode != needle.inode or not entry.inode:
        return False
    real = os.path.realpath(entry.path)
    try:
        one, other = os.stat(real), os.stat(needle.path)
        is_same_folder = os.path.samefile(os.path.dirname(real), os.path.dirname(needle.path))
    except OSError:
        return True  # gone since it was walked: no witness either way
    if not os.path.samestat(one, other):  # another device, which may be another mount of the same one
        return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (other.st_size, other.st_mtime_ns, other.st_ctime_ns)
    is_same_name = is_same_folder and os.path.basename(real) == os.path.basename(needle.path)
    return one.st_nlink == 1 or is_same_name
