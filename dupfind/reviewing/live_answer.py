"""The answer of a scan after each decision, by the very rules by which ``scan --decisions`` gives it.

Only what a decision touches is searched for again: a needle that was split from a witness, for its next best one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dupfind import pipeline
from dupfind.answers.decisions import Decision
from dupfind.answers.findings import Findings, Remains
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.events import Listener
from dupfind.pipeline import Scanned
from dupfind.reading import Pictures
from dupfind.run import Reading, Run
from dupfind.scanning import apply_decisions
from dupfind.scanning.apply_decisions import Standing
from dupfind.sources.entries import entry_now
from dupfind.values import LAST_LOOK, Evidence, Failure, FileEntry, Match, Report


class LiveAnswer:
    """The answer to ``scanned``, a scan without decisions, as decisions leave it."""

    def __init__(self, scanned: Scanned, run: Run) -> None:
        self._scanned = scanned
        self._run = run
        base = scanned.findings
        lost = {path for path, failure in base.failures.items() if failure.stage == LAST_LOOK}
        entries = [entry for tree in scanned.needles for entry in tree.entries]
        self._needles = {entry.path: entry for entry in entries if entry.path not in lost}
        self._haystack = {entry.path: entry for tree in scanned.haystack for entry in tree.entries}
        self._digests = _Digests()
        self._searched: dict[str, _Searched] = {}
        self._candidates: Pictures | None = None
        self.undecided: Findings = base
        """What the files alone say, without the pairs that were split."""
        self.findings: Findings = base
        self.report: Report = replace(scanned.report, decided={})
        self.words: Mapping[str, Decision] = {}
        """By path as reported, the decisions that verdicts rest on."""

    def decide(self, decisions: Sequence[Decision], reading: Reading, listener: Listener) -> None:
        """Give the answer by these decisions, and by no others; warns of decisions that are about no files here."""
        settings = self._run.settings.scan
        reader = self._digests.read_by(reading)
        needles, haystack = list(self._needles.values()), list(self._haystack.values())
        standing = apply_decisions.decide(decisions, needles, haystack, reader, listener, is_paranoid=settings.paranoid)
        standing = self._as_it_is(standing)
        self.undecided = self._search(standing.split, reading)
        self.findings = apply_decisions.apply(self.undecided, standing, settings.accept, self._run.shown_haystack)
        scanned = self._scanned
        judged = pipeline.judge(reading, scanned.needles, scanned.haystack, self.findings, scanned.aside)
        self.words = judged.words
        self.report = replace(
            scanned.report,
            files=judged.files,
            folders=judged.folders,
            problems=judged.problems,
            decided=pipeline.rulings_of(judged.words),
        )

    def read_anew(self) -> None:
        """Let go of what was read through a cache that may be closed by now."""
        self._candidates = None

    def digest(self, entry: FileEntry, reading: Reading) -> bytes | Failure:
        """Return the digest of a file of this run, or why there is none."""
        return self._digests.read_by(reading).digests([entry])[entry.path]

    def is_as_listed(self, entry: FileEntry) -> bool:
        """Tell whether a file is there as the scan has met it; what only a catalog lists counts as such."""
        if not entry.can_be_read:
            return True
        try:
            return entry_now(entry, follow_symlinks=self._run.settings.follow_symlinks) == entry
        except OSError:
            return False

    def _as_it_is(self, standing: Standing) -> Standing:
        """Leave out what was decided on files that are not as they were: the final check of a scan."""
        same = {
            path: said
            for path, said in standing.same.items()
            if self.is_as_listed(self._needles[path]) and self.is_as_listed(self._haystack[said[0]])
        }
        unwanted = {path: said for path, said in standing.unwanted.items() if self.is_as_listed(self._needles[path])}
        return standing._replace(same=same, unwanted=unwanted)

    def _search(self, split: Mapping[str, frozenset[str]], reading: Reading) -> Findings:
        """Return what is found without the pairs that were ``split``, searching for what was not searched for yet."""
        base = self._scanned.findings
        affected = {path: witnesses for path, witnesses in split.items() if _may_change(base, path)}
        due = [
            path
            for path, witnesses in affected.items()
            if path not in self._searched or self._searched[path].without != witnesses
        ]
        if due:
            entries = [self._needles[path] for path in due]
            haystack = list(self._haystack.values())
            wanted = {path: affected[path] for path in due}
            findings, _, candidates = pipeline.find_matches(entries, haystack, reading, wanted, self._candidates)
            self._candidates = candidates or self._candidates
            for path in due:
                match, remains = findings.matches.get(path), findings.remains.get(path)
                self._searched[path] = _Searched(affected[path], match, remains, findings.failures.get(path))
        if not affected:
            return base
        results = {path: self._searched[path] for path in affected}
        matches = {path: match for path, match in base.matches.items() if path not in affected}
        remains_of = {path: remains for path, remains in base.remains.items() if path not in affected}
        return replace(
            base,
            matches=matches | {path: result.match for path, result in results.items() if result.match is not None},
            remains=remains_of
            | {path: result.remains for path, result in results.items() if result.remains is not None},
            failures={**base.failures, **{path: result.failure for path, result in results.items() if result.failure}},
        )


class _Searched:
    """What was found of a needle ``without`` these files of the haystack."""

    def __init__(
        self, without: frozenset[str], match: Match | None, remains: Remains | None, failure: Failure | None
    ) -> None:
        self.without = without
        self.match = match
        self.remains = remains
        self.failure = failure


def _may_change(base: Findings, path: str) -> bool:
    """Tell whether another search can find something else: not where bytes prove, nor of what is no picture or film."""
    match = base.matches.get(path)
    return path in base.pictures if match is None else match.evidence is not Evidence.IDENTICAL


class _Digests:
    """Remembers digests as long as the run lasts, by the rule of the cache; what was just written is read again."""

    def __init__(self) -> None:
        self._known: dict[FileEntry, bytes] = {}
        self._reading: Reading | None = None

    def read_by(self, reading: Reading) -> _Digests:
        """Read by this from now on."""
        self._reading = reading
        return self

    def digests(self, entries: Sequence[FileEntry], *, is_afresh: bool = False) -> dict[str, bytes | Failure]:
        """Do as :meth:`dupfind.reading.Reader.digests`; ``is_afresh`` reads each once in this run past the cache."""
        assert self._reading is not None
        digests: dict[str, bytes | Failure] = {}
        unread = []
        for entry in entries:
            if entry in self._known:
                digests[entry.path] = self._known[entry]
            else:
                unread.append(entry)
        began_ns = time.time_ns()
        read = self._reading.reader.digests(unread, is_afresh=is_afresh) if unread else {}
        for entry in unread:
            digest = read[entry.path]
            is_settled = not is_racy(entry.ctime_ns, entry.mtime_ns, entry.inode, began_ns - RACY_NS, time.time_ns())
            if isinstance(digest, bytes) and is_settled:
                self._known[entry] = digest
        return digests | read
