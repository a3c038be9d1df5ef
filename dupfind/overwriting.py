"""What is wrong with files to be written, found before the work: a slip of the command line must not cost a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from dupfind.errors import SettingsError, option_error, reason_of
from dupfind.sources.mounts import read_mounts
from dupfind.sources.normal_form import folded_path
from dupfind.sources.roots import NamedFile, root_around
from dupfind.values import Root

_BEGINNING = b"<!doctype html>"
"""Of every page, also of one that another version wrote."""


def check_outputs(outputs: Mapping[str, str | None], roots: Sequence[Root]) -> None:
    """Find what is wrong with the files to be written, by their options, and that no two are one."""
    option_of: dict[str, str] = {}
    for option, path in outputs.items():
        if path is not None:
            check_output(path, roots, option)
            earlier = option_of.setdefault(os.path.realpath(path), option)
            if earlier != option:
                raise SettingsError(f"{earlier} and {option} name the same file: {path}")


def check_output(output: str, roots: Sequence[Root], option: str = "--output") -> None:
    """Find what is wrong with a file to be written before the work, not after it."""
    real = os.path.realpath(output)
    if root := root_around(real, roots, read_mounts()):
        raise option_error(option, f"{output} lies under {root.given}, where dupfind never writes")
    if not output or os.path.isdir(real):
        raise option_error(option, f"{output}: not a file")
    if not os.path.isdir(os.path.dirname(real)):
        raise option_error(option, f"{output}: there is no such folder")


def refuse_overwriting(
    outputs: Mapping[str, str | None], inputs: Mapping[str, str | None], files: Iterable[NamedFile] = ()
) -> None:
    """Find what would be replaced that is needed or no page: files by the options that name them, and single ``files``.

    ``--save`` may replace the report that ``--baseline`` reads: that is how one follows the other. What ``--html``
    replaces has to be a page: no pipe begins with one, and its name is easily forgotten before another's.
    Raises :class:`~dupfind.errors.SettingsError`.
    """
    for option, output in outputs.items():
        if output is None:
            continue
        if any(_is_one(file.entry.path, output) for file in files):
            raise option_error(option, f"{output} would replace a file that dupfind is to look at")
        for reader, path in inputs.items():
            if path is not None and (option, reader) != ("--save", "--baseline") and _is_one(path, output):
                raise option_error(option, f"{output} would replace what {reader} reads")
        if option == "--html":
            _refuse_no_page(output)


def _is_one(first: str, second: str) -> bool:
    first, second = os.path.realpath(first), os.path.realpath(second)
    if first == second:
        return True
    # Where letters are not told by their case, or umlauts by their form, one file has several names.
    return folded_path(first) == folded_path(second) and _is_same_file(first, second)


def _is_same_file(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:  # one of them is not there
        return False


def _refuse_no_page(path: str) -> None:
    if not os.path.isfile(path):
        return
    try:
        with open(path, "rb") as file:
            beginning = file.read(len(_BEGINNING))
    except OSError as error:
        raise option_error("--html", f"{path}: {reason_of(error)}") from error
    if beginning and beginning.lower() != _BEGINNING:
        raise option_error("--html", f"{path}: there is a file that is no page; name another, or remove it first")
