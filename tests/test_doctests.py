"""The examples in docstrings; `--doctest-modules` would go through every module and every test for them."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.helpers.places import ROOT

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "dupfind").rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_is_so(name: str) -> None:
    """Each module that shows examples has some that run, and none of them fails."""
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert (0, True) == (failed, attempted > 0)
