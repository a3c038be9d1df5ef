"""``dupfind selftest``: the options, and nothing but the way from them to the answer."""

from __future__ import annotations

from dupfind.cli import options, streams
from dupfind.cli.command import command
from dupfind.cli.options import stacked
from dupfind.errors import ExitCode
from dupfind.settings import Format, make_settings

_EPILOG = """\b
Exit codes: 0 when everything is as it has to be (as are an extra that is not
there and pixels that differ by a little), 1 when a check failed, 2 when
nothing could be tried.
"""


@command(epilog=_EPILOG, short_help="Try dupfind on known pictures, on this machine.")
@stacked(
    options.output_format([Format.TABLE.value, Format.JSON.value]),
    options.output,
    options.progress,
    options.quiet,
    options.verbose,
)
def selftest(*, format_: str | None, output: str | None, progress: bool | None, quiet: bool, verbose: bool) -> int:
    """Try the installed decoders and whole runs on known pictures that come with dupfind.

    Each format has to give the hash that it gave where dupfind was tested, and half a file must not pass for a picture.
    A small scan has to be right, also after it was killed, and on a disk without room. Takes some seconds, and writes
    in a scratch folder only, which it removes.
    """
    streams.refuse_contradiction(quiet=quiet, verbose=verbose)
    from dupfind.overwriting import check_outputs

    check_outputs({"--output": output}, ())
    settings = make_settings(no_cache=True)
    console = streams.console(progress, quiet=quiet, verbose=verbose, profile_stages=False)
    # Heavy imports wait until every option has been checked.
    from dupfind import output as sink
    from dupfind.report import selftest as report
    from dupfind.selftest.selftest import run_selftest
    from dupfind.version import __version__

    answer = run_selftest(settings, console)
    sink.write(report.render(answer, Format(format_ or Format.TABLE), streams.screen(output), __version__), output)
    return ExitCode.ALL_PRESENT if answer.has_passed else ExitCode.NOT_ALL_PRESENT
