"""The list of safety rules, as values."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).with_suffix(".toml")


class Mutant(NamedTuple):
    """One way to break a rule."""

    module: str
    """Below ``dupfind/``, without ``.py``: ``sources/walk``."""
    old: str
    """Occurs there exactly once."""
    new: str
    is_promised: bool = False
    """Whether the machine of ``tests/test_promise_machine.py`` has to see it, too."""


class Rule(NamedTuple):
    """One thing that has to be so, or photos are lost."""

    part: str
    what: str
    fault: str
    """What would be called contained, or present, without it."""
    tests: tuple[str, ...]
    """The test files that hold it, below ``tests/`` and without ``test_`` and ``.py``."""
    mutants: tuple[Mutant, ...]


def read() -> list[Rule]:
    """All rules, in the order of the list."""
    rules = tomllib.loads(LIST.read_text())["rule"]
    return [
        Rule(
            one["part"],
            one["what"],
            one["fault"],
            tuple(one["tests"]),
            tuple(
                Mutant(mutant["module"], mutant["old"], mutant["new"], mutant.get("promise", False))
                for mutant in one["mutant"]
            ),
        )
        for one in rules
    ]
