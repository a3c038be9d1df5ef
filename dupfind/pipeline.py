"""The story of a scan: the stages in order, each taking values and giving values.

walk > identical? > thumbnail > fingerprint > candidates > evidence > verdict
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dupfind import __version__, formats
from dupfind.cache import Cache, Recipe
from dupfind.errors import CacheLostError
from dupfind.events import Listener, Silence
from dupfind.identical import find_identical
from dupfind.ignore import Excludes
from dupfind.reading import Pictures, Reader
from dupfind.settings import Settings, is_below
from dupfind.values import (
    ORIENTATIONS,
    Evidence,
    Failure,
    FileEntry,
    FileVerdict,
    HaystackSummary,
    Match,
    Problem,
    Report,
    Root,
    Side,
    Tree,
)
from dupfind.verdict import judge_file, judge_folders
from dupfind.walk import WalkRules, walk_all
from dupfind.workers import Pool


@dataclass(frozen=True, slots=True)
class _Findings:
    """What the stages between walk and verdict have found."""

    matches: dict[str, Match]
    """By the path of the needle."""
    failures: dict[str, Failure]
    """By path, on either side."""
    pictures: frozenset[str]
    """Paths of the needles that gave a thumbnail."""
    haystack: Pictures | None
    """None where no needle asked for the haystack's pictures."""


def scan(
    settings: Settings, listener: Listener | None = None, make_executor: Callable[[], Executor] | None = None
) -> Report:
    """Answer which needles are in the haystack.

    ``make_executor`` puts the reading of files elsewhere than on processes of this machine. Raises
    :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    listener = listener or Silence()
    started, begin = datetime.now().astimezone(), time.monotonic()
    for warning in settings.warnings:
        listener.warn(warning)
    with listener.stage("walking", None) as advance:
        rules = WalkRules(Excludes(settings.excludes), settings.follow_symlinks)
        needles, haystack = walk_all(settings.roots, rules, advance)
    with Pool(settings.workers, make_executor) as pool:
        findings = _find_with_cache(settings, _entries(needles), _entries(haystack), pool, listener)
    files = _judge_files(settings, needles, findings)
    problems = _problems([*needles, *haystack], findings)
    return Report(
        version=__version__,
        started=started.isoformat(timespec="seconds"),
        elapsed_seconds=round(time.monotonic() - begin, 3),
        settings=settings.scan,
        folders=judge_folders(files, problems, settings.roots),
        files=files,
        problems=problems,
        haystack=_summarize(_entries(haystack), findings),
    )


def _find_with_cache(
    settings: Settings, needles: list[FileEntry], haystack: list[FileEntry], pool: Pool, listener: Listener
) -> _Findings:
    """Run the stages; once more with a new cache, or without one, where the cache fails on the way."""
    path = settings.cache
    while True:
        try:
            with Cache(path, partial(_recipe, settings.scan.algorithm), warn=listener.warn) as cache:
                reader = Reader(settings, pool, cache, listener)
                return _find(settings, needles, haystack, reader, cache, listener)
        except CacheLostError as error:
            listener.warn(str(error))
            path = path if error.is_gone else None


def _recipe(algorithm: str) -> Recipe:
    """What thumbnails and hashes are made by; asked for only where there are any, since the decoders load slowly."""
    from dupfind import decode, evidence, fingerprint

    thumbnails = f"{decode.RECIPE}, {decode.versions()}"
    return Recipe(thumbnails, f"{algorithm} {fingerprint.RECIPE}", f"rules {evidence.RECIPE}")


def _find(
    settings: Settings,
    needles: list[FileEntry],
    haystack: list[FileEntry],
    reader: Reader,
    cache: Cache,
    listener: Listener,
) -> _Findings:
    identical, failures = find_identical(needles, haystack, reader)
    matches = {path: Match(entry.path, Evidence.IDENTICAL, None) for path, entry in identical.items()}
    rest = [entry for entry in needles if entry.path not in matches and entry.path not in failures]
    orientations = ORIENTATIONS if settings.scan.rotations else 1
    pictures = reader.pictures(rest, "decoding needles", orientations)
    failures |= pictures.failures
    found = frozenset(entry.path for entry in pictures.entries)
    if not found:  # no picture is left to be proved: the haystack is not decoded
        return _Findings(matches, failures, found, None)
    readable = [entry for entry in haystack if entry.path not in failures]
    candidates = reader.pictures(readable, "decoding haystack", 1)
    failures |= candidates.failures
    from dupfind.matching import Matcher  # brings numpy and Pillow, which a plain copy of the haystack never needs

    with listener.stage("matching", len(pictures.entries)) as advance:
        matches |= Matcher(pictures, candidates, settings.scan.threshold_bits, cache).match(advance)
    return _Findings(matches, failures, found, candidates)


def _entries(trees: Sequence[Tree]) -> list[FileEntry]:
    return [entry for tree in trees for entry in tree.entries]


def _judge_files(settings: Settings, needles: Sequence[Tree], findings: _Findings) -> list[FileVerdict]:
    witness_path = _spelling([root for root in settings.roots if root.side is Side.HAYSTACK])
    verdicts = []
    for tree in needles:
        shown = tree.root.shown
        for entry in tree.entries:
            path = entry.path
            match = findings.matches.get(path)
            if match is not None:
                match = match._replace(witness=witness_path(match.witness))
            failure = findings.failures.get(path)
            has_picture = path in findings.pictures
            verdicts.append(
                judge_file(shown(path), entry, match, failure, settings.scan.accept, has_picture=has_picture)
            )
    return verdicts


def _spelling(roots: Sequence[Root]) -> Callable[[str], str]:
    """A function from a path to how the user would spell it, by the innermost root around it."""
    if len(roots) == 1:
        return roots[0].shown
    inner_first = sorted(roots, key=lambda root: -len(root.real))
    spellings = [(root.real, root.shown) for root in inner_first]
    return lambda path: next(shown(path) for real, shown in spellings if is_below(path, real))


def _problems(trees: Sequence[Tree], findings: _Findings) -> list[Problem]:
    """Everything that went wrong, the needles first, in the order of the walk."""
    problems = []
    for tree in trees:
        problems += tree.problems
        for entry in tree.entries if findings.failures else ():
            failure = findings.failures.get(entry.path)
            if failure is not None and (_is_picture(entry, failure) or not failure.lasting):
                path = tree.root.shown(entry.path)
                problems.append(Problem(path, tree.root.side, failure.stage, failure.reason))
    return problems


def _summarize(haystack: Sequence[FileEntry], findings: _Findings) -> HaystackSummary:
    """Pictures are counted by their content where they were decoded in this run, by their names where not.

    What the cache happens to know does not count, so that a warm run gives the numbers of a cold one.
    """
    unreadable = sum(
        entry.path in findings.failures and _is_picture(entry, findings.failures[entry.path]) for entry in haystack
    )
    if findings.haystack is None:
        images = sum(formats.is_image_name(entry.path) for entry in haystack)
    else:
        images = len(findings.haystack.entries) + unreadable
    return HaystackSummary(files=len(haystack), images=images, unreadable=unreadable)


def _is_picture(entry: FileEntry, failure: Failure) -> bool:
    return failure.is_image or formats.is_image_name(entry.path)
