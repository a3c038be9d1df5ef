"""The file in which decisions are kept as they are made: read when they begin, written whole after each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence

from dupfind import output
from dupfind.answers import decisions
from dupfind.answers.decisions import Decision
from dupfind.errors import OutputError, SettingsError, option_error, reason_of
from dupfind.overwriting import check_output
from dupfind.scanning import decisions_file
from dupfind.values import Root, Side

_State = tuple[int, int, int]


class DecisionsStore:
    """What is kept at ``path``, which need not exist yet.

    Raises :class:`~dupfind.errors.SettingsError` where there is a file that holds no decisions: it is not replaced.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._state = _state_of(path)
        self.decisions = () if self._state is None else decisions_file.read(path)
        """As the file has them."""

    def read_again(self) -> bool:
        """Take in what another program has written there since; tells whether there was anything."""
        state = _state_of(self.path)
        if state == self._state:
            return False
        self.decisions = () if state is None else decisions_file.read(self.path)
        self._state = state
        return True

    def as_they_are(self) -> Sequence[Decision]:
        """Return what the file has at this moment, also where :meth:`read_again` has yet to take it in."""
        return () if _state_of(self.path) is None else decisions_file.read(self.path)

    def keep(self, new: Sequence[Decision]) -> None:
        """Write the decisions, all or none; raises :class:`~dupfind.errors.OutputError` and keeps the old ones then."""
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: {reason_of(error)}; the decision was not kept") from error
        output.write(as_file(new), self.path)
        self._state = _state_of(self.path)
        self.decisions = tuple(new)


def as_file(rows: Sequence[Decision]) -> bytes:
    """Return a file of decisions, schema ``dupfind.decisions/1``."""
    whole = {
        "schema": decisions.SCHEMA,
        "digest": decisions.ALGORITHM,
        "decisions": [decisions.as_row(decision) for decision in rows],
    }
    return f"{json.dumps(whole, indent=1)}\n".encode()


def usual_path(haystack: Sequence[str], needles: Sequence[str]) -> str:
    """Tell where the decisions on these folders are kept when nobody says otherwise: one file for each set of them.

    The folders are those that were named, and not the roots of a scan: a folder to import to becomes one of these once
    it is there, and the decisions are to be found then, too.
    """
    from platformdirs import user_data_dir

    sides = ((Side.HAYSTACK, haystack), (Side.NEEDLES, needles))
    names = sorted({f"{side} {os.path.realpath(path)}" for side, paths in sides for path in paths})
    name = hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return os.path.join(user_data_dir("dupfind", appauthor=False), "decisions", f"{name}.json")


def open_store(
    given: str | None, haystack: Sequence[str], needles: Sequence[str], roots: Sequence[Root]
) -> DecisionsStore:
    """Open the file that was ``given``, or the usual one of these folders; it may lie below none of ``roots``.

    Raises :class:`~dupfind.errors.SettingsError`.
    """
    path = os.path.abspath(given) if given else usual_path(haystack, needles)
    if given is not None:
        check_output(path, roots, "--decisions")
        return DecisionsStore(path)
    from dupfind.sources.mounts import read_mounts
    from dupfind.sources.roots import root_around

    if (root := root_around(os.path.realpath(path), roots, read_mounts())) is not None:
        raise SettingsError(
            f"decisions would be kept in {path}, which lies under {root.given}, where dupfind never writes: "
            "name another place with --decisions FILE"
        )
    return DecisionsStore(path)


def _state_of(path: str) -> _State | None:
    """Return what tells two states of the file apart; None where there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise option_error("--decisions", f"{path}: {reason_of(error)}") from error
    return status.st_ino, status.st_size, status.st_mtime_ns
