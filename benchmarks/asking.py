"""What the program says of one needle and one witness, both files on a disk."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.judging import SAME
from benchmarks.measuring import grade, seen_or_why
from dupfind.matching.reverify import Claim, reverify
from dupfind.pool.tasks import NO_IMAGE_DATA, read_image_data
from dupfind.report.reasons import sentence
from dupfind.settings import DEFAULT_MAX_PIXELS
from dupfind.sources.entries import entry_of
from dupfind.values import Evidence

_TIMEOUT_SECONDS = 600.0


def ask(needle: Path, witness: Path, *, is_quick: bool = False) -> tuple[str, str]:
    """Return the grade of a pair of files and the reason for it, as a scan gives it; ``is_quick`` as with ``--quick``.

    Everything that :mod:`benchmarks.losses` counts goes through here.
    """
    entries = [entry_of(str(path), os.stat(path)) for path in (needle, witness)]
    digests = [outcome.result for outcome in read_image_data(entries, DEFAULT_MAX_PIXELS, _TIMEOUT_SECONDS)]
    if isinstance(digests[0], bytes) and digests[0] not in (NO_IMAGE_DATA, b"") and digests[0] == digests[1]:
        return SAME, "the image data are equal"
    both = seen_or_why(needle.read_bytes()), seen_or_why(witness.read_bytes())
    verdict = grade(*both, with_full_size=not is_quick)[0]
    if verdict.grade != SAME or is_quick:
        return verdict.grade, verdict.reason
    # The second look of --paranoid decodes afresh and compares as every scan does, in the orientation that it finds.
    claim = Claim(entries[0], (entries[1],), Evidence.SAME)
    (look,) = reverify([claim], DEFAULT_MAX_PIXELS, _TIMEOUT_SECONDS)
    reason = sentence(look.reason) if look.reason else look.failure or ""
    return ("missing" if look.evidence is None else look.evidence.value), reason
