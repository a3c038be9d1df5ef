"""Changes since an earlier report; pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from dupfind.values import FileState, FolderState, Report

State = TypeVar("State", FileState, FolderState)


class Baseline(NamedTuple):
    """An earlier report: what every folder and file was."""

    started: str
    """As the report has it: ISO 8601."""
    settings: Mapping[str, object]
    """As in its JSON."""
    folders: Mapping[str, FolderState]
    files: Mapping[str, FileState]


class Changes(NamedTuple):
    """The folders and files, by path, whose verdict is another than in the baseline."""

    since: str
    """When the baseline was made: ISO 8601."""
    folders: dict[str, FolderState | None]
    """What each was; None for what is new."""
    files: dict[str, FileState | None]
    shown: frozenset[str]
    """The folders to be listed: those whose parent folder has not changed from the same to the same."""
    gone_folders: list[str]
    """Folders that are there no longer, without those below another of them."""
    gone_files: list[str]

    other_settings: tuple[str, ...] = ()
    """The settings, as JSON names them, in which the two differ, so that verdicts may differ for that alone."""

    @property
    def untold_files(self) -> list[str]:
        """List the changed files that no change of their folder tells of: its verdict has stayed."""
        return [path for path in self.files if _folder(path) not in self.folders]

    @property
    def untold_gone_files(self) -> list[str]:
        """List the files that are gone from folders that are still there, with the verdict that they had."""
        gone = set(self.gone_folders)
        return [
            path
            for path in self.gone_files
            if _folder(path) not in self.folders and not any(around in gone for around in _around(path))
        ]

    def __bool__(self) -> bool:
        return bool(self.folders or self.files or self.gone_folders or self.gone_files)


def changes(report: Report, baseline: Baseline) -> Changes:
    """Compare ``report`` with ``baseline``."""
    now = {folder.path: folder.state for folder in report.folders}
    folders = _changed(now, baseline.folders)
    files = {file.path: file.state for file in report.files}
    moves = {path: (was, now[path]) for path, was in folders.items()}
    gone = set(baseline.folders) - set(now)
    return Changes(
        since=baseline.started,
        folders=folders,
        files=_changed(files, baseline.files),
        shown=frozenset(path for path, move in moves.items() if moves.get(_folder(path)) != move),
        gone_folders=sorted(path for path in gone if _folder(path) not in gone),
        gone_files=sorted(set(baseline.files) - set(files)),
        other_settings=_other_settings(report, baseline),
    )


def _folder(path: str) -> str:
    return path.rpartition(os.sep)[0]


def _around(path: str) -> Iterator[str]:
    """Yield the folders around ``path``, the innermost first."""
    while path := _folder(path):
        yield path


def _other_settings(report: Report, baseline: Baseline) -> tuple[str, ...]:
    now = report.settings
    current: dict[str, object] = {
        "haystack": _as_in_json(now.haystack),
        "needles": _as_in_json(now.needles),
        "algorithm": now.algorithm,
        "threshold_bits": now.threshold_bits,
        "accept": now.accept.value,
        "rotations": now.rotations,
        "paranoid": now.paranoid,
        "quick": now.quick,
        "disregard": _as_in_json(now.disregard),
        "sidecars": now.sidecars,
    }
    before = {name: baseline.settings.get(name, value) for name, value in current.items()}
    before |= {name: sorted(map(str, paths)) for name, paths in before.items() if isinstance(paths, list)}
    return tuple(name for name, value in current.items() if before[name] != value)


def _as_in_json(roots: Iterable[str]) -> list[str]:
    """Return the roots in a fixed order, spelled as a report spells names that are no valid UTF-8."""
    return sorted(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for path in roots)


def _changed(now: Mapping[str, State], before: Mapping[str, State]) -> dict[str, State | None]:
    return {path: before.get(path) for path, state in now.items() if before.get(path) is not state}
