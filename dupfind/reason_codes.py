"""Stable short words for why a verdict is what it is, for programs; the sentences beside them may change."""

from __future__ import annotations

from enum import StrEnum


class ReasonCode(StrEnum):
    """The reason of a verdict; docs/report.md lists them."""

    SAME_IMAGE_DATA = "same-image-data"
    """The image data of needle and witness are equal, whatever their metadata say."""
    MORE_COMPRESSED = "more-compressed"
    """The needle is present, and it is the better copy: the witness was compressed more."""
    BRIGHTNESS = "brightness-differs"
    """At full size, one of the two is lighter, darker or of another contrast; likewise the next ones."""
    COLOR = "colors-differ"
    PLACE = "something-differs"
    DETAIL = "less-detail"
    GRAIN = "grain-differs"
    PALETTE = "fewer-colors"
    PLAIN = "too-little-to-see"
    CAPTURE_TIME = "capture-time-differs"
    """The two were taken at other times, which only another time zone would make one, and nothing says so."""
    NOT_COMPARED = "not-compared"
    """The two files could not be compared at full size."""
    CONFLICT = "conflict"
    """The witness is that of another needle, which shows another picture."""


SAME_IMAGE_DATA = ReasonCode.SAME_IMAGE_DATA
