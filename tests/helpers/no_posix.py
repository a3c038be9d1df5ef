"""A Python without what only POSIX has: a folder for PYTHONPATH whose ``sitecustomize`` takes it away at the start.

It goes for every process that is started with it, so for workers too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_FORK = """
for name in ("fork", "forkpty", "register_at_fork", "posix_spawn", "posix_spawnp", "waitid"):
    if hasattr(os, name):
        delattr(os, name)
"""
_TIMER = """
import signal
for name in ("setitimer", "getitimer", "alarm", "SIGALRM", "ITIMER_REAL", "pthread_sigmask", "SIGHUP"):
    if hasattr(signal, name):
        delattr(signal, name)
import _signal
for name in ("setitimer", "alarm", "SIGALRM", "pthread_sigmask", "SIGHUP"):
    if hasattr(_signal, name):
        delattr(_signal, name)
"""
_MODULES = """
for name in ("resource", "fcntl", "grp", "pwd", "termios"):
    sys.modules[name] = None
"""
_USERS = """
for name in ("geteuid", "getegid", "getgid", "chown", "fchown", "statvfs", "sysconf", "pread", "pwrite",
             "posix_fadvise", "posix_fallocate", "sched_getaffinity", "getxattr", "setxattr", "listxattr"):
    if hasattr(os, name):
        delattr(os, name)
"""
_HANDLES = """
for name in ("O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "O_PATH"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks"):
    setattr(os, name, set())
"""
_INODES = """
def _without(status):
    fields, rest = list(status), status.__reduce__()[1][1]
    fields[1] = 0
    return os.stat_result(fields, rest)

def _wrapped(call):
    return lambda *words, **options: _without(call(*words, **options))

_scandir = os.scandir

class _Entry:
    def __init__(self, entry):
        self._entry = entry
        self.name, self.path = entry.name, entry.path
    def stat(self, **options):
        return _without(self._entry.stat(**options))
    def inode(self):
        return 0
    def __fspath__(self):
        return self.path
    def __getattr__(self, name):
        return getattr(self._entry, name)

class _Folder:
    def __init__(self, where="."):
        self._entries = _scandir(where)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self._entries.close()
    def close(self):
        self._entries.close()
    def __iter__(self):
        return self
    def __next__(self):
        return _Entry(next(self._entries))

os.scandir = _Folder
for name in ("stat", "lstat", "fstat"):
    setattr(os, name, _wrapped(getattr(os, name)))
"""
TAKEN = {
    "fork": _FORK,
    "timers": _TIMER,
    "modules": _MODULES,
    "users": _USERS,
    "handles": _HANDLES,
    "inodes": _INODES,
}
"""What can be taken away, and the code that does it."""


def take_away(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Write it into ``folder``; gives the variables of the environment by which Python starts without these."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text("import os\nimport sys\n" + "".join(TAKEN[name] for name in names))
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}
