"""Single files as they were named on the command line, standard input among them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dupfind.cli import streams
from dupfind.errors import SettingsError
from dupfind.roots import named_file

if TYPE_CHECKING:
    from dupfind.hashed import Given

STDIN = "-"


def given(files: Sequence[str], stack: ExitStack) -> list[Given]:
    """What was named; a file that cannot be had costs its own line only. ``stack`` holds what standard input gave."""
    from dupfind.hashed import Given

    found = []
    stdin: str | None = None
    for path in files:
        try:
            if path == STDIN:
                stdin = stdin or stack.enter_context(streams.stdin_as_file())
            found.append(Given(path, named_file(path if path != STDIN else stdin or path)))
        except SettingsError as error:
            reason = str(error).removeprefix(path).removeprefix(":").strip()
            found.append(Given(path, None, reason))
    return found
