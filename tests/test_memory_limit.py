"""The ceiling: how much there is, how much of it a process gets, and that it holds."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from dupfind import memory_limit

needs_ceiling = pytest.mark.skipif(
    not memory_limit.IS_HELD, reason="this system does not limit the memory of a process"
)


def test_the_machine_has_memory() -> None:
    """More than a process needs, and no more than is built in."""
    found = memory_limit.machine_bytes()
    assert found is not None
    assert 1 << 27 < found <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(("machine", "usual"), [(8 << 30, 6 << 30), (1 << 20, 256 << 20), (None, 3 << 29)])
def test_three_quarters_are_usual(monkeypatch: pytest.MonkeyPatch, machine: int | None, usual: int) -> None:
    """But no less than one process needs; of a machine that does not tell, of two gibibytes."""
    monkeypatch.setattr(memory_limit, "machine_bytes", lambda: machine)
    assert usual == memory_limit.usual_bytes()


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/a/b\n", {"memory.max": "max", "a/memory.max": "900", "a/b/memory.max": "1000"}, [900, 1000]),
        ("0::/\n", {"memory.max": "700"}, [700]),
        ("0::/../x\n", {"memory.max": "700"}, [700]),
        ("5:memory:/d\n3:cpu:/d\n", {"memory/d/memory.limit_in_bytes": "800"}, [800]),
        ("3:cpu:/d\n", {"memory/memory.limit_in_bytes": "800"}, []),
        ("nonsense", {}, []),
        ("0::/a\n", {"memory.max": "", "a/memory.max": "many"}, []),
    ],
)
def test_limits_of_containers(tmp_path: Path, groups: str, files: dict[str, str], expected: list[int]) -> None:
    """Of both versions, at every level; what cannot be read is no limit."""
    (tmp_path / "groups").write_text(groups)
    for name, text in files.items():
        (tmp_path / "mount" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mount" / name).write_text(text)
    assert expected == list(memory_limit._group_bytes(str(tmp_path / "groups"), str(tmp_path / "mount")))
    assert [] == list(memory_limit._group_bytes(str(tmp_path / "missing"), str(tmp_path)))


@needs_ceiling
def test_the_ceiling_holds_and_is_lifted() -> None:
    """What is above is refused, and only in the block; a lower one around it stays."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit.held(3 << 30):
        with memory_limit.held(4 << 30):
            assert 3 << 30 == resource.getrlimit(resource.RLIMIT_DATA)[0]
        with pytest.raises(MemoryError):
            bytearray(4 << 30)
    assert before == resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit.held(None):
        assert before == resource.getrlimit(resource.RLIMIT_DATA)


@needs_ceiling
def test_who_may_have_been_short() -> None:
    """By the size that the header promises; without a ceiling nobody."""
    assert not memory_limit.may_be_short(10**9)
    with memory_limit.held(4 << 30):
        assert [False, False, True] == [memory_limit.may_be_short(size) for size in (0, 100_000_000, 200_000_000)]


def test_without_a_limit_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere nothing is set, and nothing asked."""
    monkeypatch.setattr(memory_limit, "IS_HELD", False)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit.held(1):
        assert before == resource.getrlimit(resource.RLIMIT_DATA)
        assert not memory_limit.may_be_short(10**12)
