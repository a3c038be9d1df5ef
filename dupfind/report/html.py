"""The page of a scan, for a person who decides: the answer on top, the folders, and the files side by side.

Holds the whole answer, whatever the other options list. What grows with the collection is bounded, and the page says
what was left out.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dupfind.answers import decisions
from dupfind.answers.decisions import Decision, Ruling
from dupfind.answers.page import PageContents
from dupfind.reasons import is_fragment
from dupfind.report import document, ending
from dupfind.report.document import SIGNS, Album, Places, shown
from dupfind.report.places import parts_of
from dupfind.report.reasons import sentences
from dupfind.report.text import QUICK, bucket_line, catalog_line, count, printable, server_line, size, valid_text
from dupfind.sidecars.one_shot import pairs_of
from dupfind.values import FileState, FileVerdict, FolderState, FolderVerdict, Report, folder_of

SCRIPTS = (*document.COMMON, "stage.js", "tree.js", "rows.js", "decisions.js", "scan.js", "start.js")
MOST_ROWS = 20_000
"""Of each list: 20,000 files take 5 MB and are searched in 13 ms."""
IMPORT_BUTTON, CLEAN_BUTTON = "Import what is missing", "Move away what is contained"
"""What the buttons of the live page are called."""
MOST_PROBLEMS = 1_000
KEYS = (
    ("j", "the next file"),
    ("k", "the file before"),
    ("s", "decide: both are the same picture"),
    ("d", "decide: they are different pictures"),
    ("x", "decide: this file is not wanted"),
    ("u", "take the decision back"),
    ("Space", "flip between the two pictures"),
    ("/", "search"),
    ("?", "this help"),
)
_FOLDERS = (FolderState.MISSING, FolderState.PARTIAL, FolderState.REVIEW, FolderState.CONTAINED)
_FILES = (FileState.SIMILAR, FileState.MISSING, FileState.UNREADABLE)


def render(
    report: Report,
    seen: PageContents,
    words: Mapping[str, Decision] = MappingProxyType({}),
    given: Sequence[Decision] = (),
    again: Sequence[str] = (),
) -> bytes:
    """Render the page; ``seen`` is what it shows beside the answer.

    ``given`` are the decisions that the scan went by, and ``words``, by path, those that verdicts rest on. ``again`` is
    the command of the scan.
    """
    album = Album()
    album.add(seen.sights)
    doubtful = doubtful_files(report)
    doubtful.sort(key=lambda file: file.path not in seen.sights)
    present = [file for file in report.files if file.state is FileState.PRESENT and file.path not in words]
    settled = [file for file in report.files if is_settled(words.get(file.path))]
    folders = listed_folders(report.folders)
    in_doubt = [{**file_facts(file, seen, album), **_split(words.get(file.path))} for file in doubtful[:MOST_ROWS]]
    join_halves(in_doubt, doubtful[:MOST_ROWS], report.files)
    data = {
        "id": f"{report.started} {' '.join(map(valid_text, report.settings.needles))}",
        "signs": SIGNS,
        "folders": [folder_row(folder) for folder in folders[:MOST_ROWS]],
        "files": in_doubt,
        "decided": [_decided(file, words[file.path], seen, album) for file in settled],
        "given": [decisions.as_row(decision) for decision in given],
        "present": [present_row(file) for file in present[:MOST_ROWS]],
        "nothing": "" if doubtful else headline(report),
        "sights": album.sights,
    }
    left_out = [
        *rests_on(report),
        *_without_pictures(doubtful, settled, seen),
        *not_listed(report, doubtful, present, folders, MOST_ROWS),
    ]
    return document.render(
        "scan.html.j2", SCRIPTS, context_of(report, len(given), left_out, again=again), data, album.pictures
    )


def context_of(
    report: Report, given: int, left_out: Sequence[str], offered: Sequence[str] = (), again: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what the template says of a scan.

    ``given`` is how many decisions it went by, ``offered`` and ``again`` are those of :func:`next_steps`.
    """
    return {
        "title": f"dupfind: {', '.join(shown(path) for path in report.settings.needles)}",
        "version": report.version,
        "keys": KEYS,
        "report": report,
        "settings": _settings(report),
        "headline": headline(report),
        "folder_rows": folder_rows(report),
        "file_rows": file_rows(report.files),
        "on_word": Counter((report.decided or {}).values()),
        "given": given,
        "signs": SIGNS,
        "steps": next_steps(report, offered, again),
        "gaps": sum(problem.is_gap for problem in report.problems),
        "problems": report.problems[:MOST_PROBLEMS],
        "more_problems": len(report.problems) - MOST_PROBLEMS,
        "left_out": left_out,
    }


def doubtful_files(report: Report) -> list[FileVerdict]:
    """Return the files that are not present, the most doubtful first."""
    return sorted((file for file in report.files if file.state in _FILES), key=_by_state)


def _by_state(file: FileVerdict) -> tuple[int, int]:
    return _FILES.index(file.state), 65 if file.distance_bits is None else file.distance_bits


def listed_folders(folders: Sequence[FolderVerdict]) -> list[FolderVerdict]:
    """Return all but those below a contained one, the most urgent first where not all can be listed; sorted by path."""
    contained = {folder.path for folder in folders if folder.state is FolderState.CONTAINED}
    listed = [
        folder
        for folder in folders
        if folder.path not in contained or folder.path.rpartition(os.sep)[0] not in contained
    ]
    if len(listed) > MOST_ROWS:
        urgent = sorted(listed, key=lambda folder: (_FOLDERS.index(folder.state), folder.path))
        listed = [*sorted(urgent[:MOST_ROWS], key=lambda folder: folder.path), *urgent[MOST_ROWS:]]
    return listed


def folder_row(folder: FolderVerdict) -> list[object]:
    """Return one folder, as the tree of folders takes it."""
    numbers = (
        folder.present,
        folder.similar,
        folder.missing,
        folder.unreadable,
        folder.skipped,
        folder.bytes_not_present,
    )
    return [shown(folder.path), folder.state.value, *numbers, size(folder.bytes_not_present), folder.decided]


def file_facts(file: FileVerdict, seen: PageContents, album: Places) -> dict[str, Any]:
    """Return one file; what is not known is left out."""
    near = seen.nearest.get(file.path)
    shown_beside = file.witness if file.witness is not None else near and near.path
    facts: dict[str, Any] = {
        "path": shown(file.path),
        "verdict": file.state.value,
        "size": file.size_bytes,
        "bytes": size(file.size_bytes),
        "kind": file.kind.value,
        **album.place("at", file.path),
        **album.place("otherAt", shown_beside),
    }
    # How the other picture is turned to lie on the first; no key where it lies on it upright.
    if (turn := seen.turns.get((file.path, shown_beside or ""))) is not None:
        facts["turn"] = turn
    if file.witness is not None and file.evidence is not None:
        facts |= {"other": shown(file.witness), "evidence": file.evidence.value}
        facts["bits"] = None if file.score is None else file.distance_bits or 0
    elif near is not None:
        facts |= {"other": shown(near.path), "bits": near.distance_bits, "why": shown(sentences(near.reasons) or "")}
    if reason := sentences(file.reasons):
        facts["reason"] = shown(reason)
    if file.reasons and is_fragment(file.reasons[0]):
        parts = parts_of(file.reasons[0].facts)
        more = [[shown(path), *box] for path, box in parts.more]
        facts["parts"] = {"ours": parts.ours, "theirs": parts.theirs, "more": more, "whole": parts.is_whole}
        facts.pop("turn", None)  # which lays one whole picture on the other
    split = seen.split.get(file.path)
    if split is not None and split != shown_beside:
        facts["from"] = {"path": shown(split), **album.place("at", split)}
    return facts


def join_halves(rows: list[dict[str, Any]], files: Sequence[FileVerdict], everything: Sequence[FileVerdict]) -> None:
    """Tell the page which rows are two files of one shot, so that it shows one sheet for both.

    ``rows`` are those of ``files``. Each half keeps its verdict; one that is in no doubt is told of in words.
    """
    pairs = pairs_of(files, everything)
    places = {file.path: place for place, file in enumerate(files)} if pairs else {}
    for place, file in enumerate(files):
        pair = pairs.get(file.path)
        if pair is None:
            continue
        name = shown(pair.other.path.rpartition(os.sep)[2])
        rows[place]["pair"] = {"kind": pair.kind, "name": name, "verdict": pair.other.state.value}
        if pair.other.path in places:
            rows[place]["half" if pair.is_first else "of"] = places[pair.other.path]


def _split(word: Decision | None) -> dict[str, str]:
    """Name the digest by which the page finds the decisions that have split this file from its witness."""
    return {"split": word.needle.digest.hex()} if word is not None and word.ruling is Ruling.DIFFERENT else {}


def is_settled(word: Decision | None) -> bool:
    """Tell whether a file is in doubt no longer; one that was split from its witness is."""
    return word is not None and word.ruling is not Ruling.DIFFERENT


def _decided(file: FileVerdict, word: Decision, seen: PageContents, album: Album) -> dict[str, Any]:
    """Return one file whose verdict rests on the word of a person."""
    facts = {**file_facts(file, seen, album), "digest": word.needle.digest.hex(), "word": word.ruling.value}
    return facts if word.witness is None else {**facts, "witness": word.witness.digest.hex()}


def present_row(file: FileVerdict) -> list[object]:
    """Return one file that is present, as a line."""
    grade = file.evidence.value if file.evidence else ""
    return [shown(file.path), size(file.size_bytes), grade, shown(file.witness or ""), file.distance_bits]


def headline(report: Report) -> str:
    """Return the answer in one sentence."""
    total = ending.holding(report)
    left = [file for file in report.files if file.state in _FILES]
    if not total:
        return "There are no files among the needles" + (" that hold anything" if report.files else "")
    if not left:
        where = ending.where(report)
        if any(problem.is_gap for problem in report.problems):
            return f"What could be looked at is {where}"
        return f"All {count(total, 'file')} are {where}" if total > 1 else f"The only file is {where}"
    verb = "is" if len(left) == 1 else "are"
    total_size = size(sum(file.size_bytes for file in left))
    return f"{len(left):,} of {count(total, 'file')} ({total_size}) {verb} not in the haystack"


def folder_rows(report: Report) -> list[tuple[str, int, str]]:
    """Return each verdict, how many folders have it, and how much lies directly in them;
    files of a list lie in none of them.
    """
    states = {folder.path: folder.state for folder in report.folders}
    numbers = Counter(states.values())
    sizes: Counter[FolderState] = Counter()
    for file in report.files:
        state = states.get(folder_of(file.path))
        if state is not None:
            sizes[state] += file.size_bytes
    return [(state.value, numbers[state], size(sizes[state])) for state in _FOLDERS]


def file_rows(files: Iterable[FileVerdict]) -> list[tuple[str, int, str]]:
    """Return each verdict, how many files have it, and their size."""
    numbers: Counter[FileState] = Counter()
    sizes: Counter[FileState] = Counter()
    for file in files:
        numbers[file.state] += 1
        sizes[file.state] += file.size_bytes
    settled = [state for state in (FileState.UNWANTED, FileState.EMPTY) if numbers[state]]
    states = [*_FILES, FileState.PRESENT, *settled]
    return [(state.value, numbers[state], size(sizes[state])) for state in states]


def _settings(report: Report) -> list[tuple[str, str]]:
    settings = report.settings
    return [
        ("Search", f"{settings.algorithm}, up to {count(settings.threshold_bits, 'bit')} of 64 apart"),
        ("Present by", f"evidence “{settings.accept.value}” or stronger"),
        ("Turned copies", "looked for" if settings.rotations else "not looked for"),
        *([("Paranoid", "every witness was read again")] if settings.paranoid else []),
        *([("Quick", QUICK)] if settings.quick else []),
    ]


def next_steps(report: Report, offered: Sequence[str] = (), again: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return what to do next, and the command that does it or what to add to that of the scan.

    Of what a button does that is ``offered`` there is no command. ``again`` is the command of the scan; without it no
    command is given whole.
    """
    numbers = Counter(file.state for file in report.files)
    commands = {
        text: shlex.join(map(printable, words))
        for text, words in ending.next_commands(report, again)
        if words[:1] == ["dupfind"] and (words[1] != "scan" or text == ending.BETTER)
    }
    steps = []
    if similar := numbers[FileState.SIMILAR]:
        steps.append((f"Look at {count(similar, 'similar file')} below, and decide: same or different.", ""))
    if missing := numbers[FileState.MISSING]:
        they, them = ("it is", "it") if missing == 1 else ("they are", "them")
        by, more, command = "", f" To list {them}, add", "--only missing --files"
        if "import" in offered:
            by, more, command = f" by “{IMPORT_BUTTON}”", "", ""
        elif ending.BRING_OVER in commands:
            more, command = f" To bring {them} over, run", commands[ending.BRING_OVER]
        steps.append(
            (f"Bring {count(missing, 'missing file')} over{by}, or decide that {they} not wanted.{more}", command)
        )
    if unreadable := numbers[FileState.UNREADABLE]:
        they = "it shows" if unreadable == 1 else "they show"
        text = f"Open {count(unreadable, 'unreadable file')} with another program: nothing is known of what {they}."
        steps.append((text, ""))
    better = ("run", commands[ending.BETTER]) if ending.BETTER in commands else ("add", "--only better")
    steps += [(f"{text} To list what is better, {better[0]}", better[1]) for text in ending.better_needles(report)]
    if ending.sidecars(report)["not_present"]:
        text = ending.counted_sidecars(report)
        steps.append((f"{text}. To set aside what only describes, add", "--sidecars ignore"))
    if any(problem.is_gap for problem in report.problems):
        steps.append(("Look at what was skipped, below: it may hold more.", ""))
    if contained := [folder for folder in report.folders if folder.state is FolderState.CONTAINED]:
        command = "" if "clean" in offered else commands.get(ending.CLEAR_AWAY, "--only contained")
        steps.append((_of_contained(contained, command), command))
    return steps


def _of_contained(folders: Sequence[FolderVerdict], command: str) -> str:
    """Say how many they are, and what the command does: list the topmost, or show what can go.

    No command means that a button shows it.
    """
    are, hold, them = ("is", "it holds", "it") if len(folders) == 1 else ("are", "they hold", "them")
    where = "in the haystack or not wanted" if any(folder.unwanted for folder in folders) else "in the haystack"
    listed = sum(folder.is_shown for folder in folders)
    if listed != len(folders):
        them = "the topmost one" if listed == 1 else f"the {listed:,} topmost ones"
    if not command:
        next_ = f"“{CLEAN_BUTTON}” shows first what can go."
    elif command.startswith("--"):
        next_ = f"To list {them}, add"
    else:
        next_ = "To see what can go, before anything is moved, run"
    return f"{count(len(folders), 'folder')} {are} contained: all that {hold} is {where}. {next_}"


def rests_on(report: Report) -> list[str]:
    """Return what the answer rests on besides folders, in sentences."""
    rests_on = *map(catalog_line, report.catalogs), *map(server_line, report.servers), *map(bucket_line, report.buckets)
    lines = [*rests_on, *ending.set_aside(report)]
    lines += [*ending.empty_files(report), *ending.films_by_bytes(report), *ending.pictures_as_wholes(report)]
    lines += ending.about_sidecars(report) if report.settings.sidecars == "ignore" else []
    return lines


def _without_pictures(doubtful: Sequence[FileVerdict], settled: Sequence[FileVerdict], seen: PageContents) -> list[str]:
    lines = []
    without = sum(file.path not in seen.sights for file in doubtful)
    if without:
        they = f"{count(without, 'file')} {'has' if without == 1 else 'have'}"
        lines.append(f"{they} no picture here and cannot be decided: --html-pictures takes more.")
    without = sum(file.path not in seen.sights for file in settled)
    if without:
        they = f"{count(without, 'decided file')} {'has' if without == 1 else 'have'}"
        lines.append(f"{they} no picture here: --html-pictures takes more.")
    return lines


def not_listed(
    report: Report,
    doubtful: Sequence[FileVerdict],
    present: Sequence[FileVerdict],
    folders: Sequence[FolderVerdict],
    most_doubtful: int,
) -> list[str]:
    """Return what a page does not hold of each list, in sentences; ``most_doubtful``
    is how many files in doubt it holds.
    """
    lines = []
    lists = (("files that are not present", doubtful, most_doubtful), ("files that are present", present, MOST_ROWS))
    for what, listed, most in lists:
        if len(listed) > most:
            lines.append(f"Of {len(listed):,} {what}, {most:,} are listed; --save FILE writes all.")
    if len(folders) > MOST_ROWS:
        lines.append(f"Of {len(folders):,} folders, {MOST_ROWS:,} are listed; --save FILE writes all.")
    hidden = len(report.folders) - len(folders)
    if hidden:
        lines.append(f"{count(hidden, 'folder')} below a contained one {'is' if hidden == 1 else 'are'} not listed.")
    return lines
