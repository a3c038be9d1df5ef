"""Each option that more than one command has, named once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dupfind.settings import (
    DEFAULT_HTML_PICTURES,
    DEFAULT_MAX_PIXELS,
    DEFAULT_THRESHOLD_BITS,
    DEFAULT_TIMEOUT_SECONDS,
    SIDECARS,
)
from dupfind.values import Archives, Evidence

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


class SystemPath(click.ParamType[str]):
    """A path as the system gave it: any bytes, kept as :func:`os.fsdecode` does; ``~`` is the shell's business.

    ``completed`` is what the shell is to complete it to: ``dir`` or ``file``.
    """

    name = "path"

    def __init__(self, completed: str) -> None:
        self._completed = completed

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take the value as it is; what looks like an option is one whose neighbour has lost its value."""
        path = os.fsdecode(value)
        if path.startswith("--") and isinstance(param, click.Option):
            self.fail(f"{path} looks like an option; write ./{path} where a file is meant", param, ctx)
        return path

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Leave it to the shell, which knows how."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=self._completed)]


FOLDER = SystemPath("dir")
FILE = SystemPath("file")


def stacked(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, shown by ``--help`` in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def files_from(text: str) -> Callable[[F], F]:
    """``--files-from``, whose names mean something else to each command."""
    return click.option("--files-from", metavar="FILE", type=FILE, help=text)


def exclude(text: str) -> Callable[[F], F]:
    """``--exclude``, which leaves something else out of each command's trees."""
    return click.option("--exclude", metavar="GLOB", multiple=True, help=text)


def output_format(formats: Sequence[str]) -> Callable[[F], F]:
    """``--format``, of which each command offers its own."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats, case_sensitive=False),
        help=f"How to print. [default: {formats[0]}]",
    )


def html(text: str) -> Callable[[F], F]:
    """``--html`` and its bound, for each command that has a page."""
    return stacked(
        click.option("--html", metavar="FILE", type=FILE, help=text),
        click.option(
            "--html-pictures",
            metavar="N",
            type=int,
            help="Most files of which the page shows pictures, the most doubtful first. "
            f"[default: {DEFAULT_HTML_PICTURES}]",
        ),
    )


def accepted(text: str) -> Callable[[F], F]:
    """``--accept``, whose grade means something else to each command."""
    grades = [grade.value for grade in Evidence]
    return click.option(
        "--accept", type=click.Choice(grades), default=Evidence.SAME.value, show_default=True, help=text
    )


def hash_algorithm(text: str) -> Callable[[F], F]:
    """``--algorithm``, likewise."""
    names = list(DEFAULT_THRESHOLD_BITS)
    return click.option("--algorithm", type=click.Choice(names), default="phash", show_default=True, help=text)


_DEFAULTS = ", ".join(f"{name} {bits}" for name, bits in DEFAULT_THRESHOLD_BITS.items())

collection = click.argument("haystack", metavar="DIR...", nargs=-1, type=FOLDER)
"""Folders as arguments, where a list may name them instead; :func:`dupfind.cli.named.require` sees to it."""
haystack = click.option(
    "--haystack",
    metavar="DIR",
    multiple=True,
    type=FOLDER,
    help="The collection, its catalog (dupfind index) or, for scan, an Immich server (immich://HOST/). Repeatable.",
)
elsewhere = click.option(
    "--elsewhere",
    metavar="CATALOG",
    multiple=True,
    type=FILE,
    help="A catalog as --haystack, of which you say that it lists another drive than any needle lies on. Repeatable.",
)
output_paths = stacked(
    click.option("-0", "--print0", is_flag=True, help="Print paths, each ended by NUL."),
    click.option("--output", metavar="FILE", type=FILE, help="Write the report there, whole or not at all."),
)
"""How paths are told apart, and where the answer goes."""
follow_symlinks = click.option("--follow-symlinks", is_flag=True, help="Follow symbolic links. [default: report them]")
accept = accepted("Weakest evidence that makes a file present.")
algorithm = hash_algorithm("Hash that candidates are found by.")
threshold = click.option(
    "--threshold",
    "threshold_bits",
    metavar="BITS",
    type=int,
    help=f"Most bits of 64 in which candidates differ, 0 to 32. [default: {_DEFAULTS}]",
)
rotations = click.option(
    "--rotations/--no-rotations", default=True, show_default=True, help="Find turned and mirrored copies too."
)
judging = stacked(follow_symlinks, accept, algorithm, threshold, rotations)
"""What decides the verdict on a file, beside what is compared."""
quick = click.option(
    "--quick", is_flag=True, help="Judge pictures by their thumbnails only. Faster, but nothing to delete by."
)
compared = stacked(
    haystack,
    click.option(
        "--needles",
        metavar="DIR",
        multiple=True,
        type=FOLDER,
        help="What to check; a catalog gives a plan. Repeatable.",
    ),
    files_from("Check the files and folders named there too, a line each or ended by NUL; - is standard input."),
    exclude("Leave out of both; such a needle is not present."),
    click.option(
        "--archives",
        type=click.Choice([whose.value for whose in Archives]),
        default=Archives.NEEDLES.value,
        show_default=True,
        help="Look into ZIP and TAR files, as into folders: those among the needles, both sides' or none.",
    ),
    click.option(
        "--sidecars",
        type=click.Choice(SIDECARS),
        default=SIDECARS[0],
        show_default=True,
        help="Whether a file that only describes a present one (XMP, AAE, Takeout's JSON) has to be present too.",
    ),
    click.option(
        "--disregard",
        metavar="GLOB",
        multiple=True,
        help="Set such needles aside: they keep no folder from being contained. Repeatable. Also .dupfindignore.",
    ),
    judging,
    click.option(
        "--paranoid",
        is_flag=True,
        help="Read every witness again, past the cache: all bytes compared, or the pictures at full size.",
    ),
    quick,
)
"""What is asked of which files: all that decides the answer of a scan."""
cache_file = click.option(
    "--cache",
    metavar="FILE",
    type=FILE,
    envvar="DUPFIND_CACHE",
    help="Where thumbnails are kept from run to run. Also DUPFIND_CACHE. [default: in the user's cache folder]",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print errors only, no warnings and no bars.")
verbose = click.option("-v", "--verbose", is_flag=True, help="Print every problem, and how long each stage took.")
profile_stages = click.option(
    "--profile-stages", is_flag=True, help="Print afterwards where the time went, on standard error, even with -q."
)
progress = click.option(
    "--progress/--no-progress",
    default=None,
    help="Bars on standard error. [default: when it is a terminal]",
)
limits = stacked(
    click.option("--workers", metavar="N", type=int, help="Processes. [default: one a core]"),
    click.option(
        "--timeout",
        "timeout_seconds",
        metavar="SECONDS",
        type=float,
        default=DEFAULT_TIMEOUT_SECONDS,
        show_default=True,
        help="Longest that decoding one image may take.",
    ),
    click.option(
        "--max-pixels",
        metavar="N",
        type=int,
        default=DEFAULT_MAX_PIXELS,
        show_default=True,
        help="Refuse larger images.",
    ),
    click.option(
        "--max-memory",
        "max_memory_mib",
        metavar="MIB",
        type=int,
        help="Most memory that decoding takes, all processes together. [default: 3/4 of what there is]",
    ),
    cache_file,
    click.option("--no-cache", is_flag=True, help="Read everything anew and keep nothing."),
    progress,
    quiet,
    verbose,
    profile_stages,
)
"""What bounds the reading, where it is kept, and what is told of it."""
