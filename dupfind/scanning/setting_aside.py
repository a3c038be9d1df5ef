"""Sets aside what a person wants to be left out of the question, once the verdicts on files are known.

What is present stays so: it needs no word. All else that is set aside becomes ``unwanted``, each file with the rule
that did it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from dupfind.cache.permissions import distrust_of_file
from dupfind.errors import reason_of
from dupfind.events import Listener
from dupfind.reasons import Reason, ReasonCode
from dupfind.sources.disregarded import MOST_BYTES, Disregards, IgnoreFile, PatternError, ignore_file_of
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import SETTLED, FileEntry, FileState, FileVerdict, Tree


def put_aside(files: list[FileVerdict], aside: Mapping[str, Reason]) -> list[FileVerdict]:
    """Return the verdicts with those as unwanted that are not settled and in ``aside``, by their paths as reported."""
    if not aside:
        return files
    return [
        file._replace(state=FileState.UNWANTED, reasons=(aside[file.path],))
        if file.state not in SETTLED and file.path in aside
        else file
        for file in files
    ]


def name_reasons(files: list[FileVerdict], reasons: Mapping[str, Reason]) -> list[FileVerdict]:
    """Return the same verdicts, with one more reason for those in ``reasons``, by their paths as reported."""
    if not reasons:
        return files
    return [
        file._replace(reasons=(*file.reasons, reasons[file.path])) if file.path in reasons else file for file in files
    ]


def disregarded(needles: Sequence[Tree], patterns: Sequence[str], listener: Listener) -> dict[str, Reason]:
    """Return why needles are set aside by their names, by their paths as reported; warns of what nothing matches."""
    chosen = Disregards(patterns)
    aside: dict[str, Reason] = {}
    for tree in needles:
        aside |= _by_file(tree, listener)
        if patterns:
            aside |= _matching(tree, chosen.why if tree.root.has_folders else chosen.why_listed)
    for warning in chosen.warnings():
        listener.warn(warning)
    return aside


def _by_file(tree: Tree, listener: Listener) -> dict[str, Reason]:
    """Return what the file of patterns in the root sets aside, itself among it; nothing where it is not obeyed."""
    entry = ignore_file_of(tree)
    file = None if entry is None else _read(entry, tree, listener)
    if entry is None or file is None:
        return {}
    shown = tree.root.shown(entry.path)
    aside = _matching(tree, file.why) | {shown: Reason(ReasonCode.DISREGARDED)}
    if len(aside) == len(tree.entries) > 1:
        listener.warn(f"{shown} is not obeyed: it sets aside every file")
        return {}
    for warning in file.warnings():
        listener.warn(warning)
    return aside


def _matching(tree: Tree, why: Callable[[str], Reason | None]) -> dict[str, Reason]:
    """Return the reasons that ``why`` gives for paths below the root, of files that lie anywhere as they were named."""
    shown, below = tree.root.shown, tree.root.below
    aside = {}
    for entry in tree.entries:
        reason = why(below(entry.path))
        if reason is not None:
            aside[shown(entry.path)] = reason
    return aside


def _read(entry: FileEntry, tree: Tree, listener: Listener) -> IgnoreFile | None:
    """Read a file of patterns; None, with a warning, where it is not to be obeyed."""
    shown = tree.root.shown(entry.path)
    try:
        with open_entry(entry) as file:
            distrust = distrust_of_file(os.fstat(file.fileno()))
            content = file.read(MOST_BYTES + 1)
        if distrust is None:
            return IgnoreFile(shown, content)
        why = f"it {distrust}"
    except OSError as error:
        why = reason_of(error)
    except ChangedError:
        why = "it changed while dupfind ran"
    except PatternError as error:
        why = str(error)
    listener.warn(f"{shown} is not obeyed: {why}")
    return None


def tell_of_ignore_files(files: Sequence[FileVerdict], listener: Listener) -> None:
    """Warn of what files of patterns have set aside: they come with the needles, and nobody may have looked at them."""
    numbers: dict[str, int] = {}
    for file in files:
        for reason in file.reasons if file.state is FileState.UNWANTED else ():
            if reason.code is ReasonCode.DISREGARDED and len(reason.facts) > 1:
                numbers[str(reason.facts[0])] = numbers.get(str(reason.facts[0]), 0) + 1
    for path, number in numbers.items():
        files_aside = "1 file" if number == 1 else f"{number:,} files"
        listener.warn(f"{path} sets aside {files_aside}: look at it before you delete by this answer")
