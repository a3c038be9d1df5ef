"""The page of a scan as a server sends it: the template and the scripts of :mod:`dupfind.report.html`, in live mode.

It holds every file in doubt; pictures and what is known of them are fetched when a file is drawn. Files have numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dupfind.answers.decisions import Decision, Ruling
from dupfind.answers.page import PageContents
from dupfind.report import document, html
from dupfind.report.document import SIGNS, Places, Served, embedded, quoted, shown
from dupfind.values import FileState, FileVerdict, FolderVerdict, Report

SCRIPTS = (
    *("common.js", "live_pictures.js", "lists.js", "stage.js", "tree.js", "rows.js", "live_decisions.js", "scan.js"),
    *("live.js", "start.js"),
)
MOST_ROWS = 250_000
"""Files in doubt: 60 MB, which a browser takes in 3 s."""
_KEYS = (("f", "both pictures at full size"),)


def row(file: FileVerdict, word: Decision | None, seen: PageContents, numbers: Places) -> dict[str, Any]:
    """Return one file as the page has it; ``word`` is the decision that its verdict rests on."""
    facts = html.file_facts(file, seen, numbers)
    if word is not None:
        facts |= {"split": True} if word.ruling is Ruling.DIFFERENT else {"word": word.ruling.value}
    if shown(file.path) != file.path:
        facts["copy"] = quoted(file.path)
    return facts


def answer(report: Report, given: Sequence[Decision], offered: Sequence[str] = (), *, may_undo: bool) -> dict[str, Any]:
    """Return what stands above the files, as the page's script puts it there; ``given`` are all decisions.

    ``may_undo`` tells whether one of them can be taken back without naming its file.
    """
    on_word = Counter((report.decided or {}).values())
    return {
        "headline": html.headline(report),
        "folders": html.folder_rows(report),
        "files": html.file_rows(report.files),
        "steps": html.next_steps(report, offered),
        "decisions": Counter(decision.ruling.value for decision in given),
        "mayUndo": may_undo,
        "words": {ruling.value: on_word[ruling.value] for ruling in Ruling},
    }


class Page:
    """Makes the page, and keeps the text of each row from one time to the next.

    ``era`` tells which scan the numbers are of, and ``offered`` what may be set going: ``import``, ``clean``.
    """

    def __init__(self, numbers: Places, era: int, offered: Sequence[str]) -> None:
        self._numbers = numbers
        self._era = era
        self._offered = offered
        self._rows: dict[str, str] = {}
        self._served: tuple[tuple[int, bool], Served] | None = None

    def forget(self, paths: Sequence[str]) -> None:
        """Make the rows of these files anew when they are asked for."""
        self._served = None
        for path in paths:
            self._rows.pop(path, None)

    def render(
        self,
        report: Report,
        words: Mapping[str, Decision],
        given: Sequence[Decision],
        seen: PageContents,
        version: int,
        *,
        may_undo: bool,
    ) -> Served:
        """Return the page as it is now, its ``version``; ``given`` are all decisions, ``words`` those with a verdict.

        Who opens it again while nothing has changed is given the same.
        """
        if self._served is None or self._served[0] != (version, may_undo):
            page = self._render(report, words, given, seen, version, may_undo=may_undo)
            self._served = (version, may_undo), page
        return self._served[1]

    def _render(
        self,
        report: Report,
        words: Mapping[str, Decision],
        given: Sequence[Decision],
        seen: PageContents,
        version: int,
        *,
        may_undo: bool,
    ) -> Served:
        doubtful = html.doubtful_files(report)
        present = [file for file in report.files if file.state is FileState.PRESENT and file.path not in words]
        settled = [file for file in report.files if html.is_settled(words.get(file.path))]
        in_tree = html.listed_folders(report.folders)
        listed = doubtful[:MOST_ROWS]
        halves: list[dict[str, Any]] = [{} for _ in listed]
        html.join_halves(halves, listed, report.files)
        rows = [self._row(file, words, seen, half) for file, half in zip(listed, halves, strict=True)]
        head = {
            "id": report.started,
            "version": version,
            "era": self._era,
            "signs": SIGNS,
            "folders": [html.folder_row(folder) for folder in in_tree[: html.MOST_ROWS]],
            "given": [],
            "present": [html.present_row(file) for file in present[: html.MOST_ROWS]],
            "nothing": "" if doubtful else html.headline(report),
            "sights": {},
            "decisions": Counter(decision.ruling.value for decision in given),
            "mayUndo": may_undo,
        }
        decided = ",".join(self._row(file, words, seen, {}) for file in settled)
        data = f'{embedded(head)[:-1]},"decided":[{decided}],"files":[{",".join(rows)}]}}'
        left_out = [*html.rests_on(report), *html.not_listed(report, doubtful, present, in_tree, MOST_ROWS)]
        context = html.context_of(report, len(given), left_out, self._offered)
        context["offered"] = self._offered
        context["keys"] = (*html.KEYS[:-1], *_KEYS, html.KEYS[-1])
        return document.render_live("scan.html.j2", SCRIPTS, context, data)

    def _row(
        self, file: FileVerdict, words: Mapping[str, Decision], seen: PageContents, half: Mapping[str, Any]
    ) -> str:
        if half:
            return embedded({**row(file, words.get(file.path), seen, self._numbers), **half})
        text = self._rows.get(file.path)
        if text is None:
            text = self._rows[file.path] = embedded(row(file, words.get(file.path), seen, self._numbers))
        return text


def listed_folders(report: Report) -> dict[str, FolderVerdict]:
    """Give the folders that the page lists, by path."""
    return {folder.path: folder for folder in html.listed_folders(report.folders)[: html.MOST_ROWS]}


def folder_rows(listed: Mapping[str, FolderVerdict], paths: Sequence[str]) -> list[list[object]]:
    """Give the rows of the folders at ``paths``; of those that are not ``listed`` the path alone."""
    return [html.folder_row(listed[path]) if path in listed else [shown(path)] for path in paths]
