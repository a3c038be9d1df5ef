"""Contents of a page beside the answer, gathered once that is there: small pictures, digests, nearest pictures.

Reads only the files that the page shows. For the nearest pictures the haystack's hashes are needed, which the scan has
left in the cache.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from dupfind.answers.explain import Advice
from dupfind.answers.find import FindResult
from dupfind.answers.findings import Split
from dupfind.answers.groups import Member
from dupfind.answers.hash import Given
from dupfind.answers.page import Nearest, PageContents, Preview, Sight, most_doubtful, most_doubtful_sought
from dupfind.events import Listener
from dupfind.evidence import aligning
from dupfind.pictures.formats import FILM_SUFFIXES, suffix
from dupfind.reading import Reader
from dupfind.reasons import FILM_LIKENESS, Reason, ReasonCode
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.sources.entries import entry_now
from dupfind.values import CHANGED, ORIENTATIONS, Failure, FileEntry, FileState, FileVerdict, Kind, Report, Tree

if TYPE_CHECKING:
    from dupfind.matching.nearest import Nearest as Search
    from dupfind.matching.nearest import Seen
    from dupfind.pool.full_size import FullSizePair

_COMPARED = 4
"""Haystack pictures whose pixels are compared with a missing needle, the nearest by their hashes: 8 ms a needle."""
_LISTED = "its catalog holds none"
_SPLIT = Reason(ReasonCode.DIFFERENT_ON_YOUR_WORD)
Named = tuple[str, FileEntry]
"""A file, and how the user would spell it."""
Pair = tuple[str, str]
"""A needle and a file of the haystack, as the user would spell them."""


def show(
    settings: Settings,
    report: Report,
    trees: tuple[Sequence[Tree], Sequence[Tree]],
    count: int,
    listener: Listener,
    make_executor: MakeExecutor | None = None,
    split: Mapping[str, Split] = MappingProxyType({}),
    decided: Collection[str] = frozenset(),
) -> PageContents:
    """Gather what a page shows of the ``count`` most doubtful files; ``trees`` are needles and haystack.

    ``split`` are needles that a person has split from files of the haystack, by their paths on disk, and ``decided``
    all needles whose verdict rests on a person's word, by their paths in the report.
    """
    doubtful = most_doubtful(report.files, count, decided)
    if not doubtful:
        return PageContents()
    return with_reader(Run(settings, listener, make_executor), partial(_show, doubtful, trees, split))


def look_at(
    settings: Settings,
    members: Sequence[Member],
    listener: Listener,
    make_executor: MakeExecutor | None = None,
) -> PageContents:
    """Gather what a page shows of these members of groups; no digests, since nothing is decided about them."""
    whole: dict[str, FileEntry] = {}
    lost: dict[str, Sight] = {}
    for member in members:
        why = obstacle(member.entry, follow_symlinks=settings.follow_symlinks)
        if member.entry is None or why is not None:
            lost[member.path] = Sight(member.size_bytes, None, why, None)
        else:
            whole[member.path] = member.entry
    if not whole:
        return PageContents(lost)

    def work(run: Reading) -> PageContents:
        previews = run.reader.previews(_unique(whole.values()))
        return PageContents(lost | {path: _sight(entry, previews[entry.path], None) for path, entry in whole.items()})

    return with_reader(Run(settings, listener, make_executor), work)


def look_at_found(
    settings: Settings,
    answer: FindResult,
    images: Sequence[Given],
    count: int,
    listener: Listener,
    make_executor: MakeExecutor | None = None,
) -> PageContents:
    """Gather what a page shows of the pictures sought and their nearest, up to ``count`` files; no digests."""
    entries = {given.path: given.file.entry for given in images if given.file is not None}
    files: dict[str, FileEntry] = {}
    pairs: list[Pair] = []
    for sought in most_doubtful_sought(answer.sought, count):
        if sought.path in entries:
            files[sought.path] = entries[sought.path]
        files |= {near.path: near.entry for near in sought.nearest if near.entry is not None}
        pairs += [(sought.path, near.path) for near in sought.nearest if near.evidence is not None]
    if not files:
        return PageContents()

    def work(run: Reading) -> PageContents:
        previews = _previews(run.reader, _unique(files.values()))
        sights = {path: _sight(entry, previews[entry.path], None) for path, entry in files.items()}
        return PageContents(sights, turns=_turns(pairs, files, sights, run))

    return with_reader(Run(settings, listener, make_executor), work)


def obstacle(entry: FileEntry | None, *, follow_symlinks: bool) -> str | None:
    """Tell why a file cannot be shown; None where it is there as it was."""
    if entry is not None and not entry.can_be_read:
        return _LISTED
    try:
        is_same = entry is not None and entry_now(entry, follow_symlinks=follow_symlinks) == entry
    except OSError:
        is_same = False
    return None if is_same else CHANGED


def _show(
    doubtful: Sequence[FileVerdict],
    trees: tuple[Sequence[Tree], Sequence[Tree]],
    split: Mapping[str, Split],
    run: Reading,
) -> PageContents:
    reader, spell = run.reader, run.shown
    needles = dict(_reported_as(trees[0], {verdict.path for verdict in doubtful}))
    lost = [
        (verdict.path, needles[verdict.path])
        for verdict in doubtful
        if verdict.state is FileState.MISSING and verdict.kind is Kind.IMAGE and verdict.path in needles
    ]
    haystack = [entry for tree in trees[1] for entry in tree.entries]
    nearest = nearest_of(lost, search_of(haystack, run), split, run) if lost else {}
    split_from = {path: spell(split[entry.path].witness) for path, entry in needles.items() if entry.path in split}
    pairs = [(verdict.path, verdict.witness) for verdict in doubtful if verdict.witness]
    pairs += [(path, near.path) for path, near in nearest.items()]
    witnesses = {witness for _, witness in pairs} | set(split_from.values())
    files = {**dict(_reported_as(trees[1], witnesses)), **needles}
    # There may be a preview of these: also of a film, where it looks like its witness.
    pictures = witnesses | {
        verdict.path
        for verdict in doubtful
        if verdict.kind is Kind.IMAGE or (verdict.reasons and verdict.reasons[0].code in FILM_LIKENESS)
    }
    previews = _previews(reader, _unique(entry for path, entry in files.items() if path in pictures))
    digests = reader.digests(_unique(files.values()))
    sights = {path: _sight(entry, previews.get(entry.path), digests[entry.path]) for path, entry in files.items()}
    return PageContents(sights, nearest, split_from, _turns(pairs, files, sights, run))


def _previews(reader: Reader, entries: Sequence[FileEntry]) -> Mapping[str, Preview | Failure]:
    """Make a preview of each file, or say why there is none; what a catalog lists is not looked for on disk."""
    previews = reader.previews([entry for entry in entries if entry.can_be_read])
    return {entry.path: previews.get(entry.path) or Failure(_LISTED) for entry in entries}


def _turns(
    pairs: Iterable[Pair],
    files: Mapping[str, FileEntry],
    sights: Mapping[str, Sight],
    run: Reading,
) -> dict[Pair, int]:
    """Find how the second of each pair of pictures is turned to lie on the first, where it does not upright."""
    seen = {path for path, sight in sights.items() if sight.preview is not None}
    return turns_of([pair for pair in dict.fromkeys(pairs) if seen.issuperset(pair)], files, run)


def turns_of(pairs: Sequence[Pair], files: Mapping[str, FileEntry], run: Reading) -> dict[Pair, int]:
    """Return the same of pairs of pictures; ``files`` are their entries by path."""
    pictures = run.reader.pictures(_unique(files[path] for pair in pairs for path in pair), "decoding", 1)
    ids = {entry.path: ref.id for entry, ref in zip(pictures.entries, pictures.refs, strict=True)}
    turns: dict[Pair, int] = {}
    for pair in pairs:
        both = [ids[files[path].path] for path in pair if files[path].path in ids]
        if len(both) == len(pair):
            thumbnails = run.cache.thumbnails(both)
            turns[pair] = aligning.orientation(*(thumbnails[id_] for id_ in both))
    return {pair: turn for pair, turn in turns.items() if turn}


def _unique(entries: Iterable[FileEntry]) -> list[FileEntry]:
    return list({entry.path: entry for entry in entries}.values())


def _reported_as(trees: Sequence[Tree], paths: set[str]) -> Iterator[Named]:
    """Yield the files that are reported under these paths."""
    for tree in trees:
        shown = tree.root.shown
        for entry in tree.entries:
            path = shown(entry.path)
            if path in paths:
                yield path, entry


def search_of(haystack: Sequence[FileEntry], run: Reading) -> Search:
    """Give what finds the nearest pictures of a haystack, for as many needles as there may be."""
    from dupfind.matching.nearest import Nearest as Search

    candidates = run.reader.pictures(haystack, "decoding haystack", 1)
    return Search(run.settings.scan, candidates, run.cache, _compare_nothing, None, ORIENTATIONS)


def nearest_of(lost: Sequence[Named], search: Search, split: Mapping[str, Split], run: Reading) -> dict[str, Nearest]:
    """Return for each needle without a witness the picture of ``search`` that comes
    nearest, and why it proves nothing.
    """
    from dupfind.commands.explain import advise
    from dupfind.matching.nearest import Needle

    settings, reader, cache = run.settings, run.reader, run.cache
    orientations = ORIENTATIONS if settings.scan.rotations else 1
    needles = reader.pictures([entry for _, entry in lost], "decoding needles", orientations)
    if not needles.entries or not search.has_pictures:
        return {}
    names = {entry.path: path for path, entry in lost}
    nearest: dict[str, Nearest] = {}
    with run.listener.stage("looking for the nearest", len(needles.entries)) as advance:
        for position, entry in enumerate(needles.entries):
            id_ = needles.refs[position].id
            thumbnail = cache.thumbnails([id_])[id_]
            hashes = needles.hashes[position].tolist()
            needle = Needle(entry, thumbnail, hashes)
            refused = split[entry.path].witnesses if entry.path in split else frozenset[str]()
            positions = search.candidates(needle, 1, _COMPARED + len(refused))
            seen = search.best(needle, positions, None, 1 + len(refused))
            near = next((picture for picture in seen if picture.entry.path not in refused), seen[0])
            why = (_SPLIT,) if near.entry.path in refused else _why_refused(near, advise(settings.scan, near))
            nearest[names[entry.path]] = Nearest(run.shown(near.entry.path), near.distance_bits, why)
            advance(1)
    return nearest


def _compare_nothing(pairs: Sequence[FullSizePair]) -> Mapping[FullSizePair, Reason | None]:
    """Say of each pair that it was not compared at full size: a page is no proof."""
    return dict.fromkeys(pairs, Reason(ReasonCode.ONLY_THUMBNAILS))


def _why_refused(near: Seen, advice: Advice) -> tuple[Reason, ...]:
    """Say why a haystack picture is no witness, though it comes nearest."""
    if near.evidence is None:
        return (near.reason or Reason(ReasonCode.UNLIKE),)
    options = " ".join(advice.options)
    wanted = Reason(ReasonCode.WITH_OPTIONS, (options,)) if options else advice.obstacle
    return tuple(reason for reason in (near.reason, wanted) if reason is not None)


def _sight(entry: FileEntry, preview: Preview | Failure | None, digest: bytes | Failure | None) -> Sight:
    return Sight(
        size_bytes=entry.size_bytes,
        preview=preview if isinstance(preview, Preview) else None,
        obstacle=preview.reason if isinstance(preview, Failure) else None,
        digest=digest if isinstance(digest, bytes) else None,
        film=_address(entry) if isinstance(preview, Preview) else None,
    )


def _address(entry: FileEntry) -> str | None:
    """Return where a browser on this machine finds a film; None for pictures, and for what is in no file of its own."""
    if suffix(entry.path) not in FILM_SUFFIXES or not entry.is_on_disk:
        return None
    from pathlib import Path

    return Path(entry.path).as_uri()
