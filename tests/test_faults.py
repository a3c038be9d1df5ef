"""The list of safety rules: each of its mutants can still be made, and each of its tests is there."""

from __future__ import annotations

import ast

import pytest

from faults.rules import Mutant, Rule, read
from tests.conftest import ROOT

RULES = read()


def test_there_are_enough() -> None:
    """No rule without a way to break it."""
    assert all(rule.mutants and rule.tests and rule.fault for rule in RULES)
    assert sum(len(rule.mutants) for rule in RULES) >= 100


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.what[:50])
def test_its_tests_are_there(rule: Rule) -> None:
    """By the names of their files."""
    for name in rule.tests:
        assert (ROOT / "tests" / f"test_{name}.py").is_file(), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutant",
    [mutant for rule in RULES for mutant in rule.mutants],
    ids=lambda mutant: f"{mutant.module} {mutant.old[:40]}",
)
def test_it_can_be_broken(mutant: Mutant) -> None:
    """The code says so once, and still is code without it."""
    text = (ROOT / "dupfind" / f"{mutant.module}.py").read_text()
    assert text.count(mutant.old) == 1
    broken = text.replace(mutant.old, mutant.new)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(text))
