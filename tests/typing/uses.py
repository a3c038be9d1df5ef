"""Uses of the Python API, for type checkers alone: what they see of the installed package, wrong calls included.

`tests/test_wheel.py` has mypy and pyright look at this file beside the built wheel. A comment that ignores an error is
one itself where there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

import dupfind
from dupfind import clean, compare, decide, describe, explain, find, groups, import_, index, scan, to_json, undo
from dupfind.answers.clean import Cleaned, CleanPlan
from dupfind.answers.compare import Comparison
from dupfind.answers.decisions import Decision
from dupfind.answers.explain import Explanation
from dupfind.answers.import_ import Imported, ImportPlan
from dupfind.answers.index import Indexed
from dupfind.answers.undo import Undone
from dupfind.events import Silence
from dupfind.values import Evidence, FileState, FolderState, Report

report = scan("hay", ["needles", Path("more")], accept="same", disregard="*.tmp", workers=2, listener=Silence())
assert_type(report, Report)
assert_type(report.folders[0].verdict, FolderState)
assert_type(report.files[0].verdict, FileState)
assert_type(compare("a.jpg", b"b.jpg").pairs, Sequence[Comparison])
assert_type(compare("a.jpg", "b.jpg").pairs[0].evidence, Evidence | None)
assert_type(find(["a.jpg"], "hay", nearest=3).are_all_seen, bool)
assert_type(groups("hay").frees_bytes, int)
assert_type(explain("a.jpg", "hay").explanations, Sequence[Explanation])
assert_type(index("drive", "drive.catalog", shard="1/2"), Indexed)
assert_type(describe(report.files[0].reasons[0]), str)

assert_type(import_("hay", "needles", "hay/in", threshold_bits=4), ImportPlan)
assert_type(import_("hay", "needles", "hay/in", apply=True, also=["better"]), Imported)
assert_type(clean("hay", "needles", trash=True), CleanPlan)
assert_type(clean("hay", "needles", move_to="away", apply=True), Cleaned)
assert_type(undo(dry_run=True), Undone)

assert_type(decide("same", "a.jpg", "b.jpg"), Decision)
assert_type(dupfind.read_decisions("decisions.json"), tuple[Decision, ...])
dupfind.write_decisions("decisions.json", [decide("not-wanted", "a.jpg")])
scan("hay", "needles", decisions="decisions.json")
scan("hay", "needles", decisions=dupfind.read_decisions("decisions.json"))
assert_type(to_json(report), str)


async def in_a_loop() -> None:
    """Await a scan."""
    assert_type(await asyncio.to_thread(scan, "hay", "needles", quick=True), Report)


scan("hay")  # type: ignore[call-arg]
scan("hay", ["needles"], accept=3)  # type: ignore[arg-type]
scan("hay", ["needles"], max_pixel=3)  # type: ignore[call-arg]
to_json("report")  # type: ignore[arg-type]
report.files[0].path = "another"  # type: ignore[misc]
