"""The one rule on files that were just written: a second change may carry the same times as the first; pure.

What is read of a file so soon after its last change serves the run that reads it and no other. The cache, the memory of
answers, the snapshots of `find` and catalogs all ask here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:  # numpy is loaded by who has arrays: a plain copy of the haystack needs none
    import numpy as np
    from numpy.typing import NDArray

RACY_NS = 2_000_000_000
"""How long after a change a second one may carry the same times: the coarsest clock of a file system, FAT's."""


@overload
def is_racy(ctime_ns: int, mtime_ns: int, inode: int, settled_ns: int, now_ns: int) -> bool: ...


@overload
def is_racy(
    ctime_ns: NDArray[np.int64], mtime_ns: NDArray[np.int64], inode: NDArray[np.uint64], settled_ns: int, now_ns: int
) -> NDArray[np.bool_]: ...


def is_racy(ctime_ns: Any, mtime_ns: Any, inode: Any, settled_ns: int, now_ns: int) -> Any:
    """Tell whether a file, or each of many in arrays, was changed after ``settled_ns``, or may have been.

    ``settled_ns`` is :data:`RACY_NS` before the reading began, ``now_ns`` not before it ended. The kernel sets ctime at
    every change, whatever mtime is set to afterwards, so an mtime in the future says nothing. A file system that has no
    inode numbers has no lasting time of change either.

    >>> [is_racy(ctime, ctime, 1, 8, 10) for ctime in (8, 9)], is_racy(5, 9, 1, 8, 10), is_racy(5, 11, 1, 8, 10)
    ([False, True], True, False)
    """
    return (ctime_ns > settled_ns) | ((mtime_ns > settled_ns) & (mtime_ns <= now_ns)) | (inode == 0)
