"""What the commands do, as functions: the same settings, the same stages, the same values.

Nothing is printed; a ``listener`` is told of progress and warnings (:class:`dupfind.events.Listener`). Decoding runs in
processes of its own that never import the main module: scripts, notebooks and threads need no guard.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, TypeVar, Unpack, overload

from dupfind import output, pipeline
from dupfind.acting.layout import Layout
from dupfind.acting.stopping import after_this_file
from dupfind.answers.clean import Cleaned, CleanPlan
from dupfind.answers.compare import Comparisons
from dupfind.answers.decisions import Decision, Mark, Ruling
from dupfind.answers.explain import ExplainResult
from dupfind.answers.find import FindResult
from dupfind.answers.groups import GroupsResult
from dupfind.answers.hash import Given
from dupfind.answers.import_ import ALSO, Imported, ImportPlan
from dupfind.answers.index import Indexed
from dupfind.answers.undo import Undone
from dupfind.catalog.shards import Shard
from dupfind.commands import cleaning, comparing, importing, indexing, undoing
from dupfind.commands import explain as explaining
from dupfind.digest import digest
from dupfind.errors import SettingsError, reason_of
from dupfind.events import Listener, Silence
from dupfind.finding import finding
from dupfind.grouping import grouping
from dupfind.overwriting import check_outputs, refuse_overwriting
from dupfind.reasons import Reason
from dupfind.report import Screen
from dupfind.report.reasons import Roles, sentences
from dupfind.report.text import valid_text
from dupfind.reviewing import decisions_store
from dupfind.scanning import decisions_file
from dupfind.settings import Format, make_report_settings, make_settings, refuse_parts_of_copies
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import named_files
from dupfind.sources.same_file import apart
from dupfind.values import Evidence, Report

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path as the user has it."""
Decisions = AnyPath | Sequence[Decision] | None
"""What a person has decided: the file that has it, or the decisions themselves."""
Answer = (
    Report
    | Comparisons
    | FindResult
    | GroupsResult
    | ExplainResult
    | Indexed
    | ImportPlan
    | Imported
    | CleanPlan
    | Cleaned
    | Undone
)
"""What one of these functions gives."""


class Limits(TypedDict, total=False):
    """What bounds the reading and where it is kept; as the options of that name."""

    workers: int | None
    """Processes; None for one a core."""
    timeout_seconds: float
    """Longest that decoding one image may take."""
    max_pixels: int
    """Larger images are refused."""
    max_memory_mib: int | None
    """Memory limit of all decoding processes together; None for three quarters of what there is."""
    cache: str | None
    """Where thumbnails are kept; None for the user's cache folder."""
    no_cache: bool
    """Read everything anew and keep nothing."""


class Judging(Limits, total=False):
    """What is a copy of what, and which files are asked; as the options of that name."""

    algorithm: str
    """``phash``, ``dhash``, ``ahash`` or ``whash``."""
    threshold_bits: int | None
    """Maximum Hamming distance of candidates, 0 to 32 of 64; None for a default that was measured."""
    accept: str
    """Weakest evidence that makes a needle present: ``identical``, ``same`` or ``similar``."""
    rotations: bool
    """Whether turned and mirrored copies are found."""
    exclude: str | Sequence[str]
    """Left out of both trees; such a needle is not present."""
    archives: str
    """Whose ZIP and TAR files are looked into: ``needles``, ``both`` or ``none``."""
    disregard: str | Sequence[str]
    """Needles that are set aside."""
    sidecars: str
    """``ignore`` sets aside the sidecars of what is present; ``require``."""
    fragments: bool | None
    """Whether parts of pictures are looked for; None for where the extra for it is there."""


def _limits(limits: Limits) -> Limits:
    _refuse_unknown(limits, Limits.__optional_keys__)
    return limits


def _refuse_unknown(given: Iterable[str], optional: Iterable[str]) -> None:
    """Raise ``TypeError`` as Python does: what is passed on would be told of by a name that no user knows."""
    for name in given:
        if name not in optional:
            names = ", ".join(sorted(Limits.__optional_keys__))
            raise TypeError(f"unexpected keyword argument {name!r}; arguments that all take: {names}")


def scan(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    *,
    algorithm: str = "phash",
    threshold_bits: int | None = None,
    accept: str = "same",
    rotations: bool = True,
    paranoid: bool = False,
    quick: bool = False,
    exclude: str | Sequence[str] = (),
    elsewhere: AnyPath | Sequence[AnyPath] = (),
    archives: str = "needles",
    disregard: str | Sequence[str] = (),
    sidecars: str = "require",
    fragments: bool | None = None,
    previews: bool = False,
    follow_symlinks: bool = False,
    decisions: Decisions = None,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> Report:
    """Tell which of the ``needles`` folders still hold something that is not in the ``haystack``.

    As ``dupfind scan`` with the options of these names. ``decisions`` are those of a person
    (:func:`read_decisions`, :func:`decide`), or the file that has them. Raises
    :class:`~dupfind.errors.DupfindError` where there is no answer.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     photos, backup = Path(folder, "photos"), Path(folder, "backup")
    ...     for tree, names in ((photos, ["a.txt"]), (backup, ["a.txt", "b.txt"])):
    ...         tree.mkdir()
    ...         for name in names:
    ...             _ = (tree / name).write_text(name)
    ...     report = scan(photos, backup, no_cache=True)
    >>> report.is_complete
    False
    >>> [(os.path.basename(file.path), file.verdict.value) for file in report.files]
    [('a.txt', 'present'), ('b.txt', 'missing')]
    """
    settings = make_settings(
        haystack=_paths(haystack),
        may_be_servers=True,
        elsewhere=_paths(elsewhere),
        needles=_paths(needles),
        algorithm=algorithm,
        threshold_bits=threshold_bits,
        accept=accept,
        rotations=rotations,
        paranoid=paranoid,
        quick=quick,
        exclude=_texts(exclude),
        archives=archives,
        disregard=_texts(disregard),
        sidecars=sidecars,
        fragments=fragments,
        previews=previews,
        follow_symlinks=follow_symlinks,
        **_limits(limits),
    )
    return pipeline.scan_trees(settings, listener, decisions=_decisions(decisions)).report


def compare(
    first: AnyPath,
    *others: AnyPath,
    accept: str = "same",
    algorithm: str = "phash",
    rotations: bool = True,
    fragments: bool | None = None,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> Comparisons:
    """Tell whether ``first`` and each of the ``others`` are the same picture, with every test both ways.

    As ``dupfind compare``. What of the others is the first file itself is left out, and the listener is told. Raises
    :class:`~dupfind.errors.DupfindError` where a file is not there or nothing is left to compare.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> picture = Image.effect_mandelbrot((320, 240), (-2.1, -1.2, 0.9, 1.2), 50)
    >>> with TemporaryDirectory() as folder:
    ...     large, small = Path(folder, "large.png"), Path(folder, "small.png")
    ...     picture.save(large)
    ...     picture.resize((160, 120)).save(small)
    ...     answer = compare(large, small, no_cache=True)
    >>> (pair,) = answer.pairs
    >>> pair.evidence.value, pair.score("phash"), answer.are_accepted, os.path.basename(pair.better.path)
    ('similar', 1.0, True, 'large.png')
    >>> pair.reason.code.value, pair.reason.facts
    ('witness-smaller', (160, 120, 320, 240))
    >>> describe(pair.reason, needle="the large one", witness="the small one")
    'the small one is smaller: 160 x 120 against 320 x 240'
    """
    settings = make_settings(
        accept=accept, algorithm=algorithm, rotations=rotations, fragments=fragments, **_limits(limits)
    )
    listener = listener or Silence()
    files = named_files(map(os.fsdecode, (first, *others)))
    files, left_out = apart(files, read_mounts())  # looking at them may have made an automount come
    for duplicate in left_out:
        listener.warn(f"{duplicate.given} is {files[0].given} itself and proves nothing: left out")
    return comparing.compare_files(settings, files, listener)


def find(
    images: AnyPath | Sequence[AnyPath],
    haystack: AnyPath | Sequence[AnyPath],
    *,
    nearest: int = 5,
    algorithm: str = "phash",
    threshold_bits: int | None = None,
    accept: str = "same",
    rotations: bool = True,
    fragments: bool = False,
    exclude: str | Sequence[str] = (),
    follow_symlinks: bool = False,
    rescan: bool = False,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> FindResult:
    """Tell which files of the ``haystack`` come nearest to each of the ``images``: was it seen before?

    As ``dupfind find``. Raises :class:`~dupfind.errors.DupfindError` where a file is not there; one that is no picture
    is looked for by its bytes alone.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> picture = Image.effect_mandelbrot((320, 240), (-2.1, -1.2, 0.9, 1.2), 50)
    >>> with TemporaryDirectory() as folder:
    ...     photos, upload = Path(folder, "photos"), Path(folder, "upload.png")
    ...     photos.mkdir()
    ...     picture.save(photos / "original.png")
    ...     picture.resize((160, 120)).save(upload)
    ...     answer = find(upload, photos, no_cache=True)
    >>> (sought,) = answer.sought
    >>> [(os.path.basename(near.path), near.evidence.value, near.score) for near in sought.nearest]
    [('original.png', 'same', 1.0)]
    >>> answer.are_all_seen
    True
    """
    _check_nearest(nearest)
    settings = make_settings(
        haystack=_paths(haystack),
        algorithm=algorithm,
        threshold_bits=threshold_bits,
        accept=accept,
        rotations=rotations,
        fragments=fragments,
        exclude=_texts(exclude),
        follow_symlinks=follow_symlinks,
        **_limits(limits),
    )
    given = list(map(Given, _paths(images), named_files(_paths(images))))
    return finding.find_images(settings, given, finding.wanted(nearest, threshold_bits, is_anew=rescan), listener)


def groups(
    folders: AnyPath | Sequence[AnyPath],
    *,
    accept: str = "same",
    algorithm: str = "phash",
    threshold_bits: int | None = None,
    rotations: bool = True,
    fragments: bool = False,
    exclude: str | Sequence[str] = (),
    follow_symlinks: bool = False,
    listener: Listener | None = None,
    level: str | None = None,
    **limits: Unpack[Limits],
) -> GroupsResult:
    """Find what belongs together below the ``folders``, each group with its best member first.

    As ``dupfind groups``; ``level`` is the old name of ``accept``. Raises :class:`~dupfind.errors.DupfindError` where
    there is no answer.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> picture = Image.effect_mandelbrot((320, 240), (-2.1, -1.2, 0.9, 1.2), 50)
    >>> with TemporaryDirectory() as folder:
    ...     picture.save(Path(folder, "large.png"))
    ...     picture.resize((160, 120)).save(Path(folder, "small.png"))
    ...     answer = groups(folder, no_cache=True)
    >>> (group,) = answer.groups
    >>> [os.path.basename(member.path) for member in group.members], group.evidence.value
    (['large.png', 'small.png'], 'same')
    """
    accept = accept if level is None else level
    if accept not in {grade.value for grade in Evidence}:
        raise SettingsError(f"unknown grade of evidence: {accept}")
    refuse_parts_of_copies(Evidence(accept), fragments=fragments)
    settings = make_settings(
        haystack=_paths(folders),
        called="",
        algorithm=algorithm,
        threshold_bits=threshold_bits,
        rotations=rotations,
        fragments=fragments,
        exclude=_texts(exclude),
        follow_symlinks=follow_symlinks,
        **_limits(limits),
    )
    return grouping.groups(settings, Evidence(accept), listener)


def explain(
    needles: AnyPath | Sequence[AnyPath],
    haystack: AnyPath | Sequence[AnyPath],
    *,
    nearest: int = 5,
    algorithm: str = "phash",
    threshold_bits: int | None = None,
    accept: str = "same",
    rotations: bool = True,
    quick: bool = False,
    fragments: bool | None = None,
    exclude: str | Sequence[str] = (),
    elsewhere: AnyPath | Sequence[AnyPath] = (),
    follow_symlinks: bool = False,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> ExplainResult:
    """Tell why each of the ``needles`` files is present in the ``haystack``, or is not: every test with its value.

    As ``dupfind explain``. Raises :class:`~dupfind.errors.DupfindError` where a file is not there.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> picture = Image.effect_mandelbrot((320, 240), (-2.1, -1.2, 0.9, 1.2), 50)
    >>> with TemporaryDirectory() as folder:
    ...     photos, needle = Path(folder, "photos"), Path(folder, "needle.png")
    ...     photos.mkdir()
    ...     picture.save(needle)
    ...     picture.resize((160, 120)).save(photos / "small.png")
    ...     (explained,) = explain(needle, photos, no_cache=True).explanations
    >>> explained.verdict.verdict.value, explained.nearest[0].failed.name
    ('similar', 'size')
    """
    _check_nearest(nearest)
    settings = make_settings(
        haystack=_paths(haystack),
        elsewhere=_paths(elsewhere),
        algorithm=algorithm,
        threshold_bits=threshold_bits,
        accept=accept,
        rotations=rotations,
        quick=quick,
        fragments=fragments,
        exclude=_texts(exclude),
        follow_symlinks=follow_symlinks,
        **_limits(limits),
    )
    files = {file.entry.path: file for file in named_files(_paths(needles))}
    return explaining.explain(settings, list(files.values()), nearest, listener)


def index(
    folder: AnyPath,
    catalog: AnyPath,
    *,
    shard: str | None = None,
    columns: bool = False,
    exclude: str | Sequence[str] = (),
    follow_symlinks: bool = False,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> Indexed:
    """Write the ``catalog`` of a folder, or bring it up to date: it stands for the folder while that is unplugged.

    As ``dupfind index --catalog``; ``shard`` is ``"I/N"``, and ``columns`` writes columns beside it. Raises
    :class:`~dupfind.errors.DupfindError` where there can be no catalog.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     drive, catalog = Path(folder, "drive"), Path(folder, "drive.catalog")
    ...     drive.mkdir()
    ...     _ = (drive / "a.txt").write_text("a")
    ...     answer = index(drive, catalog, no_cache=True)
    >>> answer.is_new, answer.files, answer.is_whole
    (True, 1, True)
    """
    part = None if shard is None else Shard.parsed(shard)
    path = os.fsdecode(catalog)
    settings = make_settings(
        haystack=_paths(folder),
        called="",
        may_be_catalogs=False,
        exclude=_texts(exclude),
        follow_symlinks=follow_symlinks,
        **_limits(limits),
    )
    check_outputs({"catalog": path}, settings.roots)
    refuse_overwriting({"catalog": path}, {"cache": settings.cache})
    return indexing.index(settings, path, listener, shard=part, with_columns=columns)


@overload
def import_(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    to: AnyPath,
    *,
    apply: Literal[False] = False,
    layout: str = "keep",
    also: str | Sequence[str] = (),
    decisions: Decisions = None,
    journal: AnyPath | None = None,
    listener: Listener | None = None,
    **judging: Unpack[Judging],
) -> ImportPlan: ...


@overload
def import_(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    to: AnyPath,
    *,
    apply: Literal[True],
    layout: str = "keep",
    also: str | Sequence[str] = (),
    decisions: Decisions = None,
    journal: AnyPath | None = None,
    listener: Listener | None = None,
    **judging: Unpack[Judging],
) -> Imported: ...


def import_(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    to: AnyPath,
    *,
    apply: bool = False,
    layout: str = "keep",
    also: str | Sequence[str] = (),
    decisions: Decisions = None,
    journal: AnyPath | None = None,
    listener: Listener | None = None,
    **judging: Unpack[Judging],
) -> ImportPlan | Imported:
    """Copy what is missing in the ``haystack`` from the ``needles`` to the folder ``to``, with ``apply``.

    Without it the answer is the plan, and nothing is changed. As ``dupfind import`` with the options of these names;
    nobody is asked. Raises :class:`~dupfind.errors.DupfindError` where nothing can be done. A signal ends it after the
    current file, and then does what it always does: Ctrl-C raises ``KeyboardInterrupt``. :func:`undo` takes it back.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     photos, backup = Path(folder, "photos"), Path(folder, "backup")
    ...     photos.mkdir(), backup.mkdir()
    ...     _ = (backup / "b.txt").write_text("b")
    ...     plan = import_(photos, backup, photos / "new", no_cache=True)
    ...     is_there = (photos / "new").exists()
    (None, None)
    >>> [os.path.basename(item.entry.path) for item in plan.items], is_there
    (['b.txt'], False)
    """
    Layout(layout)
    path = _journal(journal, apply=apply)
    also_there = _texts(also)
    if unknown := sorted(set(also_there) - set(ALSO)):
        raise SettingsError(f"also takes {', '.join(ALSO)}, not {unknown[0]}")
    settings, destination = importing.import_settings(os.fsdecode(to), _paths(haystack), **_options(needles, judging))
    check_outputs({"journal": path}, settings.roots)
    decided = _decisions(decisions) or ()
    plan = importing.plan_import(settings, destination, layout, also_there, listener, decisions=decided)
    if not apply:
        return plan
    with after_this_file() as should_stop:
        answer = importing.carry_out(plan, listener, path, should_stop)
    return _or_stopped(answer)


@overload
def clean(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    *,
    apply: Literal[False] = False,
    trash: bool = False,
    move_to: AnyPath | None = None,
    files: bool = False,
    witnesses: int = 1,
    decisions: Decisions = None,
    journal: AnyPath | None = None,
    listener: Listener | None = None,
    **judging: Unpack[Judging],
) -> CleanPlan: ...


@overload
def clean(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    *,
    apply: Literal[True],
    trash: bool = False,
    move_to: AnyPath | None = None,
    files: bool = False,
    witnesses: int = 1,
    decisions: Decisions = None,
    journal: AnyPath | None = None,
    listener: Listener | None = None,
    **judging: Unpack[Judging],
) -> Cleaned: ...


def clean(
    haystack: AnyPath | Sequence[AnyPath],
    needles: AnyPath | Sequence[AnyPath],
    *,
    apply: bool = False,
    trash: bool = False,
    move_to: AnyPath | None = None,
    files: bool = False,
    witnesses: int = 1,
    decisions: Decisions = None,
    journal: AnyPath | None = None,
    listener: Listener | None = None,
    **judging: Unpack[Judging],
) -> CleanPlan | Cleaned:
    """Move folders of the ``needles`` that are contained to the ``trash`` or to ``move_to``, with ``apply``.

    Without it the answer is the plan, and nothing is changed. As ``dupfind clean`` with the options of these names.
    Raises :class:`~dupfind.errors.DupfindError` where nothing can be done. A signal ends it after the current file, and
    then does what it always does. :func:`undo` takes it back.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     photos, backup, away = (Path(folder, name) for name in ("photos", "backup", "away"))
    ...     for tree in (photos, backup / "old"):
    ...         tree.mkdir(parents=True)
    ...         _ = (tree / "a.txt").write_text("a")
    ...     away.mkdir()
    ...     plan = clean(photos, backup, move_to=away, no_cache=True)
    >>> [os.path.basename(unit.path) for unit in plan.units]
    ['backup']
    """
    if trash == (move_to is not None):
        raise SettingsError("either trash or move_to is needed")
    path = _journal(journal, apply=apply)
    target = None if move_to is None else os.fsdecode(move_to)
    cleaning.check_witnesses(witnesses)
    options = _options(needles, judging)
    settings, away = cleaning.clean_settings(target, haystack=_paths(haystack), **options)
    check_outputs({"journal": path}, settings.roots)
    decided = _decisions(decisions) or ()
    plan = cleaning.plan_clean(settings, away, listener, are_files=files, witnesses=witnesses, decisions=decided)
    if not apply:
        return plan
    with after_this_file() as should_stop:
        answer = cleaning.carry_out(plan, settings, listener, path, should_stop)
    return _or_stopped(answer)


def undo(journal: AnyPath | None = None, *, dry_run: bool = False, listener: Listener | None = None) -> Undone:
    """Take back what an import or a clean did, by its ``journal``; without one, what the last of them did.

    As ``dupfind undo``. Raises :class:`~dupfind.errors.ActingError` where there is nothing to be undone.
    """
    path = None if journal is None else os.fsdecode(journal)
    if dry_run:
        return undoing.undo(path, listener, is_dry=True)
    with after_this_file() as should_stop:
        answer = undoing.undo(path, listener, should_stop)
    return _or_stopped(answer)


def decide(ruling: str, needle: AnyPath, witness: AnyPath | None = None) -> Decision:
    """Make the decision that a needle is the ``same`` picture as a witness, ``different`` from it, or ``not-wanted``.

    It is about the bytes of the files, which are read, and holds for every copy of them. Raises
    :class:`~dupfind.errors.SettingsError`.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     needle = Path(folder, "needle.txt")
    ...     _ = needle.write_text("a")
    ...     decision = decide("not-wanted", needle)
    >>> decision.ruling.value, decision.needle.size_bytes, decision.witness
    ('not-wanted', 1, None)
    """
    if ruling not in set(Ruling):
        raise SettingsError(f"a decision is {', '.join(Ruling)}, not {ruling}")
    if (witness is None) != (ruling == Ruling.NOT_WANTED):
        raise SettingsError(f"{ruling} takes {'a' if witness is None else 'no'} witness")
    marks = _mark(needle), None if witness is None else _mark(witness)
    if marks[1] is not None and marks[0].digest == marks[1].digest:
        raise SettingsError(f"{marks[0].path} and {marks[1].path} are the same bytes, which needs no decision")
    return Decision(Ruling(ruling), *marks, None, None, datetime.now().astimezone().isoformat(timespec="seconds"))


def read_decisions(path: AnyPath) -> tuple[Decision, ...]:
    """Read the file of decisions that ``--decisions`` takes and the page of ``--html`` exports.

    Raises :class:`~dupfind.errors.SettingsError`.
    """
    return decisions_file.read(os.fsdecode(path))


def write_decisions(path: AnyPath, decisions: Iterable[Decision]) -> None:
    """Write such a file, whole or not at all; raises :class:`~dupfind.errors.OutputError`."""
    output.write(decisions_store.as_file(list(decisions)), os.fsdecode(path))


def _paths(given: AnyPath | Sequence[AnyPath]) -> list[str]:
    """Make a list of one path or several, as the rest of the program has them."""
    if isinstance(given, str | bytes | os.PathLike):
        given = [given]
    return [os.fsdecode(path) for path in given]


def describe(*reasons: Reason | None, needle: str = "the needle", witness: str = "the haystack's copy") -> str:
    """Say the reasons of a verdict, a pair or a member in words, as reports do; nothing where there are none."""
    given = [reason for reason in reasons if reason is not None]
    return sentences(given, Roles(needle, witness)) or ""


def to_json(answer: Answer) -> str:
    """Write an answer as its command does with ``--format json``, schema and all.

    >>> import json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.txt").write_text("a")
    ...     answer = groups(folder, no_cache=True)
    >>> json.loads(to_json(answer))["schema"]
    'dupfind.groups/1'
    """
    return _rendered(answer).decode()


def _rendered(answer: Answer) -> bytes:
    from dupfind import report
    from dupfind.report import clean, compare, explain, find, groups, import_, index, undo

    as_json, screen = Format.JSON, Screen()
    match answer:
        case Report():
            written = report.render(answer, make_report_settings(format_=as_json), screen)
        case Comparisons():
            written = compare.render(answer, as_json, screen, visual=False, print0=False)
        case FindResult():
            written = find.render(answer, as_json, screen, print0=False)
        case GroupsResult():
            written = groups.render(answer, as_json, screen, print0=False)
        case ExplainResult():
            written = explain.render_json(answer)
        case Indexed():
            written = index.render(answer, as_json, screen)
        case ImportPlan() | Imported():
            written = import_.render(answer, as_json, screen)
        case CleanPlan() | Cleaned():
            written = clean.render(answer, as_json, screen)
        case Undone():
            written = undo.render(answer, as_json, screen)
        case _:
            raise TypeError(f"{type(answer).__name__} is no answer of dupfind")
    return written


def _texts(given: str | Sequence[str]) -> list[str]:
    """Make a list of one text or several: a text by itself is not taken letter by letter."""
    return [given] if isinstance(given, str) else list(given)


def _options(needles: AnyPath | Sequence[AnyPath], judging: Judging) -> dict[str, Any]:
    """Return what a command that acts is asked of which needles, as the settings take it."""
    _refuse_unknown(judging, Judging.__optional_keys__)
    options: dict[str, Any] = {"archives": "needles", "fragments": None, **judging, "needles": _paths(needles)}
    return options | {name: _texts(options[name]) for name in ("exclude", "disregard") if name in options}


def _check_nearest(nearest: int) -> None:
    if nearest < 1:
        raise SettingsError(f"nearest takes a number above 0, not {nearest}")


def _decisions(given: Decisions) -> Sequence[Decision] | None:
    if given is None:
        return None
    if isinstance(given, str | bytes | os.PathLike):
        return read_decisions(given)
    return tuple(given)


def _journal(journal: AnyPath | None, *, apply: bool) -> str | None:
    if journal is None:
        return None
    if not apply:
        raise SettingsError("journal goes with apply")
    return os.fsdecode(journal)


def _mark(path: AnyPath) -> Mark:
    name = os.fsdecode(path)
    try:
        with open(name, "rb") as file:
            found_digest, size_bytes = digest(file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{name}: {reason_of(error)}") from error
    return Mark(found_digest, size_bytes, valid_text(name))


_A = TypeVar("_A", Imported, Cleaned, Undone)


def _or_stopped(answer: _A) -> _A:
    """Return the answer, unless a signal has ended the run early: it does now what it always does."""
    if answer.stopped is not None:
        signal.raise_signal(answer.stopped)
    return answer
