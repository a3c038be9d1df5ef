"""Hostile pictures in the real pool: no crash, no hang, each file named with its cause, the others done."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from dupfind import memory_limit
from dupfind.pictures import formats, jxl, raw
from dupfind.values import FileEntry
from fixtures import pictures
from fuzz import bombs, mutations, parsers, texts
from fuzz import pictures as broken_pictures
from tests.helpers.labour import read_under
from tests.helpers.places import ROOT, SHARED_DATA, needs_shared_data
from tests.helpers.trees import Content

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TreeBuilder = Callable[[str, Mapping[str, Content]], Path]

READABLE = {
    "broken_exif_dpi.jpg", "crash-0da013a13571cc8eb457a39fee8db18f8a3c7127.tif",
    "crash-74d2a78403a5a59db1fb0a2b8735ac068a75f6e3.tif", "decompression_bomb_extents.gif",
    "invalid-exif-without-x-resolution.jpg", "invalid-exif.jpg", "truncated_app14.jpg", "truncated_exif_dpi.jpg",
    "xcsn0g01.png",  # its checksum is wrong and its pixels, which have one of their own, are not
}  # fmt: skip
"""Of the real hostile files; what is broken in them is not the picture."""
WITHOUT_SUFFIX = {"timeout-6646305047838720"}
"""A picture by its content."""

needs_ceiling = pytest.mark.skipif(
    not memory_limit.IS_HELD, reason="this system does not limit the memory of a process"
)


def pillow_reads(path: Path) -> bool:
    """Whether Pillow alone decodes it, as one of the formats that are asked for."""
    with warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        with Image.open(path, formats=formats.DECODED) as image:
            image.load()
            return True
    return False


@pytest.mark.slow
@needs_shared_data("hostile")
def test_every_hostile_file_in_a_real_run(dupfind: Run, tree: TreeBuilder) -> None:
    """Exit code, one line for each unreadable file, no traceback; and readable is exactly what Pillow can read."""
    folder = SHARED_DATA / "hostile"
    hay = tree("hay", {"a.jpg": pictures.photo(1, (160, 120))})
    done = dupfind("scan", "--haystack", hay, "--needles", folder, "--format", "json", "-v", has_workers=True)
    assert 1 == done.returncode
    report = json.loads(done.stdout)
    states = {os.path.basename(file["path"]): file["verdict"] for file in report["files"]}
    assert {path.name for path in folder.iterdir()} == set(states)
    assert {name for name in states if pillow_reads(folder / name)} == READABLE
    unreadable = {name for name, state in states.items() if state == "unreadable"}
    assert {name for name in states if formats.is_image_name(name)} | WITHOUT_SUFFIX == unreadable | READABLE
    assert set() == unreadable & READABLE
    lines = done.stderr.decode().splitlines()
    assert [] == [line for line in lines if not line.startswith("dupfind: ") or "Traceback" in line or "fault" in line]
    told = [line.split(": ")[1] for line in lines if line.startswith(f"dupfind: {folder}")]
    assert sorted(str(folder / name) for name in unreadable) == sorted(told)


@pytest.mark.slow
def test_broken_files_of_every_kind() -> None:
    """Two broken ones of each: the checks of the fuzzing program, see there."""
    jobs = list(broken_pictures.jobs(2 * len(broken_pictures.samples.names()), seed=7, only=""))
    found = list(broken_pictures.run(jobs, workers=2))
    assert len(jobs) == len(found)
    assert [] == [(job, finding) for job, finding in found if finding.wrong is not None]
    outcomes = {finding.outcome for _, finding in found}
    assert {"decoded", "damaged", "refused", "no picture"} == outcomes


@pytest.mark.slow
@pytest.mark.parametrize("target", parsers.TARGETS)
def test_broken_outlines(target: str) -> None:
    """What reads the outline of a file ends, within the file, and raises nothing."""
    found = parsers.search(target, seed=1, most_runs=150)
    assert [] == found.wrong
    assert len(found.corpus) > 5


@pytest.mark.slow
@pytest.mark.parametrize("target", texts.TARGETS)
def test_broken_texts(target: str) -> None:
    """What reads texts, archives and films of strangers raises what is meant; see `make fuzz-guided`."""
    dice = random.Random(target)  # noqa: S311 - chance for bytes, not for secrets
    check, seeds = texts.TARGETS[target]
    good = seeds()
    for content in good:
        check(content)
    for _ in range(100):
        check(mutations.mutate(dice.choice(good), dice.choice(good), dice.getrandbits(64))[1])


CAUSES = {
    "crash": "its decoder crashed (SIGSEGV)",
    "abort": "not enough memory to decode it, or a fault of the decoder, which gave up (SIGABRT)",
    "kill": "the process that read it was killed, as systems do that run out of memory (SIGKILL)",
    "hang": "decoding took longer than 1 s (--timeout)",
    "greedy": "not enough memory for it",
}


@pytest.mark.slow
@needs_ceiling
def test_many_culprits_in_one_run(tree: TreeBuilder) -> None:
    """Of 100 files 20 crash their process, 5 hang, and others do worse: each is named, all others are done."""
    kinds = ["crash"] * 20 + ["hang"] * 5 + ["abort"] * 2 + ["kill"] * 2 + ["greedy"] * 2
    kinds += ["good"] * (100 - len(kinds))
    names = [f"{kind}-{number * 37 % 100}.png" for number, kind in enumerate(kinds)]
    needles = tree("needles", dict.fromkeys(names, pictures.photo(1, (64, 48))))
    hay = tree("hay", {"a.png": pictures.photo(2, (64, 48))})
    command = [sys.executable, ROOT / "tests" / "helpers" / "harm.py", hay, needles]
    done = subprocess.run(command, capture_output=True, check=True, timeout=100)
    reasons, states = json.loads(done.stdout)
    assert {name: CAUSES[kind] for name, kind in zip(names, kinds, strict=True) if kind != "good"} == reasons
    readable = {name for name, state in states.items() if state != "unreadable"}
    assert {name for name in names if name.startswith("good")} == readable
    assert b"" == done.stderr


@pytest.mark.slow
@needs_ceiling
def test_bombs_cost_no_more_than_the_ceiling(tmp_path: Path) -> None:
    """Of 81 megapixels and not refused by their header: decoded, or refused for want of memory and nothing else."""
    names = ["png colour", "png 16 bits", "jpeg", "jpeg progressive", "webp"]
    most_bytes = 256 << 20
    for row in bombs.measure(tmp_path, names, 9000, most_bytes, workers=1):
        assert 20 << 20 < row.peak_bytes <= most_bytes, row
        assert row.text == "9000 x 9000" if row.name == "jpeg" else "not enough memory" in row.text


LIMITS_MIB = (48, 56, 64, 80, 100, 140, 200)


@pytest.mark.mostly_slow(fast=3)
@needs_ceiling
@pytest.mark.parametrize(
    "suffix", ["jpg", "prog.jpg", "png", "webp", "avif", "heic", "jp2", "tif", "gif", "jxl", "dng"]
)
def test_want_of_memory_never_passes_for_a_broken_file(tmp_path: Path, suffix: str) -> None:
    """Under any ceiling a picture is what it is, or memory was short: nothing is kept that more memory would change."""
    if (suffix == "jxl" and not jxl.version()) or (suffix == "dng" and not raw.version()):
        pytest.skip(f"the extra dupfind[{suffix.replace('dng', 'raw')}] is not installed")
    path = tmp_path / f"a.{suffix}"
    photo = pictures.photo(1, (1600, 1200))
    if suffix == "dng":
        path.write_bytes(broken_pictures.samples.dng(photo))
    elif suffix == "jxl":
        path.write_bytes(_jxl(photo))
    else:
        options = pictures.QUICKLY.get("HEIF" if suffix == "heic" else suffix.upper(), {})
        photo.save(path, **options, **({"progressive": True, "subsampling": 0} if "prog" in suffix else {}))
    found = path.stat()
    entry = FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    ((true,),) = [read_under([(entry, 4096)])]
    assert true.startswith("Thumbnail(")
    with broken_pictures.Pool(1, most_bytes=4 << 30) as pool:
        items = [(entry, mib) for mib in LIMITS_MIB]
        results = dict(pool.map(read_under, items, size_bytes=lambda _: 1 << 30, lost=lambda _, death: death.reason))
    said = [results[entry, mib] for mib in LIMITS_MIB]
    assert "short" in said[0] or "memory" in said[0]
    assert {true, "short", CAUSES["abort"]} >= set(said)
    assert true == said[-1]


def _jxl(photo: Image.Image) -> bytes:
    import io

    import pillow_jxl  # noqa: F401 - which is how Pillow gets to know it

    file = io.BytesIO()
    photo.save(file, "JXL", effort=1)
    return file.getvalue()
