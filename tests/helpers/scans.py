"""Scans in the process of the test, and what they say."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dupfind import pipeline
from dupfind.report import Screen, render
from dupfind.settings import Settings, make_report_settings, make_settings
from dupfind.values import Report


def one_thread() -> ThreadPoolExecutor:
    """Everything in this process, so that tests can look on."""
    return ThreadPoolExecutor(1)


def settings(haystack: Path, needles: Path, **options: object) -> Settings:
    """Settings of a scan without a cache, unless one is given."""
    options.setdefault("no_cache", "cache" not in options)
    return make_settings(haystack=[str(haystack)], needles=[str(needles)], **options)  # type: ignore[arg-type]


def scan(haystack: Path, needles: Path, **options: object) -> Report:
    """Scan in this process."""
    return pipeline.scan(settings(haystack, needles, **options), make_executor=one_thread)


def states(report: Report) -> dict[str, str]:
    """File verdicts by name, `state` or `state/evidence`."""
    return {
        os.path.basename(one.path): one.state + (f"/{one.evidence}" if one.evidence else "") for one in report.files
    }


def answer(report: Report) -> bytes:
    """The JSON of a report without what depends on the clock."""
    whole = json.loads(render(report, make_report_settings(format_="json"), Screen()))
    del whole["started"], whole["elapsed_seconds"]
    return json.dumps(whole).encode()
