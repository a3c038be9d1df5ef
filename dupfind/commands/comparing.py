"""One picture against some others: the grade of each pair both ways, with every test.

The grade is the one of a scan that finds the pair, from the same rules: equal bytes, then the pixels in eight
orientations, then without flat frames, then by what damage left, then by a part that both have in common. No search
comes before it, so that no distance is too large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from dupfind import libraries
from dupfind.answers.compare import Compared, Comparison, Comparisons, Proof
from dupfind.cache.cache import Cache
from dupfind.events import Listener, Silence
from dupfind.evidence import facts, fingerprint
from dupfind.matching.decodes import Full, full_thumbnails
from dupfind.matching.match import match_otherwise
from dupfind.matching.same_film import film_digests
from dupfind.matching.same_image_data import REASON, key_of
from dupfind.matching.views import Turned, best_view, views_of
from dupfind.pictures import formats
from dupfind.pool.full_size import pair_of
from dupfind.reading import Pictures, Reader
from dupfind.reasons import Reason, ReasonCode, is_fragment
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.session import with_reader
from dupfind.settings import DEFAULT_THRESHOLD_BITS, MOST_THRESHOLD_BITS, Settings
from dupfind.sources.roots import NamedFile
from dupfind.values import ORIENTATIONS, Evidence, Failure, FileEntry, Problem, ScanSettings, Side
from dupfind.version import __version__

_ALGORITHMS = tuple(DEFAULT_THRESHOLD_BITS)


def compare_files(
    settings: Settings,
    files: Sequence[NamedFile],
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> Comparisons:
    """Compare the first of ``files`` with each of the others.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer at all.
    """
    run = Run(settings, listener, make_executor)
    for warning in settings.warnings:
        run.listener.warn(warning)
    compared, pairs = with_reader(run, partial(_compare_all, files))
    answered = {file.path for pair in pairs if pair.error is None for file in (pair.first, pair.other) if file.is_film}

    def told(file: Compared) -> Compared:
        """Say of no film that was compared as one that it is no picture."""
        return replace(file, error=None) if file.path in answered else file

    compared = list(map(told, compared))
    pairs = [replace(pair, first=told(pair.first), other=told(pair.other)) for pair in pairs]
    problems = [
        Problem(file.path, Side.NEEDLES, "thumbnail", file.error) for file in compared if file.error is not None
    ]
    return Comparisons(__version__, settings.scan, compared, pairs, problems)


def with_lost(answer: Comparisons, lost: Mapping[str, str], order: Sequence[str]) -> Comparisons:
    """Add the names that could not even be looked up, and why, each where it stands in ``order``."""
    first, nothing = answer.files[0], Proof(None, None)
    absent = [Compared(path, None, None, {}, reason) for path, reason in lost.items()]
    pairs = [Comparison(first, file, nothing, nothing, None, f"{file.path}: {file.error}") for file in absent]
    problems = [Problem(path, Side.NEEDLES, "walk", reason) for path, reason in lost.items()]
    return replace(
        answer,
        files=[first, *sorted([*answer.files[1:], *absent], key=lambda file: order.index(file.path))],
        pairs=sorted([*answer.pairs, *pairs], key=lambda pair: order.index(pair.other.path)),
        problems=[*answer.problems, *problems],
    )


def _compare_all(files: Sequence[NamedFile], run: Reading) -> tuple[list[Compared], list[Comparison]]:
    settings, reader = run.settings.scan, run.reader
    entries = list({file.entry.path: file.entry for file in files}.values())
    digests = _digests(entries, reader)
    decodes = full_thumbnails(entries, "decoding", run)
    films, unread = _film_data(entries, decodes, run)
    data = _image_data(entries, decodes, reader) | films
    with run.listener.part("evidence", len(files) - 1):
        decodes = {**decodes, **unread}
        sides = [_Side(file, decodes[file.entry.path], digests.get(file.entry.path), settings) for file in files]
        for side in sides:
            side.image_data = data.get(side.entry.path)
        for side, proofs in zip(sides[1:], _like_films(sides, run), strict=True):
            side.as_film = proofs
        judge = _Judge(settings, run.cache, reader)
        return [side.compared for side in sides], [judge.compare(sides[0], later) for later in sides[1:]]


def _digests(entries: Sequence[FileEntry], reader: Reader) -> dict[str, bytes | Failure]:
    """Digest the first of ``entries`` and those of its size, by path; empty where there are none."""
    alike = [entry for entry in entries if entry.size_bytes == entries[0].size_bytes]
    return reader.digests(alike) if len(alike) > 1 else {}


def _image_data(
    entries: Sequence[FileEntry], decodes: Mapping[str, Full | Failure], reader: Reader
) -> dict[str, bytes]:
    """Return the digests of the image data of the first of ``entries`` and of those that may have the same, by path."""
    keys = {
        path: key_of(full.thumbnail)
        for path, full in decodes.items()
        if isinstance(full, Full) and full.thumbnail.damage is None
    }
    wanted = keys.get(entries[0].path)
    alike = [entry for entry in entries if keys.get(entry.path) == wanted]
    return reader.image_data(alike) if wanted is not None and len(alike) > 1 else {}


def _film_data(
    entries: Sequence[FileEntry], decodes: Mapping[str, Full | Failure], run: Reading
) -> tuple[dict[str, bytes], dict[str, Failure]]:
    """Return the digests of the first of ``entries``, where it is a film, and of those that may be the same one.

    Beside them why films could not be read, both by path.
    """
    films = [
        entry for entry in entries if not isinstance(decodes[entry.path], Full) and formats.is_film_name(entry.path)
    ]
    if films[:1] != list(entries[:1]) or not libraries.can_read_films():
        return {}, {}
    return film_digests(films[:1], films[1:], run)


def _like_films(sides: Sequence[_Side], run: Reading) -> list[tuple[Proof, Proof] | None]:
    """Return of each file but the first what it and the first say of each other as films that look alike."""
    first, *rivals = sides
    proofs: list[tuple[Proof, Proof] | None] = [None] * len(rivals)
    is_asked = _is_film(first) and any(map(_is_film, rivals)) and not run.settings.scan.quick
    if not is_asked or not libraries.can_read_films():
        return proofs
    from dupfind.matching.like_film import like_films

    for place, second in enumerate(rivals):
        is_same = second.image_data is not None and second.image_data == first.image_data
        if is_same or not _is_film(second):
            continue
        (forth, failures), (back, failures_back) = (
            like_films([needle.entry], [witness.entry], run) for needle, witness in ((first, second), (second, first))
        )
        if forth and back:
            of_first, of_other = forth[first.entry.path][0], back[second.entry.path][0]
            proofs[place] = Proof(Evidence.SIMILAR, of_first.reason), Proof(Evidence.SIMILAR, of_other.reason)
            continue
        for path, failure in (failures | failures_back).items():
            given = first.compared.path if path == first.entry.path else second.compared.path
            nothing = Proof(None, Reason(ReasonCode.NOT_READ, (f"{given}: {failure.reason}",)))
            proofs[place] = nothing, nothing
    return proofs


def _is_film(side: _Side) -> bool:
    return side.full is None and formats.is_film_name(side.entry.path)


class _Side:
    """One file on either side of comparisons, with what is computed of it once."""

    def __init__(
        self, file: NamedFile, full: Full | Failure, digest: bytes | Failure | None, settings: ScanSettings
    ) -> None:
        self.entry = file.entry
        self.digest = digest
        self.image_data: bytes | None = None
        """The digest of its image data, where it may be that of the first file."""
        self.as_film: tuple[Proof, Proof] | None = None
        """What it and the first file say of each other, where they are films that look alike."""
        self.full = full if isinstance(full, Full) else None
        failure = digest if isinstance(digest, Failure) else full if isinstance(full, Failure) else None
        hashes: dict[str, str] = {}
        if self.full is not None:
            self.turned = Turned(self.full.thumbnail)
            self.search_hashes = fingerprint.search_hashes(
                fingerprint.pixels(self.full.thumbnail.pixels),
                settings.algorithm,
                ORIENTATIONS if settings.rotations else 1,
            )
            hashes = {
                name: fingerprint.as_hex(value, fingerprint.SEARCH_SIZE) for name, value in self.hashes(0).items()
            }
        self.compared = Compared(
            file.given,
            file.entry.size_bytes,
            self.full.thumbnail if self.full is not None else None,
            hashes,
            failure.reason if failure is not None else None,
            # What could not be opened or read may be anything.
            is_film=isinstance(full, Failure) and full.lasting and formats.is_film_name(file.entry.path),
        )

    def hashes(self, orientation: int) -> dict[str, int]:
        """Hash the picture as ``orientation`` shows it to 64 bits, by algorithm."""
        pixels = np.ascontiguousarray(self.turned[orientation].surface.pixels)
        return {algorithm: fingerprint.search_hash(pixels, algorithm) for algorithm in _ALGORITHMS}

    def pictures(self) -> Pictures:
        """Return this one alone, as the stages of a scan take them."""
        assert self.full is not None
        return Pictures([self.entry], [self.full.ref], np.array([self.search_hashes], np.uint64), {})


class _Judge:
    """Compares pairs of files."""

    def __init__(self, settings: ScanSettings, cache: Cache, reader: Reader) -> None:
        self._settings = settings
        self._cache = cache
        self._reader = reader

    def compare(self, first: _Side, second: _Side) -> Comparison:
        """Compare the two, each as a witness of the other."""
        if isinstance(first.digest, bytes) and first.digest == second.digest:
            proof = Proof(Evidence.IDENTICAL, None)
            if first.full is not None and second.full is not None:
                proof = replace(proof, distances_bits=dict.fromkeys(_ALGORITHMS, 0), check_bits=0)
            return Comparison(first.compared, second.compared, proof, proof, _seen(first, second, 0))
        if first.full is None and first.image_data is not None and first.image_data == second.image_data:
            proof = Proof(Evidence.SAME, REASON)
            return Comparison(first.compared, second.compared, proof, proof)
        if second.as_film is not None:
            return Comparison(first.compared, second.compared, *second.as_film)
        if first.compared.is_film and second.compared.is_film:
            proof = Proof(None, Reason(ReasonCode.NO_FILM if libraries.can_read_films() else ReasonCode.FILM_BY_BYTES))
            return Comparison(first.compared, second.compared, proof, proof)
        lost = [side for side in (first, second) if side.compared.error is not None]
        if lost:
            nothing = Proof(None, None)
            error = f"{lost[0].compared.path}: {lost[0].compared.error}"
            return Comparison(first.compared, second.compared, nothing, nothing, None, error)
        # Both ways: a large original proves its small copy, and not the reverse.
        proofs = self._proof(first, second), self._proof(second, first)
        seen = _seen(first, second, proofs[0].orientation)
        return Comparison(first.compared, second.compared, *proofs, seen)

    def _proof(self, needle: _Side, witness: _Side) -> Proof:
        """Judge ``needle`` by ``witness``, in the orientation in which a scan would take it."""
        if needle.image_data is not None and needle.image_data == witness.image_data:
            return Proof(Evidence.SAME, REASON, 0, dict.fromkeys(_ALGORITHMS, 0), 0)
        hash_ = witness.search_hashes[0]
        view = best_view(views_of(needle.turned, needle.search_hashes, witness.turned.upright, hash_))
        grade, reason = view.judgement.evidence, view.judgement.reason
        if grade is None and (match := self._otherwise(needle, witness)) is not None:
            grade, reason = match
            if is_fragment(reason):  # how far the whole pictures are apart says nothing of it
                return Proof(grade, reason)
        if grade is Evidence.SAME and (objection := self._objection(needle, witness, view.orientation)):
            grade, reason = Evidence.SIMILAR, objection
        elif grade is Evidence.SAME and reason is None:
            reason = facts.better_copy(needle.turned.upright.thumbnail, witness.turned.upright.thumbnail)
        ours, upright = needle.hashes(view.orientation), witness.hashes(0)
        return Proof(
            evidence=grade,
            reason=reason,
            orientation=view.orientation,
            distances_bits={algorithm: (ours[algorithm] ^ upright[algorithm]).bit_count() for algorithm in _ALGORITHMS},
            check_bits=view.check_bits,
            tests=view.judgement.tests,
        )

    def _objection(self, needle: _Side, witness: _Side, orientation: int) -> Reason | None:
        """Return what a comparison at full size has against ``witness``."""
        assert needle.full is not None
        assert witness.full is not None
        pair = pair_of((needle.entry, needle.full.thumbnail), (witness.entry, witness.full.thumbnail), orientation)
        return self._reader.compare_at_full_size([pair])[pair]

    def _otherwise(self, needle: _Side, witness: _Side) -> tuple[Evidence, Reason | None] | None:
        """Return what a scan finds when the pictures are unlike: without their frames, or by what damage left."""
        settings = replace(self._settings, threshold_bits=MOST_THRESHOLD_BITS)
        matches, _ = match_otherwise(needle.pictures(), witness.pictures(), {}, settings, self._cache, Silence())
        match = matches.get(needle.entry.path)
        if match is not None:
            return match.evidence, match.reason
        return self._by_part(needle, witness) if settings.fragments else None

    def _by_part(self, needle: _Side, witness: _Side) -> tuple[Evidence, Reason | None] | None:
        """Return what a scan finds when nothing else is alike: a part that both have in common."""
        from dupfind.matching.fragments import overlap_of, reason_of

        overlap = overlap_of(self._reader, needle.entry, witness.entry)
        return None if overlap is None else (Evidence.SIMILAR, reason_of(overlap))


def _seen(first: _Side, second: _Side, orientation: int) -> tuple[bytes, bytes] | None:
    """Return what both show, the first turned by ``orientation``."""
    if first.full is None or second.full is None:
        return None
    return first.turned[orientation].thumbnail.pixels, second.full.thumbnail.pixels
