"""``config.toml``: values for options that neither the command line nor the environment gives.

A key is the long name of an option. At the top it holds for every command that has the option, in a table named after a
command for that one. ``[profile.NAME]`` and ``[profile.NAME.COMMAND]`` are the same again, and come before them.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from dupfind.cache import permissions
from dupfind.cli.options import Option
from dupfind.errors import SettingsError, reason_of

FILE_VARIABLE = "DUPFIND_CONFIG"
_PROFILES = "profile"
_NOT_IN_THE_FILE = (_PROFILES,)
_MOST_BYTES = 1 << 20
_BARE_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*(?:=|\.)""")
_TABLE = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")


class Value(NamedTuple):
    """A value of the file: which table it stands in, as names from the top, and its key."""

    table: tuple[str, ...]
    key: str
    content: object


@dataclass(frozen=True)
class Config:
    """The file as it was read, and the profile that was asked for."""

    path: str
    text: str
    content: Mapping[str, Any]
    profile: str | None

    def values(self, command: str) -> dict[str, Value]:
        """Give the value of each key that holds for a command, whether it has such an option or not."""
        return {value.key: value for value in self._values_in_turn(command)}

    def keys(self) -> list[str]:
        """Name the options that the file sets, with the command that each is for; of profiles only that there are."""
        names: list[str] = []
        for key, content in self.content.items():
            if key == _PROFILES:
                names.append("profiles")
            elif isinstance(content, dict):
                names += [f"{key}.{inner}" for inner in content]
            else:
                names.append(key)
        return names

    def defaults(self, context: click.Context) -> dict[str, Any]:
        """Return the values of this command's options, by the names that click has for them.

        Raises :class:`~dupfind.errors.SettingsError` for a key that no command has, and for a value of another kind.
        """
        name = _name_of(context)
        self._refuse_unknown(context)
        options = options_of(context.command)
        defaults: dict[str, Any] = {}
        for value in self.values(name).values():
            option = options.get(value.key)
            if option is not None and option.name is not None and not option.is_typed:
                defaults[option.name] = self._converted(value, option, context)
        return defaults

    def place(self, value: Value) -> str:
        """Name the line of a value: ``config.toml:3``, or the file alone where it cannot be told."""
        return self._at(value.table, value.key)

    def place_of(self, context: click.Context, key: str) -> str:
        """Name the line that gives this option of the command that is running."""
        return self.place(self.values(_name_of(context))[key])

    def _values_in_turn(self, command: str) -> Iterator[Value]:
        """Yield what holds for a command, what comes later before what comes earlier."""
        profiles = self._table(self.content, _PROFILES)
        tables: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), self.content)]
        tables.append(((command,), self._table(self.content, command)))
        if self.profile is not None:
            if self.profile not in profiles:
                raise SettingsError(f"{self.path} has no profile {self.profile}{_hint(self.profile, profiles)}")
            profile = self._table(profiles, self.profile)
            tables.append(((_PROFILES, self.profile), profile))
            tables.append(((_PROFILES, self.profile, command), self._table(profile, command)))
        for names, table in tables:
            for key, content in table.items():
                if not isinstance(content, dict):
                    yield Value(names, key, content)

    @staticmethod
    def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        part = table.get(name)
        return part if isinstance(part, dict) else {}

    def _refuse_unknown(self, context: click.Context) -> None:
        """Raise :class:`~dupfind.errors.SettingsError` for the first key or table that nothing knows."""
        commands = _commands(context.find_root())
        profiles = self.content.get(_PROFILES, {})
        if not isinstance(profiles, dict):
            raise SettingsError(f"{self._at((), _PROFILES)}: [profile.NAME] is a table of values")
        self._refuse_in((), {key: part for key, part in self.content.items() if key != _PROFILES}, commands)
        for name, part in profiles.items():
            if not isinstance(part, dict):
                raise SettingsError(f"{self._at((_PROFILES,), name)}: [profile.{name}] is a table of values")
            self._refuse_in((_PROFILES, name), part, commands)

    def _refuse_in(
        self, names: tuple[str, ...], table: Mapping[str, Any], commands: Mapping[str, click.Command]
    ) -> None:
        # One that a command takes from the command line only may be given for the others.
        everywhere: dict[str, Option] = {}
        for command in commands.values():
            everywhere |= {
                key: option
                for key, option in options_of(command).items()
                if key not in everywhere or not option.is_typed
            }
        for key, content in table.items():
            if not isinstance(content, dict):
                self._refuse_key(names, key, everywhere, "no command has an option")
            elif key not in commands:
                keys = [*commands, *([] if names else [_PROFILES])]
                raise SettingsError(f"{self._at((*names, key), '')}: there is no command {key}{_hint(key, keys)}")
            else:
                for inner in content:
                    self._refuse_key((*names, key), inner, options_of(commands[key]), f"{key} has no option")

    def _refuse_key(self, names: tuple[str, ...], key: str, options: Mapping[str, Option], what: str) -> None:
        if key not in options:
            raise SettingsError(f"{self._at(names, key)}: {what} {key}{_hint(key, options)}")
        if options[key].is_typed:
            raise SettingsError(f"{self._at(names, key)}: {key} is given on the command line only")

    def _converted(self, value: Value, option: Option, context: click.Context) -> object:
        """Return a value as click would take it from the command line."""
        contents = value.content if option.multiple and isinstance(value.content, list) else [value.content]
        parts = [self._part(content, value, option) for content in contents]
        given = parts if option.multiple else parts[0]
        try:
            return option.type_cast_value(context, given)
        except click.BadParameter as error:
            raise SettingsError(f"{self.place(value)}: {value.key}: {error.message}") from error

    def _part(self, content: object, value: Value, option: Option) -> object:
        """Return one value, of the kind that the option takes; raises :class:`~dupfind.errors.SettingsError`."""
        wanted, is_right = _kind_of(option, content)
        if not is_right:
            more = " or a list of them" if option.multiple else ""
            raise SettingsError(f"{self.place(value)}: {value.key} takes {wanted}{more}")
        if isinstance(content, str) and getattr(option.type, "is_path", False):
            return self._path(content, value)
        return content

    def _path(self, path: str, value: Value) -> str:
        """Return a path with the home folder in the place of ``~``; nobody knows what another one would start from."""
        whole = os.path.expanduser(path)
        if not os.path.isabs(whole) and "://" not in whole and path != "-":
            raise SettingsError(f"{self.place(value)}: {value.key} takes a path that begins with / or ~, not {path}")
        return whole

    def _at(self, names: tuple[str, ...], key: str) -> str:
        """Return ``file:line`` of a key below these names, of their table where ``key`` is empty."""
        table: tuple[str, ...] = ()
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := _TABLE.match(line):
                table = tuple(part.strip().strip("\"'") for part in header[1].split("."))
                if not key and table == names:
                    return f"{self.path}:{number}"
            elif key and table == names and (at := _BARE_KEY.match(line)) and key in at.groups():
                return f"{self.path}:{number}"
        return self.path


def config_path() -> str:
    """Return where the file is: what ``DUPFIND_CONFIG`` names, or ``config.toml`` of the user's configuration."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return named
    from platformdirs import user_config_dir

    return os.path.join(user_config_dir("dupfind", appauthor=False), "config.toml")


def read_config(profile: str | None) -> Config | None:
    """Read the file, None where there is none and no profile is asked for.

    Raises :class:`~dupfind.errors.SettingsError` for one that cannot be read or is no TOML.
    """
    path = config_path()
    try:
        raw = _read_trusted(path)
    except (FileNotFoundError, NotADirectoryError):
        if profile is None and not os.environ.get(FILE_VARIABLE):
            return None
        asked = f"{FILE_VARIABLE} names it" if profile is None else f"--profile {profile} asks for it"
        raise SettingsError(f"{path} does not exist; {asked}") from None
    except OSError as error:
        raise SettingsError(f"{path}: {reason_of(error)}") from error
    import tomllib

    try:
        text = raw.decode("utf-8")
        return Config(path, text, tomllib.loads(text), profile)
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {str(error)[:1].lower()}{str(error)[1:]}") from error
    except (RecursionError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {type(error).__name__}") from error


def _read_trusted(path: str) -> bytes:
    """Read a file that nobody else may write: who writes it says what is set aside, and where code runs.

    Raises OSError and :class:`~dupfind.errors.SettingsError`.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    remedy = f"name one of your own with {FILE_VARIABLE}"
    why = permissions.distrust_of_file(status)
    if why is not None:
        raise SettingsError(f"{path} {why}: {remedy}")
    if (why := permissions.distrust_of_place(os.path.realpath(path), remedy)) is not None:
        raise SettingsError(f"{path}: {why}")
    if status.st_size > _MOST_BYTES:
        raise SettingsError(f"{path} has more than {_MOST_BYTES:,} bytes")
    with open(path, "rb") as file:
        return file.read(_MOST_BYTES)


def options_of(command: click.Command) -> dict[str, Option]:
    """Return the options of a command that the file may give, or could but for the consent, by their keys."""
    return {
        option.long_name: option
        for option in command.params
        if isinstance(option, Option) and option.long_name and option.long_name not in _NOT_IN_THE_FILE
    }


def _kind_of(option: Option, content: object) -> tuple[str, bool]:
    """Say what an option takes, and whether ``content`` is that; true and false are numbers to Python, not here."""
    if option.is_flag:
        return "true or false", isinstance(content, bool)
    if isinstance(option.type, click.types.IntParamType):
        return "a whole number", isinstance(content, int) and not isinstance(content, bool)
    if isinstance(option.type, click.types.FloatParamType):
        return "a number", isinstance(content, int | float) and not isinstance(content, bool)
    return "a text in quotes", isinstance(content, str)


def _commands(root: click.Context) -> dict[str, click.Command]:
    """Return every command that has options, by the name of its table."""
    group = root.command
    if not isinstance(group, click.Group):
        return {}
    commands = {name: group.get_command(root, name) for name in group.list_commands(root)}
    return {
        name: command
        for name, command in commands.items()
        if command is not None and not isinstance(command, click.Group)
    }


def _name_of(context: click.Context) -> str:
    """Return the name of the table of a command: of one in a group the group's."""
    return context.command_path.split(" ")[1] if " " in context.command_path else ""


def _hint(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # a library of its own size, for a mistake alone

    near = get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""
