"""A Python without what only POSIX has, for every process that is started with it, so for workers too.

:func:`take_away` gives a folder for PYTHONPATH whose ``sitecustomize`` takes it away at the start, from everything.
:func:`hide` takes it away from the program alone, so that the suite, whose own tools need POSIX, runs over it as well:
``python -m tests.helpers.no_posix [--take NAMES] [ARGUMENTS OF PYTEST]``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = "TESTS_WITHOUT_POSIX"
"""The variable of the environment that names what is hidden."""
_FORK_NAMES = ("fork", "forkpty", "register_at_fork", "posix_spawn", "posix_spawnp", "waitid")
_TIMER_NAMES = ("setitimer", "getitimer", "alarm", "SIGALRM", "ITIMER_REAL", "pthread_sigmask", "SIGHUP")
_MODULE_NAMES = ("resource", "fcntl", "grp", "pwd", "termios")
_USER_NAMES = (
    "geteuid", "getegid", "getgid", "chown", "fchown", "statvfs", "sysconf", "pread", "pwrite", "posix_fadvise",
    "posix_fallocate", "sched_getaffinity", "getxattr", "setxattr", "listxattr",
)  # fmt: skip
_HANDLE_NAMES = ("O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "O_PATH")
_SET_NAMES = ("supports_dir_fd", "supports_fd", "supports_follow_symlinks")
"""What these hold is asked for, so they are there, and empty."""
NAMES = {
    "fork": ("os", _FORK_NAMES),
    "timers": ("signal", _TIMER_NAMES),
    "modules": ("", _MODULE_NAMES),
    "users": ("os", _USER_NAMES),
    "handles": ("os", _HANDLE_NAMES),
}
"""What can be hidden: of which module, and what of it."""

_ACTS = "import, clean and undo are refused where folders cannot be held open: test_no_posix sees that"
_LIMITS = "the limit on memory is one of POSIX"
BY_NATURE: dict[str, str] = {
    **dict.fromkeys(
        (
            "acting", "cleaning.py", "cli_clean.py", "cli_import.py", "importing.py", "journal.py", "places.py",
            "review_acts.py", "stopped", "transfer.py", "trash.py", "undo_of_drives.py",
        ),
        _ACTS,
    ),
    "memory_limit.py": _LIMITS,
    "permissions.py": "owners and groups are those of POSIX",
    "time_limit.py": "the timer within a process is one of POSIX; without it the process is ended",
}  # fmt: skip
"""By the beginning of the names of tests, why they are about POSIX itself and have nothing to try without it."""


def why_by_nature(name: str) -> str | None:
    """Return why a test, ``tests/test_a.py::test_b[c]``, has nothing to try; None for nearly all."""
    return next((why for start, why in BY_NATURE.items() if name.startswith(f"tests/test_{start}")), None)


_FORK = f"""
for name in {_FORK_NAMES}:
    if hasattr(os, name):
        delattr(os, name)
"""
_TIMER = f"""
import signal, _signal
for name in {_TIMER_NAMES}:
    for module in (signal, _signal):
        if hasattr(module, name):
            delattr(module, name)
"""
_MODULES = f"""
for name in {_MODULE_NAMES}:
    sys.modules[name] = None
"""
_USERS = f"""
for name in {_USER_NAMES}:
    if hasattr(os, name):
        delattr(os, name)
"""
_HANDLES = f"""
for name in {_HANDLE_NAMES}:
    if hasattr(os, name):
        delattr(os, name)
for name in {_SET_NAMES}:
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


_HIDE = """
import builtins
import os
import sys
import types

HIDDEN, EMPTY, GONE = {hidden}, {empty}, {gone}
OTHER = {{("sys", "platform"): "neither Linux nor Windows"}} if GONE else {{}}
_import, _stand_ins = builtins.__import__, {{}}


class _StandIn(types.ModuleType):
    def __init__(self, module):
        types.ModuleType.__getattribute__(self, "__dict__")["_real"] = module

    def __getattribute__(self, name):
        if name == "__class__":
            return types.ModuleType
        own = types.ModuleType.__getattribute__(self, "__dict__")
        real = own["_real"]
        if name in HIDDEN.get(real.__name__, ()):
            raise AttributeError(f"module {{real.__name__!r}} has no attribute {{name!r}}")
        if (real.__name__, name) in OTHER:
            return OTHER[real.__name__, name]
        return set() if name in EMPTY and real is os else getattr(real, name)

    def __setattr__(self, name, value):
        setattr(types.ModuleType.__getattribute__(self, "__dict__")["_real"], name, value)

    def __delattr__(self, name):
        delattr(types.ModuleType.__getattribute__(self, "__dict__")["_real"], name)


def _without(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and globals and str(globals.get("__name__", "")).partition(".")[0] == "dupfind":
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        if name in HIDDEN or (name == "sys" and OTHER):
            return _stand_ins.setdefault(name, _StandIn(_import(name)))
    return _import(name, globals, locals, fromlist, level)


builtins.__import__ = _without
"""


def hide(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Write what hides these from modules of the program into ``folder``; gives the variables as :func:`take_away`."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(names)
    hidden: dict[str, tuple[str, ...]] = {}
    for module, of_module in map(NAMES.__getitem__, names):
        hidden[module] = hidden.get(module, ()) + of_module
    gone = hidden.pop("", ())
    code = _HIDE.format(hidden=hidden, empty=_SET_NAMES if "handles" in names else (), gone=gone)
    (folder / "sitecustomize.py").write_text(code)
    paths = [str(folder), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), HIDDEN: " ".join(names)}


def main() -> int:
    """Run pytest with all of it hidden, or with what ``--take`` names; gives its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--take", metavar="NAMES", default=",".join(NAMES), help="of " + ", ".join(NAMES))
    options, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | hide(Path(folder), options.take.split(","))
        return subprocess.call([sys.executable, "-m", "pytest", *rest], env=environment)


if __name__ == "__main__":
    sys.exit(main())
