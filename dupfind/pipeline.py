"""The story of a scan: the stages in order, each taking values and giving values.

walk > identical? > thumbnail > fingerprint > matching > (witnesses again?) > final check > verdict
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dupfind import libraries
from dupfind.answers.decisions import Decision
from dupfind.answers.findings import Findings, Remains, Split
from dupfind.cache.file_columns import Sides, sides_in_columns
from dupfind.cache.result_cache import ResultCache, program
from dupfind.digest import digest_of
from dupfind.events import Listener
from dupfind.pictures.formats import is_film_name
from dupfind.reasons import Reason
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.final_check import begin_final_check, final_check, is_due
from dupfind.scanning.first_decodes import needed_of_haystack, needed_of_needles
from dupfind.scanning.needle_verdicts import judge_files, words_of
from dupfind.scanning.parts import are_left_out, match_parts, with_parts
from dupfind.scanning.problems import is_missing_film, problems_of, summary_of
from dupfind.scanning.setting_aside import disregarded, name_reasons, put_aside, tell_of_ignore_files
from dupfind.scanning.sidecars import sidecars_of_present
from dupfind.scanning.verdict import judge_folders
from dupfind.settings import Settings
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import forgetting
from dupfind.sources.same_file import warnings_of
from dupfind.sources.source import Listing, Look, list_all
from dupfind.values import (
    LISTING,
    ORIENTATIONS,
    Evidence,
    Failure,
    FileEntry,
    FileVerdict,
    FolderVerdict,
    Match,
    Problem,
    Report,
    ScanSettings,
    Tree,
)
from dupfind.version import __version__

if TYPE_CHECKING:
    from dupfind.cache.last_run import LastRunStore, Learned
    from dupfind.matching.decodes import Decodes
    from dupfind.matching.match import Matched
    from dupfind.reading import Pictures
    from dupfind.scanning.first_decodes import NeededOfNeedles
    from dupfind.scanning.scan_again import News

    FindingsAndPictures = tuple[Findings, Pictures | None, Pictures | None]
    """The findings; the pictures of needles and of the haystack, None where none were needed."""


class Scanned(NamedTuple):
    """The answer, and the trees of needles and of the haystack that it is about."""

    report: Report
    needles: list[Tree]
    haystack: list[Tree]
    words: Mapping[str, Decision]
    """By the path as reported, the decisions that verdicts rest on."""
    findings: Findings
    """What the verdicts were made of."""
    aside: Mapping[str, Reason]
    """By the path as reported, why needles are set aside by their names."""

    @property
    def split(self) -> Mapping[str, Split]:
        """By the path on disk, needles that a person has split from files of the haystack."""
        return self.findings.split

    @property
    def matches(self) -> Mapping[str, Match]:
        """By the path on disk, what each needle has in the haystack."""
        return self.findings.matches


class Judged(NamedTuple):
    """The verdicts on findings."""

    files: list[FileVerdict]
    """In the order of the trees: first those of folders, then those that were named one by one."""
    folders: list[FolderVerdict]
    problems: list[Problem]
    words: Mapping[str, Decision]
    """By the path as reported, the decisions that verdicts rest on."""


def scan(settings: Settings, listener: Listener | None = None, make_executor: MakeExecutor | None = None) -> Report:
    """Answer which needles are in the haystack.

    ``make_executor`` puts the reading of files elsewhere than on processes of this machine. Raises
    :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    return scan_run(Run(settings, listener, make_executor)).report


def scan_trees(
    settings: Settings,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
    decisions: Sequence[Decision] | None = None,
    *,
    may_be_bare: bool = True,
    meanwhile: Callable[[], None] | None = None,
) -> Scanned:
    """Answer as :func:`scan`, with the files that it is about; ``decisions`` are those of a person.

    ``may_be_bare`` as in :func:`scan_run`, ``meanwhile`` as in :class:`~dupfind.run.Run`.
    """
    run = Run(settings, listener, make_executor)
    run.meanwhile = meanwhile
    return scan_run(run, decisions, may_be_bare=may_be_bare)


def scan_run(run: Run, decisions: Sequence[Decision] | None = None, *, may_be_bare: bool = True) -> Scanned:
    """Answer which needles of a run are in its haystack.

    ``may_be_bare`` False measures every picture at once, where the caller asks for the nearest ones afterwards. The
    answer is the same.
    """
    settings, listener = run.settings, run.listener
    started, began_ns, begin = datetime.now().astimezone(), time.time_ns(), time.monotonic()
    is_by_matches = may_be_bare and run.recalls_findings and not decisions and not settings.scan.paranoid
    needles, haystack = walk(run, may_leave_out=is_by_matches)
    if any(tree.unlisted is not None for tree in haystack):
        from dupfind.scanning.shortlist import with_candidates
        from dupfind.session import with_reader

        haystack = with_reader(run, partial(with_candidates, needles, haystack))
    files = _entries(needles), _entries(haystack)
    recipe = partial(_recipe, settings.scan.algorithm, listener)
    columns = None if settings.cache is None else sides_in_columns(*files)
    results = ResultCache(settings, *files, columns, recipe, began_ns, may_keep=run.sources.are_remembered)
    remembered = None if decisions or not run.recalls_findings else _recall(results, sum(map(len, files)), listener)
    findings, learned, store, news = remembered, None, None, []
    if findings is None:
        _start_decoders(run, *files)
        if not decisions:
            from dupfind.cache.last_run import LastRunStore, Learned

            may_keep = run.sources.are_remembered and run.recalls_findings
            store = LastRunStore(settings, recipe, may_keep=may_keep, began_ns=began_ns)
            learned = Learned(is_kept=store.is_kept)
            news = [] if columns is None else _news(store, *files, columns, listener)
    del columns  # 100 bytes a file
    if findings is None:
        from dupfind.session import with_reader  # what reads files is loaded where there is something to be read

        if decisions:
            find: Callable[..., FindingsAndPictures] = partial(_find_decided, decisions, *files)
        else:
            find = partial(partial(_find_news, news) if news else find_matches, *files, learned=learned)
        findings, *_ = with_reader(run, partial(find, may_be_bare=may_be_bare))
    is_kept = remembered is None and not decisions
    verdicts = None
    if is_due(needles, findings, is_remembered=remembered is not None, walked_seconds=time.monotonic() - begin):
        matched = findings
        needles, haystack, findings, verdicts = _check(run, needles, haystack, findings, results if is_kept else None)
        if learned is not None and findings is not matched:
            from dupfind.scanning.learning import learn_fallen

            learn_fallen(learned, matched, findings)
    if is_kept:
        results.keep(findings, time.time_ns())
        if store is not None and learned is not None and learned.is_filled:
            store.keep(findings, learned, results.packer, time.time_ns())
    with listener.part("verdict", sum(len(tree.entries) for tree in needles)):
        aside = disregarded(needles, settings.scan.disregard, listener)
        judged = judge(run, needles, haystack, findings, aside, verdicts)
    report = Report(
        version=__version__,
        started=started.isoformat(timespec="seconds"),
        elapsed_seconds=round(time.monotonic() - begin, 3),
        settings=settings.scan,
        folders=judged.folders,
        files=judged.files,
        problems=judged.problems,
        haystack=summary_of(files[1], findings, [tree.unlisted for tree in haystack if tree.unlisted is not None]),
        catalogs=tuple(tree.catalog for tree in (*needles, *haystack) if tree.catalog is not None),
        servers=tuple(tree.server for tree in haystack if tree.server is not None),
        buckets=tuple(told for side in run.sources for source in side if (told := source.fetched()) is not None),
        decided=None if decisions is None else rulings_of(judged.words),
        parts_left_out=are_left_out(settings.scan, findings),
        films_by_bytes=0 if libraries.can_read_films() else sum(map(is_missing_film, judged.files)),
    )
    return Scanned(report, needles, haystack, judged.words, findings, aside)


def _start_decoders(run: Run, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> None:
    """Let what decodes load what it needs, where a first run will decode: this process has enough to do meanwhile.

    Only where a needle has a size that no file of the haystack has, so that a plain copy starts nothing.
    """
    settings = run.settings
    is_known = settings.cache is not None and os.path.exists(settings.cache)
    if is_known or settings.scheduler is not None or run.make_executor is not None:
        return
    sizes = {entry.size_bytes for entry in haystack}
    if any(entry.size_bytes and entry.size_bytes not in sizes for entry in needles):
        from dupfind.pool import launch

        with suppress(OSError, launch.CannotStartError):  # who needs it tries again, and says what is wrong
            launch.start_server()


def _check(
    run: Run, needles: list[Tree], haystack: list[Tree], findings: Findings, results: ResultCache | None
) -> tuple[list[Tree], list[Tree], Findings, list[FileVerdict] | None]:
    """Look again at needles and witnesses, see :func:`~dupfind.scanning.final_check.final_check`.

    Also returns the verdicts on needles in folders, where all is as it was: nearly always, so these are made, and the
    answer is prepared for ``results``, while a second process looks.
    """
    with run.listener.stage("looking again", None) as advance:
        # What was mounted meanwhile may show a file under another name.
        listing = run.listing(Excludes(run.settings.excludes), advance, is_anew=True)
        if results is not None:
            results.look_over()
        try:
            begin_final_check(run.sources, needles, listing)
            with run.listener.part("verdict"):
                if results is not None:
                    results.prepare(findings)
                verdicts = _judged(run, _in_folders(needles), findings)
            walked, marked, standing = final_check(run.sources, needles, haystack, findings, listing)
        finally:  # within another program a process that nobody listens to would wait for as long as that runs
            listing.ahead.end()
    return walked, marked, standing, verdicts if standing is findings else None


def _in_folders(needles: Sequence[Tree]) -> list[Tree]:
    return [tree for tree in needles if tree.root.has_folders]


def _judged(run: Run, needles: Sequence[Tree], findings: Findings) -> list[FileVerdict]:
    return judge_files(run.settings.scan.accept, run.shown_haystack, needles, findings)


def judge(
    run: Run,
    needles: Sequence[Tree],
    haystack: Sequence[Tree],
    findings: Findings,
    aside: Mapping[str, Reason],
    verdicts: list[FileVerdict] | None = None,
) -> Judged:
    """Give the verdicts on files and folders; ``aside`` are needles that are set aside by their names.

    ``verdicts`` are what was made of the same findings before, of needles in folders.
    """
    settings = run.settings
    in_trees = _in_folders(needles)
    if verdicts is None:
        verdicts = _judged(run, in_trees, findings)
    alone = _judged(run, [tree for tree in needles if not tree.root.has_folders], findings)
    if aside:
        verdicts, alone = put_aside(verdicts, aside), put_aside(alone, aside)
        tell_of_ignore_files(verdicts, run.listener)
    of_present = sidecars_of_present(_entries(in_trees), verdicts)
    verdicts = (put_aside if settings.scan.sidecars == "ignore" else name_reasons)(verdicts, of_present)
    problems = problems_of([*needles, *haystack], findings.failures)
    in_folders = [problem for problem in problems if problem.stage != LISTING]
    opened = [tree.root.shown(path) for tree in in_trees for path in tree.opened]
    folders = judge_folders(verdicts, in_folders, settings.roots, words_of(in_trees, findings), opened)
    return Judged(verdicts + alone, folders, problems, words_of(needles, findings))


def rulings_of(words: Mapping[str, Decision]) -> dict[str, str]:
    """Return what a person has decided of files, by path, as a report holds it."""
    return {path: word.ruling.value for path, word in words.items()}


def walk(run: Run, named: Collection[FileEntry] = (), *, may_leave_out: bool = False) -> tuple[list[Tree], list[Tree]]:
    """List all sources: the trees of the needles and of the haystack, in the order of the sources.

    ``named`` are needles that lie in no tree: a catalog that lists them does not prove them. With ``may_leave_out``
    the caller asks for what was left out afterwards (:func:`~dupfind.scanning.shortlist.with_candidates`).
    """
    excludes = Excludes(run.settings.excludes)
    listing = walk_what_is_there(run, excludes, named)
    listing.may_leave_out = may_leave_out
    for sources in (run.sources.walked(are_walked=False), run.sources.within):
        if any(sources):
            with run.listener.part("look up"):
                list_all(sources, listing)
    for warning in excludes.warnings(run.settings.named.matched):
        run.listener.warn(warning)
    return listing.needles, listing.haystack


def walk_what_is_there(run: Run, excludes: Excludes, named: Collection[FileEntry] = ()) -> Listing:
    """List what is walked, folders and lists, after the warnings of the settings."""
    listener = run.listener
    for warning in run.settings.warnings:
        listener.warn(warning)
    with listener.stage("walking", None) as advance:
        listing = list_all(run.sources.walked(are_walked=True), run.listing(excludes, advance, named))
    listing.count, listing.stage, listing.digests = _uncounted, listener.stage, partial(_digests, run)
    listing.look_at, listing.most_bits = partial(_look_at, run), run.settings.scan.threshold_bits
    is_to_read_again = run.settings.scan.paranoid or not run.recalls_findings
    if run.settings.cache is not None and not is_to_read_again:
        listing.recall_archives, listing.keep_archives = partial(_recall_archives, run), partial(_keep_archives, run)
    for warning in warnings_of(listing.haystack):
        listener.warn(warning)
    if run.settings.cache is not None:
        for warning in forgetting((*listing.needles, *listing.haystack), run.mounts.forgetful):
            listener.warn(warning)
    return listing


def _uncounted(_: int) -> None:
    """Count nothing: the stage that shows the count is over."""


def _digests(run: Run, entries: Sequence[FileEntry]) -> Mapping[str, bytes | Failure]:
    """Digest files before the listing ends, to tell whether an archive as a whole is in the haystack."""
    from dupfind.session import with_reader

    return with_reader(run, lambda reading: reading.reader.digests(entries))


def _look_at(run: Run, entries: Sequence[FileEntry], what: str) -> Mapping[str, Look]:
    """Decode pictures before the listing ends, to tell which of them a server may have."""
    from dupfind.session import with_reader

    def look(reading: Reading) -> Mapping[str, Look]:
        pictures = reading.reader.pictures(entries, what, ORIENTATIONS if run.settings.scan.rotations else 1)
        looks = {}
        for entry, ref, hashes in zip(pictures.entries, pictures.refs, pictures.hashes.tolist(), strict=True):
            captured = reading.cache.thumbnails([ref.id])[ref.id].captured
            looks[entry.path] = Look(tuple(hashes), captured)
        return looks

    return with_reader(run, look) if entries else {}


def _recall_archives(run: Run, archives: Sequence[FileEntry]) -> Mapping[str, bytes]:
    """Recall what archives hold, so that they are not unpacked or read again."""
    from dupfind.session import with_reader

    recipe = _archives_recipe()
    if recipe is None:
        return {}
    listed = with_reader(run, lambda reading: list(reading.cache.recall_archives(recipe, archives)))
    return {entry.path: data for entry, data in zip(archives, listed, strict=True) if data is not None}


def _keep_archives(run: Run, listed: Sequence[tuple[FileEntry, bytes, int]]) -> None:
    """Keep what archives hold for later runs."""
    from dupfind.session import with_reader

    recipe = _archives_recipe()
    if recipe is None:
        return

    def keep(reading: Reading) -> None:
        for entry, data, listed_ns in listed:
            reading.cache.keep_archive(recipe, entry, data, listed_ns)

    with_reader(run, keep)


def _archives_recipe() -> str | None:
    """Name everything that decides how an archive is listed: all files of this program, and the version of Python.

    None where the program does not lie in files.
    """
    try:
        return f"archives {digest_of([repr((program(), sys.version)).encode()]).hex()}"
    except OSError:
        return None


def _recall(results: ResultCache, files: int, listener: Listener) -> Findings | None:
    """Recall what an earlier run over the same files has found."""
    with listener.part("look up", files):
        remembered = results.recall()
    if remembered is not None:
        with listener.stage("nothing has changed since an earlier run", None) as advance:
            advance(files)
    return remembered


def _news(
    store: LastRunStore, needles: list[FileEntry], haystack: list[FileEntry], columns: Sides, listener: Listener
) -> list[News]:
    """Return what has changed since the last run; nothing where that is not known, or too much to go by."""
    with listener.part("look up", len(needles) + len(haystack)):
        last = store.load()
        if last is None:  # as in a first run, which does not load what compares two
            return []
        from dupfind.scanning.scan_again import news_since

        news = news_since(last, needles, haystack, columns)
    return [] if news is None else [news]


def _find_news(
    news: list[News],
    needles: list[FileEntry],
    haystack: list[FileEntry],
    run: Reading,
    learned: Learned,
    *,
    may_be_bare: bool,
) -> FindingsAndPictures:
    """Scan what has changed, or all where that is not enough; ``learned`` is filled where the run is worth keeping.

    The ``news`` are taken out: asked again, the cache has failed, and what came from it is worth nothing.
    """
    from dupfind.scanning.scan_again import scan_again

    findings = None
    if news:
        files = news[0].files
        find = partial(find_matches, may_be_bare=may_be_bare)
        findings = scan_again(news.pop(), run, find, learned, may_be_bare=may_be_bare)
    if findings is None:
        return find_matches(needles, haystack, run, learned=learned, may_be_bare=may_be_bare)
    with run.listener.stage("the rest has not changed since an earlier run", None) as advance:
        advance(len(needles) + len(haystack) - files)
    findings = with_parts(findings, needles, haystack, run)
    return replace(findings, passing=frozenset(run.reader.passing)), None, None


def _find_decided(
    decisions: Sequence[Decision],
    needles: list[FileEntry],
    haystack: list[FileEntry],
    run: Reading,
    *,
    may_be_bare: bool,
) -> FindingsAndPictures:
    """Read the files and return the findings, with the ``decisions`` of a person applied."""
    from dupfind.scanning import apply_decisions

    scan = run.settings.scan
    standing = apply_decisions.decide(decisions, needles, haystack, run.reader, run.listener, is_paranoid=scan.paranoid)
    findings, *_ = find_matches(needles, haystack, run, standing.split, may_be_bare=may_be_bare)
    return apply_decisions.apply(findings, standing, scan.accept, run.shown_haystack), None, None


def _recipe(algorithm: str, listener: Listener) -> str:
    installed = libraries.installed()
    if installed is not None:  # the rest of the recipe is the files of this program, which are part of the key anyway
        return installed
    from dupfind.session import whole_recipe

    return whole_recipe(algorithm, listener)


def find_matches(
    needles: list[FileEntry],
    haystack: list[FileEntry],
    run: Reading,
    split: Mapping[str, frozenset[str]] | None = None,
    candidates: Pictures | None = None,
    learned: Learned | None = None,
    *,
    may_be_bare: bool = False,
    needed_of: NeededOfNeedles = needed_of_needles,
) -> FindingsAndPictures:
    """Run the stages between walk and verdict: match each needle by bytes, then by picture.

    Returns the pictures of needles and haystack too, None where none were needed. ``split`` names, by the path of a
    needle, files of the haystack that may prove it only by equal bytes. ``candidates`` are the haystack's pictures that
    an earlier call returned. ``learned`` takes in what the next run may use. With ``may_be_bare`` the pictures that are
    returned may be bare, which is enough for callers that use the matches alone; ``needed_of`` tells how bare needles
    may be.
    """
    from dupfind.scanning.identical import find_identical
    from dupfind.scanning.learning import learn_digests, learn_pictures

    scan, reader = run.settings.scan, run.reader
    identical, failures, digests = find_identical(needles, haystack, reader)
    if learned is not None:
        learn_digests(learned, needles, haystack, digests)
    del digests  # 100 bytes a file
    matches = {path: Match(entry.path, Evidence.IDENTICAL, None) for path, entry in identical.items()}
    unproved = [
        entry for entry in needles if entry.path not in matches and entry.path not in failures and entry.size_bytes
    ]
    pictures: Pictures | None = None
    remains: dict[str, Remains] = {}
    unseen = 0
    if unproved:  # where every needle is proved by its bytes, the decoders are not even loaded
        _start_reading(run)
        with run.listener.part("start-up"):  # while the workers load the decoders; a plain copy needs neither
            from dupfind.matching.match import Matched, match_pictures
        orientations = ORIENTATIONS if scan.rotations else 1
        # Each candidate of a bare picture is decoded once more: that may be every needle.
        needed = needed_of(unproved, haystack, orientations, run) if may_be_bare else None
        pictures = reader.pictures(unproved, "decoding needles", orientations, bare=needed)
        failures |= pictures.failures
    if pictures and pictures.entries:  # where no picture is left to be proved, the haystack is not decoded
        # Where all is read again, a file that cannot be proves nothing, and might hide one that can.
        readable = [
            entry
            for entry in haystack
            if entry.path not in failures and entry.has_comparable_picture and (entry.can_be_read or not scan.paranoid)
        ]
        bare = needed_of_haystack(pictures, needed, len(readable), run) if may_be_bare else None
        if may_be_bare and run.settings.previews and (learned is None or learned.is_of_all):
            from dupfind.matching.by_previews import match_by_previews

            matched = match_by_previews(run, pictures, readable, split, bare)
        else:
            candidates = candidates or reader.pictures(readable, "decoding haystack", 1, bare=bare)
            decodes = _decodes(run, pictures, candidates)
            matched = Matched(decodes, candidates.failures, *match_pictures(run, decodes, split))
        decodes, unseen, remains = matched.decodes, matched.unseen, matched.remains
        matches |= matched.matches | _match_parts(run, matched, split, learned)
        failures |= matched.failures
        if learned is not None:
            learn_pictures(learned, needles, haystack, matched, run)
            learned.is_bounded |= unseen > 0  # the next run would have to know all pictures to tell what has changed
        pictures, candidates = decodes.pictures()
        failures |= decodes.failures
    decoded = frozenset(entry.path for entry in pictures.entries) if pictures else frozenset()
    left = [entry for entry in unproved if entry.path not in matches and entry.path not in decoded]
    of_films, unread = _match_films(left, haystack, run, split)
    matches |= of_films
    failures |= unread
    if scan.paranoid:
        from dupfind.scanning.paranoid import read_again

        matches, rejected = read_again(run, matches, needles, haystack)
        failures |= rejected
    count = None if candidates is None else len(candidates.entries) + unseen
    passing = frozenset(reader.passing)
    return Findings(matches, failures, decoded, count, remains, passing=passing), pictures, candidates


def _start_reading(run: Reading) -> None:
    """Start what decodes, and load meanwhile what the caller needs in the end."""
    run.reader.start()
    if run.meanwhile is not None:
        with run.listener.part("start-up"):
            run.meanwhile()


def _decodes(run: Reading, needles: Pictures, haystack: Pictures) -> Decodes:
    from dupfind.matching.decodes import Decodes

    reader = run.reader
    return Decodes(
        needles, haystack, reader.full_decodes, partial(reader.measured, orientations=needles.hashes.shape[1])
    )


def _match_films(
    needles: list[FileEntry], haystack: list[FileEntry], run: Reading, split: Mapping[str, frozenset[str]] | None
) -> tuple[dict[str, Match], dict[str, Failure]]:
    """Match the films among needles; without any the haystack is not searched."""
    films = [entry for entry in needles if is_film_name(entry.path)]
    if not films or not _are_films_read(run.settings.scan):
        return {}, {}
    from dupfind.matching.films import match_films

    trusted = [entry for entry in haystack if entry.has_comparable_picture]
    return match_films(films, trusted, run, split)


def _match_parts(
    run: Reading, matched: Matched, split: Mapping[str, frozenset[str]] | None, learned: Learned | None
) -> dict[str, Match]:
    """Match needles without a match by parts of pictures; not where the haystack's are not all here, as a needle may
    show a part of any.
    """
    if learned is not None and not learned.is_of_all:
        return {}
    needles, haystack = matched.decodes.pictures()
    unmatched = [entry for entry in needles.entries if entry.path not in matched.matches]
    pictures = len(haystack.entries) + matched.unseen
    return match_parts(run, unmatched, haystack.entries, pictures, haystack.sizes, split)


def _are_films_read(scan: ScanSettings) -> bool:
    """Tell whether films are compared: not with ``--quick``, nor without the library that reads them."""
    return not scan.quick and libraries.can_read_films()


def _entries(trees: Sequence[Tree]) -> list[FileEntry]:
    return list(chain.from_iterable(tree.entries for tree in trees))
