"""Whether the benchmark says what a scan says: real scans over one case of each photo, compared with its verdicts.

The scans are run with ``--quick``: what is compared at full size is measured by :mod:`benchmarks.losses`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.changes import EDITS
from benchmarks.judging import ALGORITHMS, SAME, SIMILAR, Verdict
from benchmarks.measuring import MeasuringError, case_of, grade, seen_or_why
from dupfind.pipeline import scan
from dupfind.report.reasons import sentences
from dupfind.settings import make_settings
from dupfind.values import FileVerdict


def check_agreement(photos: Sequence[Path], edits: Sequence[str]) -> int:
    """Give photo after photo one of the edits, scan them with each algorithm and compare; gives the number of cases.

    Raises :class:`~benchmarks.measuring.MeasuringError` where one verdict or reason differs: then the benchmark
    measures something else than what users get.
    """
    known = [edit for edit in EDITS if edit.name in edits]
    with tempfile.TemporaryDirectory() as name:
        haystack, needles = Path(name, "haystack"), Path(name, "needles")
        haystack.mkdir()
        needles.mkdir()
        expected = {}
        for number, edit in enumerate(known[: len(photos)]):
            case = case_of(photos[number], photos[number - 1], edit)
            if case is None:
                continue
            shown = f"{number:03}.jpg"  # what is in it is told by the content
            (haystack / shown).write_bytes(case.witness)
            (needles / shown).write_bytes(case.needle)
            expected[shown] = edit.name, grade(seen_or_why(case.needle), seen_or_why(case.witness))
        for position, algorithm in enumerate(ALGORITHMS):
            settings = make_settings(
                haystack=[str(haystack)], needles=[str(needles)], algorithm=algorithm, quick=True, no_cache=True
            )
            for file in scan(settings).files:
                edit_name, verdicts = expected[Path(file.path).name]
                _compare(f"{edit_name} of {file.path}, {algorithm}", file, verdicts[position])
    return len(expected)


def _compare(what: str, file: FileVerdict, verdict: Verdict) -> None:
    scanned = (file.evidence.value, sentences(file.reasons) or "") if file.evidence else None
    counted = (verdict.grade, verdict.reason) if verdict.grade in (SAME, SIMILAR) else None
    if scanned != counted:
        raise MeasuringError(f"{what}: a scan says {scanned or 'missing'}, the benchmark {counted or 'missing'}")
