"""Real mounts for tests: sshfs without a network, exFAT by FUSE, loop devices, overlays, binds.

Every one is undone in all cases, and every command has a limit of time. What a machine does not allow skips the test
with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dupfind.sources.mounts import read_mounts

_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
_MOST_SECONDS = 20
_DROP_CACHES = "/proc/sys/vm/drop_caches"


def run(*command: str | Path) -> str:
    """Run a command that needs rights and tools; skips the test with what it says where it fails."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"there is no {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_MOST_SECONDS)
    if done.returncode:
        pytest.skip(f"{command[0]} is not allowed here: {done.stderr.strip() or done.returncode}")
    return done.stdout


class Rig:
    """Mounts things below a folder, and undoes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._undo: list[tuple[str | Path, ...]] = []

    def sshfs(self, source: Path | str, name: str, host: str = "me@far", options: Sequence[str] = ()) -> Path:
        """Show ``source`` at ``name``, served by SFTP over a pipe."""
        server = next(filter(os.path.exists, _SERVERS), None)
        if server is None or not os.path.exists("/dev/fuse"):
            pytest.skip("there is no SFTP server" if server is None else "there is no /dev/fuse")
        command = self._folder / "ssh"
        command.write_text(f"#!/bin/sh\nexec {server}\n")
        command.chmod(0o755)
        point = self._point(name)
        words = [f"ssh_command={command}", *options]
        run("sshfs", *(word for option in words for word in ("-o", option)), f"{host}:{source}", point)
        self._undo.append(("umount", "-l", point))
        return point

    def image(self, name: str, mebibytes: int, *make: str) -> Path:
        """A file with an empty file system in it, made by the command ``make``."""
        path = self._folder / name
        with path.open("wb") as file:
            file.truncate(mebibytes << 20)
        run(*make, path)
        return path

    def loop(self, image: Path, *, is_read_only: bool = False) -> str:
        """A block device that shows ``image``."""
        device = run("losetup", "-f", "--show", *(["-r"] if is_read_only else []), image).strip()
        self._undo.append(("losetup", "-d", device))
        return device

    def exfat(self, device: str, name: str, *options: str) -> Path:
        """Show an exFAT ``device`` at ``name``, by FUSE."""
        point = self._point(name)
        run("mount.exfat-fuse", *options, device, point)
        self._undo.append(("umount", "-l", point))
        return point

    def mount(self, name: str, *words: str | Path) -> Path:
        """Show something at ``name``; ``words`` are for the command."""
        point = self._point(name)
        run("mount", *words, point)
        self._undo.append(("umount", "-l", point))
        return point

    def close(self) -> None:
        """Undo everything, the last first."""
        while self._undo:
            subprocess.run(self._undo.pop(), capture_output=True, check=False, timeout=_MOST_SECONDS)

    def _point(self, name: str) -> Path:
        point = self._folder / name
        point.mkdir(parents=True, exist_ok=True)
        return point


def renumber(folder: Path) -> None:
    """Have the system forget the inode numbers on the mount of ``folder``; skips where that is not allowed."""
    before = folder.stat().st_ino
    for _ in range(10):
        os.sync()
        try:
            with open(_DROP_CACHES, "w", encoding="ascii") as file:
                file.write("2")
        except OSError as error:
            pytest.skip(f"the system's cache cannot be dropped: {error.strerror}")
        time.sleep(0.3)  # until the program behind FUSE has been told
        if folder.stat().st_ino != before:
            return
    pytest.skip("the system keeps the inode numbers")


def kind_of(folder: Path) -> str:
    """The type of file system that a folder lies on."""
    mount = read_mounts().around(str(folder.resolve()))
    return mount.kind if mount else ""
