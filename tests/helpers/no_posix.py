"""A Python without what only POSIX has, for every process that is started with it, so for workers too.

:func:`take_away` gives a folder for PYTHONPATH whose ``sitecustomize`` takes it away at the start, from everything.
:func:`hide` takes it away from the program alone, so that the suite, whose own tools need POSIX, runs over it as well:
``python -m tests.helpers.no_posix [--take NAMES] [ARGUMENTS OF PYTEST]``.
"""

from __future__ import annotations

import argparse
import os
import re
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
_TIMERS = "the timer within a process is one of POSIX; without it the process is ended"
_OWNERS = "owners and groups are those of POSIX"
_SERVERS = "without fork there is no server: each worker is started by the program itself"
_PIPES = "where files cannot be opened without waiting (Windows), no folder can hold a named pipe"
BY_NATURE: dict[str, str] = {
    **dict.fromkeys(
        (
            "acting", "cleaning.py", "cli_clean.py", "cli_import.py", "importing.py", "journal.py", "places.py",
            "review_acts.py", "stopped", "takeout_times.py", "transfer.py", "trash.py", "undo_of_drives.py",
            "api.py::test_(import_and_clean_act|a_signal_ends_acting|decisions_are_made_kept|acting_in_a_thread)",
            r"buckets.py::test_other_commands_refuse\[import", r"doctests.py::.*\[dupfind.api\]",
            "cli_config.py::test_(consent|what_is_set_aside|the_place_that)_.*typed",
            r"exit_codes.py::test_(each_command_gives_each_of_its_codes\[clean 0\]|clean_of_what_has_lost_its_witness)",
            "real_cards.py::test_(a_card_with_exfat_is_cleaned|nothing_is_moved|a_drive_is_cleaned|a_whole_drive)",
            "real_mounts.py::test_nothing_is_written_to_a_root_by_another_mount",
        ),
        _ACTS,
    ),
    **dict.fromkeys(
        (
            "memory_limit.py", "doctor.py::test_too_little_of_everything",
            "processes.py::test_workers_leave_no_core_file",
        ),
        _LIMITS,
    ),
    **dict.fromkeys(
        (
            "permissions.py", "cli_config.py::test_nobody_else_may_write", "no_posix.py::test_a_group_that",
            "disregarded.py::test_one_(that_others_may_have_written|of_another_user)_is_not_obeyed",
        ),
        _OWNERS,
    ),
    **dict.fromkeys(
        (
            "exact_hashes.py::test_a_time_limit", "reverify.py::test_the_limits_hold", "time_limit.py",
            "tasks.py::test_(soft_time_limit|the_time_limit_leaves_nothing)",
        ),
        _TIMERS,
    ),
    **dict.fromkeys(
        (
            r"moving_world.py::.*\bbecome_a_pipe\b",
            r"tasks.py::test_(replaced_by_what_is_no_file\[named pipe|a_named_pipe_is_no_empty_file\[digest)",
        ),
        _PIPES,
    ),
    **dict.fromkeys(
        (
            "cluster.py::test_tasks_for_this_machine", "process_executor.py::test_a_worker_that_dies_while_it_starts",
            "launch.py::test_(no_python_to_be_started|the_server_ends|who_is_forked|last_words_outlive)",
        ),
        _SERVERS,
    ),
    **dict.fromkeys(
        (
            "room.py::test_sizes_that_are_made_up", "real_mounts.py::test_the_size_is_that_of_what_holds_the_file",
            r"real_mounts.py::test_copies_on_another_machine_by_sshfs\[me@far-present",
        ),
        "without statvfs nothing tells two file systems apart, so that what may be one file is taken for one",
    ),
    "cli_review.py::test_where_there_is_a_display": "what is hidden has a system of its own: neither macOS nor Windows",
    **dict.fromkeys(
        ("forking.py", "look_ahead.py", "small_files.py"),
        "without fork, or handles of folders, there is no second process, and one does all",
    ),
    "final_check.py::test_a_folder_that_is_as_it_was": "without handles of folders each is listed anew",
    "private_folder.py": "without locks nothing is removed that another run has left",
    "reverify.py::test_the_disk_is_asked": "only POSIX can tell the system to forget what it remembers of a file",
    "stopwatch.py::test_(since_the_start|the_start_is)": "only Linux tells when a process began",
    "volumes.py::test_a_file_system_is_asked_itself": "only Linux has that question to a file system",
}  # fmt: skip
"""By a pattern for the beginning of their names, why tests are about POSIX itself: nothing to try without it."""


def why_by_nature(name: str) -> str | None:
    """Return why a test, ``tests/test_a.py::test_b[c]``, has nothing to try; None for nearly all."""
    return next((why for start, why in BY_NATURE.items() if re.match(f"tests/test_{start}", name)), None)


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
