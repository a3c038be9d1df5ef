"""The list of safety rules: each of its mutants can still be made, and each of its tests is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from faults.rules import Mutant, read
from tests.helpers.places import ROOT

RULES = read()


def test_there_are_enough() -> None:
    """No rule without a way to break it."""
    assert all(rule.mutants and rule.tests and rule.fault for rule in RULES)
    assert sum(len(rule.mutants) for rule in RULES) >= 100


def test_its_tests_are_there() -> None:
    """By the names of their files."""
    names = {name for rule in RULES for name in rule.tests}
    assert [] == [name for name in sorted(names) if not (ROOT / "tests" / f"test_{name}.py").is_file()]


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


def _is_slow(node: ast.AST) -> bool:
    """Tell whether a class, a function or a module's ``pytestmark`` is marked so that none of its cases is fast."""
    marks = {ast.unparse(mark) for mark in getattr(node, "decorator_list", [])}
    return not marks.isdisjoint({"pytest.mark.slow", "pytest.mark.mostly_slow(fast=0)"})


@cache
def _text_of(name: str) -> str:
    return (ROOT / "tests" / f"test_{name}.py").read_text()


@cache
def _fast_tests(text: str) -> list[str]:
    """Return the names of the tests in a test file of which `make test` runs at least one case."""
    module = ast.parse(text)
    marks = [ast.unparse(node) for node in module.body if isinstance(node, ast.Assign)]
    if any(re.match(r"pytestmark = .*\bpytest\.mark\.slow\b", mark) for mark in marks):
        return []
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and not _is_slow(node)]
    return [
        node.name
        for parent in (module, *classes)
        for node in parent.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _is_slow(node)
    ]


def test_its_tests_include_a_fast_one() -> None:
    """`make test` holds each rule; what is marked as slow runs in `make check` only."""
    # One is enough, and each file takes 15 ms to be parsed.
    slow = [rule.what for rule in RULES if not any(_fast_tests(_text_of(name)) for name in rule.tests)]
    assert [] == slow


@pytest.mark.parametrize(
    "text",
    [
        "@pytest.mark.slow\ndef test_a(): ...",
        "@pytest.mark.mostly_slow(fast=0)\ndef test_a(): ...",
        "@pytest.mark.slow\nclass TestA:\n    def test_a(self): ...",
        "pytestmark = pytest.mark.slow\ndef test_a(): ...",
        "pytestmark = [pytest.mark.skipif(0), pytest.mark.slow]\ndef test_a(): ...",
        "def helper(): ...",
    ],
)
def test_a_file_without_fast_tests(text: str) -> None:
    """However its tests are marked."""
    assert _fast_tests(text) == []
