"""Docstrings to Markdown for the page of the Python API: roles become code, examples become blocks.

An extension of griffe, which mkdocstrings reads the package with; only `make site` loads it.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr):`~?([\w.]+)`")


def as_markdown(docstring: str) -> str:
    """Write a docstring as Markdown has it: what follows the first prompt is an example, as everywhere here."""
    text = _ROLE.sub(lambda match: f"`{match[1].rpartition('.')[2]}`", docstring)
    before, prompt, example = text.partition(">>> ")
    return f"{before}```pycon\n{prompt}{example.rstrip()}\n```" if prompt else text


class Docstrings(Extension):  # type: ignore[misc]
    """Rewrites each docstring as it is loaded."""

    def on_object(self, *, obj: Object, **_: Any) -> None:  # noqa: ANN401 - griffe's own
        """Rewrite the docstring of a module, a class, a function or a value."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)
