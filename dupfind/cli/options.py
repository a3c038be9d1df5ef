"""Each option that more than one command has, named once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class SystemPath(click.ParamType[str]):
    """A path as the system gave it: any bytes, kept as :func:`os.fsdecode` does; ``~`` is the shell's business."""

    name = "path"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Take the value as it is."""
        return os.fsdecode(value)


FOLDER = SystemPath()
FILE = SystemPath()

cache_file = click.option(
    "--cache",
    metavar="FILE",
    type=FILE,
    envvar="DUPFIND_CACHE",
    help="Where thumbnails are kept from run to run. Also DUPFIND_CACHE. [default: in the user's cache folder]",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print errors only, no warnings and no bars.")
verbose = click.option("-v", "--verbose", is_flag=True, help="Print every problem, and how long each stage took.")
progress = click.option(
    "--progress/--no-progress",
    default=None,
    help="Bars on standard error. [default: when it is a terminal]",
)


def stacked(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, shown by ``--help`` in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
