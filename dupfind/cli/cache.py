"""``dupfind cache``: look at the cache, prune it, clear it."""

from __future__ import annotations

import os

import click

from dupfind import output
from dupfind.cli import options, streams
from dupfind.cli.command import Group
from dupfind.cli.options import option
from dupfind.report.text import printable
from dupfind.settings import default_cache


@click.group(cls=Group)
def cache() -> None:
    """Look at, prune or clear what dupfind remembers of files.

    The cache holds a thumbnail and hashes of each picture, digests of files, and the last few answers. It only saves
    time: without it, every answer is the same.
    """


def _path(given: str | None) -> str:
    return os.path.abspath(given) if given else default_cache()


def _print(*lines: str) -> None:
    """Print lines for people, whole or with an error, whatever characters the screen has."""
    text = "".join(f"{printable(line)}\n" for line in lines)
    output.write(text.encode(streams.screen().encoding, "backslashreplace"), None)


@cache.command("path")
@options.cache_file
def path_command(cache: str | None) -> None:
    """Print where the cache is."""
    path = _path(cache)
    if streams.screen().is_terminal:
        _print(path)
    else:
        output.write(os.fsencode(path) + b"\n", None)


@cache.command("info")
@options.cache_file
def info_command(cache: str | None) -> None:
    """Print what the cache holds."""
    from dupfind.cache import cache_upkeep
    from dupfind.report.text import count, size

    path = _path(cache)
    content = cache_upkeep.info(path)
    if content is None:
        _print(f"{path}: no cache yet")
        return
    counts = [
        count(content.files, "file"),
        count(content.thumbnails, "thumbnail"),
        count(content.digests, "digest"),
        count(content.failures, "unreadable picture"),
        count(content.answers, "whole answer"),
        count(content.snapshots, "snapshot"),
    ]
    _print(f"{path}: {size(content.size_bytes)}", ", ".join(counts))


@cache.command("clear")
@options.cache_file
def clear_command(cache: str | None) -> None:
    """Delete the cache."""
    from dupfind.cache import cache_upkeep
    from dupfind.report.text import size

    path = _path(cache)
    _print(f"{path}: {size(cache_upkeep.clear(path))} freed")


@cache.command("prune")
@options.cache_file
@option("--absent-folders", is_flag=True, help="Also forget files whose whole folder is not there.")
def prune_command(cache: str | None, absent_folders: bool) -> None:
    """Forget files that are gone or have changed.

    Files of folders that are not there at all, as on an unplugged drive, are kept unless --absent-folders is given.
    """
    from dupfind.cache import cache_upkeep
    from dupfind.report.text import count, size

    done = cache_upkeep.prune(_path(cache), with_absent_folders=absent_folders)
    lines = [f"{count(done.removed, 'file')} forgotten, {done.kept + done.away:,} kept, {size(done.freed_bytes)} freed"]
    if done.away:
        lines.append(f"{count(done.away, 'file')} kept whose folder is not there (--absent-folders forgets them)")
    _print(*lines)
