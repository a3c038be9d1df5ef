"""A disk that breaks at the nth call: the library that stands in for it, and the environment that puts it to work."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")


class Disk:
    """The disk under the files whose name holds ``name``. Raises RuntimeError where there is no C compiler."""

    def __init__(self, folder: Path, name: str) -> None:
        compiler = shutil.which("cc")
        if compiler is None or os.uname().sysname != "Linux":
            raise RuntimeError("no C compiler, or no Linux: the disk cannot be made to break")
        self._library = folder / "broken_disk.so"
        self._name = name
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self._library, _SOURCE, "-ldl"], check=True, capture_output=True
        )

    def counting(self, log: Path) -> dict[str, str]:
        """The environment in which a line is written to ``log`` for each call."""
        return {**self._preload(), "FAULT_LOG": str(log)}

    def killing(self, call: int) -> dict[str, str]:
        """The environment in which the process is killed in the midst of this call, counted from 1."""
        return {**self._preload(), "FAULT_CALL": str(call)}

    def failing(self, call: int, number: int, *, lasts: bool) -> dict[str, str]:
        """The environment in which this call fails with the error ``number``, and all later ones where it ``lasts``."""
        environment = {**self._preload(), "FAULT_CALL": str(call), "FAULT_ERRNO": str(number)}
        return {**environment, "FAULT_LASTS": "1"} if lasts else environment

    def _preload(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "FAULT_FILE": self._name}
