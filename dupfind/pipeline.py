"""The story of a scan: the stages in order, each taking values and giving values.

walk > identical? > thumbnail > fingerprint > candidates > evidence > (witnesses again?) > verdict
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from functools import partial

from dupfind import __version__, formats
from dupfind.cache import Cache
from dupfind.events import Listener, Silence
from dupfind.findings import Findings
from dupfind.identical import find_identical
from dupfind.ignore import Excludes
from dupfind.paranoid import read_again
from dupfind.reading import Pictures, Reader
from dupfind.roots import spelling
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.values import (
    ORIENTATIONS,
    Evidence,
    Failure,
    FileEntry,
    FileVerdict,
    HaystackSummary,
    Match,
    Problem,
    Remains,
    Report,
    Side,
    Tree,
)
from dupfind.verdict import judge_file, judge_folders
from dupfind.walk import WalkRules, walk_all
from dupfind.wholes import Wholes


def scan(
    settings: Settings, listener: Listener | None = None, make_executor: Callable[[], Executor] | None = None
) -> Report:
    """Answer which needles are in the haystack.

    ``make_executor`` puts the reading of files elsewhere than on processes of this machine. Raises
    :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    listener = listener or Silence()
    started, begin = datetime.now().astimezone(), time.monotonic()
    needles, haystack = walk(settings, listener)
    find = partial(find_matches, settings, _entries(needles), _entries(haystack), listener=listener)
    findings, *_ = with_reader(settings, listener, find, make_executor)
    with listener.part("verdict", sum(len(tree.entries) for tree in needles)):
        files = _judge_files(settings, needles, findings)
        problems = problems_of([*needles, *haystack], findings.failures)
        folders = judge_folders(files, problems, settings.roots)
    return Report(
        version=__version__,
        started=started.isoformat(timespec="seconds"),
        elapsed_seconds=round(time.monotonic() - begin, 3),
        settings=settings.scan,
        folders=folders,
        files=files,
        problems=problems,
        haystack=_summarize(_entries(haystack), findings),
    )


def walk(settings: Settings, listener: Listener) -> tuple[list[Tree], list[Tree]]:
    """The trees of the needles and of the haystack; gives warning first of what the settings give warning of."""
    for warning in settings.warnings:
        listener.warn(warning)
    with listener.stage("walking", None) as advance:
        return walk_all(settings.roots, WalkRules(Excludes(settings.excludes), settings.follow_symlinks), advance)


def find_matches(
    settings: Settings,
    needles: list[FileEntry],
    haystack: list[FileEntry],
    reader: Reader,
    cache: Cache,
    listener: Listener,
) -> tuple[Findings, Pictures, Pictures | None]:
    """The stages between walk and verdict: what each needle has in the haystack, by bytes and then by picture.

    Gives the pictures of both sides too, those of the haystack as None where no needle asked for them.
    """
    identical, failures = find_identical(needles, haystack, reader)
    matches = {path: Match(entry.path, Evidence.IDENTICAL, None) for path, entry in identical.items()}
    rest = [entry for entry in needles if entry.path not in matches and entry.path not in failures]
    pictures = reader.pictures(rest, "decoding needles", ORIENTATIONS if settings.scan.rotations else 1)
    failures |= pictures.failures
    candidates: Pictures | None = None
    remains: dict[str, Remains] = {}
    if pictures.entries:  # where no picture is left to be proved, the haystack is not decoded
        readable = [entry for entry in haystack if entry.path not in failures]
        candidates = reader.pictures(readable, "decoding haystack", 1)
        failures |= candidates.failures
        wholes = Wholes(pictures, candidates, cache, reader.wholes)
        found, remains = _match_pictures(settings, wholes, cache, listener)
        pictures, candidates = wholes.pictures()
        matches |= found
        failures |= wholes.failures
    if settings.scan.paranoid:
        matches, fallen = read_again(matches, needles, haystack, settings.scan.accept, reader)
        failures |= fallen
    decoded = frozenset(entry.path for entry in pictures.entries)
    count = None if candidates is None else len(candidates.entries)
    return Findings(matches, failures, decoded, count, remains), pictures, candidates


def _match_pictures(
    settings: Settings, wholes: Wholes, cache: Cache, listener: Listener
) -> tuple[dict[str, Match], dict[str, Remains]]:
    """By path: the matches of needles, and what is known of damaged ones without any."""
    with listener.part("start-up"):
        from dupfind.framing import Framing
        from dupfind.matching import Matcher  # brings numpy and Pillow, which a plain copy of the haystack never needs
        from dupfind.resembling import resembling

    with listener.stage("matching", len(wholes.needles.entries)) as advance:
        matches = Matcher(wholes, settings.scan.threshold_bits, cache, listener).match(advance)
    with listener.part("evidence"):
        needles, haystack = wholes.pictures()
        framed = Framing(needles, haystack, settings.scan, cache, listener).match(matches)
    by_rest, remains = resembling(needles, haystack, matches | framed, cache, listener)
    return matches | wholes.readable(framed | by_rest), remains


def _entries(trees: Sequence[Tree]) -> list[FileEntry]:
    return [entry for tree in trees for entry in tree.entries]


def _judge_files(settings: Settings, needles: Sequence[Tree], findings: Findings) -> list[FileVerdict]:
    witness_path = spelling([root for root in settings.roots if root.side is Side.HAYSTACK])
    return [
        judge_needle(tree.root.shown(entry.path), entry, findings, settings.scan.accept, witness_path)
        for tree in needles
        for entry in tree.entries
    ]


def judge_needle(
    shown: str, entry: FileEntry, findings: Findings, accept: Evidence, spell: Callable[[str], str]
) -> FileVerdict:
    """The verdict on one needle, reported as ``shown``; ``spell`` gives the path of a haystack file as reported."""
    path = entry.path
    match = findings.matches.get(path)
    if match is not None:
        match = match._replace(witness=spell(match.witness))
    remains = findings.remains.get(path)
    note = None
    if remains is not None:
        like = "nothing in the haystack looks like what is left of it"
        note = f"{remains.damage}; {f'it looks most like {spell(remains.nearest)}' if remains.nearest else like}"
    failure, has_picture = findings.failures.get(path), path in findings.pictures
    return judge_file(shown, entry, match, failure, accept, has_picture=has_picture, note=note)


def problems_of(trees: Sequence[Tree], failures: Mapping[str, Failure]) -> list[Problem]:
    """Everything that went wrong, the needles first, in the order of the walk."""
    problems = []
    for tree in trees:
        problems += tree.problems
        for entry in tree.entries if failures else ():
            failure = failures.get(entry.path)
            if failure is not None and (_is_picture(entry, failure) or not failure.lasting):
                path = tree.root.shown(entry.path)
                problems.append(Problem(path, tree.root.side, failure.stage, failure.reason))
    return problems


def _summarize(haystack: Sequence[FileEntry], findings: Findings) -> HaystackSummary:
    """Pictures are counted by their content where they were decoded in this run, by their names where not.

    What the cache happens to know does not count, so that a warm run gives the numbers of a cold one.
    """
    unreadable = sum(
        entry.path in findings.failures and _is_picture(entry, findings.failures[entry.path]) for entry in haystack
    )
    if findings.haystack_pictures is None:
        images = sum(formats.is_image_name(entry.path) for entry in haystack)
    else:
        images = findings.haystack_pictures + unreadable
    return HaystackSummary(files=len(haystack), images=images, unreadable=unreadable)


def _is_picture(entry: FileEntry, failure: Failure) -> bool:
    return failure.is_image or formats.is_image_name(entry.path)
