"""Contents of a page beside the verdicts: small pictures, facts, digests, the nearest picture; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dupfind.answers.find import Sought
from dupfind.answers.groups import Group, Member
from dupfind.reasons import Reason
from dupfind.values import Evidence, FileState, FileVerdict, Kind

_ORDER = (FileState.SIMILAR, FileState.MISSING, FileState.UNREADABLE)
_FARTHEST_BITS = 65


class Preview(NamedTuple):
    """A small picture of a file."""

    data: bytes
    """WebP, or JPEG where it has the size of the whole picture; upright."""
    width: int
    """Width and height of the whole picture in pixels, upright."""
    height: int
    captured: str | None
    """As in :class:`~dupfind.values.Thumbnail`."""


class Nearest(NamedTuple):
    """The haystack picture that comes nearest to a needle which has no witness."""

    path: str
    """As the user would spell it."""
    distance_bits: int
    """Of 64, by the algorithm that candidates are searched by, in the orientation in which they come closest."""
    reasons: tuple[Reason, ...]
    """Why it is no witness."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of one file that a page shows."""

    size_bytes: int
    preview: Preview | None
    obstacle: str | None
    """Why there is no preview; None where there is one, and for what is no picture."""
    digest: bytes | None
    """BLAKE3 of the bytes that the preview was made from; None where they could not be read."""
    film: str | None = None
    """The address of a film that a browser on this machine may play; None for pictures."""


@dataclass(frozen=True, slots=True)
class PageContents:
    """Everything that a page holds beside the answer. Paths are as the user would spell them."""

    sights: Mapping[str, Sight] = field(default_factory=dict)
    """By path, of either side."""
    nearest: Mapping[str, Nearest] = field(default_factory=dict)
    """By the path of the needle."""
    split: Mapping[str, str] = field(default_factory=dict)
    """By the path of the needle, the haystack file that a person has split it from."""
    turns: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By the paths of a needle and of a haystack file, how the latter is turned to lie on the needle: the index of an
    orientation, see :mod:`dupfind.values`. Those that lie on it upright are left out."""


def most_doubtful(
    files: Sequence[FileVerdict], count: int, decided: Collection[str] = frozenset()
) -> list[FileVerdict]:
    """Up to ``count`` files that are not present, those first for which a look is worth most.

    Similar ones by their distance, then missing pictures, then what could not be read, then missing files that are no
    pictures; of equals in the order of ``files``. Last those that are no longer in doubt by the word of a person,
    which are among the paths ``decided``.
    """
    doubtful = sorted((file for file in files if file.state in _ORDER), key=_rank)
    settled = [file for file in files if file.path in decided and file.state not in _ORDER]
    return [*doubtful, *settled][:count]


def most_doubtful_members(groups: Sequence[Group], count: int) -> list[Member]:
    """Choose members of groups, up to ``count`` of them: no group in part,
    and those first that hold what is similar.
    """
    chosen: list[Member] = []
    for group in sorted(groups, key=lambda group: group.evidence is not Evidence.SIMILAR):
        if len(chosen) + len(group.members) <= count:
            chosen += group.members
    return chosen


def most_doubtful_sought(sought: Sequence[Sought], count: int) -> list[Sought]:
    """Return pictures that were sought, so many that they and their nearest are up to ``count`` files: none in part.

    First those that were not seen but look like something, then the others that were not.
    """
    chosen: list[Sought] = []
    paths: set[str] = set()
    for image in sorted(
        sought, key=lambda image: (image.is_seen, all(near.evidence is None for near in image.nearest))
    ):
        wider = paths | {image.path, *(near.path for near in image.nearest)}
        if len(wider) <= count:
            chosen, paths = [*chosen, image], wider
    return chosen


def _rank(file: FileVerdict) -> tuple[bool, int, int]:
    distance_bits = _FARTHEST_BITS if file.distance_bits is None else file.distance_bits
    is_plain = file.kind is Kind.OTHER and file.state is FileState.MISSING
    return is_plain, _ORDER.index(file.state), distance_bits
