"""``dupfind index``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import options, streams
from dupfind.cli.command import command
from dupfind.cli.option import option, stacked
from dupfind.errors import ExitCode, SettingsError
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format, make_settings

if TYPE_CHECKING:
    from dupfind.answers.indexed import Checked, Indexed
    from dupfind.progress import Console

_EPILOG = """\b
Examples:
  Take stock of a drive:
    dupfind index /media/photos --catalog ~/photos.catalog
  Search in it while it is unplugged:
    dupfind scan --haystack ~/photos.catalog --needles ~/Backup
  Does the catalog still say what is there?
    dupfind index --check ~/photos.catalog /media/photos

\b
Exit codes: 0 when everything could be read, 1 when not, 2 when there is no
catalog or it is not this folder's. With --check 0 when nothing differs,
1 when something does, 2 when the two cannot be compared.
"""


@command(epilog=_EPILOG, short_help="A catalog of a drive, to search in while it is unplugged.")
@click.argument("folder", metavar="[DIR]", required=False, type=options.FOLDER)
@stacked(
    option("--catalog", metavar="FILE", type=options.FILE, help="Where to write the catalog, or to update it."),
    option("--check", metavar="FILE", type=options.FILE, help="Compare this catalog with DIR, writing nothing."),
    option("--deep", is_flag=True, help="With --check, read every file again: finds bytes that rotted."),
    options.exclude("Leave out."),
    options.follow_symlinks,
    options.output_format([choice.value for choice in Format]),
    options.output_paths,
    options.limits,
)
def index(
    *,
    folder: str | None,
    catalog: str | None,
    check: str | None,
    deep: bool,
    format_: str | None,
    print0: bool,
    output: str | None,
    progress: bool | None,
    quiet: bool,
    verbose: bool,
    profile_stages: bool,
    **raw: Any,  # noqa: ANN401 - passed on as it is: make_settings names and checks it
) -> int:
    """Write a catalog of DIR: what a scan needs to know of its files while the drive is unplugged.

    It holds the digest of every file and the thumbnail of every picture, and stands for DIR as --haystack FILE. A
    second run reads only what is new or has changed. Nothing is written below DIR, so FILE has to lie elsewhere. With
    --check, DIR and --exclude are what they were at the last update unless they are given.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    if (catalog is None) == (check is None):
        raise SettingsError("either --catalog FILE or --check FILE is needed")
    if deep and check is None:
        raise SettingsError("--deep goes with --check")
    chosen = streams.chosen_format(format_, print0=print0)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    workers = make_settings(**raw).workers
    answer: Indexed | Checked
    if check is not None:
        answer = _check(check, folder, console, raw, output, is_deep=deep)
    else:
        answer = _index(catalog or "", folder, console, raw, output)
    from dupfind import output as sink
    from dupfind.answers.indexed import Indexed
    from dupfind.report import index as report

    console.problems(answer.problems)
    sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
    console.times(workers)
    is_well = answer.is_whole if isinstance(answer, Indexed) else answer.is_equal
    return ExitCode.ALL_PRESENT if is_well else ExitCode.NOT_ALL_PRESENT


def _index(catalog: str, folder: str | None, console: Console, raw: dict[str, Any], output: str | None) -> Indexed:
    if folder is None:
        raise SettingsError("DIR is needed: the folder to take stock of")
    settings = make_settings(haystack=[folder], called="", may_be_catalogs=False, **raw)
    check_outputs({"--catalog": catalog, "--output": output}, settings.roots)
    refuse_overwriting({"--catalog": catalog, "--output": output}, {"--cache": settings.cache})
    from dupfind.commands import indexing  # heavy, so not before every option has been checked

    return indexing.index(settings, catalog, console)


def _check(
    catalog: str, folder: str | None, console: Console, raw: dict[str, Any], output: str | None, *, is_deep: bool
) -> Checked:
    from dupfind.commands import index_check  # likewise

    said = index_check.about(catalog)
    again = {
        "exclude": raw["exclude"] or said.excludes,
        "follow_symlinks": raw["follow_symlinks"] or said.follow_symlinks,
    }
    folders = [said.root if folder is None else folder]
    settings = make_settings(haystack=folders, called="", may_be_catalogs=False, **{**raw, **again})
    check_outputs({"--output": output}, settings.roots)
    refuse_overwriting({"--output": output}, {"--cache": settings.cache, "--check": catalog})
    return index_check.check(settings, catalog, console, is_deep=is_deep)
