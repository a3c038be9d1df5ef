"""Answers of `find`, made by hand."""

from __future__ import annotations

from dupfind.answers.find import FindResult, NearFile, Sought
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, Problem, ScanSettings, Side

SETTINGS = ScanSettings(("h",), (), "phash", 10, Evidence.SAME, rotations=True)
NEAR_THE_TOP = Reason(ReasonCode.PLACE, ("thumbnail", "near the top"))
SEEN = Sought(
    "up.jpg",
    [
        NearFile("h/a.jpg", Evidence.IDENTICAL, None, None, is_witness=True),
        NearFile("h/b.jpg", Evidence.SAME, 2, Reason(ReasonCode.TURNED, (90,)), is_witness=True),
        NearFile("h/=c.jpg", Evidence.SIMILAR, 8, NEAR_THE_TOP, is_witness=False),
        NearFile("h/d.jpg", None, 16, Reason(ReasonCode.UNLIKE), is_witness=False),
    ],
)
ITSELF = Sought("h/e.jpg", [], ["h/e.jpg"])
LOST = Sought("no\x1b[31m.jpg", error="no such file or directory")
PROBLEM = Problem("h/x.jpg", Side.HAYSTACK, "thumbnail", "cannot be decoded")
ANSWER = FindResult("1.0", SETTINGS, 5, [SEEN, ITSELF, LOST], 9, 8, [PROBLEM], most_bits=20)
HOSTILE = Sought("a\nb\udcff", [NearFile("h/\r\x9b\udcfe", Evidence.SAME, 0, None, is_witness=True)])
