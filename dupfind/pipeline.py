"""The story of a scan: the stages in order, each taking values and giving values.

walk > identical? > thumbnail > fingerprint > candidates > evidence > (witnesses again?) > last look > verdict
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from dupfind import __version__, libraries
from dupfind.answers.decisions import Decision
from dupfind.answers.findings import Findings, Parted, Remains
from dupfind.cache.memory import Memory
from dupfind.events import Listener, Silence
from dupfind.scanning.needle_verdicts import judge_files, words_of
from dupfind.scanning.problems import problems_of, summary_of
from dupfind.scanning.recheck import is_due, last_look
from dupfind.scanning.verdict import judge_folders
from dupfind.settings import Settings
from dupfind.sources.file_lists import NamedRoot, with_named
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import forgetting, read_mounts
from dupfind.sources.roots import spelling
from dupfind.sources.same_file import warnings_of
from dupfind.sources.walk import WalkRules, walk_all
from dupfind.values import (
    LISTING,
    ORIENTATIONS,
    Evidence,
    FileEntry,
    Match,
    Report,
    Side,
    Tree,
)

if TYPE_CHECKING:
    from dupfind.cache.cache import Cache
    from dupfind.reading import Pictures, Reader
    from dupfind.scanning.wholes import Wholes


class Scanned(NamedTuple):
    """The answer, and the trees of needles and of the haystack that it is about."""

    report: Report
    needles: list[Tree]
    haystack: list[Tree]
    words: Mapping[str, Decision]
    """By the path as reported, the decisions that verdicts rest on."""
    parted: Mapping[str, Parted] = MappingProxyType({})
    """By the path on disk, needles that a person has parted from files of the haystack."""


def scan(
    settings: Settings, listener: Listener | None = None, make_executor: Callable[[], Executor] | None = None
) -> Report:
    """Answer which needles are in the haystack.

    ``make_executor`` puts the reading of files elsewhere than on processes of this machine. Raises
    :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    return scan_trees(settings, listener, make_executor).report


def scan_trees(
    settings: Settings,
    listener: Listener | None = None,
    make_executor: Callable[[], Executor] | None = None,
    decisions: Sequence[Decision] | None = None,
) -> Scanned:
    """What :func:`scan` answers, with the files that it is about; ``decisions`` are those of a person."""
    listener = listener or Silence()
    started, began_ns, begin = datetime.now().astimezone(), time.time_ns(), time.monotonic()
    needles, haystack = walk(settings, listener)
    files = _entries(needles), _entries(haystack)
    memory = Memory(settings, *files, partial(_recipe, settings.scan.algorithm, listener), began_ns)
    remembered = None if decisions else _recall(memory, sum(map(len, files)), listener)
    findings = remembered
    if findings is None:
        findings = _find(settings, *files, listener, make_executor, decisions or ())
    if is_due(needles, findings, is_remembered=remembered is not None, walked_seconds=time.monotonic() - begin):
        with listener.stage("looking again", None) as advance:
            # What a catalogue lists is not there to be looked at.
            walked = [tree for tree in haystack if tree.catalogue is None]
            listed = [tree for tree in haystack if tree.catalogue is not None]
            rules = _rules(settings, Excludes(settings.excludes))
            needles, walked, findings = last_look(needles, walked, findings, rules, settings.roots, advance)
            haystack = [*walked, *listed]
    if remembered is None and not decisions:
        memory.keep(findings, time.time_ns())
    with listener.part("verdict", sum(len(tree.entries) for tree in needles)):
        in_trees = [tree for tree in needles if not isinstance(tree.root, NamedRoot)]
        verdicts = judge_files(settings, in_trees, findings)
        alone = judge_files(settings, [tree for tree in needles if isinstance(tree.root, NamedRoot)], findings)
        problems = problems_of([*needles, *haystack], findings.failures)
        words = words_of(needles, findings)
        in_folders = [one for one in problems if one.stage != LISTING]
        folders = judge_folders(verdicts, in_folders, settings.roots, words_of(in_trees, findings))
    report = Report(
        version=__version__,
        started=started.isoformat(timespec="seconds"),
        elapsed_seconds=round(time.monotonic() - begin, 3),
        settings=settings.scan,
        folders=folders,
        files=verdicts + alone,
        problems=problems,
        haystack=summary_of(files[1], findings),
        catalogues=tuple(tree.catalogue for tree in haystack if tree.catalogue is not None),
        decided=None if decisions is None else {path: word.ruling.value for path, word in words.items()},
    )
    return Scanned(report, needles, haystack, words, findings.parted)


def walk(settings: Settings, listener: Listener, named: Collection[FileEntry] = ()) -> tuple[list[Tree], list[Tree]]:
    """The trees of the needles and of the haystack, catalogues among them.

    ``named`` are needles that lie in no tree: a catalogue that lists them does not prove them.
    """
    excludes = Excludes(settings.excludes)
    trees = walk_what_is_there(settings, listener, excludes)
    if any(root.is_catalogue for root in settings.roots):
        from dupfind.catalog.catalogs import catalogued_trees  # brings SQLite and the decoders

        with listener.part("look up"):
            follow = settings.follow_symlinks
            trees[1].extend(
                catalogued_trees(settings.roots, trees[0], named, excludes, listener.warn, follow_symlinks=follow)
            )
    for warning in excludes.warnings(settings.named.matched):
        listener.warn(warning)
    return trees


def walk_what_is_there(settings: Settings, listener: Listener, excludes: Excludes) -> tuple[list[Tree], list[Tree]]:
    """The trees of folders and lists; gives warning first of what the settings give warning of."""
    for warning in settings.warnings:
        listener.warn(warning)
    rules = _rules(settings, excludes)
    with listener.stage("walking", None) as advance:
        trees = walk_all([root for root in settings.roots if not root.is_catalogue], rules, advance)
    trees = with_named(settings.named, *trees)
    for warning in warnings_of(trees[1]):
        listener.warn(warning)
    if settings.cache is not None:
        for warning in forgetting(chain(*trees), read_mounts().forgetful):
            listener.warn(warning)
    return trees


def _rules(settings: Settings, excludes: Excludes) -> WalkRules:
    return WalkRules(excludes, settings.follow_symlinks, read_mounts())


def _recall(memory: Memory, files: int, listener: Listener) -> Findings | None:
    """What an earlier run over the same files has found."""
    with listener.part("look up", files):
        remembered = memory.recall()
    if remembered is not None:
        with listener.stage("nothing has changed since an earlier run", None) as advance:
            advance(files)
    return remembered


def _find(
    settings: Settings,
    needles: list[FileEntry],
    haystack: list[FileEntry],
    listener: Listener,
    make_executor: Callable[[], Executor] | None,
    decisions: Sequence[Decision],
) -> Findings:
    """What reading the files finds, as far as the ``decisions`` of a person leave it."""
    from dupfind.session import with_reader  # what reads files is loaded where there is something to be read

    def find(reader: Reader, cache: Cache) -> Findings:
        if not decisions:
            return find_matches(settings, needles, haystack, reader, cache, listener)[0]
        from dupfind.scanning import deciding

        is_paranoid = settings.scan.paranoid
        standing = deciding.decide(decisions, needles, haystack, reader, listener, is_paranoid=is_paranoid)
        findings, *_ = find_matches(settings, needles, haystack, reader, cache, listener, standing.parted)
        spell = spelling([root for root in settings.roots if root.side is Side.HAYSTACK])
        return deciding.apply(findings, standing, settings.scan.accept, spell)

    return with_reader(settings, listener, find, make_executor)


def _recipe(algorithm: str, listener: Listener) -> str:
    known = libraries.installed()
    if known is not None:  # the rest of the recipe lies in the files of this program, which the memory looks at
        return known
    from dupfind.session import whole_recipe

    return whole_recipe(algorithm, listener)


def find_matches(
    settings: Settings,
    needles: list[FileEntry],
    haystack: list[FileEntry],
    reader: Reader,
    cache: Cache,
    listener: Listener,
    parted: Mapping[str, frozenset[str]] | None = None,
) -> tuple[Findings, Pictures | None, Pictures | None]:
    """The stages between walk and verdict: what each needle has in the haystack, by bytes and then by picture.

    Gives the pictures of needles and haystack too, None where none was asked for. ``parted`` are, by the path of a
    needle, files of the haystack that prove nothing of it but by their bytes.
    """
    from dupfind.scanning.identical import find_identical
    from dupfind.scanning.paranoid import read_again
    from dupfind.scanning.wholes import Wholes

    identical, failures = find_identical(needles, haystack, reader)
    matches = {path: Match(entry.path, Evidence.IDENTICAL, None) for path, entry in identical.items()}
    rest = [entry for entry in needles if entry.path not in matches and entry.path not in failures]
    pictures: Pictures | None = None
    candidates: Pictures | None = None
    remains: dict[str, Remains] = {}
    if rest:  # where every needle is proved by its bytes, the decoders are not even loaded
        pictures = reader.pictures(rest, "decoding needles", ORIENTATIONS if settings.scan.rotations else 1)
        failures |= pictures.failures
    if pictures and pictures.entries:  # where no picture is left to be proved, the haystack is not decoded
        readable = [entry for entry in haystack if entry.path not in failures and entry.has_comparable_picture]
        if settings.scan.paranoid:  # what cannot be read again proves nothing then, and might hide something that can
            readable = [entry for entry in readable if entry.can_be_read]
        candidates = reader.pictures(readable, "decoding haystack", 1)
        failures |= candidates.failures
        wholes = Wholes(pictures, candidates, reader.wholes)
        found, remains = match_pictures(settings, wholes, reader, cache, listener, parted)
        pictures, candidates = wholes.pictures()
        matches |= found
        failures |= wholes.failures
    if settings.scan.paranoid:
        matches, fallen = read_again(matches, needles, haystack, settings.scan.accept, reader)
        failures |= fallen
    decoded = frozenset(entry.path for entry in pictures.entries) if pictures else frozenset()
    count = None if candidates is None else len(candidates.entries)
    return Findings(matches, failures, decoded, count, remains), pictures, candidates


def match_pictures(
    settings: Settings,
    wholes: Wholes,
    reader: Reader,
    cache: Cache,
    listener: Listener,
    parted: Mapping[str, frozenset[str]] | None = None,
) -> tuple[dict[str, Match], dict[str, Remains]]:
    """By path: the matches of needles, and what is known of damaged ones without any."""
    with listener.part("look up", len(wholes.needles.entries)):
        from dupfind.scanning.same_image_data import find_same_image_data

        proven = find_same_image_data(wholes, reader, cache, parted)
    # They are matched all the same: they have a claim to their witness, which then is no other needle's.
    matches, remains = _match_thumbnails(settings, wholes, reader, cache, listener, parted, proven)
    return matches | proven, {path: rest for path, rest in remains.items() if path not in proven}


def _match_thumbnails(
    settings: Settings,
    wholes: Wholes,
    reader: Reader,
    cache: Cache,
    listener: Listener,
    parted: Mapping[str, frozenset[str]] | None,
    proven: Container[str],
) -> tuple[dict[str, Match], dict[str, Remains]]:
    with listener.part("start-up"):
        from dupfind.scanning.framing import Framing
        from dupfind.scanning.full_size import FullSize
        from dupfind.scanning.matching import (
            Matcher,  # brings numpy and Pillow, which a plain copy of the haystack never needs
        )
        from dupfind.scanning.resembling import resembling
        from dupfind.scanning.wholes import MOST_ROUNDS

    with listener.stage("matching", len(wholes.needles.entries)) as advance:
        threshold_bits = settings.scan.threshold_bits
        full_size = FullSize(wholes, cache, reader.compare_at_full_size, proven)
        matcher = Matcher(
            wholes,
            threshold_bits,
            cache,
            listener,
            parted,
            reader.judge_pairs,
            None if settings.scan.quick else full_size,
        )
        matches = matcher.match(advance)
    for _ in range(MOST_ROUNDS):
        with listener.part("evidence"):
            needles, haystack = wholes.pictures()
            others = Framing(needles, haystack, settings.scan, cache, listener, parted).match(matches)
        by_rest, remains = resembling(needles, haystack, matches | others, cache, listener, settings.scan.algorithm)
        others |= by_rest
        coarse = wholes.coarse(others)
        if not coarse:
            return matches | others, remains
        wholes.read(coarse)
    return matches, {}


def _entries(trees: Sequence[Tree]) -> list[FileEntry]:
    return [entry for tree in trees for entry in tree.entries]
