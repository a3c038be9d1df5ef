"""Names are compared in one form, whichever they are stored in."""

from __future__ import annotations

from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from dupfind.sources.normal_form import composed, folded


@given(st.text())
def test_forms_of_one_name_are_one(text: str) -> None:
    """Composed or decomposed, a name is the same; what is stored in neither way too."""
    for form in ("NFC", "NFD"):
        assert (composed(text), folded(text)) == (composed(normalize(form, text)), folded(normalize(form, text)))


@given(st.text())
def test_one_form_is_enough(text: str) -> None:
    """What is in this form stays as it is."""
    assert (composed(text), folded(text)) == (composed(composed(text)), folded(folded(text)))


def test_case_counts_only_where_a_pattern_is_typed() -> None:
    """A table is looked up in any case of letters, with any blanks, and without marks that nobody sees."""
    assert "Málaga" == composed("Ma\u0301laga")
    names = ["KÔŠ", " ko\u0302s\u030c ", "Koš\u200e", "STRASSE\u00a0 1", "\udcff"]
    assert ["kôš", "kôš", "koš", "strasse 1", "\udcff"] == [folded(name) for name in names]
