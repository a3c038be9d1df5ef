"""The story of ``dupfind selftest``: the decoders on known pictures, then whole runs in a scratch folder."""

from __future__ import annotations

import time
from collections.abc import Callable

from dupfind import libraries
from dupfind.answers.selftest import Check, OtherVersion, SelftestResult
from dupfind.errors import OutputError, reason_of
from dupfind.events import Listener
from dupfind.private_folder import PrivateFolder
from dupfind.selftest import known_pictures, runs
from dupfind.selftest.known_pictures import read_known
from dupfind.session import pool_of
from dupfind.settings import Settings

_RUNS: tuple[Callable[[str], Check], ...] = (runs.check_scan, runs.check_kill, runs.check_full_disk)


def run_selftest(settings: Settings, listener: Listener) -> SelftestResult:
    """Try everything; raises :class:`~dupfind.errors.DupfindError` where nothing can be tried."""
    start = time.monotonic()
    tested, installed = read_known(), dict(libraries.versions())
    with listener.stage("testing", 1 + len(_RUNS)) as advance:
        with pool_of(settings, listener) as pool:
            pictures, broken = known_pictures.check(tested, installed, pool)
        advance(1)
        try:
            with PrivateFolder("selftest-") as scratch:
                folder = scratch.path
                runs.make_trees(folder)
                done = []
                for check in _RUNS:
                    done.append(check(folder))
                    advance(1)
        except OSError as error:
            raise OutputError(f"the scratch folder for the test: {reason_of(error)}") from error
    differing = [
        OtherVersion(name, version, tested.versions[name])
        for name, version in installed.items()
        if name in tested.versions and version is not None and version != tested.versions[name]
    ]
    return SelftestResult(pictures, broken, done, differing, time.monotonic() - start)
