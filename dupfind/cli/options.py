"""Options as this program has them, under headings and from the environment, and those that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

from dupfind.cli import streams
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

WHAT, JUDGING, OUTPUT, LIMITS, ACTING = "What", "Judging", "Output", "Speed and limits", "Doing it"
PREFIX = "DUPFIND_"


class Option(click.Option):
    """An option with the heading that the help shows it under.

    ``is_common``: ``-h`` shows it, too. ``is_typed``: only the command line gives it, such as the consent to act, which
    must not wait in a file. ``old_names`` go on working, and no help shows them. ``rivals`` are parameters that this
    option does not go with: typed, it takes their place where the environment or ``config.toml`` gives them.
    """

    def __init__(
        self,
        names: Sequence[str],
        *args: Any,  # noqa: ANN401 - click's own
        is_common: bool = False,
        is_typed: bool = False,
        old_names: Sequence[str] = (),
        rivals: Sequence[str] = (),
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> None:
        super().__init__([*names, *old_names], *args, **kwargs)
        self.old_names = old_names
        self.rivals = rivals
        self.heading = ""
        self.is_common = is_common
        self.is_typed = is_typed
        if self.envvar is None and not is_typed and (name := self.long_name):
            self.envvar = PREFIX + name.upper().replace("-", "_")

    def value_from_envvar(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Return the value of the environment; of an option that can be repeated, one a line: patterns have blanks."""
        content = self.resolve_envvar_value(ctx)
        if content is None or not self.multiple or getattr(self.type, "is_path", False):
            return super().value_from_envvar(ctx)
        return tuple(line for line in content.splitlines() if line)

    def process_value(self, ctx: click.Context, value: Any) -> Any:  # noqa: ANN401 - click's own
        """Return the value as its type has it. An error names the variable: nobody has typed the option."""
        try:
            return super().process_value(ctx, value)
        except click.BadParameter as error:
            if not self.name or ctx.get_parameter_source(self.name) is not ParameterSource.ENVIRONMENT:
                raise
            message = f"{error.message.rstrip('.')} (from {self.envvar})."
            raise click.BadParameter(message, error.ctx, error.param, error.param_hint) from error

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the names and the help, without the old names."""
        names = self.opts
        try:
            self.opts = [name for name in names if name not in self.old_names]
            return super().get_help_record(ctx)
        finally:
            self.opts = names

    @property
    def long_name(self) -> str:
        """The name as ``config.toml`` has it: the option's, without dashes in front; empty where there is none."""
        return next((name.removeprefix("--") for name in self.opts if name.startswith("--")), "")


def option(*names: str, **attributes: Any) -> Callable[[F], F]:  # noqa: ANN401 - click's own
    """Add an :class:`Option`, as :func:`click.option` does."""
    return click.option(*names, cls=Option, **attributes)


def stacked(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return several options as one decorator, shown by ``--help`` in this order."""

    def decorate(command: F) -> F:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate


def headed(heading: str, *options: Callable[[F], F]) -> Callable[[F], F]:
    """Return several options as one decorator, which the help shows under this heading, where they have none yet."""

    def decorate(command: F) -> F:
        command = stacked(*options)(command)
        for parameter in getattr(command, "__click_params__", ()):
            if isinstance(parameter, Option) and not parameter.heading:
                parameter.heading = heading
        return command

    return decorate


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
"""Folders as arguments, where a list may name them instead; :func:`dupfind.cli.given_files.require` sees to it."""


def _side(name: str, text: str) -> Callable[[F], F]:
    return headed(
        WHAT, option(name, metavar="DIR", multiple=True, type=FOLDER, is_common=True, help=f"{text} Repeatable.")
    )


haystack = _side("--haystack", "The collection, or its catalog (dupfind index).")
needles = _side("--needles", "What to check.")
sides_of_scan = stacked(
    _side(
        "--haystack",
        "The collection, its catalog (dupfind index), a bucket (s3://...), a server (sftp://, https://) or an Immich "
        "server (immich://HOST/).",
    ),
    _side("--needles", "What to check; a bucket or server too, and a catalog gives a plan."),
)
"""What ``scan`` takes: other commands ask no bucket and no server."""
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


def elsewhere(more: str = "") -> Callable[[F], F]:
    """Add ``--elsewhere``; ``more`` are words of its help for what else it may name."""
    text = f"A catalog of the haystack that by your word lists another drive than any needle lies on{more}."
    return headed(WHAT, option("--elsewhere", metavar="CATALOG", multiple=True, type=FILE, help=f"{text} Repeatable."))


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
    option("--quick", is_flag=True, help="Judge pictures by their thumbnails only. Faster, but do not delete by it."),
)
previews = headed(
    LIMITS,
    option(
        "--previews/--no-previews",
        default=False,
        show_default=True,
        help="Look for needles by the previews in haystack files first. Faster where every needle is there; "
        "all pictures are decoded where one is not.",
    ),
)


def fragments(exceptions: str = "") -> Callable[[F], F]:
    """Add ``--fragments``; ``exceptions`` are words of its help for where it is off with the extra."""
    return headed(
        JUDGING,
        option(
            "--fragments/--no-fragments",
            default=None,
            help="Look for what has no match as a part of a picture: crops, screenshots, pages of albums; similar at "
            f"most. [default: on with the extra dupfind[fragments], but for very many needles{exceptions}]",
        ),
    )


fragments_too = headed(
    JUDGING,
    option(
        "--fragments",
        is_flag=True,
        help="Look for images without a match as parts of pictures, too: crops, screenshots, pages of albums. The "
        "first time every picture of the haystack is read once more.",
    ),
)
fragments_in_groups = headed(
    JUDGING,
    option(
        "--fragments",
        is_flag=True,
        help="With --accept similar: put crops, screenshots and pages of albums to the picture that they show. The "
        "first time every picture is read once more.",
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
)
"""What is asked of which files: all that decides the answer of a scan but for the two sides and parts of pictures."""
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
    option(
        "--tls-ca", metavar="FILE", type=FILE, help="Certificate of the authority that signed those of the cluster."
    ),
    option("--tls-cert", metavar="FILE", type=FILE, help="The certificate that the cluster trusts this machine by."),
    option("--tls-key", metavar="FILE", type=FILE, help="Its key."),
)
"""Who reads, for questions: what acts makes its proofs on the machine that acts."""
