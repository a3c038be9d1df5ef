"""Any order of imports, cleans, undos, edits, moves, hard links and kills: what there was is there, byte for byte."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dupfind.acting.places import is_temporary_name
from dupfind.commands import importing as story
from dupfind.errors import DupfindError
from tests.helpers.acting import carry_out_clean, contents, plan_clean, plan_import, undo
from tests.helpers.places import SECOND_DEVICE
from tests.helpers.steps import killed_in_step

CONTENTS = st.sampled_from([b"one", b"two", b"three", b"a longer photo", b""])
PLACES = st.sampled_from(
    ["old/a.txt", "old/x/a.txt", "old/x/b.txt", "old/x/y/c.txt", "old/.nomedia", "old/x/.DS_Store", "hay/a.txt",
     "hay/x/b.txt", "hay/in/a.txt", "hay/in/x/b.txt"]
)  # fmt: skip
STEPS = st.one_of(st.none(), st.integers(1, 60))
"""When a run is killed; None where it is not."""


class Tool(RuleBasedStateMachine):
    """A person and the program, one after the other, over two small trees."""

    def __init__(self) -> None:
        super().__init__()
        is_other = os.access(SECOND_DEVICE, os.W_OK)
        place = SECOND_DEVICE if is_other else None
        self.top = Path(tempfile.mkdtemp(prefix="dupfind-machine-", dir=place)).resolve()
        self.hay, self.old = self.top / "hay", self.top / "old"
        self.far = Path(tempfile.mkdtemp(prefix="dupfind-far-")).resolve()
        for folder in (self.hay, self.old):
            folder.mkdir()
        (self.hay / "keep.txt").write_bytes(b"one")
        os.environ["XDG_STATE_HOME"], os.environ["XDG_DATA_HOME"] = str(self.top / "state"), str(self.top / "data")
        self.ever: set[bytes] = set()
        """What a person has ever left: an older state of a file may lie on the other drive."""
        self.person()

    def teardown(self) -> None:
        """Take the trees away."""
        shutil.rmtree(self.top)
        shutil.rmtree(self.far)

    def person(self) -> None:
        """What a person has done is done: from now on this is what there is, but for what is not finished."""
        whole = (path for path in self.top.rglob("*") if path.is_file() and not is_temporary_name(path.name))
        self.known = {path.read_bytes() for path in whole if path.suffix not in (".trashinfo", ".journal", ".lock")}
        self.ever |= self.known

    @rule(place=PLACES, content=CONTENTS)
    def write(self, place: str, content: bytes) -> None:
        """A new file, or other bytes in one that is there."""
        path = self.top / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.person()

    @rule(place=PLACES, to=PLACES)
    def move(self, place: str, to: str) -> None:
        """A file gets another name, and the one that had it is gone."""
        if (self.top / place).is_file():
            (self.top / to).parent.mkdir(parents=True, exist_ok=True)
            (self.top / place).replace(self.top / to)
            self.person()

    @rule(place=PLACES, to=PLACES)
    def link(self, place: str, to: str) -> None:
        """A further name of a file."""
        if (self.top / place).is_file() and not (self.top / to).exists():
            (self.top / to).parent.mkdir(parents=True, exist_ok=True)
            os.link(self.top / place, self.top / to)
            self.person()

    def act(self, run: Callable[[], object], step: int | None) -> None:
        """Let the program do something, and kill it in a step."""
        if step is None:
            run()
        else:
            killed_in_step(step, run)

    @rule(step=STEPS, layout=st.sampled_from(["keep", "date"]))
    def import_(self, step: int | None, layout: str) -> None:
        """Bring over what is missing; no half file is left under a name that is final."""
        with suppress(DupfindError):
            plan = plan_import(self.hay, self.old, self.hay / "in", layout=layout)
            self.act(lambda: story.carry_out(plan), step)
        for path in self.hay.rglob("*"):
            if path.is_file() and not is_temporary_name(path.name):
                assert path.read_bytes() in self.known

    @rule(step=STEPS, are_files=st.booleans(), is_far=st.booleans())
    def clean(self, step: int | None, are_files: bool, is_far: bool) -> None:
        """Take away what is contained; all that was in the two trees is still in one of them."""
        before = set(contents(self.hay, self.old)) - {b""}
        names = {path for path in self.hay.rglob("*") if path.is_file()}
        with suppress(DupfindError):
            plan = plan_clean(self.hay, self.old, are_files=are_files, to=self.far if is_far else None)
            self.act(lambda: carry_out_clean(plan), step)
        assert before <= set(contents(self.hay, self.old))
        assert names == {path for path in self.hay.rglob("*") if path.is_file()}

    @rule(step=STEPS)
    def undo(self, step: int | None) -> None:
        """Take back the last run."""
        with suppress(DupfindError):
            self.act(undo, step)

    @invariant()
    def everything_is_there(self) -> None:
        """Each content that a person has left exists at one place or the other; on the other drive none is half."""
        assert self.known <= set(contents(self.top, self.far))
        for path in self.far.rglob("*"):
            assert is_temporary_name(path.name) or not path.is_file() or path.read_bytes() in {*self.ever, b""}


@pytest.mark.parametrize("examples", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_nothing_is_ever_lost(homes: Path, examples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order; ``homes`` brings back the variables that each machine sets for itself."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody waits for the disk
    run_state_machine_as_test(Tool, settings=settings(max_examples=examples, stateful_step_count=12, deadline=None))
