"""``dupfind doctor``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

import os

import click

from dupfind.cli import options, streams
from dupfind.cli.command import CONFIG, command
from dupfind.cli.config_file import Config
from dupfind.cli.options import stacked
from dupfind.errors import ExitCode
from dupfind.settings import Format, default_cache, make_settings

_EPILOG = """\b
Exit codes: 0 when nothing is wrong, 1 when something is, and says what helps,
2 for wrong usage, and where the report could not be written.
"""


@command(epilog=_EPILOG, short_help="Versions, limits and the cache's health, for a bug report.")
@stacked(
    options.output_format([Format.TABLE.value, Format.JSON.value]),
    options.output,
    options.cache_file,
)
def doctor(*, format_: str | None, output: str | None, cache: str | None) -> int:
    """Print what of this machine and this installation has a part in how dupfind runs.

    Versions, limits, how the cache is and which options are set where. There are no paths in it, no names of files and
    no values of options, so that it can be pasted into a bug report. Changes nothing.
    """
    from dupfind.overwriting import check_outputs, refuse_overwriting

    check_outputs({"--output": output}, ())
    place = os.path.abspath(cache) if cache else default_cache()
    refuse_overwriting({"--output": output}, {"--cache": place})
    settings = make_settings(no_cache=True)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.commands.doctor import diagnose
    from dupfind.report import doctor as report
    from dupfind.version import __version__

    config: Config | None = click.get_current_context().meta[CONFIG]
    screen = streams.screen(output)
    answer = diagnose(settings, place, None if config is None else config.keys(), screen.encoding)
    sink.write(report.render(answer, Format(format_ or Format.TABLE), screen, __version__), output)
    return ExitCode.ALL_PRESENT if answer.is_healthy else ExitCode.NOT_ALL_PRESENT
