"""What MkDocs is told of pages that lie elsewhere: README.md and its like become pages of the site.

On the forge these are read where they lie, so their links lead into ``docs/``, and those of the docs lead out of it.
Here all of them are made links between pages. See the hooks of MkDocs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "changes/README.md": "fragments-of-the-changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Paths from the project's folder, and the pages that they become."""
_LINK = re.compile(r"(?<=\]\()([^)#:\s]+)(?=[)#])")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of ``docs/``."""
    for path, page in _PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / path).read_text()))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Make links between files links between pages."""
    lies_at = next((path for path, name in _PAGES.items() if name == page.file.src_uri), f"docs/{page.file.src_uri}")
    depth = page.file.src_uri.count("/")

    def as_page(link: re.Match[str]) -> str:
        target = (ROOT / lies_at).parent / link[1]
        try:
            path = str(target.resolve().relative_to(ROOT))
        except ValueError:
            return link[1]
        if target.is_dir() and path == "docs/decisions":
            path = "docs/decisions/thumbnail.md"
        name = _PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        return link[1] if name is None else "../" * depth + name

    return _LINK.sub(as_page, markdown)
