"""All kinds of pairs, in the order of the tables; those that nothing is tuned on apart."""

from __future__ import annotations

from benchmarks.everyday_kinds import EVERYDAY_KINDS, HELD_OUT_EVERYDAY_KINDS
from benchmarks.fine_kinds import FINE_KINDS, HELD_OUT_FINE_KINDS
from benchmarks.held_out import HELD_OUT_KINDS
from benchmarks.held_out_soft import HELD_OUT_SOFT_KINDS
from benchmarks.kinds import PairKind
from benchmarks.lacking import LACKING_KINDS
from benchmarks.mixed_kinds import MIXED_KINDS
from benchmarks.more_screens import MORE_PAGE_KINDS
from benchmarks.own_kinds import OWN_KINDS
from benchmarks.reduced_kinds import HELD_OUT_REDUCED_KINDS, REDUCED_KINDS
from benchmarks.screens import PAGE_KINDS
from benchmarks.smooth_kinds import HELD_OUT_SMOOTH_KINDS, SMOOTH_KINDS
from benchmarks.still_camera import STILL_KINDS
from benchmarks.true_copies import COPY_KINDS, CURVE_KINDS


def tuned_kinds() -> tuple[PairKind, ...]:
    """Return the kinds that bounds may be chosen by."""
    return (
        *LACKING_KINDS,
        *PAGE_KINDS,
        *MORE_PAGE_KINDS,
        *STILL_KINDS,
        *OWN_KINDS,
        *MIXED_KINDS,
        *FINE_KINDS,
        *REDUCED_KINDS,
        *SMOOTH_KINDS,
        *EVERYDAY_KINDS,
        *COPY_KINDS,
        *CURVE_KINDS,
    )


def held_out_kinds() -> tuple[PairKind, ...]:
    """Return the kinds that are only measured: whoever chooses bounds does not look at them."""
    return (
        *HELD_OUT_KINDS,
        *HELD_OUT_SOFT_KINDS,
        *HELD_OUT_FINE_KINDS,
        *HELD_OUT_REDUCED_KINDS,
        *HELD_OUT_SMOOTH_KINDS,
        *HELD_OUT_EVERYDAY_KINDS,
    )
