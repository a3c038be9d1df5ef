"""Names, measures and words of the tests of a pair of pictures; pure."""

from __future__ import annotations

from typing import Any

from dupfind.evidence.facts import Test

MEASURES = {
    "check hash": "bits of 256 in which they differ",
    "structure": "the same, with the bound for a copy",
    "mirrored": "is it a mirror image?",
    "capture time": "is it another shot?",
    "more in the file": "does it hold more, such as a video?",
    "frames": "frames or pages in the file",
    "damage": "did a decoder complain?",
    "aspect ratio": "how far one is stretched, logarithm",
    "size": "width or height to the witness's",
    "compression": "JPEG quality that the witness lacks",
    "bits": "bits a pixel to the witness's, JPEG",
    "palette": "has the witness few colours only?",
    "data": "bytes for its size to the witness's",
    "detail": "fine detail to the witness's",
    "low information": "does it show too little to be sure?",
    "shift": "how far a corner moved, in 64ths",
    "tone": "mean change of the grey levels",
    "local": "how local the difference is",
    "outlier": "the worst pixel to the other ones",
    "spot": "the worst pixel of 64 x 64",
    "patch": "the worst 4 x 4 pixels of 64 x 64",
    "colour": "the worst difference in colour",
}
"""In a few words, what each test of :mod:`dupfind.evidence.evidence` measures."""
TURNS = (
    "upright",
    "mirrored left to right",
    "turned by 180 degrees",
    "mirrored top to bottom",
    "mirrored and turned by 90 degrees",
    "turned by 90 degrees",
    "mirrored and turned by 90 degrees",
    "turned by 90 degrees",
)
"""In words, each of the eight ways to turn and mirror a picture."""
_LARGE = 1000
_QUESTIONS = frozenset(name for name, text in MEASURES.items() if text.endswith("?"))


def value(test: Test) -> str:
    """Write what a test measured: yes, no or a number."""
    return ("yes" if test.value else "no") if test.name in _QUESTIONS else number(test.value)


def limit(test: Test) -> str:
    """Write the most that passes."""
    return "no" if test.name in _QUESTIONS else number(test.bound)


def bound(test: Test) -> str:
    """Write what passes, in a sentence."""
    return "no" if test.name in _QUESTIONS else f"at most {limit(test)}"


def number(value: float) -> str:
    """Write a number with three digits that count.

    >>> number(16.0), number(0.30000001), number(12.345)
    ('16', '0.3', '12.3')
    """
    return f"{value:.3g}" if abs(value) < _LARGE else f"{value:.0f}"


def as_json(test: Test) -> dict[str, Any]:
    """Make a test's object, as all our JSON has it."""
    return {"name": test.name, "value": round(test.value, 4), "bound": round(test.bound, 4), "passed": test.passed}
