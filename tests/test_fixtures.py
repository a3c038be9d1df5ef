"""The made-up pictures behave like photos, and the demo is what it says and takes nobody's folder."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import fingerprint
from fixtures import demo, pictures
from fixtures.__main__ import main


@pytest.fixture(scope="module")
def built(demo_trees: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, built once, with all its times; no test leaves it changed."""
    return Path(shutil.copytree(demo_trees, tmp_path_factory.mktemp("demo") / "copy"))


def thumbnail(image: Image.Image) -> fingerprint.Pixels:
    """What stands for ``image`` where it is hashed."""
    return np.asarray(image.convert("L").resize((64, 64), Image.Resampling.LANCZOS))


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Modification time and digest of everything below the two trees."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for tree in (demo.HAYSTACK, demo.NEEDLES)
        for path in (folder / tree).rglob("*")
    }


def test_a_seed_is_one_picture() -> None:
    """The same seed gives the same pixels, another seed others."""
    assert pictures.photo(7).tobytes() == pictures.photo(7).tobytes()
    assert pictures.photo(7).tobytes() != pictures.photo(8).tobytes()


def test_a_seed_is_one_scene_at_every_size() -> None:
    """Sizes differ by resampling only."""
    for seed in range(12):
        small, large = (thumbnail(pictures.photo(seed, size)) for size in ((240, 180), (640, 480)))
        assert pictures.photo(seed, (240, 180)).size == (240, 180)
        assert (fingerprint.check_hash(small) ^ fingerprint.check_hash(large)).bit_count() <= 8


@pytest.mark.slow
def test_scenes_lie_as_far_apart_as_photos() -> None:
    """No two seeds come near each other in either hash."""
    thumbnails = [thumbnail(pictures.photo(seed, (240, 180))) for seed in range(40)]
    short = [fingerprint.search_hash(pixels, "phash") for pixels in thumbnails]
    long = [fingerprint.check_hash(pixels) for pixels in thumbnails]
    assert min((a ^ b).bit_count() for a, b in itertools.combinations(short, 2)) > 14
    assert min((a ^ b).bit_count() for a, b in itertools.combinations(long, 2)) > 90


def test_a_patch_changes_its_share_of_the_picture() -> None:
    """A sibling differs in the area asked for, and the original stays as it was."""
    image = pictures.photo(3)
    before = image.tobytes()
    sibling = pictures.with_patch(image, 5, 0.02)
    changed = np.any(np.asarray(image) != np.asarray(sibling), axis=2).mean()
    assert image.tobytes() == before
    assert 0.015 < changed < 0.025


def test_exif_is_read_back() -> None:
    """Orientation and capture time survive; without a time there is none."""
    block = Image.Exif()
    block.load(pictures.exif(6, "2006:12:25 10:11:12"))
    assert block[0x0112] == 6
    assert block.get_ifd(0x8769)[0x9003] == "2006:12:25 10:11:12"
    block.load(pictures.exif())
    assert dict(block.get_ifd(0x8769)) == {}


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".png", ".webp", ".tif", ".heic"])
def test_saving_twice_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    """The format follows the suffix, folders are made, and nothing of the moment gets into the file."""
    first, second = tmp_path / f"a/b{suffix}", tmp_path / f"c{suffix}"
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    for path in (first, second):
        pictures.save(pictures.photo(1, (240, 180)), path)
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert image.size == (240, 180)


def test_expected_names_the_folders_built(built: Path) -> None:
    """Each folder of the backup has a verdict, and no other."""
    backup = built / demo.NEEDLES
    folders = {path.relative_to(backup).as_posix() for path in backup.rglob("*") if path.is_dir()}
    assert set(demo.expected()) == folders | {""}


def test_two_of_fourteen_folders_are_not_contained(built: Path) -> None:
    """The story that the README tells."""
    verdicts = demo.expected()
    top = sorted(path.name for path in (built / demo.NEEDLES).iterdir() if path.is_dir())
    assert len(top) == 14
    assert {name: verdicts[name] for name in top if verdicts[name] != "contained"} == {
        "12-25-2006 part 1": "partial",
        "MY_PIX": "missing",
    }
    assert set(verdicts.values()) <= {"contained", "review", "partial", "missing"}


def test_a_complete_demo_is_left_as_it_is(built: Path) -> None:
    """Building again writes nothing, also where somebody added a file of his own."""
    before = (built / demo.MARKER).stat().st_mtime_ns
    own = built / demo.NEEDLES / "own.txt"
    own.touch()
    demo.build(built)
    assert own.exists()
    own.unlink()
    assert (built / demo.MARKER).stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_damaged_demo_is_built_again_byte_for_byte(built: Path) -> None:
    """Two builds agree in names, times and bytes."""
    before = contents(built)
    (built / demo.NEEDLES / "MY_PIX" / "P1010001.JPG").unlink()
    demo.build(built)
    assert contents(built) == before


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """What was not built here stays: no marker, or one that says nothing."""
    photo = tmp_path / "Masters" / "mine.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"irreplaceable")
    for marker in (None, "", "[]", '{"recipe": 1}'):
        if marker is not None:
            (tmp_path / demo.MARKER).write_text(marker)
        with pytest.raises(demo.ForeignFolderError, match="not built here"):
            demo.build(tmp_path)
        assert photo.read_bytes() == b"irreplaceable"


def test_a_strange_file_in_an_old_demo_is_refused(tmp_path: Path) -> None:
    """An older build is not replaced when somebody keeps a file in it."""
    photo = tmp_path / "Masters" / "mine.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"irreplaceable")
    (tmp_path / demo.MARKER).write_text('{"recipe": "old", "files": ["Masters/other.jpg"]}')
    with pytest.raises(demo.ForeignFolderError, match=r"mine\.jpg was not built here"):
        demo.build(tmp_path)
    assert photo.read_bytes() == b"irreplaceable"


def test_a_linked_tree_is_refused(tmp_path: Path) -> None:
    """A link in the place of a tree is not followed into someone's folder."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / demo.HAYSTACK).symlink_to(tmp_path / "kept")
    (tmp_path / "demo" / demo.MARKER).write_text('{"recipe": "old", "files": []}')
    with pytest.raises(OSError, match="link"):
        demo.build(tmp_path / "demo")
    assert (tmp_path / "kept").is_dir()


def test_the_command(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is where; wrong usage and foreign folders exit with 2."""
    assert main([str(built)]) == 0
    assert capsys.readouterr().out == f"haystack: {built / 'Masters'}, needles: {built / 'Josie_Backup'}\n"
    (tmp_path / "mine.jpg").touch()
    assert main([str(tmp_path)]) == 2
    assert "left alone" in capsys.readouterr().err
    assert main(["--help"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
