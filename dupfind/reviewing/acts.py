"""What a page may set going besides decisions: import, clean, and taking them back, as the commands of these names do.

A plan first, which changes nothing and is shown; then, where a person says yes to that very plan, what it says. Where
to is said on the command line only: no request names a path. Nothing here runs while something else reads files.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from dupfind.acting.stopping import after_this_file
from dupfind.answers.clean import CleanPlan
from dupfind.answers.decisions import Decision
from dupfind.answers.import_ import ImportPlan
from dupfind.commands import cleaning, importing, undoing
from dupfind.commands.cleaning import Away
from dupfind.commands.importing import Destination
from dupfind.errors import CutOffError, DupfindError, StoppedError
from dupfind.events import Listener
from dupfind.report import Screen, clean, import_, undo
from dupfind.report.text import count, printable, size
from dupfind.settings import Format, Settings

IMPORT, CLEAN = "import", "clean"
_SCREEN = Screen(100, is_terminal=False, encoding="utf-8")


class Means(NamedTuple):
    """What the command line allows; each looks at the disk anew, since what was imported is a haystack from then on."""

    importing: Callable[[], tuple[Settings, Destination]] | None = None
    layout: str = "keep"
    cleaning: Callable[[], tuple[Settings, Away]] | None = None


NOTHING = Means()
"""Looking and deciding only."""


class PlanGoneError(DupfindError):
    """There is no such plan any more."""


class _Done(NamedTuple):
    """What came of it."""

    render: Callable[[], bytes]
    journal: str | None
    stopped: int | None


class _Import(NamedTuple):
    plan: ImportPlan

    @property
    def text(self) -> bytes:
        return import_.render(self.plan, Format.TABLE, _SCREEN, is_command=False)

    @property
    def button(self) -> str | None:
        files = count(len(self.plan.items), "file")
        return f"Import {files} ({size(self.plan.size_bytes)})" if self.plan.items else None

    def carry_out(self, listener: Listener) -> _Done:
        with after_this_file() as should_stop:
            done = importing.carry_out(self.plan, listener, should_stop=should_stop)
        render = partial(import_.render, done, Format.TABLE, _SCREEN, is_command=False)
        return _Done(render, done.journal, done.stopped)


class _Clean(NamedTuple):
    plan: CleanPlan
    settings: Settings

    @property
    def text(self) -> bytes:
        return clean.render(self.plan, Format.TABLE, _SCREEN, is_command=False)

    @property
    def button(self) -> str | None:
        where = "the trash" if self.plan.to is None else printable(self.plan.to)
        files = count(self.plan.files, "file")
        return f"Move {files} to {where} ({size(self.plan.size_bytes)})" if self.plan.units else None

    def carry_out(self, listener: Listener) -> _Done:
        with after_this_file() as should_stop:
            done = cleaning.carry_out(self.plan, self.settings, listener, should_stop=should_stop)
        return _Done(partial(clean.render, done, Format.TABLE, _SCREEN), done.journal, done.stopped)


class _Planned(NamedTuple):
    name: str
    way: _Import | _Clean
    decisions: tuple[Decision, ...]
    """By which it was made."""


class Acts:
    """Plans, and what is done by them; a plan is good for once, and until the next one."""

    def __init__(self, means: Means, listener: Listener) -> None:
        self._means = means
        self._listener = listener
        self._planned: _Planned | None = None
        self._journals: list[str] = []
        """Of what this review has done and not taken back, the last at the end."""
        self.has_changed = False
        """Whether the files are no longer those of the scan."""

    @property
    def offered(self) -> list[str]:
        """What the page may offer."""
        ways = {IMPORT: self._means.importing, CLEAN: self._means.cleaning}
        return [what for what, way in ways.items() if way is not None]

    @property
    def may_undo(self) -> bool:
        """Tell whether this review has done anything that can be taken back."""
        return bool(self._journals)

    def plan(self, what: str, decisions: Sequence[Decision]) -> dict[str, Any]:
        """Say what would be done, by these decisions; changes nothing."""
        self._planned = None
        if what == IMPORT and self._means.importing is not None:
            settings, destination = self._means.importing()
            plan = importing.plan_import(
                settings, destination, self._means.layout, listener=self._listener, decisions=decisions
            )
            way: _Import | _Clean = _Import(plan)
        elif what == CLEAN and self._means.cleaning is not None:
            settings, away = self._means.cleaning()
            way = _Clean(cleaning.plan_clean(settings, away, self._listener, decisions=decisions), settings)
        else:
            raise PlanGoneError(f"this review was not started with what {what} needs")
        name = secrets.token_hex(8)
        self._planned = _Planned(name, way, tuple(decisions))
        return {"plan": name, "what": what, "text": way.text.decode(), "button": way.button}

    def carry_out(self, name: str, decisions: Sequence[Decision]) -> dict[str, Any]:
        """Do what was planned under this name, once; raises :class:`~dupfind.errors.StoppedError` after a signal.

        ``decisions`` are those of this moment: a plan that was made by others is not what a person says by now, and
        raises :class:`PlanGoneError`.
        """
        planned = self._planned
        if planned is None or planned.name != name:
            raise PlanGoneError("this plan is not the last one any more: look again")
        self._planned = None
        if planned.decisions != tuple(decisions):
            raise PlanGoneError(
                "the decisions have changed since this plan was shown, and no file was touched: look at a new plan"
            )
        way = planned.way
        self.has_changed = True  # also where it fails half way
        try:
            done = way.carry_out(self._listener)
        except CutOffError as error:  # what was done by then can be taken back
            self._journals.append(error.journal)
            return {"text": f"It ended in the midst: {printable(str(error))}", "mayTakeBack": self.may_undo}
        if done.journal is not None:
            self._journals.append(done.journal)
        if done.stopped is not None:
            raise StoppedError(done.stopped)
        return {"text": done.render().decode(), "mayTakeBack": self.may_undo}

    def take_back(self) -> dict[str, Any]:
        """Take back what this review has done last."""
        if not self._journals:
            raise PlanGoneError("this review has done nothing that could be taken back")
        self.has_changed = True
        with after_this_file() as should_stop:
            done = undoing.undo(self._journals[-1], self._listener, should_stop)
        if done.is_complete:
            self._journals.pop()
        if done.stopped is not None:
            raise StoppedError(done.stopped)
        return {"text": undo.render(done, Format.TABLE, _SCREEN).decode(), "mayTakeBack": self.may_undo}
