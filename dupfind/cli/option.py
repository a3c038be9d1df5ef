"""Options as this program has them: with a heading, a variable of the environment, and names that only work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

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
