"""Explanation of a verdict: the witness with every test, or the haystack pictures that came nearest.

The verdict comes from the stages of a scan and is not judged again here; judged again is how each test came out,
of which a scan keeps only the first that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from dupfind import libraries
from dupfind.answers.explain import Advice, ExplainResult, Explanation, NearPicture
from dupfind.answers.findings import Findings
from dupfind.events import Listener
from dupfind.matching.decodes import Side, decode_fully
from dupfind.matching.nearest import Nearest, Needle, Seen
from dupfind.matching.same_image_data import REASON
from dupfind.pictures import formats
from dupfind.pipeline import find_matches, walk
from dupfind.pool.full_size import FullSizePair
from dupfind.reading import Pictures
from dupfind.reasons import FILM_LIKENESS, Reason, ReasonCode, is_fragment
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.needle_verdicts import needle_judge
from dupfind.scanning.problems import problems_of
from dupfind.session import with_reader
from dupfind.settings import MOST_THRESHOLD_BITS, Settings
from dupfind.sources.roots import NamedFile
from dupfind.sources.same_file import SameFile
from dupfind.values import ORIENTATIONS, Evidence, Failure, FileEntry, FileState, ScanSettings
from dupfind.version import __version__


def explain(
    settings: Settings,
    needles: Sequence[NamedFile],
    nearest: int,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> ExplainResult:
    """Explain each of ``needles``, with up to ``nearest`` haystack pictures for one that is not present.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    run = Run(settings, listener, make_executor)
    _, trees = walk(run, [needle.entry for needle in needles])
    haystack = [entry for tree in trees for entry in tree.entries]
    explanations, failures = with_reader(run, partial(_explain_all, needles, haystack, nearest))
    listed = tuple(tree.catalog for tree in trees if tree.catalog is not None)
    return ExplainResult(__version__, settings.scan, explanations, problems_of(trees, failures), listed)


def _explain_all(
    needles: Sequence[NamedFile], haystack: list[FileEntry], nearest: int, run: Reading
) -> tuple[list[Explanation], dict[str, Failure]]:
    explanations: dict[str, Explanation] = {}
    failures: dict[str, Failure] = {}
    for group, witnesses, itself in _groups(needles, haystack, SameFile(run.mounts)):
        entries = [needle.entry for needle in group]
        findings, pictures, candidates = find_matches(entries, witnesses, run)
        failures |= findings.failures
        with run.listener.part("evidence"):
            explainer = _Explainer(run, nearest, findings, pictures, candidates)
            shown = tuple(run.shown(entry.path) for entry in itself)
            for needle in group:
                explanations[needle.given] = explainer.explain(needle, shown)
    return [explanations[needle.given] for needle in needles], failures


def _groups(
    needles: Sequence[NamedFile], haystack: list[FileEntry], same: SameFile
) -> Iterator[tuple[list[NamedFile], list[FileEntry], list[FileEntry]]]:
    """Yield needles, the haystack without them, and what was left out of it.

    Those outside the haystack are searched for together as a scan does; each that lies in it is searched for in
    the rest, of which other needles may be a part.
    """
    outside = []
    for needle in needles:
        itself = [entry for entry in haystack if same.is_itself(entry, needle.entry)]
        if itself:
            yield [needle], [entry for entry in haystack if entry not in itself], itself
        else:
            outside.append(needle)
    if outside:
        yield outside, haystack, []


class _Explainer:
    """Explains needles that were searched for together."""

    def __init__(
        self,
        run: Reading,
        nearest: int,
        findings: Findings,
        needles: Pictures | None,
        haystack: Pictures | None,
    ) -> None:
        self._settings = run.settings
        self._shown = run.shown
        self._nearest = nearest
        self._findings = findings
        self._needles = needles
        self._haystack = haystack
        self._reader = run.reader
        self._cache = run.cache
        self._made: Nearest | None = None

    def explain(self, needle: NamedFile, itself: tuple[str, ...]) -> Explanation:
        """Explain the verdict on ``needle``: all that led to it."""
        findings, path = self._findings, needle.entry.path
        shown = self._shown
        match = findings.matches.get(path)
        verdict = needle_judge(findings, self._settings.scan.accept, shown)(needle.given, needle.entry)
        if match is not None and (match.evidence is Evidence.IDENTICAL or match.reason == REASON):
            return Explanation(verdict, None, (), (), None, itself)
        if match is not None and match.reason is not None and match.reason.code in FILM_LIKENESS:
            return Explanation(verdict, None, (), (), Advice(obstacle=Reason(ReasonCode.FILM_NEVER_SAME)), itself)
        if match is not None and is_fragment(match.reason):  # what comes nearest as a whole tells nothing of parts
            return Explanation(verdict, None, (), (), Advice(obstacle=verdict.reasons[0]), itself)
        if path not in findings.pictures or self._needles is None or self._haystack is None:
            obstacle = verdict.reasons[0] if verdict.reasons else _no_picture(path, self._settings.scan)
            return Explanation(verdict, None, (), (), Advice(obstacle=obstacle), itself)
        position = next(index for index, entry in enumerate(self._needles.entries) if entry.path == path)
        hashes = self._needles.hashes[position].tolist()
        side = Side(self._needles)
        decode_fully(self._reader.full_decodes, (side, [position]))
        id_ = side.refs[position].id
        sought = Needle(needle.entry, self._cache.thumbnails([id_])[id_], hashes)
        search = self._search(self._haystack)
        witness = search.witness(sought, match) if match is not None else None
        orientation, tests = (witness.orientation, witness.tests) if witness else (None, ())
        if verdict.state is FileState.PRESENT:
            return Explanation(verdict, orientation, tests, (), None, itself)
        seen = search.best(sought, search.candidates(sought, self._nearest), match, self._nearest)
        nearest = [self._near(picture) for picture in seen]
        advice = next((near.advice for near in nearest if near.advice.options), None)
        fallback = Advice(obstacle=nearest[0].advice.obstacle if nearest else self._nothing_near(needle, itself))
        return Explanation(verdict, orientation, tests, tuple(nearest), advice or fallback, itself)

    def _nothing_near(self, needle: NamedFile, itself: tuple[str, ...]) -> Reason:
        """Tell why no picture is said to be near: the haystack has none, or something cannot be read whole."""
        if self._haystack is None or not self._haystack.entries:
            return Reason(ReasonCode.NO_OTHER_PICTURES if itself else ReasonCode.NO_PICTURES)
        content = self._reader.full_decodes([needle.entry])[needle.entry.path]
        if isinstance(content, Failure):
            return Reason(ReasonCode.NOT_READ, (content.reason,))
        return Reason(ReasonCode.NOT_READ, ("what came nearest cannot be read whole",))

    def _search(self, haystack: Pictures) -> Nearest:
        """Give the search, which is made once: it looks up a million pictures in a second."""
        if self._made is None:
            scan, read_full = self._settings.scan, self._reader.full_decodes
            self._made = Nearest(scan, haystack, self._cache, self._compare, read_full, ORIENTATIONS)
        return self._made

    def _compare(self, pairs: Sequence[FullSizePair]) -> Mapping[FullSizePair, Reason | None]:
        """Compare at full size, unless thumbnails are to be enough."""
        return dict.fromkeys(pairs) if self._settings.scan.quick else self._reader.compare_at_full_size(pairs)

    def _near(self, seen: Seen) -> NearPicture:
        return NearPicture(
            path=self._shown(seen.entry.path),
            distance_bits=seen.distance_bits,
            check_bits=seen.check_bits,
            orientation=seen.orientation,
            evidence=seen.evidence,
            reason=seen.reason,
            tests=seen.tests,
            advice=advise(self._settings.scan, seen),
        )


def advise(settings: ScanSettings, seen: Seen) -> Advice:
    """Tell which options would make a witness of ``seen``, or why none would."""
    if seen.grade is None:
        return Advice(obstacle=seen.reason or Reason(ReasonCode.UNLIKE))
    # A scan that found it otherwise did so whatever the distance of the whole pictures, and however they are turned.
    distance_bits, orientation = (0, 0) if seen.is_found_otherwise else (seen.distance_bits, seen.orientation)
    if distance_bits > MOST_THRESHOLD_BITS:
        return Advice(obstacle=Reason(ReasonCode.THRESHOLD_ENDS, (MOST_THRESHOLD_BITS, distance_bits)))
    options = []
    if orientation and not settings.rotations:
        options.append("--rotations")
    if distance_bits > settings.threshold_bits:
        options.append(f"--threshold {distance_bits}")
    if seen.grade.rank > settings.accept.rank:
        options.append(f"--accept {seen.grade}")
    return Advice(tuple(options), None if options else Reason(ReasonCode.OTHERS_FIRST))


def _no_picture(path: str, settings: ScanSettings) -> Reason:
    """Tell why nothing is near to a file that is no picture, or a film that was not looked into."""
    if settings.quick or not formats.is_film_name(path):
        return Reason(ReasonCode.NO_PICTURE)
    return Reason(ReasonCode.NO_FILM if libraries.can_read_films() else ReasonCode.FILM_BY_BYTES)
