"""Commands as this program has them: help under headings, in two lengths, and values from elsewhere.

``-h`` shows what is used most and what only this command has, ``--help`` everything.
What the command line does not give comes from the environment,
then from ``config.toml``, then it is the default.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from inspect import cleandoc
from typing import Any

import click
from click.core import ParameterSource

from dupfind.cli import room
from dupfind.cli.config_file import read_config
from dupfind.cli.options import WHAT, Option
from dupfind.errors import SettingsError

_GENERAL = "General"
_IS_BRIEF = "dupfind.cli.command.is_brief"
CONFIG = "dupfind.config"
"""Under which a command's context keeps what config.toml says."""
_WITHOUT_PICTURES = frozenset({"cache", "completion", "config", "doctor", "help", "undo"})
"""Commands that read none."""
_FEW = 12
"""Options up to which a command shows all of them with ``-h``."""


class Command(click.Command):
    """A command whose help has headings, and whose options the environment and ``config.toml`` give, too."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own
        params: Sequence[click.Parameter] | None = None,
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> None:
        profile = Option(
            ["--profile"],
            metavar="NAME",
            is_eager=True,
            expose_value=False,
            callback=_configure,
            help="Values of this profile of config.toml.",
        )
        brief = Option(
            ["-h"],
            is_flag=True,
            is_eager=True,
            is_typed=True,
            expose_value=False,
            callback=_show_brief,
            help="Show the options that are used most.",
        )
        profile.heading = brief.heading = _GENERAL
        kwargs["params"] = [*(params or ()), profile, brief]
        super().__init__(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own
        """Run the command, without what is given elsewhere and contradicts what is typed."""
        options = {each.name: each for each in self.params if isinstance(each, Option)}
        for name in [name for name in options if name and _is_typed(ctx, name)]:
            for rival in options[name].rivals:
                if rival in options and not _is_typed(ctx, rival):
                    ctx.params[rival] = False if options[rival].is_flag else None  # as where nobody gives them
        if self.name not in _WITHOUT_PICTURES:
            room.refuse_too_little_memory()
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            if (place := _place_of(ctx, options.values(), error)) is not None:
                raise SettingsError(f"{place}: {error}") from error
            raise

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, as click makes it, in other words."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = "Show all options."
        return option

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command is for: of the short help the first paragraph."""
        whole = self.help
        try:
            if ctx.meta.get(_IS_BRIEF) and whole is not None:
                self.help = cleandoc(whole).partition("\n\n")[0]
            super().format_help_text(ctx, formatter)
        finally:
            self.help = whole

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings, in the order in which they were added."""
        is_brief = bool(ctx.meta.get(_IS_BRIEF)) and len(self._options(ctx)) > _FEW
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self._options(ctx):
            record = parameter.get_help_record(ctx)
            heading = getattr(parameter, "heading", _GENERAL)
            # What only this command has is what it is called for.
            if record is not None and (not is_brief or not heading or getattr(parameter, "is_common", False)):
                heading = heading or WHAT
                sections.setdefault(heading, []).append(record)
        if len(sections) == 1:
            sections = {"Options": next(iter(sections.values()))}
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
        if is_brief:
            formatter.write_paragraph()
            formatter.write_text(f"{ctx.command_path} --help shows all {len(self._options(ctx))} options.")

    def _options(self, ctx: click.Context) -> list[click.Option]:
        """List the options that the help shows."""
        return [each for each in self.get_params(ctx) if isinstance(each, click.Option) and not each.hidden]


class Lazy(MutableMapping[str, click.Command]):
    """Commands by name, each made when it is first asked for: a run needs one, and all options of all take 20 ms."""

    def __init__(self, names: Iterable[str], make: Callable[[str], click.Command]) -> None:
        self._made: dict[str, click.Command | None] = dict.fromkeys(names)
        self._make = make

    def __getitem__(self, name: str) -> click.Command:
        made = self._made[name]
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, name: object) -> bool:
        return name in self._made


class Group(click.Group):
    """A group that lists its commands in the order in which they were added: what is used most comes first."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command; an option of a command gets told where it belongs."""
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            place = self._place_of_option(ctx, error.option_name, words)
            if place is None:
                raise
            raise click.UsageError(place, ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command and what it is given; says how to name a folder that stands where a command should."""
        if args[0] not in self.commands and "scan" in self.commands and os.path.isdir(args[0]):
            folder = shlex.quote(args[0])
            ctx.fail(f"{folder} is a folder; to check it: {ctx.command_path} scan --haystack DIR {folder}")
        return super().resolve_command(ctx, args)

    def _place_of_option(self, ctx: click.Context, option: str, words: Sequence[str]) -> str | None:
        """Return where an option belongs that no group has; None where no command has it, either."""
        owners = [name for name, each in self.commands.items() if any(option in param.opts for param in each.params)]
        named = next((word for word in words if word in self.commands), None)
        if named in owners:
            return f"'{option}' stands behind the command: {ctx.command_path} {named} {option} ..."
        if named is None and owners:
            return f"'{option}' needs a command before it: {ctx.command_path} {owners[0]} {option} ..."
        return None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """List the names of the commands."""
        return list(self.commands)


Group.group_class = Group


def command(*args: Any, **attributes: Any) -> Callable[[Callable[..., Any]], Command]:  # noqa: ANN401 - click's own
    """Make a :class:`Command` of a function, as :func:`click.command` does."""
    return click.command(*args, cls=Command, **attributes)


def _is_typed(context: click.Context, name: str) -> bool:
    """Tell whether the command line gives a parameter."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _place_of(context: click.Context, options: Iterable[Option], error: SettingsError) -> str | None:
    """Return the line of config.toml that gives the option of an error; None where none does."""
    config = context.meta.get(CONFIG)
    for option in options:
        is_from_file = context.get_parameter_source(option.name or "") is ParameterSource.DEFAULT_MAP
        if config is not None and is_from_file and error.option == f"--{option.long_name}":
            place: str = config.place_of(context, option.long_name)
            return place
    return None


def _show_brief(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    """Print the short help and end."""
    if is_asked and not context.resilient_parsing:
        context.meta[_IS_BRIEF] = True
        click.echo(context.get_help())
        context.exit()


def _configure(context: click.Context, _: click.Parameter, profile: str | None) -> None:
    """Let ``config.toml`` give the defaults; raises :class:`~dupfind.errors.SettingsError`."""
    if context.resilient_parsing:
        return
    context.meta[CONFIG] = config = read_config(profile)
    if config is not None:
        context.default_map = config.defaults(context)
