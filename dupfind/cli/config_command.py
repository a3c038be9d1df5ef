"""``dupfind config``: which values hold that no command line gives, and where each comes from."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

import click

from dupfind import output
from dupfind.cli import streams
from dupfind.cli.command import CONFIG, Command, command
from dupfind.cli.config_file import FILE_VARIABLE, Config, config_path, options_of
from dupfind.cli.options import PREFIX, Option
from dupfind.report.text import printable

_EPILOG = """\b
Example of the file:
  haystack = ["~/Photos", "/nas/photos"]
  workers = 2
  [scan]
  sidecars = "ignore"
  [profile.nas.scan]
  haystack = "/nas/photos"
"""


@command(epilog=_EPILOG, short_help="Which values hold without being typed, and where from.")
@click.argument("name", metavar="[COMMAND]", required=False)
def config(name: str | None) -> None:
    """Show which options have a value from config.toml or the environment; of COMMAND every option.

    A key of the file is the long name of an option, for all commands that have it; below [COMMAND] it is for that
    command. [profile.NAME] holds with --profile NAME. The environment (DUPFIND_ and the option's name, as in
    DUPFIND_HAYSTACK) comes before the file, and the command line before both.
    """
    context = click.get_current_context()
    root = context.find_root()
    group = root.command
    assert isinstance(group, click.Group), "dupfind is one"
    commands: dict[str, Command] = {}
    for each in group.list_commands(root) if name is None else [name]:
        _, inner, _ = group.resolve_command(root, [each])
        if isinstance(inner, Command):
            commands[each] = inner
    held: Config | None = context.meta[CONFIG]
    rows = [row for each, inner in commands.items() for row in _rows(root, each, inner, held, has_all=name is not None)]
    path = config_path()
    lines = [path if held is not None else f"{path} (not there)", *_shown(rows, is_one_command=name is not None)]
    lines += list(_unknown_variables(root, group))
    if name is None and not rows:
        lines.append("no option has a value but its default")
    text = "".join(f"{printable(line)}\n" for line in lines)
    output.write(text.encode(streams.screen().encoding, "backslashreplace"), None)


def _rows(
    root: click.Context, name: str, inner: Command, held: Config | None, *, has_all: bool
) -> Iterator[tuple[str, str, str, str]]:
    """Yield an option, its value, where that comes from, and the command."""
    context = click.Context(inner, info_name=name, parent=root)
    values = {} if held is None else held.values(name)
    if held is not None:
        held.defaults(context)  # refuses what is wrong with the file
    for key, option in options_of(inner).items():
        variable = option.envvar if isinstance(option.envvar, str) else None
        if variable is not None and (content := os.environ.get(variable)):
            yield key, content, variable, name
        elif held is not None and key in values and not option.is_typed:
            yield key, _written(values[key].content), os.path.basename(held.place(values[key])), name
        elif has_all:
            yield key, _default(option, context), "default", name


def _unknown_variables(root: click.Context, group: click.Group) -> Iterator[str]:
    """Say of each variable that is called like one of ours and is none what may have been meant."""
    variables = {FILE_VARIABLE}
    for each in group.list_commands(root):
        inner = group.get_command(root, each)
        variables |= {str(option.envvar) for option in inner.params if isinstance(option, Option)} if inner else set()
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in variables:
            from difflib import get_close_matches

            near = get_close_matches(variable, list(variables), 1)
            yield f"{variable} means nothing to dupfind" + (f"; did you mean {near[0]}?" if near else "")


def _default(option: Option, context: click.Context) -> str:
    default = option.get_default(context)
    has_one = isinstance(default, bool | int | float | str) or (isinstance(default, tuple | list) and default)
    return _written(default) if has_one else "-"


def _written(value: object) -> str:
    """Write a value as one would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return " ".join(shlex.quote(str(part)) for part in value)
    return str(value)


def _shown(rows: list[tuple[str, str, str, str]], *, is_one_command: bool) -> Iterator[str]:
    """Lay the rows out as columns, those that differ in their command alone as one."""
    merged: dict[tuple[str, str, str], list[str]] = {}
    for key, value, origin, name in rows:
        merged.setdefault((key, value, origin), []).append(name)
    widths = [max((len(row[column]) for row in merged), default=0) for column in range(2)]
    for (key, value, origin), names in merged.items():
        of_commands = "" if is_one_command else f"  ({', '.join(names)})"
        yield f"{key.ljust(widths[0])}  {value.ljust(widths[1])}  {origin}{of_commands}"
