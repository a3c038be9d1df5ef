"""``dupfind index``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dupfind.cli import options, streams
from dupfind.cli.command import command
from dupfind.cli.options import option, stacked
from dupfind.errors import ExitCode, SettingsError, option_error
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.settings import Format, make_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dupfind.answers.index import Checked, Indexed
    from dupfind.progress import Console

_EPILOG = """\b
Examples:
  Take stock of a drive:
    dupfind index /media/photos --catalog ~/photos.catalog
  Search in it while it is unplugged:
    dupfind scan --haystack ~/photos.catalog --needles ~/Backup
  Index with several machines, and put their catalogs together:
    dupfind index /nas --shard 1/2 --catalog one    (here)
    dupfind index /nas --shard 2/2 --catalog two    (there)
    dupfind index --merge all.catalog one two
  Does the catalog still say what is there?
    dupfind index --check ~/photos.catalog /media/photos

\b
Exit codes: 0 when everything could be read, 1 when not, 2 when there is no
catalog or it is not this folder's. With --check 0 when nothing differs,
1 when something does, 2 when the two cannot be compared.
"""


@command(epilog=_EPILOG, short_help="A catalog of a drive, to search in while it is unplugged.")
@click.argument("paths", metavar="[DIR]", nargs=-1, type=options.FOLDER)
@stacked(
    option("--catalog", metavar="FILE", type=options.FILE, help="Where to write the catalog, or to update it."),
    option("--check", metavar="FILE", type=options.FILE, help="Compare this catalog with DIR, writing nothing."),
    option("--deep", is_flag=True, help="With --check, read every file again: finds bytes that rotted."),
    option("--shard", metavar="I/N", help="Index the I-th of N parts, for as many machines at once."),
    option("--merge", metavar="FILE", type=options.FILE, help="Write there what the catalogs of all shards list."),
    option("--columns", is_flag=True, help="Also write FILE.columns: scans then need little of a large catalog."),
    options.exclude("Leave out."),
    options.follow_symlinks,
    options.output_format([choice.value for choice in Format]),
    options.output_paths,
    options.limits,
    options.cluster,
)
def index(
    *,
    paths: tuple[str, ...],
    catalog: str | None,
    check: str | None,
    deep: bool,
    shard: str | None,
    merge: str | None,
    columns: bool,
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
    --check, DIR and --exclude are what they were at the last update unless they are given. With --merge, the arguments
    are the catalogs of all shards.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    if sum(file is not None for file in (catalog, check, merge)) != 1:
        raise SettingsError("one of --catalog FILE, --check FILE and --merge FILE is needed")
    if deep and check is None:
        raise option_error("--deep", "goes with --check")
    if shard is not None and catalog is None:
        raise option_error("--shard", "goes with --catalog")
    if columns and check is not None:
        raise option_error("--columns", "goes with --catalog and --merge")
    if merge is None and len(paths) > 1:
        raise SettingsError(f"one DIR is indexed at a time, and not {len(paths)}")
    folder = next(iter(paths), None)
    chosen = streams.chosen_format(format_, print0=print0)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=profile_stages)
    workers = make_settings(**raw).workers
    answer: Indexed | Checked
    if merge is not None:
        answer = _merge(merge, paths, output, with_columns=columns)
    elif check is not None:
        answer = _check(check, folder, console, raw, output, is_deep=deep)
    else:
        answer = _index(catalog or "", folder, shard, console, raw, output, with_columns=columns)
    from dupfind import output as sink
    from dupfind.answers.index import Indexed
    from dupfind.report import index as report

    console.problems(answer.problems)
    sink.write(report.render(answer, chosen, streams.screen(output), print0=print0), output)
    console.times(workers)
    is_well = answer.is_whole if isinstance(answer, Indexed) else answer.is_equal
    return ExitCode.ALL_PRESENT if is_well else ExitCode.NOT_ALL_PRESENT


def _merge(merged: str, catalogs: Sequence[str], output: str | None, *, with_columns: bool) -> Indexed:
    if not catalogs:
        raise option_error("--merge", "FILE takes the catalogs of all shards as arguments")
    refuse_overwriting({"--merge": merged, "--output": output}, {f"catalog {path}": path for path in catalogs})
    from dupfind.commands import merging  # brings SQLite

    return merging.merge(merged, catalogs, with_columns=with_columns)


def _index(
    catalog: str,
    folder: str | None,
    shard: str | None,
    console: Console,
    raw: dict[str, Any],
    output: str | None,
    *,
    with_columns: bool,
) -> Indexed:
    if folder is None:
        raise SettingsError("DIR is needed: the folder to take stock of")
    from dupfind.catalog.shards import Shard

    part = None if shard is None else Shard.parsed(shard)
    settings = make_settings(haystack=[folder], called="", may_be_catalogs=False, **raw)
    check_outputs({"--catalog": catalog, "--output": output}, settings.roots)
    refuse_overwriting({"--catalog": catalog, "--output": output}, {"--cache": settings.cache})
    from dupfind.commands import indexing  # heavy, so not before every option has been checked

    return indexing.index(settings, catalog, console, shard=part, with_columns=with_columns)


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
