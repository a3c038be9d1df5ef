"""The options by which a scan would have taken a haystack picture as proof; pure."""

from __future__ import annotations

from dupfind.answers.explanation import Advice
from dupfind.matching.nearest import Seen
from dupfind.reasons import Reason, ReasonCode
from dupfind.settings import MOST_THRESHOLD_BITS
from dupfind.values import ScanSettings


def advise(settings: ScanSettings, seen: Seen) -> Advice:
    """Tell which options would make a witness of ``seen``, or why none would."""
    if seen.grade is None:
        return Advice(obstacle=seen.reason or Reason(ReasonCode.UNLIKE))
    # A scan that found it otherwise did so whatever the distance of the whole pictures, and however they are turned.
    distance_bits, orientation = (0, 0) if seen.is_found_otherwise else (seen.distance_bits, seen.orientation)
    if distance_bits > MOST_THRESHOLD_BITS:
        return Advice(obstacle=Reason(ReasonCode.THRESHOLD_ENDS, (MOST_THRESHOLD_BITS, distance_bits)))
    options = []
    if orientation and not settings.rotations:
        options.append("--rotations")
    if distance_bits > settings.threshold_bits:
        options.append(f"--threshold {distance_bits}")
    if seen.grade.rank > settings.accept.rank:
        options.append(f"--accept {seen.grade}")
    return Advice(tuple(options), None if options else Reason(ReasonCode.OTHERS_FIRST))
