"""Imports, cleans and undos in the process of the test, and what lies where afterwards."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dupfind.acting import journal as journals
from dupfind.answers.clean import Cleaned, CleanPlan
from dupfind.answers.import_ import Imported, ImportPlan
from dupfind.answers.undo import Undone
from dupfind.commands import cleaning, importing, undoing
from dupfind.settings import Settings
from tests.helpers.scans import one_thread


def plan_import(hay: Path, needles: Path | Sequence[Path], to: Path, **options: Any) -> ImportPlan:
    """Plan an import without a cache."""
    own = {name: options.pop(name) for name in ("layout", "also") if name in options}
    given = [needles] if isinstance(needles, Path) else needles
    options = {"no_cache": True, "workers": 1, "archives": "needles", **options}
    settings, destination = importing.import_settings(
        str(to), [str(hay)], needles=[str(folder) for folder in given], **options
    )
    return importing.plan_import(settings, destination, make_executor=one_thread, **own)


def import_(hay: Path, needles: Path | Sequence[Path], to: Path, **options: Any) -> Imported:
    """Plan it and carry it out."""
    return importing.carry_out(plan_import(hay, needles, to, **options))


def undo(path: str | None = None) -> Undone:
    """Take back the last run."""
    return undoing.undo(path)


def files_below(*folders: Path) -> dict[str, bytes]:
    """Every file below these folders, by its path from the folder around them all."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                found[os.fspath(path.relative_to(folder.parent))] = path.read_bytes()
    return found


def contents(*folders: Path) -> Counter[bytes]:
    """How often each content exists below these folders; notes of the trash and journals left out."""
    return Counter(
        path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and path.suffix not in (".trashinfo", ".journal", ".lock", ".pointer")
    )


def records() -> list[dict[str, Any]]:
    """The steps of the newest journal."""
    return list(next(iter(journals.journals())).steps.values())


def once(action: Callable[[], object]) -> Callable[..., None]:
    """A function that does something the first time that it is called, whatever it is given."""
    pending = [action]

    def call(*_: Any, **__: Any) -> None:
        if pending:
            pending.pop()()

    return call


def plan_clean(hay: Path | Sequence[Path], needles: Path, **options: Any) -> tuple[CleanPlan, Settings]:
    """Plan a clean to the trash, or to ``to``."""
    own = {name: options.pop(name) for name in ("are_files", "witnesses") if name in options}
    to = options.pop("to", None)
    given = [hay] if isinstance(hay, Path) else hay
    options = {"no_cache": True, "workers": 1, "archives": "needles", **options}
    settings, away = cleaning.clean_settings(
        None if to is None else str(to), haystack=[str(folder) for folder in given], needles=[str(needles)], **options
    )
    return cleaning.plan_clean(settings, away, make_executor=one_thread, **own), settings


def carry_out_clean(plan: tuple[CleanPlan, Settings], **options: Any) -> Cleaned:
    """Carry out such a plan."""
    return cleaning.carry_out(*plan, make_executor=one_thread, **options)


def clean(hay: Path | Sequence[Path], needles: Path, **options: Any) -> Cleaned:
    """Plan a clean and carry it out."""
    return carry_out_clean(plan_clean(hay, needles, **options))
