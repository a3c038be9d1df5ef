"""A builder of trees of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from fixtures import pictures

Content = bytes | Image.Image | None


def build_tree(folder: Path, contents: Mapping[str, Content]) -> Path:
    """Make files below ``folder`` from a mapping of relative paths; ``None`` makes an empty directory."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = folder / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            pictures.save(content, path)
    return folder


def own_homes(folder: Path) -> dict[str, str]:
    """The variables by which journals and the trash lie in the test's own folder."""
    return {"XDG_STATE_HOME": str(folder / "state"), "XDG_DATA_HOME": str(folder / "data")}
