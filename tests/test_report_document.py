"""The document around a page: a policy that names what it holds, and data that cannot become anything else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.report import document

DATA = st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@pytest.mark.slow
@given(DATA)
def test_embedded_data_is_what_it_was(value: Any) -> None:
    """And holds no character by which a browser would leave the block."""
    text = document.embedded(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029\n") & set(text)


def test_the_policy_names_what_the_page_holds() -> None:
    """The hashes are those of the style and of the script as they stand in it; nothing comes from elsewhere."""
    scripts = ("common.js", "tree.js", "scan.js")
    context = {"title": "</title><script>", "version": "1", "keys": [], "headline": "<b>", "left_out": ["<i>"]}
    page = document.render("base.html.j2", scripts, context, {"a": "</script>"}, ["AA=="]).decode()
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    for text in (style, script):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; img-src data: blob:; media-src file:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page
    assert page.count("<script") == 3
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page)
    assert "@import" not in style
    assert "url(" not in style


NAMES = [
    "a.jpg", "a b.jpg", "it's.jpg", "a\nb\t.jpg", "\u202egpj.jpg", "caf\xe9 写.jpg", "\udcff\udcfea.jpg", "$(x)`y`\\",
    "-n\x1b[31m",
]  # fmt: skip


@pytest.mark.parametrize("path", NAMES)
def test_a_quoted_path_is_the_path(path: str) -> None:
    """To a shell, byte for byte; and whoever reads it sees all of it."""
    quoted = document.quoted(path)
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert done.stdout == path.encode("utf-8", "surrogateescape")
    assert document.shown(quoted) == quoted


def test_what_is_shown_hides_nothing() -> None:
    """Bytes that are no text get the sign for that."""
    assert document.shown("a\udcff\n\u202e") == "a\ufffd\\n\\u202e"
