"""Which needles a person has set aside by their names: ``--disregard``, and ``.dupfindignore`` in a root of needles.

What is set aside keeps no folder from being contained, so a pattern is a person's word, and a file of patterns is one
only where nobody else can have written it. Every pattern that matches nothing is told of: it was probably mistyped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dupfind.reasons import Reason, ReasonCode
from dupfind.sources.ignore import Excludes
from dupfind.sources.normal_form import composed, slashed
from dupfind.values import FileEntry, Tree

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILE_NAME = ".dupfindignore"
OPTION = "--disregard"
_MOST_TOLD = 5
MOST_BYTES = 1 << 20
"""Of a file of patterns: what is larger is something else."""


_MOST_STARS = 3
"""In a line: each multiplies how many ways of matching a name are tried, 255 to the fourth would take hours."""


class PatternError(Exception):
    """A file of patterns cannot be understood; says why, in words that follow its name."""


class Disregards:
    """The patterns of ``--disregard``, as those of ``--exclude``; a folder that matches takes along what is in it."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = Excludes(patterns, OPTION)
        self._folders: dict[tuple[str, bool], str | None] = {("", True): None, ("", False): None}

    def why(self, below_root: str) -> Reason | None:
        """Return why a needle is set aside, to go by its path below its root; None where it is not."""
        return self._why(below_root, has_root=True)

    def why_listed(self, path: str) -> Reason | None:
        """Return the same of a file that a list names: no pattern without a slash is about a folder on the way to it.

        That way may begin at the root of the disk, and ``tmp`` is no word about all that lies below ``/tmp``.
        """
        return self._why(path, has_root=False)

    def _why(self, path: str, *, has_root: bool) -> Reason | None:
        path = slashed(path)
        folder, _, name = path.rpartition("/")
        pattern = self._of_folder(folder, has_root) or self._patterns.matching(path, name)
        return None if pattern is None else Reason(ReasonCode.DISREGARDED, (f"{OPTION} {pattern}",))

    def warnings(self) -> list[str]:
        """Return a warning for each pattern that has matched nothing."""
        return self._patterns.warnings()

    def _of_folder(self, folder: str, has_root: bool) -> str | None:
        key = folder, has_root
        if key not in self._folders:
            around, _, name = folder.rpartition("/")
            own = self._patterns.matching(folder, name if has_root else "")
            self._folders[key] = self._of_folder(around, has_root) or own
        return self._folders[key]


class IgnoreFile:
    """The lines of a ``.dupfindignore``, read as those of a ``.gitignore``.

    ``shown`` is how its path is reported. Raises :class:`PatternError` where any line cannot be understood: without one
    line the others may say more than was meant.
    """

    def __init__(self, shown: str, content: bytes) -> None:
        self._shown = shown
        lines = enumerate(_text_of(content).splitlines(), 1)
        self._lines = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
        self._spec = _parsed(self._lines)
        self._unmatched = [index for index, pattern in enumerate(self._spec.patterns) if pattern.include is not None]

    def why(self, below_root: str) -> Reason | None:
        """Return why a needle is set aside, to go by its path below its root; None where it is not."""
        path = composed(slashed(below_root))
        patterns = self._spec.patterns
        self._unmatched = [index for index in self._unmatched if patterns[index].match_file(path) is None]
        result = self._spec.check_file(path)
        if not result.include or result.index is None:
            return None
        number, line = self._lines[result.index]
        return Reason(ReasonCode.DISREGARDED, (self._shown, f"line {number}: {line.strip()}"))

    def warnings(self) -> list[str]:
        """Return a warning for each of the first lines that have matched nothing, and one for all others."""
        told = [
            f"{self._shown}, line {number}: nothing that was looked at matches {line.strip()}"
            for number, line in map(self._lines.__getitem__, self._unmatched[:_MOST_TOLD])
        ]
        more = len(self._unmatched) - _MOST_TOLD
        return told if more <= 0 else [*told, f"{self._shown}: nothing matches {more:,} further lines"]


def ignore_file_of(tree: Tree) -> FileEntry | None:
    """Return the file of patterns that lies in the root itself; None where there is none.

    Those further down may be of somebody else's backup, and are needles like any other.
    """
    if not tree.root.has_folders:
        return None
    path = os.path.join(tree.root.real, FILE_NAME)
    return next((entry for entry in _in_root(tree) if entry.path == path and entry.can_be_read), None)


def _in_root(tree: Tree) -> Iterator[FileEntry]:
    """Yield the files that lie in the root itself: they are listed first."""
    for entry in tree.entries:
        if os.path.dirname(entry.path) != tree.root.real:
            return
        yield entry


def _text_of(content: bytes) -> str:
    if len(content) > MOST_BYTES or b"\0" in content:
        raise PatternError("it is no list of patterns")
    try:
        return composed(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise PatternError("it is not in UTF-8") from None


def _parsed(lines: Sequence[tuple[int, str]]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    for number, line in lines:
        try:
            patterns: Iterable[object] = GitIgnoreSpec.from_lines([line]).patterns
            is_idle = all(getattr(pattern, "include", None) is None for pattern in patterns)
        except (ValueError, re.error) as error:
            raise PatternError(f"line {number} is no pattern: {line} ({error})") from None
        if is_idle:
            raise PatternError(f"line {number} is no pattern: {line}")
        if _stars(line) > _MOST_STARS:
            raise PatternError(f"line {number} has more than {_MOST_STARS} stars with something behind them: {line}")
    return GitIgnoreSpec.from_lines([line for _, line in lines])


def _stars(line: str) -> int:
    """Count the stars that may match in more than one way: those with something behind them in their part of the path.

    >>> _stars("*.tmp"), _stars("*copy*"), _stars("**/*a*b*/*.jpg"), _stars("a/**")
    (1, 1, 4, 0)
    """
    *parts, last = line.strip().rstrip("/").split("/")
    behind = sum(1 for part in (*parts, last) for _ in re.finditer(r"\*+(?=[^*])", part))
    return behind + sum(1 for part in parts if part == "**")
