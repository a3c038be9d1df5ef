"""Whatever happens to the trees, `contained` means that a folder can be deleted: all it shows is in what remains.

A machine edits, moves, links, mounts, kills, upgrades, indexes and decides, and scans after each step with the cache
that all steps share. An oracle that knows which pictures are the same then deletes, in thought, each folder that was
called contained, and looks whether every byte or picture of it is still in the haystack. It looks at each witness, too:
whether it shows what its needle shows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from dupfind import libraries, pipeline
from dupfind.answers import decisions as ruled
from dupfind.answers.decisions import Decision, MalformedError, Ruling
from dupfind.commands import indexing
from dupfind.digest import digest_of
from dupfind.errors import DupfindError
from dupfind.events import Silence
from dupfind.pictures import decode, image_data
from dupfind.reviewing.decisions_store import as_file
from dupfind.settings import make_settings
from dupfind.values import FileState, FolderState, Report
from tests.helpers.decisions import word
from tests.helpers.races import RACY_SECONDS, believed_at_once
from tests.helpers.related_files import ENDINGS, contents
from tests.helpers.scans import one_thread

SIDES = ("hay", "old", "drive")
FOLDERS = ("", "x", "x/y")
STEMS = ("a", "b", "c")
_AS_GOOD = {"": 96, "again": 96, "turned": 72, "at noon": 96, "later": 96, "large": 480}
"""By the name of a form, those that show the whole picture and nothing else, with their widths."""
_OTHERS = ("framed", "lighter", "patched", "damaged")
"""Forms that show something else: only their bytes prove them."""
_PLAIN = ("text", "text of that size", "empty", "no picture", "gray", "film", "archive")
NAMES = sorted([*_PLAIN, *(f"{seed} {form}".rstrip() for seed in (1, 2) for form in (*_AS_GOOD, *_OTHERS))])
OPTIONS: list[dict[str, Any]] = [
    {},
    {"rotations": False},
    {"paranoid": True},
    {"algorithm": "dhash"},
    {"accept": "identical"},
    {"archives": "both"},
]


@cache
def _shown() -> dict[bytes, tuple[int, int]]:
    """By their bytes, of files that show a whole picture: which one, and how large."""
    forms = ((seed, form, width) for seed in (1, 2) for form, width in _AS_GOOD.items())
    return {contents()[f"{seed} {form}".rstrip()]: (seed, width) for seed, form, width in forms}


@cache
def _members() -> tuple[bytes, ...]:
    """What the archive holds."""
    return contents()["1"], contents()["text"], contents()["2 again"]


def proves(witness: bytes, needle: bytes) -> bool:
    """Tell whether nothing is lost of a needle where the witness is kept: the same bytes, or the picture as large."""
    if witness == needle:
        return True
    shown, wanted = _shown().get(witness), _shown().get(needle)
    return shown is not None and wanted is not None and shown[0] == wanted[0] and shown[1] >= 0.7 * wanted[1]


class Name(NamedTuple):
    """A name of a file, however the folder that it is in is reached."""

    device: int
    folder: int
    name: str


def names_below(folder: Path) -> dict[Name, bytes | None]:
    """Every file below a folder with its bytes, None for a symbolic link."""
    names: dict[Name, bytes | None] = {}
    for at, folders, files in os.walk(folder):
        state = os.stat(at)
        for name in [*files, *(each for each in folders if os.path.islink(os.path.join(at, each)))]:
            path = Path(at, name)
            names[Name(state.st_dev, state.st_ino, name)] = None if path.is_symlink() else path.read_bytes()
    return names


class Killed(Silence):
    """Ends the process at an event of this number, as a kill does: nothing is closed, nothing written."""

    def __init__(self, number: int) -> None:
        self._left = number

    def went_through(self, size_bytes: int) -> None:
        """Come one event further."""
        self._come()

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        """Likewise."""
        self._come()
        return super().part(name, items)

    def _come(self) -> None:
        self._left -= 1
        if self._left < 0:
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


class Promise(RuleBasedStateMachine):
    """A collection, a backup, a drive that has a catalog, and a scan after each thing that happens to them."""

    contained = 0
    """How often a folder that holds something was contained: what never says so proves nothing."""
    proved = 0
    """How often a file had a witness that was looked at."""
    answered = refused = mounts = 0
    """How many scans gave an answer and gave none, and how many mounts were made."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="dupfind-promise-")).resolve()
        for side in SIDES:
            (self.top / side).mkdir()
            (self.top / side / "keep.txt").write_bytes(b"kept")
        (self.top / "old" / "m").mkdir()
        self.catalog = self.top / "drive.catalog"
        self.options: dict[str, Any] = {}
        self.decisions: list[Decision] = []
        self.is_mounted = False

    def teardown(self) -> None:
        """Take the trees away."""
        self._unmount()
        shutil.rmtree(self.top)

    @initialize(
        options=st.sampled_from(OPTIONS),
        files=st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(NAMES)), min_size=4, max_size=12),
        copied=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
    )
    def begin(self, options: dict[str, Any], files: list[tuple[str, str]], copied: list[str]) -> None:
        """Some files, some of which the collection has, and a first scan."""
        self.options = options
        for number, name in enumerate(copied):
            for folder in ("hay", "old/x"):
                self._put(self.top / folder / f"copied {number}.{ENDINGS.get(name, 'jpg')}", name)
        for number, (side, name) in enumerate(files):
            self._put(self.top / side / f"first {number}.{ENDINGS.get(name, 'jpg')}", name)
        self.scan()

    @rule(
        side=st.sampled_from(SIDES), folder=st.sampled_from(FOLDERS), stem=st.sampled_from(STEMS),
        name=st.sampled_from(NAMES),
    )  # fmt: skip
    def write(self, side: str, folder: str, stem: str, name: str) -> None:
        """A new file, or other bytes in one that is there."""
        self._put(self.top / side / folder / f"{stem}.{ENDINGS.get(name, 'jpg')}", name)
        self.scan()

    @rule(number=st.integers(0, 999), name=st.sampled_from(NAMES), is_new_file=st.booleans())
    def replace(self, number: int, name: str, is_new_file: bool) -> None:
        """Other content in the place of a file, or another file, with its times put back."""
        path = self._chosen(number)
        times = path.stat()
        if is_new_file:
            path.unlink()
        self._put(path, name)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.scan()

    @rule(number=st.integers(0, 999))
    def delete(self, number: int) -> None:
        """One file less."""
        self._chosen(number).unlink()
        self.scan()

    @rule(
        number=st.integers(0, 999), side=st.sampled_from(SIDES), folder=st.sampled_from(FOLDERS),
        stem=st.sampled_from(STEMS), way=st.sampled_from(["move", "link", "copy", "point"]),
    )  # fmt: skip
    def again(self, number: int, side: str, folder: str, stem: str, way: str) -> None:
        """A file under another name: moved there, linked, copied, or pointed to."""
        path = self._chosen(number)
        to = self.top / side / folder / f"{stem}{path.suffix}"
        to.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(to):
            with suppress(OSError):  # a link does not lead from one mount to another
                {"move": shutil.move, "link": os.link, "copy": shutil.copy2, "point": os.symlink}[way](path, to)
        self.scan()

    @rule(side=st.sampled_from(SIDES), new=st.sampled_from(["x", "z"]))
    def rename(self, side: str, new: str) -> None:
        """A folder gets another name."""
        for folder in ("x", "z"):
            if (self.top / side / folder).is_dir() and not (self.top / side / new).exists():
                (self.top / side / folder).rename(self.top / side / new)
        self.scan()

    @rule(source=st.sampled_from(["hay", "hay/x", "drive"]))
    def mount(self, source: str) -> None:
        """A folder of the collection is shown within the backup, too: what lies there is its own only copy."""
        if not self.is_mounted and (self.top / source).is_dir():
            command = ["mount", "--bind", self.top / source, self.top / "old" / "m"]
            with suppress(OSError):
                self.is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
            Promise.mounts += self.is_mounted
        self.scan()

    @rule()
    def unmount(self) -> None:
        """And not any more."""
        self._unmount()
        self.scan()

    @rule(number=st.integers(0, 60))
    def kill(self, number: int) -> None:
        """A scan dies somewhere on its way, and the next one goes on with what it has kept."""
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                self._scanned(Killed(number))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, 9)
        self.scan()

    @rule()
    def upgrade(self) -> None:
        """What an older version has kept, and what it has put into a catalog, was wrong."""
        with as_an_older_version():
            with suppress(DupfindError):
                self._scanned()
            if self.catalog.exists():
                self._index()
        self.scan()

    @rule()
    def index(self) -> None:
        """From now on the catalog of the drive is a part of the collection."""
        self._index()
        self.scan()

    def _index(self) -> None:
        given = make_settings(haystack=[str(self.top / "drive")], called="", may_be_catalogs=False, no_cache=True)
        with believed_at_once(), suppress(DupfindError):
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

    @rule()
    def think_again(self) -> None:
        """Nothing is decided any more."""
        self.decisions = []
        self.scan()

    def scan(self) -> None:
        """Ask, and delete in thought what is contained."""
        try:
            report = self._scanned()
        except DupfindError:  # what has no answer is no promise: an older version has made the catalog
            Promise.refused += 1
        else:
            Promise.answered += 1
            self._check(report)

    def _scanned(self, listener: Silence | None = None) -> Report:
        time.sleep(RACY_SECONDS)  # so that the next change has other times than what is read now
        haystack = [self.top / "hay", *([self.catalog] if self.catalog.exists() else [])]
        given = make_settings(
            haystack=list(map(str, haystack)),
            needles=[str(self.top / "old")],
            cache=str(self.top / "cache.sqlite"),
            **{"archives": "needles", **self.options},
        )
        with believed_at_once():
            return pipeline.scan_trees(given, listener, one_thread, self.decisions or None).report

    def _check(self, report: Report) -> None:
        for file in report.files:
            if file.state is FileState.PRESENT and file.witness is not None:
                self._check_witness(Path(file.path), Path(file.witness))
        self._check_folders(report)

    def _check_witness(self, needle: Path, witness: Path) -> None:
        """Look at what proves a needle: it shows all that the needle shows. Members of archives are no files."""
        if self.catalog in witness.parents:
            witness = self.top / "drive" / witness.relative_to(self.catalog)
        if needle.is_file() and witness.is_file():
            assert self._remains(needle.read_bytes(), {witness.read_bytes()}), f"{witness} does not prove {needle}"
            Promise.proved += 1

    def _check_folders(self, report: Report) -> None:
        haystack = names_below(self.top / "hay")
        if self.catalog.exists():
            haystack |= names_below(self.top / "drive")
        for folder in report.folders:
            path = Path(folder.path)
            if not path.is_dir():  # an archive: it is one of the files of its folder
                continue
            gone = names_below(path)
            kept = {content for name, content in haystack.items() if name not in gone and content is not None}
            if folder.state is FolderState.CONTAINED:
                lost = [name.name for name, content in gone.items() if not self._remains(content, kept)]
                assert not lost, f"{path} is called contained, and with it would go {lost}"
                Promise.contained += any(gone.values())
            elif not (self.is_mounted or self.decisions or self.catalog.exists()):
                doubtful = [
                    name.name for name, content in gone.items() if content is None or content not in {*kept, b""}
                ]
                assert doubtful, f"{path} is called {folder.state}, and every byte of it is in the collection"

    def _remains(self, needle: bytes | None, kept: Collection[bytes]) -> bool:
        """Tell whether nothing of a file is lost while these are kept."""
        if needle is None:  # a link: nobody knows what it leads to
            return False
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

    def _put(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        path.write_bytes(contents()[name])

    def _chosen(self, number: int) -> Path:
        """One of the files of a person; `keep.txt` stays what it is, so that there always is one."""
        files = sorted(path for side in SIDES for path in (self.top / side).rglob("*") if _is_free(path))
        return files[number % len(files)] if files else self._spare()

    def _spare(self) -> Path:
        self._put(self.top / "hay" / "spare.txt", "text")
        return self.top / "hay" / "spare.txt"

    def _unmount(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.top / "old" / "m"], capture_output=True, check=True)
            self.is_mounted = False


def _is_free(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.name != "keep.txt"


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(2, 6), pytest.param(int(os.environ.get("DUPFIND_PROMISES", "60")), 15, marks=pytest.mark.slow)],
)
def test_contained_is_what_can_be_deleted(examples: int, steps: int) -> None:
    """Whatever the order; and it is said often enough to mean something."""
    Promise.contained = Promise.proved = Promise.answered = Promise.refused = Promise.mounts = 0
    run_state_machine_as_test(
        Promise,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, phases=[Phase.explicit, Phase.generate]
        ),
    )
    assert Promise.contained > examples
    assert Promise.proved > 5 * examples
    assert Promise.answered > 9 * Promise.refused
