"""Which part of a folder is whose, where several machines index it together. Pure.

What decides is a digest of the folder that a file lies in, so that each machine knows its part without asking another
one, files of a folder stay together, and a part changes only where folders come or go.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Self

from dupfind.digest import digest_of
from dupfind.errors import option_error
from dupfind.sources.normal_form import composed

_MOST = 10_000


class Shard(NamedTuple):
    """One of so many parts, from 1."""

    number: int
    parts: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Read ``2/8``; raises :class:`~dupfind.errors.SettingsError`."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        shard = cls(0, 0) if match is None else cls(int(match[1]), int(match[2]))
        if not 1 <= shard.number <= shard.parts <= _MOST:
            raise option_error("--shard", f"takes I/N, as in 2/8, with I from 1 to N and N up to {_MOST:,}, not {text}")
        return shard

    def holds(self, path: str) -> bool:
        """Tell whether the file with this path, relative to the folder that is indexed, is of this part."""
        return self.holds_folder(path.rpartition(os.sep)[0])

    def holds_folder(self, folder: str) -> bool:
        """Tell whether the files of this folder are, by its relative path: empty for the one that is indexed.

        Names are taken in one form (NFC): one share shows them in another to a Mac than to Linux.
        """
        digest = digest_of([os.fsencode(composed(folder))])
        return int.from_bytes(digest[:8], "big") % self.parts == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.parts}"
