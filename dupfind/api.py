"""What the commands do, as functions: the same settings, the same stages, the same values.

Nothing is printed; a ``listener`` is told of progress and warnings (:class:`dupfind.events.Listener`). Decoding runs in
processes of its own, so that a script needs the usual ``if __name__ == "__main__":`` around what it does; an
interactive session and a notebook do not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypedDict, Unpack

from dupfind import pipeline
from dupfind.answers import found, grouped
from dupfind.answers.comparison import Comparisons
from dupfind.answers.hashed import Given
from dupfind.commands import comparing
from dupfind.errors import SettingsError
from dupfind.events import Listener, Silence
from dupfind.finding import finding
from dupfind.grouping import grouping
from dupfind.reasons import Reason
from dupfind.report.reasons import Roles, sentences
from dupfind.settings import make_settings
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import named_files
from dupfind.sources.same_file import apart
from dupfind.values import Evidence, Report

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path as the user has it."""


class Limits(TypedDict, total=False):
    """What bounds the reading and where it is kept; as the options of that name."""

    workers: int | None
    """Processes; None for one a core."""
    timeout_seconds: float
    """Longest that decoding one image may take."""
    max_pixels: int
    """Larger images are refused."""
    cache: str | None
    """Where thumbnails are kept; None for the user's cache folder."""
    no_cache: bool
    """Read everything anew and keep nothing."""


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
    follow_symlinks: bool = False,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> Report:
    """Tell which of the ``needles`` folders still hold something that is not in the ``haystack``.

    As ``dupfind scan`` with the options of these names. Raises :class:`~dupfind.errors.DupfindError` where there is no
    answer.

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
    >>> [(os.path.basename(file.path), file.state.value) for file in report.files]
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
        exclude=[exclude] if isinstance(exclude, str) else exclude,
        archives=archives,
        disregard=[disregard] if isinstance(disregard, str) else disregard,
        sidecars=sidecars,
        fragments=fragments,
        follow_symlinks=follow_symlinks,
        **limits,
    )
    return pipeline.scan(settings, listener)


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
    >>> pair.evidence.value, pair.score("phash"), answer.are_accepted
    ('similar', 1.0, False)
    >>> pair.reason.code.value, pair.reason.facts
    ('witness-smaller', (160, 120, 320, 240))
    >>> describe(pair.reason, needle="the large one", witness="the small one")
    'the small one is smaller: 160 x 120 against 320 x 240'
    """
    settings = make_settings(accept=accept, algorithm=algorithm, rotations=rotations, fragments=fragments, **limits)
    listener = listener or Silence()
    files = named_files(map(os.fsdecode, (first, *others)))
    files, left_out = apart(files, read_mounts())  # looking at them may have made an automount come
    for other in left_out:
        listener.warn(f"{other.given} is {files[0].given} itself and proves nothing: left out")
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
    exclude: str | Sequence[str] = (),
    follow_symlinks: bool = False,
    rescan: bool = False,
    listener: Listener | None = None,
    **limits: Unpack[Limits],
) -> found.Answer:
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
    if nearest < 1:
        raise SettingsError(f"nearest takes a number above 0, not {nearest}")
    settings = make_settings(
        haystack=_paths(haystack),
        algorithm=algorithm,
        threshold_bits=threshold_bits,
        accept=accept,
        rotations=rotations,
        exclude=[exclude] if isinstance(exclude, str) else exclude,
        follow_symlinks=follow_symlinks,
        **limits,
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
    exclude: str | Sequence[str] = (),
    follow_symlinks: bool = False,
    listener: Listener | None = None,
    level: str | None = None,
    **limits: Unpack[Limits],
) -> grouped.Answer:
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
    settings = make_settings(
        haystack=_paths(folders),
        called="",
        algorithm=algorithm,
        threshold_bits=threshold_bits,
        rotations=rotations,
        exclude=[exclude] if isinstance(exclude, str) else exclude,
        follow_symlinks=follow_symlinks,
        **limits,
    )
    return grouping.groups(settings, Evidence(accept), listener)


def _paths(given: AnyPath | Sequence[AnyPath]) -> list[str]:
    """Make a list of one path or several, as the rest of the program has them."""
    if isinstance(given, str | bytes | os.PathLike):
        given = [given]
    return [os.fsdecode(path) for path in given]


def describe(*reasons: Reason | None, needle: str = "the needle", witness: str = "the haystack's copy") -> str:
    """Say the reasons of a verdict, a pair or a member in words, as reports do; nothing where there are none."""
    given = [reason for reason in reasons if reason is not None]
    return sentences(given, Roles(needle, witness)) or ""
