"""First runs of other tools that find look-alikes, on the same files, in turn: images a second of each.

    python -m benchmarks.others --tools FOLDER [--rounds N] [--only TOOL]... [--set NAME]... [--mixed N] [--keep FOLDER]

FOLDER is the ``bin`` of a virtual environment in which ``czkawka``, ``imagededup`` and ``difPy`` are installed (it is
not this project's: they are no dependencies of it); ``findimagedupes`` is looked for on the PATH. A tool that is not
there is left out, and the table says why.

What is fair. Each tool is given the same files and asked, with its defaults, which pictures in them look alike.
``dupfind`` takes half of them for the haystack and half for the needles, in two ways: needles that are other pictures
than the haystack's, and needles that are each cut or mirrored from a picture of the haystack, which it has to look at
more closely. It does not look for parts of pictures, as none of the others does. All files differ, so nobody can skip
one as a copy of another, and every tool has to open each (where a tool tells how many it read, that is checked). A run
is a whole process with its start, and starts with an empty home folder: nobody has a cache, and ``dupfind`` writes one
as it always does. Files are in the page cache. Every tool uses as many threads or processes as it does by itself. What
is found is not compared here: see docs/accuracy.md. Unset ``PYTHONDONTWRITEBYTECODE``: with it, each run compiles what
it loads.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from PIL import Image, JpegImagePlugin

from benchmarks.common import DUPFIND, SHARED_DATA, adopt_orphans, machine, median, orphans_seconds, run
from fixtures import pictures

_TRANSFORMS = (
    (),
    ("-flip", "horizontal"),
    ("-rotate", "180"),
    ("-flip", "vertical"),
    ("-transpose",),
    ("-rotate", "90"),
    ("-transverse",),
    ("-rotate", "270"),
)
_OFFSETS = (0, 16, 32, 48)
"""How many pixels are cut off at the left and at the top, without decoding; every other one makes a needle."""
_FIRST, _SECOND = "first half of the photos", "second half of the photos"
_WAYS = (
    (
        "dupfind, other pictures",
        (f"{_FIRST}, as they are", f"{_FIRST}, altered"),
        (f"{_SECOND}, as they are", f"{_SECOND}, altered"),
    ),
    (
        "dupfind, look-alikes",
        (f"{_FIRST}, as they are", f"{_SECOND}, as they are"),
        (f"{_FIRST}, altered", f"{_SECOND}, altered"),
    ),
)
"""The folders that are haystack and needles when dupfind is asked; the others are given all four at once."""
_SLOW_SECONDS = 180
"""A tool that takes longer than this runs once only."""

_VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
_CZKAWKA = """
import sys, czkawka
finder = czkawka.ImageSimilarity()
finder.set_directories(sys.argv[2:])
finder.find_similar()
"""
_IMAGEDEDUP = """
import sys
from imagededup.methods import PHash
if __name__ == "__main__":
    hasher = PHash(verbose=False)
    found = hasher.encode_images(image_dir=sys.argv[2], recursive=True)
    hasher.find_duplicates(encoding_map=found)
    sys.exit(len(found) != int(sys.argv[1]))
"""
_DIFPY = """
import sys, difPy
if __name__ == "__main__":
    built = difPy.build(*sys.argv[2:], show_progress=False)
    difPy.search(built, similarity="similar", show_progress=False)
    sys.exit(len(built._tensor_dictionary) != int(sys.argv[1]))
"""


class Took(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_seconds: float
    """On all cores together, of all its processes: what other programs do at the same time alters it little."""


@dataclass(frozen=True)
class Tool:
    """One that is installed."""

    name: str
    version: str
    command: Callable[[Path, int], Sequence[str]]
    """Of the folder with the files, and their number."""


def _scan(haystack: Sequence[str], needles: Sequence[str], folder: Path, _: int) -> Sequence[str]:
    roots = [("--haystack", one) for one in haystack] + [("--needles", one) for one in needles]
    return [
        *DUPFIND,
        "scan",
        "-q",
        "--no-fragments",
        *(part for option, one in roots for part in (option, str(folder / one))),
    ]


def _findimagedupes(folder: Path, _: int) -> Sequence[str]:
    return ["findimagedupes", "--quiet", "--quiet", "--recurse", str(folder)]


def _python(python: Path, code: str, folder: Path, count: int) -> Sequence[str]:
    return [str(python), "-c", code, str(count), str(folder)]


def _installed(folder: Path | None) -> Iterator[Tool | str]:
    """Each tool, or why it is left out."""
    for name, haystack, needles in _WAYS:
        yield Tool(name, version("dupfind"), partial(_scan, haystack, needles))
    python = folder / "python" if folder else None
    for name, code in (("czkawka", _CZKAWKA), ("imagededup", _IMAGEDEDUP), ("difPy", _DIFPY)):
        told = _told([str(python), "-c", _VERSION, name]) if python else None
        if python is None or told is None:
            yield f"{name}: {f'not installed beside {python}' if python else 'no --tools FOLDER given'}"
        else:
            yield Tool(name, told, partial(_python, python, code))
    if shutil.which("findimagedupes"):
        told = _told(["findimagedupes", "--version"]) or ""
        yield Tool("findimagedupes", (told.split() or ["of unknown version"])[-1], _findimagedupes)
    else:
        yield "findimagedupes: not on the PATH (Debian has a package of this name)"


def _told(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


class _Variant(NamedTuple):
    """A file to be made of a picture, without decoding it."""

    source: Path
    name: str
    """Below the folder of its set, with its side."""
    how: tuple[str, ...]
    """The arguments of ``jpegtran``."""


def _variants(camera: Sequence[Path], count: int) -> list[_Variant]:
    """``count`` different pictures of the size of these: turned, mirrored and cut; half of them needles.

    The pictures change fastest, then how they are turned, then how much is cut off.
    """
    variants = []
    for number in range(count):
        of_one = number // len(camera)
        turn, offset = _TRANSFORMS[of_one % len(_TRANSFORMS)], _OFFSETS[of_one // len(_TRANSFORMS) % len(_OFFSETS)]
        how = (*turn, "-crop", f"+{offset}+{offset}")
        photo = number % len(camera)
        quarter = _quarter(photo, len(camera), is_altered=_OFFSETS.index(offset) % 2 == 1)
        variants.append(_Variant(camera[photo], f"{quarter}/{number:03d}.jpg", how))
    return variants


def _quarter(number: int, count: int, *, is_altered: bool) -> str:
    """The folder of a file made of photo ``number`` of ``count``."""
    return f"{_FIRST if number < count // 2 else _SECOND}, {'altered' if is_altered else 'as they are'}"


def _jpegtran(folder: Path, one: _Variant) -> None:
    (folder / one.name).parent.mkdir(parents=True, exist_ok=True)
    with (folder / one.name).open("wb") as out:
        subprocess.run(["jpegtran", "-copy", "none", "-trim", *one.how, str(one.source)], stdout=out, check=True)


def _mixed(folder: Path, photos: Sequence[Path], count: int) -> None:
    """Write ``count`` pictures of the size of ``photos``, no two of which look alike but a picture and its mirror.

    Each is the left half of one photo beside the right half of another of the same half of the photos, saved with the
    first one's tables: to a decoder it is a photo, and there are more of them than photos.
    """

    def write(number: int) -> None:
        photo, step = number % len(photos), 1 + number // len(photos)
        half = len(photos) // 2
        of_half = range(half) if photo < half else range(half, len(photos))
        left, right = photos[photo], photos[of_half[(photo - of_half.start + 7 * step) % len(of_half)]]
        quarter = partial(_quarter, photo, len(photos))
        plain = folder / quarter(is_altered=False) / f"{number:05d}.jpg"
        plain.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(left) as image, Image.open(right) as other:
            assert isinstance(image, JpegImagePlugin.JpegImageFile)
            mixed = image.convert("RGB")
            mixed.paste(other.convert("RGB").resize(image.size), (image.width // 2, 0))
            mixed.save(plain, qtables=image.quantization, subsampling=JpegImagePlugin.get_sampling(image))
        name = f"{quarter(is_altered=True)}/{plain.name}"
        _jpegtran(folder, _Variant(plain, name, ("-flip", "horizontal")))

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(write, range(count // 2)))


def _build(work: Path, count: int, mixed: int) -> Iterator[tuple[str, Path]]:
    """Each set of files, by its name, as a folder with four quarters; what is there already is kept."""
    camera = sorted((SHARED_DATA / "camera").glob("*.JPG"))
    photos = sorted((SHARED_DATA / "photos").glob("*.jpg"))
    large = _variants(camera, count)
    small = [
        _Variant(photo, f"{_quarter(number, len(photos), is_altered=is_altered)}/{photo.name}", how)
        for number, photo in enumerate(photos)
        for is_altered, how in ((False, ()), (True, ("-flip", "horizontal")))
    ]
    progressive = [one._replace(how=(*one.how, "-progressive")) for one in large]
    for name, files in (("12 MP, baseline", large), ("12 MP, progressive", progressive), ("500 px", small)):
        folder = work / name.replace(", ", "-").replace(" ", "-")
        if not folder.exists():
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                list(pool.map(partial(_jpegtran, folder), files))
        yield name, folder
    if mixed:
        folder = work / f"500-px-{mixed}"
        if not folder.exists():
            _mixed(folder, photos, mixed)
        yield f"500 px, {mixed:,}", folder


def _run(tool: Tool, folder: Path) -> Took | None:
    """How long one run takes, with a home of its own; None where it fails."""
    count = sum(1 for file in folder.rglob("*") if file.is_file())
    with tempfile.TemporaryDirectory() as home:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DUPFIND_"))}
        command = tool.command(folder, count)
        done = run(command, env=environment | {"HOME": home, "XDG_CACHE_HOME": f"{home}/.cache"})
    has_answer = done.code in ((0, 1) if tool.name.startswith("dupfind") else (0,))
    cpu_seconds = done.cpu_seconds + orphans_seconds()
    return Took(done.seconds, cpu_seconds) if has_answer else None


def _measure(name: str, folder: Path, tools: Sequence[Tool], starts: dict[str, Took | None], rounds: int) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    for file in files:
        file.read_bytes()  # into the page cache
    runs: dict[str, list[Took | None]] = {tool.name: [] for tool in tools}
    for _ in range(rounds):
        for tool in tools:
            before = runs[tool.name]
            if all(one is not None and one.seconds <= _SLOW_SECONDS for one in before):
                before.append(_run(tool, folder))
    ours = [_medians(some) for name, some in runs.items() if name.startswith("dupfind")]
    for tool in tools:
        took, start = _medians(runs[tool.name]), starts[tool.name]
        if took is None:
            print(f"| {name} | {len(files)} | {tool.name} | failed | | | | |", flush=True)
            continue
        rate = f"{len(files) / took.seconds:.1f} | {took.seconds:.1f}"
        of_start = f"{start.seconds:.2f}" if start else ""
        processor = f"{took.cpu_seconds / len(files) * 1000:.1f}"
        ratio = " and ".join(f"{took.seconds / one.seconds:.1f}" for one in ours if one)
        print(f"| {name} | {len(files)} | {tool.name} | {rate} | {of_start} | {processor} | {ratio} |", flush=True)


def _medians(runs: Sequence[Took | None]) -> Took | None:
    """Of all rounds; None where one of them failed, for the others are of something else then."""
    done = [one for one in runs if one is not None]
    if not done or len(done) < len(runs):
        return None
    return Took(median([one.seconds for one in done]), median([one.cpu_seconds for one in done]))


def _is_wanted(tool: Tool, names: Sequence[str] | None) -> bool:
    return not names or any(tool.name.startswith(name) for name in names)


def main() -> None:
    """Build the files, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, metavar="FOLDER", help="the bin folder of the other tools' environment")
    parser.add_argument("--only", action="append", metavar="TOOL", help="measure this tool only; repeatable")
    parser.add_argument("--set", action="append", metavar="NAME", help="sets whose name contains this; repeatable")
    parser.add_argument("--files", type=int, default=256, help="12-megapixel files of each kind (at most 256)")
    parser.add_argument(
        "--mixed", type=int, default=0, metavar="N", help="also measure N pictures of 500 pixels mixed of the photos"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="build the files there, or use what was built there")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir() or not shutil.which("jpegtran"):
        print("others: skipped; it needs the real pictures beside the project and jpegtran (libjpeg-turbo-progs)")
        return
    found = list(_installed(options.tools))
    tools = [one for one in found if isinstance(one, Tool) and _is_wanted(one, options.only)]
    adopt_orphans()
    with tempfile.TemporaryDirectory() as name:
        work = options.keep or Path(name)
        others = [f"{one.name} {one.version}" for one in tools if not one.name.startswith("dupfind")]
        print(", ".join([machine(), *others]))
        for seed, quarter in enumerate(sorted({root for _, *sides in _WAYS for side in sides for root in side})):
            pictures.save(pictures.photo(seed, (64, 48)), work / "start" / quarter / "one.jpg")
        starts = {tool.name: _run(tool, work / "start") for tool in tools}
        print("| files | number | tool | images/s | seconds | of which start | CPU ms/image | dupfind is faster by |")
        print("|---|---|---|---|---|---|---|---|")
        for kind, folder in _build(work, options.files, options.mixed):
            if not options.set or any(part in kind for part in options.set):
                _measure(kind, folder, tools, starts, options.rounds)
    for reason in (one for one in found if isinstance(one, str)):
        print(f"left out: {reason}")


if __name__ == "__main__":
    main()
