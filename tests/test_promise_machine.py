"""Whatever happens to the trees, `contained` means that a folder can be deleted: all it shows is in what remains.

A machine edits, moves, links, mounts, kills, upgrades, indexes and decides, also while a scan is at work, and scans
after each step with the cache that all steps share. An oracle that knows which pictures are the same then deletes, in
thought, each folder that was called contained, and looks whether every byte or picture of it is still in the haystack.
It looks at each witness, too: whether it shows what its needle shows.

That it would see a broken rule is measured: `python -m faults.mutants --promise` breaks those of faults/rules.toml that
are marked `promise = true`, and runs this alone. docs/safety.md tells what it cannot see.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from PIL import ImageOps

from dupfind import libraries, pipeline
from dupfind.answers import decisions as ruled
from dupfind.answers.decisions import Decision, MalformedError, Ruling
from dupfind.cache import last_run, result_cache
from dupfind.commands import indexing
from dupfind.digest import digest_of
from dupfind.errors import DupfindError
from dupfind.events import Advance, Silence
from dupfind.pictures import decode, image_data
from dupfind.reviewing.decisions_store import as_file
from dupfind.settings import make_settings
from dupfind.values import Evidence, FileState, FolderState, Report
from fixtures import pictures
from tests.helpers import related_files
from tests.helpers.decisions import word
from tests.helpers.races import RACY_SECONDS, believed_at_once, coarse_clock
from tests.helpers.related_files import ENDINGS, SIZE, jpeg
from tests.helpers.scans import one_thread

SIDES = ("hay", "old", "drive")
TRASH = ".Trash-0"
FOLDERS = ("", "x", "x/y", TRASH)
STEMS = ("a", "b", "c")
PLACES = (
    ("hay", "old/m"), ("hay/x", "old/m"), ("drive", "old/m"), ("old", "hay/m"), ("old/x", "hay/m")
)  # fmt: skip
"""What is shown at which other place, too."""
LONG_AGO_NS = 10**18
_C = ctypes.CDLL(None)
_BIND, _DETACH = 0x1000, 2
"""Of mount(2) and umount2(2): a process for each takes longer than a scan."""
FILM = b"\0\0\0\x18ftypmp42" + bytes(range(1, 256)) * 40


class Shown(NamedTuple):
    """What a file has of a picture, in the eyes of a person."""

    seed: int
    needs: int
    """How wide a file has to show it that proves this one: more than any does where it holds other things, too."""
    gives: int
    """How wide it shows it to others: 0 where it is worse than any."""
    moment: str = ""


_ONLY_BYTES = 10**6
_FORMS = {
    "": (96, 96), "again": (96, 96), "turned": (72, 72), "at noon": (96, 96, "noon"), "later": (96, 96, "later"),
    "large": (480, 480), "with a film": (_ONLY_BYTES, 96), "crushed": (96, 0),
}  # fmt: skip
"""By its name, what a form needs, gives, and was taken at."""
_OTHERS = ("framed", "lighter", "patched", "damaged", "mirrored", "squeezed")
"""Forms that show something else: only their bytes prove them."""
_PLAIN = (
    "text", "text of that size", "empty", "no picture", "gray", "film", "archive", "archive with more",
    "archive cut off"
)  # fmt: skip
NAMES = sorted([*_PLAIN, *(f"{seed} {form}".rstrip() for seed in (1, 2) for form in (*_FORMS, *_OTHERS))])
_OF_ONE = [[name for name in NAMES if name.startswith(str(seed))] for seed in (1, 2)]
POOLS = st.one_of(
    st.lists(st.sampled_from(NAMES), min_size=3, max_size=8, unique=True),
    *(st.lists(st.sampled_from(names), min_size=2, max_size=5, unique=True) for names in _OF_ONE),
    st.sampled_from([
        ["archive", "archive with more", "archive cut off", "1", "text", "2 again"],
        ["1", "1 again", "1 at noon", "1 later"],
        ["text", "text of that size", "empty", "no picture", "gray"],
    ]),
)  # fmt: skip
"""What files of an example may hold: few contents, so that they meet."""
OPTIONS: list[dict[str, Any]] = [
    {},
    {"rotations": False},
    {"paranoid": True},
    {"algorithm": "dhash"},
    {"accept": "identical"},
    {"archives": "both"},
    {"exclude": ["b.*"]},
    {"disregard": ["b.txt"]},
]
_ONE_SIZE_BYTES = 5200


def _padded(content: bytes) -> bytes:
    """A picture with a comment, so that many have one size and only times tell an edited one from what it was."""
    rest = _ONE_SIZE_BYTES - len(content) - 4
    if not (content.startswith(b"\xff\xd8") and 0 <= rest <= 4000):
        return content
    return content[:2] + b"\xff\xfe" + (rest + 2).to_bytes(2, "big") + (b"words " * rest)[:rest] + content[2:]


@cache
def contents() -> dict[str, bytes]:
    """By their names, what files hold."""
    made = dict(related_files.contents())
    for seed in (1, 2):
        picture = pictures.photo(seed, SIZE)
        made |= {
            f"{seed} mirrored": jpeg(ImageOps.mirror(picture)),
            f"{seed} squeezed": jpeg(picture.resize((SIZE[0], SIZE[1] * 3 // 4))),
            f"{seed} crushed": jpeg(picture, quality=6),
            f"{seed} with a film": made[f"{seed}"] + FILM,
        }
    made = {name: _padded(content) for name, content in made.items()}
    made["archive with more"] = made["2 again"] + made["archive"]
    made["archive cut off"] = made["archive"][:-30]
    return made


@cache
def _shown() -> dict[bytes, Shown]:
    """By their bytes, of files that show a whole picture: which one, and how."""
    shown_by = {
        contents()[f"{seed} {form}".rstrip()]: Shown(seed, *shown) for seed in (1, 2) for form, shown in _FORMS.items()
    }  # type: ignore[arg-type]
    # The archive lies behind a picture, and proves it; what lies behind is in no other picture.
    shown_by[contents()["archive with more"]] = shown_by[contents()["2 again"]]._replace(needs=_ONLY_BYTES)
    return shown_by


@cache
def _members() -> tuple[bytes, ...]:
    """What the archive holds."""
    kept = related_files.contents()
    return kept["1"], kept["text"], kept["2 again"]


def proves(witness: bytes, needle: bytes) -> bool:
    """Tell whether nothing is lost of a needle where the witness is kept: the same bytes, or the picture as large."""
    if witness == needle:
        return True
    shown, wanted = _shown().get(witness), _shown().get(needle)
    return (
        shown is not None and wanted is not None and shown.seed == wanted.seed and shown.gives >= 0.7 * wanted.needs
        and (not shown.moment or not wanted.moment or shown.moment == wanted.moment)
    )  # fmt: skip


class Name(NamedTuple):
    """A name of a file, however the folder that it is in is reached."""

    device: int
    folder: int
    name: str


def names_below(folder: Path, *, is_trusted: bool = False) -> dict[Name, bytes | None]:
    """Every file below a folder with its bytes, None for a link or a pipe; ``is_trusted`` leaves out what is trash."""
    names: dict[Name, bytes | None] = {}
    for at, folders, files in os.walk(folder):
        state = os.stat(at)
        if is_trusted and TRASH in folders:
            folders.remove(TRASH)
        for name in [*files, *(each for each in folders if os.path.islink(os.path.join(at, each)))]:
            path = Path(at, name)
            is_file = stat.S_ISREG(path.lstat().st_mode)
            names[Name(state.st_dev, state.st_ino, name)] = path.read_bytes() if is_file else None
    return names


class Meddler(Silence):
    """Does something at an event of this number, before the last look at what the verdicts rest on."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self._left = number
        self._act = act
        self.has_acted = self._is_over = False

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Come one event further, and with each advance."""
        self._is_over |= name == "looking again"
        self._come()
        yield lambda _: self._come()

    def went_through(self, size_bytes: int) -> None:
        """Likewise."""
        self._come()

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        """Likewise."""
        self._come()
        return super().part(name, items)

    def _come(self) -> None:
        self._left -= 1
        if self._left < 0 and not self._is_over and not self.has_acted:
            self.has_acted = True
            self._act()


def die() -> None:
    """End the process as a kill does: nothing is closed, nothing written."""
    os._exit(9)


@contextmanager
def as_an_older_version() -> Iterator[None]:
    """A program whose decoders see one and the same picture in every file: nothing that it has kept may be believed."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as seen:
        seen.write(contents()["1"])
        seen.flush()

        def lying(real: Any) -> Any:
            def read(file: IO[bytes], *arguments: Any, **options: Any) -> Any:
                with open(seen.name, "rb") as other:
                    return real(other, *arguments, **options)

            return read

        with ExitStack() as stack:
            for module, name in (
                (decode, "read_thumbnail"), (decode, "read_full_size"), (image_data, "read_digest")
            ):  # fmt: skip
                stack.enter_context(patch.object(module, name, lying(getattr(module, name))))
            stack.enter_context(patch.object(libraries, "installed", lambda: "older"))
            stack.enter_context(patch.object(decode, "versions", lambda: "older"))
            stack.enter_context(patch.object(decode, "RECIPE", -1))
            yield


class BrokenPromiseError(AssertionError):
    """Something would be lost by the word of a scan."""


def hold(is_held: bool, lost: str) -> None:
    """Raise :class:`BrokenPromiseError` with what would be lost where that is not so."""
    if not is_held:
        raise BrokenPromiseError(lost)


class Drawn(NamedTuple):
    """What a change is made of; each takes of it what it needs."""

    number: int
    side: str
    folder: str
    stem: str
    name: int
    """Of the pool."""

    def at(self, top: Path) -> Path:
        """Return the place that it speaks of, without an ending."""
        return top / self.side / self.folder / self.stem


DRAWN = st.builds(
    Drawn, st.integers(0, 999), st.sampled_from(SIDES), st.sampled_from(FOLDERS), st.sampled_from(STEMS),
    st.integers(0, 7),
)  # fmt: skip


class Promise(RuleBasedStateMachine):
    """A collection, a backup, a drive that has a catalog, and a scan after each thing that happens to them."""

    contained = 0
    """How often a folder that holds something was contained: what never says so proves nothing."""
    proved = 0
    """How often a file had a witness that was looked at."""
    answered = refused = mounts = meddled = 0
    """How many scans gave an answer and gave none, how many mounts were made, and in how many something changed."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="dupfind-promise-")).resolve()
        for side in SIDES:
            (self.top / side).mkdir()
            (self.top / side / "keep.txt").write_bytes(b"kept")
            (self.top / side / "m").mkdir()
        self.catalog = self.top / "drive.catalog"
        self.options: dict[str, Any] = {}
        self.pool: list[str] = []
        self.decisions: list[Decision] = []
        self.mounted: Path | None = None
        self.is_coarse = False

    def teardown(self) -> None:
        """Take the trees away."""
        self._unmount()
        shutil.rmtree(self.top)

    @initialize(
        options=st.sampled_from(OPTIONS),
        is_coarse=st.integers(0, 4),
        pool=POOLS,
        files=st.lists(st.tuples(st.sampled_from(SIDES), st.integers(0, 7)), min_size=3, max_size=9),
        copied=st.lists(st.integers(0, 7), min_size=1, max_size=4),
    )
    def begin(
        self, options: dict[str, Any], is_coarse: int, pool: list[str], files: list[tuple[str, int]], copied: list[int]
    ) -> None:
        """Some files, some of which the collection has, on a disk with some clock, and a first scan."""
        self.options = options
        self.is_coarse = is_coarse == 4
        self.pool = pool
        for number, name in enumerate(map(self._name, copied)):
            for folder in ("hay", "old/x"):
                self._put(self.top / folder / f"copied {number}.{_ending(name)}", name)
        for number, (side, place) in enumerate(files):
            self._put(self.top / side / f"first {number}.{_ending(self._name(place))}", self._name(place))
        self.scan()

    def write(self, drawn: Drawn) -> None:
        """A new file, or other bytes in one that is there, with the time of today or of long ago."""
        name = self._name(drawn.name)
        path = drawn.at(self.top).with_suffix(f".{_ending(name)}")
        self._put(path, name)
        if drawn.number % 2:
            os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))

    def replace(self, drawn: Drawn) -> None:
        """Other content of the same size in the place of a file, with its times put back."""
        path = self._chosen(drawn.number)
        times = path.stat()
        self._put(path, self._as_large(path, drawn))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def exchange(self, drawn: Drawn) -> None:
        """Another file in the place of one, with its times."""
        path = self._chosen(drawn.number)
        name, times = self._as_large(path, drawn), path.stat()
        path.unlink()
        self._put(path, name)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def delete(self, drawn: Drawn) -> None:
        """One file less."""
        self._chosen(drawn.number).unlink()

    def move(self, drawn: Drawn) -> None:
        """A file under another name, and not under its own."""
        self._again(drawn.number, drawn.at(self.top), shutil.move)

    def link(self, drawn: Drawn) -> None:
        """A file under another name, too."""
        self._again(drawn.number, drawn.at(self.top), os.link)

    def copy(self, drawn: Drawn) -> None:
        """A second file with what the first holds."""
        self._again(drawn.number, drawn.at(self.top), shutil.copy2)

    def point(self, drawn: Drawn) -> None:
        """A symbolic link to a file."""
        self._again(drawn.number, drawn.at(self.top), os.symlink)

    def pipe(self, drawn: Drawn) -> None:
        """What is no file."""
        path = drawn.at(self.top).with_suffix(".pipe")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            os.mkfifo(path)

    def rename(self, drawn: Drawn) -> None:
        """A folder gets another name."""
        new = self.top / drawn.side / "xz"[drawn.number % 2]
        for old in (new.with_name("x"), new.with_name("z")):
            if old.is_dir() and not new.exists():
                old.rename(new)

    def mount(self, drawn: Drawn) -> None:
        """A folder of one side is shown within the other, too: what lies there is its own only copy."""
        source, at = (self.top / place for place in PLACES[drawn.number % len(PLACES)])
        if self.mounted is None and source.is_dir():
            is_done = _C.mount(os.fsencode(source), os.fsencode(at), None, _BIND, None) == 0
            self.mounted = at if is_done else None
            Promise.mounts += is_done

    def unmount(self, drawn: Drawn) -> None:
        """And not any more."""
        self._unmount()

    _CHANGES = (
        write, write, write, delete, move, link, copy, point, pipe, rename, mount, mount, mount, unmount
    )  # fmt: skip
    _EDITS = (replace, exchange)

    @rule(change=st.sampled_from(_CHANGES), drawn=DRAWN)
    def change(self, change: Callable[..., None], drawn: Drawn) -> None:
        """Something happens between two scans."""
        change(self, drawn)
        self.scan()

    @rule(change=st.sampled_from(_EDITS), drawn=DRAWN)
    def edit(self, change: Callable[..., None], drawn: Drawn) -> None:
        """A file holds something else, and neither its size nor its time says so."""
        change(self, drawn)
        self.scan()

    @rule(event=st.integers(0, 30), change=st.sampled_from(_CHANGES + _EDITS + _EDITS), drawn=DRAWN)
    def meddle(self, event: int, change: Callable[..., None], drawn: Drawn) -> None:
        """Something happens while a scan is at work: it may see it or not, and believes nothing that is gone."""
        self.scan(None if self.is_coarse else Meddler(event, lambda: change(self, drawn)))

    def kill(self, number: int) -> None:
        """A scan dies somewhere on its way, and the next one goes on with what it has kept."""
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                self._scanned(Meddler(number % 60, die))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, 9)

    def upgrade(self, _: int) -> None:
        """What an older version has kept, and what it has put into a catalog, was wrong."""
        with as_an_older_version():
            with suppress(DupfindError):
                self._scanned()
            if self.catalog.exists():
                self.index(0)

    def index(self, _: int) -> None:
        """From now on the catalog of the drive is a part of the collection."""
        given = make_settings(haystack=[str(self.top / "drive")], called="", may_be_catalogs=False, no_cache=True)
        with self._clock(), suppress(DupfindError):
            indexing.index(given, str(self.catalog), make_executor=one_thread)

    @rule(needle=st.integers(0, 999), witness=st.integers(0, 999), ruling=st.sampled_from(list(Ruling)))
    def decide(self, needle: int, witness: int, ruling: Ruling) -> None:
        """A person says of two files what they are, or of one that it is not wanted."""
        files = [self._chosen(needle), self._chosen(witness)]
        if files[0].read_bytes() != files[1].read_bytes():
            said = word(ruling, files[0], None if ruling is Ruling.NOT_WANTED else files[1])
            with suppress(MalformedError):  # it contradicts what was said before
                self.decisions = list(ruled.parse(as_file([*self.decisions, said])))
        self.scan()

    def think_again(self, _: int) -> None:
        """Nothing is decided any more."""
        self.decisions = []

    def ask_otherwise(self, number: int) -> None:
        """Other options, over the same files and the same cache."""
        self.options = OPTIONS[number % len(OPTIONS)]

    @rule(event=st.sampled_from((kill, upgrade, index, think_again, ask_otherwise)), number=st.integers(0, 999))
    def happen(self, event: Callable[..., None], number: int) -> None:
        """Something else than to files."""
        event(self, number)
        self.scan()

    def scan(self, meddler: Meddler | None = None) -> None:
        """Ask, and delete in thought what is contained."""
        try:
            report = self._scanned(meddler)
        except DupfindError:  # what has no answer is no promise: an older version has made the catalog
            Promise.refused += 1
        else:
            Promise.answered += 1
            has_acted = meddler is not None and meddler.has_acted
            Promise.meddled += has_acted
            self._check(report, has_acted=has_acted)

    def _scanned(self, listener: Silence | None = None) -> Report:
        time.sleep(RACY_SECONDS + 0.003)  # so that what lies there is believed
        haystack = [self.top / "hay", *([self.catalog] if self.catalog.exists() else [])]
        given = make_settings(
            haystack=list(map(str, haystack)),
            needles=[str(self.top / "old")],
            cache=str(self.top / "cache.sqlite"),
            **{"archives": "needles", **self.options},
        )
        with self._clock():
            return pipeline.scan_trees(given, listener, one_thread, self.decisions or None).report

    def _clock(self) -> AbstractContextManager[None]:
        return coarse_clock() if self.is_coarse else believed_at_once(RACY_SECONDS)

    def _check(self, report: Report, *, has_acted: bool) -> None:
        moments = defaultdict(set)
        for file in report.files:
            if file.state is FileState.PRESENT and file.witness is not None:
                self._check_witness(Path(file.path), Path(file.witness))
                if file.evidence is Evidence.SAME and Path(file.path).is_file():
                    shown = _shown().get(Path(file.path).read_bytes())
                    moments[file.witness].add(shown.moment if shown else "")
        if not self.decisions:
            for witness, seen in moments.items():
                hold(len(seen - {""}) < 2, f"{witness} proves two shots")
        self._check_folders(report, has_acted=has_acted)

    def _check_witness(self, needle: Path, witness: Path) -> None:
        """Look at what proves a needle: it shows all that the needle shows. Members of archives are no files."""
        if self.catalog in witness.parents:
            witness = self.top / "drive" / witness.relative_to(self.catalog)
        if needle.is_file() and witness.is_file():
            contents_ = needle.read_bytes(), witness.read_bytes()
            hold(self._remains(contents_[0], {contents_[1]}), f"{witness} does not prove {needle}")
            pair = tuple(digest_of([content]) for content in contents_)
            split = [said for said in self.decisions if said.ruling is Ruling.DIFFERENT and said.witness is not None]
            pairs = [(said.needle.digest, said.witness.digest) for said in split]
            hold(pair not in pairs, f"{needle} was split from {witness}")
            Promise.proved += 1

    def _check_folders(self, report: Report, *, has_acted: bool) -> None:
        haystack = names_below(self.top / "hay", is_trusted=True)
        if self.catalog.exists():
            haystack |= names_below(self.top / "drive", is_trusted=True)
        is_plain = not (
            has_acted or self.mounted or self.decisions or self.catalog.exists() or "exclude" in self.options
        )
        for folder in report.folders:
            path = Path(folder.path)
            if not path.is_dir():  # an archive: it is one of the files of its folder
                continue
            gone = names_below(path)
            kept = {content for name, content in haystack.items() if name not in gone and content is not None}
            if self.options.get("archives") == "both" and contents()["archive"] in kept:
                kept.update(_members())
            if folder.state is FolderState.CONTAINED:
                lost = [name.name for name, content in gone.items() if not self._remains(content, kept, name.name)]
                hold(not lost, f"{path} is called contained, and with it would go {lost}")
                Promise.contained += any(gone.values())
            elif is_plain:
                doubtful = [
                    name.name for name, content in gone.items() if content is None or content not in {*kept, b""}
                ]
                assert doubtful, f"{path} is called {folder.state}, and every byte of it is in the collection"

    def _remains(self, needle: bytes | None, kept: Collection[bytes], name: str = "") -> bool:
        """Tell whether nothing of a file is lost while these are kept."""
        if needle is None:  # a link: nobody knows what it leads to
            return False
        if name in self.options.get("disregard", ()):  # so a person says
            return True
        if needle == b"" or any(proves(witness, needle) for witness in kept):
            return True
        if needle == contents()["archive"]:
            return all(self._remains(member, kept) for member in _members())
        digests, own = {digest_of([content]) for content in kept}, digest_of([needle])
        return any(
            said.needle.digest == own
            and (said.ruling is Ruling.NOT_WANTED or (said.witness is not None and said.witness.digest in digests))
            for said in self.decisions
            if said.ruling is not Ruling.DIFFERENT
        )

    def _name(self, place: int) -> str:
        return self.pool[place % len(self.pool)]

    def _as_large(self, path: Path, drawn: Drawn) -> str:
        """Return the name of another content as large as that of a file, so that no size tells, where there is one."""
        content = path.read_bytes()
        for names in (self.pool, NAMES):
            equal = [name for name in names if len(contents()[name]) == len(content) and contents()[name] != content]
            if equal:
                return equal[drawn.number // 7 % len(equal)]
        return self._name(drawn.name)

    def _put(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        path.write_bytes(contents()[name])

    def _again(self, number: int, to: Path, make: Callable[[Path, Path], object]) -> None:
        """Put a file at another name; a link does not lead from one mount to another."""
        path = self._chosen(number)
        to = to.with_suffix(path.suffix)
        to.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(to):
            with suppress(OSError):
                make(path, to)

    def _chosen(self, number: int) -> Path:
        """One of the files of a person; `keep.txt` stays what it is, so that there always is one."""
        files = sorted(path for side in SIDES for path in (self.top / side).rglob("*") if _is_free(path))
        return files[number % len(files)] if files else self._spare()

    def _spare(self) -> Path:
        self._put(self.top / "hay" / "spare.txt", "text")
        return self.top / "hay" / "spare.txt"

    def _unmount(self) -> None:
        if self.mounted is not None:
            assert _C.umount2(os.fsencode(self.mounted), _DETACH) == 0
            self.mounted = None


def _ending(name: str) -> str:
    return "zip" if name.startswith("archive") else ENDINGS.get(name, "jpg")


def _is_free(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.name != "keep.txt"


Play = Callable[[Promise], None]
PLAYS: dict[str, Play] = {}
"""By name, what is written out of what the machine may do: one way for each kind of rule in which it must not go."""


def play(act: Play) -> Play:
    """Enter a play under its name."""
    PLAYS[act.__name__] = act
    return act


def given(machine: Promise, **files: str) -> None:
    """Write ``hay_x_a="1"`` to ``hay/x/a.jpg``, and so on, and ask."""
    for where, name in files.items():
        machine._put(machine.top / f"{where.replace('_', '/')}.{_ending(name)}", name)
    machine.scan()


def edited(machine: Promise, where: str, name: str) -> None:
    """Write something else into a file, with its times put back."""
    path = machine.top / where
    times = path.stat()
    path.write_bytes(contents()[name])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@play
def equal_sizes(machine: Promise) -> None:
    """Two texts of one size."""
    given(machine, hay_a="text", old_b="text of that size")


@play
def an_edit(machine: Promise) -> None:
    """A witness holds something else, of the same size and time."""
    given(machine, hay_a="text", old_b="text", hay_c="1", old_d="1 again")
    edited(machine, "hay/a.txt", "text of that size")
    machine.scan()


@play
def an_edit_in_one_tick(machine: Promise) -> None:
    """No time of change tells of it either."""
    machine.is_coarse = True
    an_edit(machine)


@play
def an_edit_meanwhile(machine: Promise) -> None:
    """A witness goes, at whatever moment of a scan."""
    for event in range(24):
        machine.scan(Meddler(event, (machine.top / "hay" / "keep.txt").unlink))
        (machine.top / "hay" / "keep.txt").write_bytes(b"kept")


@play
def another_version(machine: Promise) -> None:
    """What an older one has answered is not believed."""
    machine._put(machine.top / "hay" / "a.jpg", "1")
    machine._put(machine.top / "old" / "b.jpg", "2")
    machine.upgrade(0)
    machine.scan()


@play
def trash(machine: Promise) -> None:
    """What lies in the trash of the collection will be gone."""
    machine._put(machine.top / "hay" / TRASH / "a.txt", "text")
    given(machine, old_b="text")


@play
def a_link(machine: Promise) -> None:
    """Nobody knows what it leads to."""
    (machine.top / "old" / "a.txt").symlink_to(machine.top / "hay" / "keep.txt")
    machine.scan()


@play
def no_file(machine: Promise) -> None:
    """Nobody knows what a pipe is for."""
    os.mkfifo(machine.top / "old" / "a.pipe")
    machine.scan()


@play
def excluded(machine: Promise) -> None:
    """What is left out was not looked for."""
    machine.options = {"exclude": ["b.*"]}
    given(machine, old_b="text")


@play
def two_shots(machine: Promise) -> None:
    """One picture of another moment, and two of which one witness proves one."""
    given(machine, hay_a="1 at noon", old_x_b="1 later")
    given(machine, hay_c="2", old_x_d="2 at noon", old_x_e="2 later")


@play
def other_pictures(machine: Promise) -> None:
    """Mirrored ones, and what shows less than the needle, or holds less."""
    given(machine, hay_a="1", old_x_b="1 mirrored")
    given(machine, hay_a="1", old_z_b="1 large", old_x_b="1 with a film", old_y_b="1 patched")


@play
def worse_pictures(machine: Promise) -> None:
    """Witnesses that are damaged, or hardly show anything any more."""
    given(machine, hay_a="1 damaged", old_x_b="1 large", hay_c="2 crushed", old_x_d="2")


@play
def an_archive(machine: Promise) -> None:
    """All members are there, and what is packed in front of them is not, or is that of another archive."""
    given(machine, hay_a="1", hay_b="text", hay_c="2 again", old_x_d="archive with more", old_z_e="archive cut off")


@play
def a_word_taken_back(machine: Promise) -> None:
    """An answer by it is forgotten with it."""
    machine._put(machine.top / "old" / "b.txt", "text")
    machine.decisions = [word(Ruling.NOT_WANTED, machine.top / "old" / "b.txt", None)]
    machine.scan()
    machine.think_again(0)
    machine.scan()


@play
def a_word_about_others(machine: Promise) -> None:
    """It is about two files, and says nothing of the rest."""
    given(machine, hay_a="1", old_b="1 patched", old_c="2")
    files = [machine.top / "old" / "b.jpg", machine.top / "hay" / "a.jpg"]
    machine.decisions = [word(Ruling.SAME, *files)]
    machine.scan()
    given(machine, hay_a="1", old_b="1 again")
    machine.decisions = [word(Ruling.DIFFERENT, *files)]
    machine.scan()


@play
def a_drive(machine: Promise) -> None:
    """A catalog of what is here lists what has gone."""
    machine._put(machine.top / "drive" / "a.jpg", "1")
    machine.index(0)
    given(machine, old_b="1 again")
    (machine.top / "drive" / "a.jpg").unlink()
    given(machine, old_b="1 again")


@play
def mounted(machine: Promise) -> None:
    """What is shown within the other side, at once and in the midst of a scan, is one copy."""
    given(machine, old_x_b="text", hay_x_c="1")
    for number in range(len(PLACES)):
        machine.mount(Drawn(number, "hay", "", "a", 0))
        machine.scan()
        machine.unmount(Drawn(0, "hay", "", "a", 0))
        for event in range(0, 24, 4):
            machine.scan(Meddler(event, partial(machine.mount, Drawn(number, "hay", "", "a", 0))))
            machine.unmount(Drawn(0, "hay", "", "a", 0))


@pytest.fixture
def quick_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells this program from another takes a third of a small scan, and stays what it is."""
    for module in (result_cache, last_run, pipeline):
        monkeypatch.setattr(module, "program", cache(result_cache.program))
    monkeypatch.setattr(libraries, "installed", cache(libraries.installed))


@pytest.mark.mostly_slow(fast=5)
@pytest.mark.usefixtures("quick_program")
@pytest.mark.parametrize("name", PLAYS)
def test_plays(name: str) -> None:
    """Each holds, and `make promise` sees each fail when the rule is broken that it is about."""
    machine = Promise()
    machine.pool = ["text"]
    try:
        PLAYS[name](machine)
    finally:
        machine.teardown()


@pytest.mark.usefixtures("quick_program")
@pytest.mark.parametrize(
    ("examples", "steps"),
    [(2, 6), pytest.param(int(os.environ.get("PROMISES", "60")), 15, marks=pytest.mark.slow)],
)
def test_contained_is_what_can_be_deleted(examples: int, steps: int) -> None:
    """Whatever the order; and it is said often enough to mean something."""
    for name in ("contained", "proved", "answered", "refused", "mounts", "meddled"):
        setattr(Promise, name, 0)
    run_state_machine_as_test(
        Promise,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, phases=[Phase.explicit, Phase.generate]
        ),
    )
    assert Promise.contained > examples
    assert Promise.proved > 5 * examples
    assert Promise.answered > 9 * Promise.refused
    assert 5 * Promise.meddled > examples or examples < 9
