"""Hard pairs for the docs: pictures that look alike and are not the same, made from seeds alone.

``python -m docs.images`` draws each pair side by side into ``docs/images``; :mod:`docs.generate` scans the same pairs
and writes what dupfind says of them. Tells nothing of what the right answer is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from fixtures import documents, pictures

FOLDER = Path(__file__).parent / "images"
_SCENE = 31
_GAP = 8
_HEIGHT = 300


def _with_ball(seed: int) -> Image.Image:
    """A table with one ball more; where it lies depends on ``seed``."""
    return pictures.with_patch(pictures.photo(_SCENE, (1280, 960)), seed, 0.005)


PAIRS: dict[str, Callable[[], tuple[Image.Image, Image.Image]]] = {
    "a ball moved": lambda: (_with_ball(12), _with_ball(63)),
    "another amount": lambda: (documents.form(10), documents.form(11)),
    "another message": lambda: (documents.chat(2, dark=True), documents.chat(3, dark=True)),
}
"""What differs, and how to make the two pictures: what the collection holds, and what the old copy holds."""


def side_by_side(what: str) -> Image.Image:
    """The two pictures of a pair, small and next to each other."""
    small = [image.resize((image.width * _HEIGHT // image.height, _HEIGHT)) for image in PAIRS[what]()]
    both = Image.new("RGB", (sum(image.width for image in small) + _GAP, _HEIGHT), "white")
    both.paste(small[0], (0, 0))
    both.paste(small[1], (small[0].width + _GAP, 0))
    return both


def file_of(what: str) -> Path:
    """Where the picture of a pair is kept."""
    return FOLDER / f"{what.replace(' ', '-')}.jpg"


def build_trees(folder: Path) -> None:
    """Put the pairs into two trees below ``folder``, as PNG."""
    for what, make in PAIRS.items():
        for tree, image in zip(("Collection", "Old copy"), make(), strict=True):
            pictures.save(image, folder / tree / f"{what}.png")


def main() -> None:
    """Draw all pairs."""
    FOLDER.mkdir(exist_ok=True)
    for what in PAIRS:
        pictures.save(side_by_side(what), file_of(what), optimize=True)


if __name__ == "__main__":
    main()
