"""Each option that more than one command has, named once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from dupfind.cli import streams
from dupfind.cli.option import JUDGING, LIMITS, OUTPUT, WHAT, F, headed, option, stacked
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


class SystemPath(click.ParamType[str]):
    """A path as the system gave it: any bytes, kept as :func:`os.fsdecode` does; ``~`` is the shell's business.

    ``completed`` is what the shell is to complete it to: ``dir`` or ``file``.
    """

    name = "path"
    is_path = True
    envvar_list_splitter = os.pathsep

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


def files_from(text: str) -> Callable[[F], F]:
    """Add ``--files-from``, whose names mean something else to each command."""
    return headed(WHAT, option("--files-from", metavar="FILE", type=FILE, help=text))


def exclude(text: str) -> Callable[[F], F]:
    """Add ``--exclude``, which leaves something else out of each command's trees."""
    return headed(WHAT, option("--exclude", metavar="GLOB", multiple=True, is_common=True, help=text))


def output_format(formats: Sequence[str]) -> Callable[[F], F]:
    """Add ``--format``, of which each command offers its own."""
    return headed(
        OUTPUT,
        option(
            "--format",
            "format_",
            rivals=["print0"],
            type=click.Choice(formats, case_sensitive=False),
            is_common=True,
            help=f"Output format. [default: {formats[0]}]",
        ),
        option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            show_default=True,
            expose_value=False,
            callback=_keep_color,
            help="Colours of the table; auto: on a terminal, by NO_COLOR and FORCE_COLOR.",
        ),
    )


def nearest(text: str) -> Callable[[F], F]:
    """Add ``-k``, whose nearest are something else to each command."""
    return headed(
        WHAT,
        option(
            "-k",
            "--nearest",
            "nearest",
            metavar="N",
            type=int,
            is_common=True,
            default=5,
            show_default=True,
            help=text,
        ),
    )


def _keep_color(context: click.Context, _: click.Parameter, when: str) -> None:
    """Keep it for where the screen is looked at: no command does anything else with it."""
    context.meta[streams.COLOR] = when


def html(text: str) -> Callable[[F], F]:
    """Add ``--html`` and its bound, for each command that has a page."""
    return headed(
        OUTPUT,
        option("--html", metavar="FILE", type=FILE, is_common=True, help=text),
        option(
            "--html-pictures",
            metavar="N",
            type=int,
            help="Maximum number of files shown with pictures, the most doubtful first. "
            f"[default: {DEFAULT_HTML_PICTURES}]",
        ),
    )


def accepted(text: str, *, old_names: Sequence[str] = ()) -> Callable[[F], F]:
    """Add ``--accept``, whose grade means something else to each command."""
    grades = [grade.value for grade in Evidence]
    return headed(
        JUDGING,
        option(
            "--accept",
            old_names=old_names,
            type=click.Choice(grades),
            default=Evidence.SAME.value,
            show_default=True,
            is_common=True,
            help=text,
        ),
    )


def hash_algorithm(text: str) -> Callable[[F], F]:
    """Add ``--algorithm``, likewise."""
    names = list(DEFAULT_THRESHOLD_BITS)
    return headed(
        JUDGING, option("--algorithm", type=click.Choice(names), default="phash", show_default=True, help=text)
    )


_DEFAULTS = ", ".join(f"{name} {bits}" for name, bits in DEFAULT_THRESHOLD_BITS.items())

collection = click.argument("haystack", metavar="DIR...", nargs=-1, type=FOLDER)
"""Folders as arguments, where a list may name them instead; :func:`dupfind.cli.named.require` sees to it."""
haystack = headed(
    WHAT,
    option(
        "--haystack",
        metavar="DIR",
        multiple=True,
        type=FOLDER,
        is_common=True,
        help="The collection, its catalog (dupfind index) or, for scan, a bucket (s3://...), a server (sftp://, "
        "https://) or an Immich server (immich://HOST/). Repeatable.",
    ),
)
needles = headed(
    WHAT,
    option(
        "--needles",
        metavar="DIR",
        multiple=True,
        type=FOLDER,
        is_common=True,
        help="What to check; for scan, a bucket or server too, and a catalog gives a plan. Repeatable.",
    ),
)
_NEEDLES_NAMED = "needles_named"
"""The argument that means the same as ``--needles``."""


def needles_as_arguments(function: F) -> F:
    """Let folders without an option be needles, as with ``--needles``; both together are all of them.

    What is typed takes the place of what the environment or ``config.toml`` gives, as for every option.
    """

    @wraps(function)
    def with_all_needles(*args: Any, needles: tuple[str, ...], needles_named: tuple[str, ...], **raw: Any) -> Any:  # noqa: ANN401
        source = click.get_current_context().get_parameter_source("needles")
        if needles_named and source is not ParameterSource.COMMANDLINE:
            needles = ()
        return function(*args, needles=(*needles, *needles_named), **raw)

    add = click.argument(_NEEDLES_NAMED, metavar="[NEEDLES]...", nargs=-1, type=FOLDER)
    return cast(F, add(with_all_needles))


elsewhere = headed(
    WHAT,
    option(
        "--elsewhere",
        metavar="CATALOG",
        multiple=True,
        type=FILE,
        help="A catalog as --haystack, of which you say that it lists another drive than any needle lies on; or a "
        "bucket that holds no file of the other side. Repeatable.",
    ),
)
output = headed(
    OUTPUT,
    option("--output", metavar="FILE", type=FILE, is_common=True, help="Write the report there, whole or not at all."),
)
output_paths = stacked(
    headed(OUTPUT, option("-0", "--print0", is_flag=True, rivals=["format_"], help="Print paths, each ended by NUL.")),
    output,
)
"""How paths are told apart, and where the answer goes."""
follow_symlinks = headed(
    WHAT, option("--follow-symlinks", is_flag=True, help="Follow symbolic links. [default: report them]")
)
accept = accepted("Weakest evidence that makes a file present.")
algorithm = hash_algorithm("Hash that candidates are found by.")
threshold = headed(
    JUDGING,
    option(
        "--threshold",
        "threshold_bits",
        metavar="BITS",
        type=int,
        help=f"Maximum Hamming distance of candidates, 0 to 32 of 64 bits. [default: {_DEFAULTS}]",
    ),
)
rotations = headed(
    JUDGING,
    option("--rotations/--no-rotations", default=True, show_default=True, help="Find turned and mirrored copies too."),
)
judging = stacked(accept, algorithm, threshold, rotations)
"""What decides the verdict on a file, beside what is compared."""
quick = headed(
    JUDGING,
    option("--quick", is_flag=True, help="Judge pictures by their thumbnails only. Faster, but nothing to delete by."),
)
fragments = headed(
    JUDGING,
    option(
        "--fragments/--no-fragments",
        default=None,
        help="Look for what has no match as a part of a picture: crops, screenshots, pages of albums; similar at most. "
        "[default: on with the extra dupfind[fragments], but for --quick and a haystack in a bucket]",
    ),
)
fragments_too = headed(
    JUDGING,
    option(
        "--fragments",
        is_flag=True,
        help="Look for what nothing looks like as a part of a picture, too: crops, screenshots, pages of albums. The "
        "first time every picture of the haystack is read once more.",
    ),
)
archives = headed(
    WHAT,
    option(
        "--archives",
        type=click.Choice([whose.value for whose in Archives]),
        default=Archives.NEEDLES.value,
        show_default=True,
        help="Look into ZIP and TAR files, as into folders: those among the needles, both sides' or none.",
    ),
)
sidecars = headed(
    WHAT,
    option(
        "--sidecars",
        type=click.Choice(SIDECARS),
        default=SIDECARS[0],
        show_default=True,
        is_common=True,
        help="Whether a file that only describes a present one (XMP, AAE, Takeout's JSON) has to be present too.",
    ),
)


def disregard(*, is_typed: bool = False) -> Callable[[F], F]:
    """Add ``--disregard``; ``is_typed`` where what it sets aside goes with its folder, and so has to be meant."""
    return headed(
        WHAT,
        option(
            "--disregard",
            metavar="GLOB",
            multiple=True,
            is_common=True,
            is_typed=is_typed,
            help="Set such needles aside: they keep no folder from being contained. Repeatable. Also .dupfindignore.",
        ),
    )


def decisions(*, is_typed: bool = False) -> Callable[[F], F]:
    """Add ``--decisions``, likewise."""
    return headed(
        JUDGING,
        option(
            "--decisions",
            metavar="FILE",
            type=FILE,
            is_typed=is_typed,
            help="Apply the decisions exported from an --html page, or made in dupfind review.",
        ),
    )


setting_aside = stacked(sidecars, disregard())
compared = stacked(
    haystack,
    needles,
    files_from("Check the files and folders named there too, a line each or ended by NUL; - is standard input."),
    exclude("Leave out of both; such a needle is not present."),
    archives,
    setting_aside,
    follow_symlinks,
    judging,
    headed(
        JUDGING,
        option(
            "--paranoid",
            is_flag=True,
            help="Read every witness again, past the cache: all bytes compared, or the pictures at full size.",
        ),
    ),
    quick,
    fragments,
)
"""What is asked of which files: all that decides the answer of a scan."""
cache_file = headed(
    LIMITS,
    option(
        "--cache",
        metavar="FILE",
        type=FILE,
        rivals=["no_cache"],
        help="Cache file. [default: in the user's cache folder]",
    ),
)
quiet = headed(
    OUTPUT,
    option("-q", "--quiet", is_flag=True, rivals=["verbose"], help="Show errors only, no warnings and no progress."),
)
verbose = headed(
    OUTPUT,
    option("-v", "--verbose", is_flag=True, rivals=["quiet"], help="Show every problem, and the time of each stage."),
)
profile_stages = headed(
    OUTPUT,
    option("--profile-stages", is_flag=True, help="Show the time of each stage on standard error, even with -q."),
)
progress = headed(
    OUTPUT,
    option(
        "--progress/--no-progress",
        default=None,
        help="Show progress on standard error. [default: when it is a terminal]",
    ),
)
limits = stacked(
    progress,
    quiet,
    verbose,
    profile_stages,
    headed(
        LIMITS,
        option(
            "--workers",
            metavar="N",
            type=int,
            is_common=True,
            help="Number of worker processes. [default: one a core]",
        ),
        option(
            "--timeout",
            "timeout_seconds",
            metavar="SECONDS",
            type=float,
            default=DEFAULT_TIMEOUT_SECONDS,
            show_default=True,
            help="Time limit for one image.",
        ),
        option(
            "--max-pixels",
            metavar="N",
            type=int,
            default=DEFAULT_MAX_PIXELS,
            show_default=True,
            help="Size limit for one image.",
        ),
        option(
            "--max-memory",
            "max_memory_mib",
            metavar="MIB",
            type=int,
            help="Memory limit of all decoding processes together. [default: 3/4 of what there is]",
        ),
        cache_file,
        option("--no-cache", is_flag=True, rivals=["cache"], help="Neither read nor write the cache."),
    ),
)
"""What bounds the reading, where it is kept, and what is told of it."""
cluster = headed(
    LIMITS,
    option(
        "--scheduler",
        metavar="ADDRESS",
        help="Read files on the nodes of this cluster (Dask): tls://HOST:PORT, or tcp:// on this machine.",
    ),
    option("--tls-ca", metavar="FILE", type=FILE, help="Who has to have signed the cluster's certificates."),
    option("--tls-cert", metavar="FILE", type=FILE, help="The certificate that the cluster trusts this machine by."),
    option("--tls-key", metavar="FILE", type=FILE, help="Its key."),
)
"""Who reads, for questions: what acts makes its proofs on the machine that acts."""
