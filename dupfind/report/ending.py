"""How the answer of a scan ends, on the terminal and in the page: what is settled, and what is left to do. Pure."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from operator import is_, itemgetter

from dupfind.reasons import Reason, ReasonCode
from dupfind.report.choice import is_better
from dupfind.report.text import count, printable, size
from dupfind.sidecars.kinds import EDITS, FILM_SUFFIXES
from dupfind.values import SETTLED, Evidence, FileState, FileVerdict, FolderState, Kind, Report, Side

_MOST_NAMED = 3
_MOST_CODES = 4
_NEED_EYES = FileState.SIMILAR, FileState.UNREADABLE
_KIND, _SIZE, _STATE, _REASONS = (
    itemgetter(FileVerdict._fields.index(name)) for name in ("kind", "size_bytes", "state", "reasons")
)


def _better(report: Report) -> list[FileVerdict]:
    """Return the needles that are better copies, of which reasons tell: nearly all are without."""
    return list(filter(is_better, filter(_REASONS, report.files)))


def _in_state(files: Sequence[FileVerdict], state: FileState) -> list[FileVerdict]:
    """Return those of the files with this verdict: of a backup of other pictures there are a hundred thousand."""
    return list(compress(files, map(is_, map(_STATE, files), repeat(state))))


def _with_reasons(report: Report) -> list[FileVerdict]:
    """Return the files that are not present, of which something is said."""
    return list(filter(_REASONS, report.not_present))


def number_in(files: Sequence[FileVerdict], state: FileState) -> int:
    """Count those of the files with this verdict."""
    return list(map(_STATE, files)).count(state)


def bytes_of(files: Sequence[FileVerdict]) -> int:
    """Return how many bytes all files have together."""
    return sum(map(_SIZE, files))


def holding(report: Report) -> int:
    """Count the files that hold something: all but the empty ones."""
    return len(report.files) - number_in(report.not_present, FileState.EMPTY)


def left(report: Report) -> list[FileVerdict]:
    """Return the files that are neither present, nor unwanted, nor empty."""
    files = report.not_present
    are_settled = list(map(SETTLED.__contains__, map(_STATE, files)))
    return [file for file, is_settled in zip(files, are_settled, strict=True) if not is_settled]


def where(report: Report) -> str:
    """Say where all files are that are in no doubt."""
    has_unwanted = number_in(report.not_present, FileState.UNWANTED) > 0
    return "in the haystack or not wanted" if report.decided or has_unwanted else "in the haystack"


def empty_files(report: Report) -> list[str]:
    """Name the empty files in one sentence; none where there are none."""
    empty = [file.path for file in _in_state(report.not_present, FileState.EMPTY)]
    if not empty:
        return []
    verb = "is empty and holds" if len(empty) == 1 else "are empty and hold"
    return [f"{count(len(empty), 'file')} {verb} nothing: {_named(empty, '--only empty --files')}."]


def set_aside(report: Report) -> list[str]:
    """Say how many files rules have set aside, by which; none where there are none."""
    sources: Counter[str] = Counter()
    for file in _in_state(report.not_present, FileState.UNWANTED):
        sources.update(_source_of(reason) for reason in file.reasons[-1:])
    del sources[""]
    if not sources:
        return []
    total = sum(sources.values())
    parts = [f"{number:,} {source}" for source, number in sources.most_common()]
    verb = "is" if total == 1 else "are"
    return [f"{count(total, 'file')} {verb} set aside: {', '.join(parts)} (--only unwanted --files lists them)."]


def sidecars(report: Report) -> dict[str, int]:
    """Count the sidecars of present files, by what became of them."""
    states = Counter(file.state for file in _with_reasons(report) if _sidecar_of(file) is not None)
    return {"not_present": sum(states.values()) - states[FileState.UNWANTED], "unwanted": states[FileState.UNWANTED]}


_OF_SCAN_ONLY = frozenset({"--elsewhere", "--files-from", "--follow-symlinks", "--quick"})
_OF_CLUSTER = frozenset({"--scheduler", "--tls-ca", "--tls-cert", "--tls-key"})
BRING_OVER, CLEAR_AWAY, BETTER = "to bring them over", "the folders that can go", "the better copies"
"""What the steps are called whose commands the page names too: the two that act, and the list of better copies."""


def about_sidecars(report: Report) -> list[str]:
    """Say how many of the missing only describe what is present, and what sets them aside, or what that may cost."""
    kinds = _sidecar_kinds(report)
    if not kinds:
        return []
    if report.settings.sidecars != "ignore":
        them = "it" if sum(kinds.values()) == 1 else "them"
        return [f"{counted_sidecars(report)}: --sidecars ignore sets {them} aside."]
    edits = sum(number for kind, number in kinds.items() if kind in EDITS)
    parts = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    text = f"Of the sidecars ({parts}) {edits:,} may hold the only copy of an edit, a rating or a caption."
    return [text] if edits else []


def counted_sidecars(report: Report) -> str:
    """Say how many of the missing are sidecars of present files, without a full stop."""
    kinds = _sidecar_kinds(report)
    total = sum(kinds.values())
    they = "is a sidecar of a present file" if total == 1 else "are sidecars of present files"
    return (
        f"{total:,} of what is not there {they} ({', '.join(f'{number:,} {kind}' for kind, number in kinds.items())})"
    )


def _sidecar_kinds(report: Report) -> dict[str, int]:
    """Count the sidecars of present files by kind, in alphabetical order."""
    kinds = Counter(kind for file in _with_reasons(report) if (kind := _sidecar_of(file)) is not None)
    return dict(sorted(kinds.items()))


def _sidecar_of(file: FileVerdict) -> str | None:
    """Return what kind of sidecar of a present file a file is; None where it is none, or its verdict rests on more."""
    if not file.reasons or file.reasons[-1].code is not ReasonCode.SIDECAR:
        return None
    return str(file.reasons[-1].facts[0])


def _source_of(reason: Reason) -> str:
    """Return what has set a file aside; nothing where it was a person's word on that very file."""
    if reason.code is ReasonCode.SIDECAR:
        return "as sidecars of present files"
    if reason.code is ReasonCode.DISREGARDED:
        return f"by {printable(str(reason.facts[0]))}" if reason.facts else "that lists such files"
    return ""


def can_go(report: Report) -> list[str]:
    """Say how many folders are contained, and what deleting them frees; none where there are none."""
    shown = [folder for folder in report.folders if folder.is_shown and folder.state is FolderState.CONTAINED]
    contained = [folder for folder in shown if not folder.is_plan]
    lines = []
    if contained:
        freed, files = sum(folder.size_bytes for folder in contained), sum(folder.files for folder in contained)
        lines.append(f"{count(len(contained), 'folder')} can go, which frees {size(freed)} ({count(files, 'file')}).")
    if planned := len(shown) - len(contained):
        lines.append(f"By plan, {count(planned, 'folder')} of catalogs could go: scan the drive itself for that.")
    return lines


def needs_eyes(report: Report) -> list[str]:
    """Say how many files a person has to look at, by the codes of their reasons; none where there are none."""
    files = report.not_present
    doubtful = list(compress(files, map(_NEED_EYES.__contains__, map(_STATE, files))))
    if not doubtful:
        return []
    codes = Counter(file.reasons[0].code.value for file in doubtful if file.reasons)
    named = codes.most_common(len(codes) if len(codes) == _MOST_CODES + 1 else _MOST_CODES)
    parts = [f"{number:,} {code}" for code, number in named]
    if (more := len(doubtful) - sum(number for _, number in named)) > 0:
        parts.append(f"{more:,} other")
    verb = "needs" if len(doubtful) == 1 else "need"
    return [f"{count(len(doubtful), 'file')} {verb} eyes: {', '.join(parts)}."]


def what_is_missing(report: Report) -> list[str]:
    """Say how many pictures, films and other files are missing; none where none is."""
    missing = _in_state(report.not_present, FileState.MISSING)
    kinds = Counter({"picture": list(map(_KIND, missing)).count(Kind.IMAGE)})
    if kinds["picture"] < len(missing):
        kinds.update(_noun(file) for file in missing if file.kind is not Kind.IMAGE)
    if not missing:
        return []
    parts = [count(kinds[noun], noun) for noun in ("picture", "film", "other file") if kinds[noun]]
    return [f"Missing: {', '.join(parts)}."]


def films_by_bytes(report: Report) -> list[str]:
    """Say how many films and sounds were compared by their bytes only, and what would look into them."""
    number = report.films_by_bytes
    if not number:
        return []
    was = "film or sound was" if number == 1 else "films and sounds were"
    found = "equal packets count too, whatever the tags, and copies that look alike are found"
    return [f"{number:,} missing {was} compared by bytes only: install dupfind[video] (docs/films.md), and {found}."]


def pictures_as_wholes(report: Report) -> list[str]:
    """Say how many pictures were compared as wholes only, and what would look for parts of them.

    Nothing where catalogs have a part in it: what is known from one only has no parts with the extra, either.
    """
    if not (report.settings.lacks_fragments or report.parts_left_out) or report.catalogs:
        return []
    number = list(map(_KIND, _in_state(report.not_present, FileState.MISSING))).count(Kind.IMAGE)
    if not number:
        return []
    was = "picture was" if number == 1 else "pictures were"
    if report.parts_left_out:
        found = "with --fragments crops and screenshots are found too, which may take hours for so many"
        return [f"{number:,} missing {was} compared as wholes only: {found}."]
    extra = "dupfind's extra fragments (docs/fragments.md)"
    return [f"{number:,} missing {was} compared as wholes only: with {extra} crops and screenshots are found too."]


def better_needles(report: Report) -> list[str]:
    """Say how many needles are better copies than those of the haystack; none where none is."""
    number = len(_better(report))
    if not number:
        return []
    are = "is a better copy" if number == 1 else "are better copies"
    return [f"{count(number, 'needle')} {are} than what the haystack has."]


def next_commands(report: Report, again: Sequence[str], *, has_page: bool = False) -> list[tuple[str, list[str]]]:
    """Return what there is to see next, each with the words of its command.

    ``again`` is the command of this scan; ``has_page`` says that it writes the page of ``--html`` already.
    """
    are_missing = number_in(report.not_present, FileState.MISSING) > 0
    steps = []
    acting: dict[str, list[str]] = {}
    if are_missing:
        steps.append(("the missing files", "--only missing --files"))
        if report.haystack.files and (words := _acting(report, again, "import")):  # an empty one may not be mounted
            steps.append((BRING_OVER, ""))
            acting[BRING_OVER] = [*words, "--to", os.path.join(report.settings.haystack[0], "Import")]
    can_be_shown = not has_page and not any(catalog.side is Side.NEEDLES for catalog in report.catalogs)
    if can_be_shown and any(number_in(report.not_present, state) for state in _NEED_EYES):
        steps.append(("what needs eyes, side by side", "--html page.html"))
    if _better(report):
        steps.append((BETTER, "--only better"))
    if are_missing and sidecars(report)["not_present"]:
        steps.append(("without the sidecars", "--sidecars ignore"))
    can_go = any(folder.state is FolderState.CONTAINED and not folder.is_plan for folder in report.folders)
    if can_go and not report.settings.quick:
        if (words := _acting(report, again, "clean")) and report.settings.accept is not Evidence.SIMILAR:
            steps.append((CLEAR_AWAY, ""))
            acting[CLEAR_AWAY] = [*words, "--trash"]
        else:
            steps.append((CLEAR_AWAY, "--only contained"))
    return [(text, acting.get(text) or [*again, *option.split()]) for text, option in steps]


def _acting(report: Report, again: Sequence[str], command: str) -> list[str] | None:
    """Return the command that acts on what this scan asked for; None where it would not take the options of the scan.

    Nor where a catalog, a server or a bucket has a part in the answer: what acts needs both files at hand.
    """
    is_here = not (report.catalogs or report.servers or report.buckets)
    if list(again[:2]) != ["dupfind", "scan"] or not is_here or not _OF_SCAN_ONLY.isdisjoint(again):
        return None
    return ["dupfind", command, *_without_reading(again[2:])]


def _without_reading(words: Sequence[str]) -> Iterator[str]:
    """Leave out how the scan was to read: what acts reads everything again, and on its own machine."""
    unread = iter(words)
    for word in unread:
        if word in _OF_CLUSTER:
            next(unread, None)
        elif word != "--paranoid":
            yield word


def _noun(file: FileVerdict) -> str:
    """Name what a file is that is no picture."""
    last = file.path.rpartition(".")[2].lower()
    return "film" if f".{last}" in FILM_SUFFIXES else "other file"


def _named(paths: Sequence[str], options: str) -> str:
    """Name the first of these paths, how many more there are, and what lists them all."""
    names = ", ".join(map(printable, paths[:_MOST_NAMED]))
    more = len(paths) - _MOST_NAMED
    return f"{names} and {more:,} more ({options} lists them)" if more > 0 else names
