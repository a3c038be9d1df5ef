"""``dupfind cache``: look at the cache, prune it, clear it."""

from __future__ import annotations

import os

import click

from dupfind.cli import options
from dupfind.settings import default_cache


@click.group()
def cache() -> None:
    """Look at, prune or clear what dupfind remembers of files.

    The cache holds a thumbnail and hashes of each picture, digests of files, and the last few answers. It only saves
    time: without it, every answer is the same.
    """


def _path(given: str | None) -> str:
    return os.path.abspath(given) if given else default_cache()


@cache.command("path")
@options.cache_file
def path_command(cache: str | None) -> None:
    """Print where the cache is."""
    click.echo(os.fsencode(_path(cache)))


@cache.command("info")
@options.cache_file
def info_command(cache: str | None) -> None:
    """Print what the cache holds."""
    from dupfind import cache_upkeep
    from dupfind.report.text import count, printable, size

    path = _path(cache)
    found = cache_upkeep.info(path)
    if found is None:
        click.echo(f"{printable(path)}: no cache yet")
        return
    click.echo(f"{printable(path)}: {size(found.size_bytes)}")
    click.echo(f"{count(found.files, 'file')}, {count(found.thumbnails, 'thumbnail')}, ", nl=False)
    click.echo(f"{count(found.digests, 'digest')}, {count(found.failures, 'unreadable picture')}, ", nl=False)
    click.echo(f"{count(found.answers, 'whole answer')}")


@cache.command("clear")
@options.cache_file
def clear_command(cache: str | None) -> None:
    """Delete the cache."""
    from dupfind import cache_upkeep
    from dupfind.report.text import printable, size

    path = _path(cache)
    click.echo(f"{printable(path)}: {size(cache_upkeep.clear(path))} freed")


@cache.command("prune")
@options.cache_file
@click.option("--absent-folders", is_flag=True, help="Also forget files whose whole folder is not there.")
def prune_command(cache: str | None, absent_folders: bool) -> None:
    """Forget files that are gone or have changed.

    Files of folders that are not there at all, as on an unplugged drive, are kept unless --absent-folders is given.
    """
    from dupfind import cache_upkeep
    from dupfind.report.text import count, size

    done = cache_upkeep.prune(_path(cache), with_absent_folders=absent_folders)
    click.echo(
        f"{count(done.removed, 'file')} forgotten, {done.kept + done.away:,} kept, {size(done.freed_bytes)} freed"
    )
    if done.away:
        click.echo(f"{count(done.away, 'file')} kept whose folder is not there (--absent-folders forgets them)")
