"""The cache of a run with catalogs: of their files nothing is ever read."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from dupfind import session
from dupfind.cache.cache_schema import Recipe
from dupfind.cache.shelved_cache import ShelvedCache
from dupfind.catalog.catalog_file import CatalogFile
from dupfind.catalog.catalog_shelf import CatalogShelf
from dupfind.events import Silence
from dupfind.sources.roots import haystack_roots
from dupfind.values import Failure, FileEntry
from fixtures import pictures
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, collection, scanned, verdicts


def opened(catalog: Path, path: str | None = None) -> ShelvedCache:
    """With no cache of its own, but for ``path``."""
    recipe = partial(session.recipe, "phash", Silence())
    shelves = [CatalogShelf(root, recipe) for root in haystack_roots([str(catalog)])]
    return ShelvedCache(shelves, path, recipe)


def listed(catalog: Path) -> list[FileEntry]:
    """Its files as a run has them."""
    file = CatalogFile.for_reading(str(catalog))
    found = [entry._replace(path=os.path.join(catalog, path)) for path, (entry, _) in file.entries().items()]
    file.close()
    return sorted(found)


def test_everything_is_answered(tree: TreeBuilder, tmp_path: Path) -> None:
    """A digest for each file, a picture or a reason, hashes with it; of other files what the cache says."""
    catalog = tmp_path / "c"
    cataloged(collection(tree), catalog)
    other = FileEntry("/elsewhere/a.jpg", 1, 1, 1, 1)
    entries = [*listed(catalog), other]
    with opened(catalog) as cache:
        digests = list(cache.recall_digests(entries))
        contents = list(cache.recall_contents(entries))
        assert digests[-1] is None
        assert contents[-1].content is None
        assert all(isinstance(one, bytes) for one in digests[:-1])
        kinds = [type(one.content).__name__ for one in contents[:-1]]
        assert 3 == kinds.count("PictureRef")
        assert 2 == kinds.count("Failure")
        assert 3 == sum(one.hashes is not None for one in contents)
        ids = [one.content.id for one in contents[:-1] if not isinstance(one.content, Failure) and one.content]
        assert set(ids) == set(cache.thumbnails(ids))


def test_the_recipe_is_asked_for_once(tree: TreeBuilder, tmp_path: Path) -> None:
    """It names the version of every decoder: a millisecond, which was spent on each picture of a catalog."""
    catalog = tmp_path / "c"
    cataloged(collection(tree), catalog)
    asked = []

    def recipe() -> Recipe:
        asked.append(1)
        return session.recipe("phash", Silence())

    (root,) = haystack_roots([str(catalog)])
    shelf = CatalogShelf(root, recipe)
    assert 3 == sum(known.hashes is not None for known in shelf.contents(listed(catalog)))
    shelf.close()
    assert 1 == len(asked)


def test_what_it_does_not_know_is_not_read(tree: TreeBuilder, tmp_path: Path) -> None:
    """A file that was changed in the catalog meanwhile, one that is not in it: a failure, and no attempt."""
    catalog = tmp_path / "c"
    cataloged(collection(tree), catalog)
    (first, *_) = listed(catalog)
    strange = [first._replace(size_bytes=9), first._replace(path=str(catalog / "2006" / "none"))]
    with opened(catalog) as cache:
        found = [*cache.recall_digests(strange), *(one.content for one in cache.recall_contents(strange))]
        found += [cache.recall_whole(entry) for entry in strange]
    assert 6 == len(found)
    assert {"the catalog does not say what is in it: update it with dupfind index"} == {
        one.reason for one in found if isinstance(one, Failure) and not one.lasting
    }


def test_what_a_catalog_holds_is_not_put_into_the_cache(tree: TreeBuilder, tmp_path: Path) -> None:
    """With another algorithm, hashes are made of its thumbnails; nothing is decoded."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    needles = tree("needles", {})
    pictures.photo(1, (240, 180)).save(needles / "a.jpg", quality=60)
    pictures.photo(3, (2800, 2100)).save(needles / "p.jpg", quality=60)
    options = {"algorithm": "dhash", "no_cache": False, "cache": str(tmp_path / "o" / "c"), "quick": True}
    for _ in range(2):
        ears = Ears()
        report = scanned(catalog, needles, ears, **options)
        assert {("present", "same")} == set(verdicts(report).values())
        assert "decoding haystack" not in ears.stages


def test_closed_with_the_run(tree: TreeBuilder, tmp_path: Path) -> None:
    """Also where the run ends otherwise."""
    catalog = tmp_path / "c"
    cataloged(collection(tree), catalog)
    with pytest.raises(KeyboardInterrupt), opened(catalog) as cache:
        raise KeyboardInterrupt
    with pytest.raises(Exception, match="closed"):
        cache.thumbnails([1])
