"""What each type of file system keeps of a file, and which of them show files that lie elsewhere: one table.

A file that is met by two protocols is one file. Which of its times may be compared then, and how exactly, depends on
what both file systems keep. Pure: knows types by their names, as ``/proc/self/mountinfo`` writes them, and no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

QUARTER_NS, TICK_NS, _DAY_AND_MORE_NS = 900 * 10**9, 2 * 10**9, 26 * 3600 * 10**9
"""FAT keeps local time to two seconds: in another zone, or in summer, its times are off by quarters of an hour."""
_SPAN_NS, _STEP_NS = _DAY_AND_MORE_NS + 3600 * 10**9, 3 * 10**9
"""Of the keys by which times are looked up that may be one: longer than any two of those are apart, and a step of a
quarter of an hour that is longer than :data:`TICK_NS`."""
_TENTH_OF_MICROSECOND_NS, _CENTISECOND_NS, _SECOND_NS = 100, 10**7, 10**9


class FileSystem(NamedTuple):
    """What a type of file system keeps and tells."""

    reason: str
    """Why it stands in the table as it does, with the source."""
    keeps_change_time: bool = True
    """False where ``st_ctime`` is another name for the time of modification, so that an edit may leave no trace."""
    keeps_numbers: bool = True
    """False where the inode number of a file may be another one next time."""
    shows_others: bool = False
    """True for what shows files of other file systems: shares, pools, layers."""
    is_remote: bool = False
    """True for what shows files of another machine, as a rule."""
    is_device: bool = False
    """True for what shows files that can lie on no disk of this machine."""
    is_vague: bool = False
    """True where nobody knows what becomes of the times on the way."""
    tells_whole_space: bool = False
    """True where the numbers of statvfs are those of the file system that holds the file, and not those of a quota."""
    clock_ns: int = 1
    """The step of the time of modification."""
    ignores_case: bool = False
    joins_folders: bool = False
    """True where the times of a folder may be those of one of several folders that are shown as one."""


_FAT = "FAT has one field for both times, local time in steps of two seconds (Linux fs/fat/misc.c, fat_truncate_time)"
_EXFAT = "exFAT has no time of change (Microsoft's specification, 7.4); Linux shows the time of modification"
_EXFAT_FUSE = f"{_EXFAT}, and so does exfat-fuse (libexfat/utils.c, exfat_stat), in whole seconds"
_NTFS = "NTFS keeps both, in steps of 100 ns, and its own numbers (ntfs-3g libntfs-3g: last_mft_change_time, mft_no)"
_SMB = "Samba shows the time of modification as that of change (get_change_timespec; Samba's bug 10883, open in 2024)"
_SSHFS = "SFTP, version 3, has whole seconds and no time of change (sshfs.c: st_ctime = st_mtime = mtime)"
_RCLONE = "rclone shows the time of modification as both (cmd/mount/file.go); some remotes have none at all"
_GVFS = "times are what each back end has: many have no time of change, and some none at all (FTP, MTP, WebDAV)"
_DAV = "WebDAV has one time, in whole seconds (RFC 4918, getlastmodified); davfs2 shows it as all three"
_CLOUD = "objects have one time, if any; the program behind FUSE shows it as all three"
_DEVICE = "telephones and cameras tell one time, if any (MTP, PTP, AFC), and are plugged in: they hold no file of ours"
_GUEST = "times are what the host says, whatever that is (Linux fs/vboxsf/utils.c); numbers are made up by the guest"
_PASSED_ON = "hands on what the file systems below say, with numbers of its own"
_UNKNOWN_FUSE = "anything may be behind FUSE; numbers are made up unless a program asks for others (fuse(8), use_ino)"

LOCAL = FileSystem("keeps what POSIX asks for", tells_whole_space=True)
_FUSE = FileSystem(
    _UNKNOWN_FUSE, keeps_change_time=False, keeps_numbers=False, shows_others=True, is_vague=True,
    clock_ns=2 * _SECOND_NS, joins_folders=True,
)  # fmt: skip
_FORGETFUL = FileSystem(_FAT, keeps_change_time=False, keeps_numbers=False, ignores_case=True, tells_whole_space=True)
_SHARE = _FORGETFUL._replace(shows_others=True, is_remote=True, tells_whole_space=False, clock_ns=2 * _SECOND_NS)
_LAYER = FileSystem(_PASSED_ON, keeps_numbers=False, shows_others=True)
_POOL = _LAYER._replace(joins_folders=True)
_NFS = FileSystem(
    "NFS has all three as the server has them (RFC 1813, fattr3)",
    shows_others=True, is_remote=True, tells_whole_space=True,
)  # fmt: skip

TABLE = {
    "msdos": _FORGETFUL._replace(clock_ns=2 * _SECOND_NS),
    "vfat": _FORGETFUL._replace(clock_ns=2 * _SECOND_NS),
    "exfat": _FORGETFUL._replace(reason=_EXFAT, clock_ns=_CENTISECOND_NS),
    "fuse.exfat": _FORGETFUL._replace(reason=_EXFAT_FUSE, clock_ns=2 * _SECOND_NS, joins_folders=True),
    "fuseblk": _FORGETFUL._replace(reason=f"exfat-fuse or ntfs-3g, and nothing tells which. {_EXFAT_FUSE}",
                                   clock_ns=2 * _SECOND_NS),
    "ntfs": LOCAL._replace(reason=_NTFS, clock_ns=_TENTH_OF_MICROSECOND_NS),
    "ntfs3": LOCAL._replace(reason=_NTFS, clock_ns=_TENTH_OF_MICROSECOND_NS),
    "ntfs-3g": LOCAL._replace(reason=_NTFS, clock_ns=_TENTH_OF_MICROSECOND_NS),
    "cifs": _SHARE._replace(reason=_SMB),
    "smb3": _SHARE._replace(reason=_SMB),
    "smbfs": _SHARE._replace(reason=_SMB),
    "afs": _SHARE._replace(reason="AFS keeps the time of modification only, in seconds (Linux fs/afs/inode.c)",
                           ignores_case=False),
    "vboxsf": _SHARE._replace(reason=_GUEST),
    "prl_fs": _SHARE._replace(reason=_GUEST, is_vague=True),
    "vmhgfs": _SHARE._replace(reason=_GUEST, is_vague=True),
    "davfs": _FUSE._replace(reason=_DAV, is_remote=True),
    "fuse": _FUSE,
    "fuse.sshfs": _FUSE._replace(reason=_SSHFS, is_remote=True, is_vague=False, tells_whole_space=True,
                                 clock_ns=_SECOND_NS),
    "fuse.rclone": _FUSE._replace(reason=_RCLONE, is_remote=True),
    "fuse.gvfsd-fuse": _FUSE._replace(reason=_GVFS, is_remote=True),
    "fuse.vmhgfs-fuse": _FUSE._replace(reason=_GUEST, is_remote=True),
    "fuse.bindfs": _POOL,
    "fuse.glusterfs": _POOL,
    "fuse.gocryptfs": _POOL,
    "fuse.mergerfs": _POOL,
    "aufs": _POOL,
    "overlay": _LAYER,
    "ecryptfs": _LAYER._replace(keeps_numbers=True),
    "9p": _LAYER._replace(reason="9P2000.L has all times as the server has them (Linux net/9p, p9_stat_dotl)"),
    "virtiofs": _LAYER._replace(reason=_PASSED_ON.partition(",")[0], keeps_numbers=True),
    "ceph": LOCAL._replace(reason="numbers are not those of another client, as far as is known", keeps_numbers=False),
    "nfs": _NFS,
    "nfs4": _NFS,
    **dict.fromkeys(
        ("fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.blobfuse2", "fuse.google-drive-ocamlfuse", "fuse.onedriver",
         "fuse.curlftpfs"),
        _FUSE._replace(reason=_CLOUD, is_remote=True),
    ),
    **dict.fromkeys(
        ("fuse.jmtpfs", "fuse.simple-mtpfs", "fuse.go-mtpfs", "fuse.ifuse", "fuse.gphotofs"),
        _FUSE._replace(reason=_DEVICE, is_remote=True, is_device=True),
    ),
}  # fmt: skip
"""By type. What is not here and not behind FUSE is :data:`LOCAL`."""


def file_system(kind: str) -> FileSystem:
    """Return what the type ``kind`` keeps; an unknown one behind FUSE keeps nothing.

    >>> file_system("ext4").keeps_change_time, file_system("fuse.anything").keeps_change_time
    (True, False)
    """
    if kind in TABLE:
        return TABLE[kind]
    return _FUSE if kind.startswith("fuse.") else LOCAL


def is_one_time(mtime_ns: int, other_ns: int, clock_ns: int = TICK_NS) -> bool:
    """Tell whether two times of modification may be one, shown in steps of up to ``clock_ns``, and by FAT's clock.

    >>> is_one_time(10**18 + 999_999_999, 10**18), is_one_time(10**18 + 3 * 3600 * 10**9, 10**18)
    (True, True)
    >>> is_one_time(10**18 + 3 * 10**9, 10**18), is_one_time(10**18 + 10**9, 10**18, 10**9)
    (False, False)
    """
    apart_ns = abs(mtime_ns - other_ns)
    rest_ns = apart_ns % QUARTER_NS
    return apart_ns < _DAY_AND_MORE_NS + clock_ns and min(rest_ns, QUARTER_NS - rest_ns) < clock_ns


def time_key(mtime_ns: int) -> tuple[int, int]:
    """Return what to look a time up by: :func:`keys_near` of a time that may be the same, to 3 seconds, has it."""
    return mtime_ns // _SPAN_NS, mtime_ns % QUARTER_NS // _STEP_NS


def keys_near(mtime_ns: int) -> Iterator[tuple[int, int]]:
    """Yield the nine keys of the times that :func:`is_one_time` may take for this one."""
    span, step = time_key(mtime_ns)
    for spans, steps in product((-1, 0, 1), repeat=2):
        yield span + spans, (step + steps) % (QUARTER_NS // _STEP_NS)
