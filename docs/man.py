"""The manual page, in roff's man macros, from the help of the commands; ``python -m docs.generate`` writes it.

One page for all commands, so that ``man dupfind`` answers whatever was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap

import click

from dupfind.cli.main import dupfind

FILE = Path(__file__).parent / "man" / "dupfind.1"
DATE = "2026-11-21"
"""Of the page; to be changed with each release, and no clock's, so that the same help makes the same page."""
VERSION = "1.0"
"""The release that the page is of, likewise: the version of a checkout changes with each commit."""
SUMMARY = "tell what of an old backup is not in a photo collection"
_LINE = 76
_ESCAPES = {
    "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "\u2026": "...",
}  # fmt: skip
_AS_IT_IS = "\b"
"""click's mark for a paragraph that is not to be filled."""
_ENVIRONMENT = (
    ("DUPFIND_...", "Each option but --apply and --yes by its name, as in DUPFIND_HAYSTACK, DUPFIND_MAX_MEMORY."),
    ("DUPFIND_CONFIG", "Where config.toml is. [default: dupfind/config.toml in the user's configuration folder]"),
    ("IMMICH_API_KEY", "The key of an Immich server."),
    ("_DUPFIND_COMPLETE", "Set to bash_source, zsh_source or fish_source: print the script that completes commands."),
    ("NO_COLOR, FORCE_COLOR", "Where it is set to anything, tables have no colours, or always some."),
)


def page() -> str:
    """The whole page."""
    lines = [
        f'.TH DUPFIND 1 "{DATE}" "dupfind {VERSION}" "User Commands"',
        ".SH NAME",
        f"dupfind \\- {SUMMARY}",
        ".SH SYNOPSIS",
        *_synopses(),
        ".SH DESCRIPTION",
        *_paragraphs(dupfind.help or ""),
        ".SH OPTIONS",
        *_options(dupfind),
        ".SH COMMANDS",
    ]
    for name, command in _commands("dupfind", dupfind):
        lines += [f".SS {_text(name)}", *_paragraphs(command.help or ""), *_options(command)]
        lines += _paragraphs(command.epilog or "", is_first=False)
    lines += [".SH EXIT STATUS", *_paragraphs(dupfind.epilog or "")]
    lines.append(".SH ENVIRONMENT")
    for name, text in _ENVIRONMENT:
        lines += [".TP", f".B {_text(name)}", *_filled(text)]
    lines += [".SH SEE ALSO", ".BR sha256sum (1),", ".BR xargs (1)"]
    return "\n".join(lines) + "\n"


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """All that do something, each with its whole name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for part in command.list_commands(_context(command)):
        inner = command.get_command(_context(command), part)
        assert inner is not None, "it is listed"
        yield from _commands(f"{name} {part}", inner)


def _synopses() -> Iterator[str]:
    for number, (name, command) in enumerate(_commands("dupfind", dupfind)):
        if number:
            yield ".br"
        yield f".B {_text(name)}"
        yield _text(" ".join(command.collect_usage_pieces(_context(command))))


def _context(command: click.Command) -> click.Context:
    return click.Context(
        command, help_option_names=["-h", "--help"] if isinstance(command, click.Group) else ["--help"]
    )


def _options(command: click.Command) -> Iterator[str]:
    context = _context(command)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not isinstance(parameter, click.Option):
            continue
        yield from (".TP", f".B {_text(record[0])}", *_filled(record[1]))


def _paragraphs(text: str, *, is_first: bool = True) -> Iterator[str]:
    """Paragraphs of a help text, of which the first may stand below a heading; what click does not fill is not here."""
    for paragraph in cleandoc(text).split("\n\n"):
        lines = paragraph.split("\n")
        if not paragraph.strip():
            continue
        if not is_first:
            yield ".PP"
        is_first = False
        if lines[0].strip(" ") == _AS_IT_IS:
            yield from (".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield from _filled(paragraph)


def _filled(text: str) -> Iterator[str]:
    return map(_text, wrap(" ".join(text.split()), _LINE, break_on_hyphens=False))


def _text(text: str) -> str:
    """``text`` as roff prints it, whatever it means to roff."""
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    if not escaped.isascii():
        escaped = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    return f"\\&{escaped}" if escaped.startswith((".", " ")) else escaped
