"""While files are read: the pool that reads and the cache that remembers, opened and closed together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TypeVar

from dupfind import libraries, memory_limit, private_folder
from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Recipe
from dupfind.cache.shelved_cache import ShelvedCache, ShelvedSource
from dupfind.errors import CacheLostError
from dupfind.events import Listener
from dupfind.pool import tasks
from dupfind.pool.workers import Pool
from dupfind.private_folder import PrivateFolder
from dupfind.reading import Reader
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.settings import Settings
from dupfind.sources.roots import root_around

T = TypeVar("T")


def with_reader(run: Run, work: Callable[[Reading], T]) -> T:
    """Return what ``work`` gives; it runs once more with a new cache, or without one, where the cache fails."""
    settings, listener = run.settings, run.listener
    path = settings.cache
    _stand_somewhere()
    _remove_left_behind(run)
    with pool_of(settings, listener, run.make_executor) as pool:
        while True:
            try:
                with _cache(run, path, pool) as kept:
                    return work(Reading(run, Reader(settings, pool, kept, listener), kept))
            except CacheLostError as error:
                if not error.is_told:
                    listener.warn(str(error))
                path = path if error.is_gone else None


@contextmanager
def pool_of(settings: Settings, listener: Listener, make_executor: MakeExecutor | None = None) -> Iterator[Pool]:
    """Yield what reads files: processes of this machine, the nodes of the cluster that the settings
    name, or what ``make_executor`` makes.
    """
    if settings.scheduler is None or make_executor is not None:
        with Pool(settings.workers, make_executor, listener.worked, memory_bytes(settings)) as pool:
            yield pool
        return
    from dupfind.pool.cluster import Cluster  # brings the engine

    folders = [root.real for root in settings.roots if os.path.isdir(root.real)]
    with (
        Cluster(settings.scheduler, folders, listener.warn, settings.max_memory_bytes) as cluster,
        Pool(cluster.lanes, cluster.make_executor, listener.worked) as pool,
    ):
        yield pool


def _cache(run: Run, path: str | None, pool: Pool) -> Cache:
    settings, listener = run.settings, run.listener
    make_recipe = partial(recipe, settings.scan.algorithm, listener, pool, is_quick=settings.scan.quick)
    shelves = [
        source.shelf(make_recipe) for side in run.sources for source in side if isinstance(source, ShelvedSource)
    ]
    if shelves:
        return ShelvedCache(shelves, path, make_recipe, warn=listener.warn)
    return Cache(path, make_recipe, warn=listener.warn)


@contextmanager
def kept_for_the_run(settings: Settings) -> Iterator[Settings]:
    """Return settings by which what is read once in the block is known when it is asked for again, also without a
    cache.

    The cache of a run without one lies among the temporary files and goes with it; not where these lie below a root.
    """
    if settings.cache is not None:
        yield settings
        return
    with PrivateFolder() as folder:
        is_below_root = root_around(os.path.realpath(folder.path), settings.roots) is not None
        yield settings if is_below_root else replace(settings, cache=os.path.join(folder.path, "cache.sqlite"))


def _remove_left_behind(run: Run) -> None:
    """Remove private folders of runs that were killed, but nothing below a root, and nothing that holds one."""
    place = private_folder.usual_place()
    if folders := private_folder.left_behind(place):
        roots, mounts = run.settings.roots, run.mounts
        if root_around(os.path.join(place, "x"), roots, mounts) is None:
            spared = [root.real for root in roots] + [line.point for line in mounts.lines]
            private_folder.remove_left_behind(folders, spared)


def memory_bytes(settings: Settings) -> int:
    """Return what all processes that decode may take together."""
    return settings.max_memory_bytes or memory_limit.usual_bytes()


def _stand_somewhere() -> None:
    """Leave a working directory that is gone, which no new process could be told; every path is absolute by now."""
    try:
        os.getcwd()
    except OSError:
        os.chdir(os.sep)


def whole_recipe(algorithm: str, listener: Listener) -> str:
    """Name everything outside this program that has a part in findings on pictures; loads the decoders."""
    import numpy as np

    return "\n".join([*recipe(algorithm, listener).texts(), f"numpy {np.__version__}"])


def recipe(algorithm: str, listener: Listener, pool: Pool | None = None, *, is_quick: bool = False) -> Recipe:
    """Name what thumbnails and hashes are made by; each is made when there is any, since the decoders load slowly.

    A process of ``pool`` has loaded them anyway, and is asked where there is one. Thumbnails that are the last word
    (``is_quick``) are judged by other rules.
    """
    texts = _Texts(algorithm, pool, is_quick=is_quick)

    def made(name: str) -> str:
        with listener.part("start-up"):
            text: str = getattr(texts, name)()
            return text

    return Recipe(*(partial(made, name) for name in Recipe.__annotations__))


class _Texts:
    """Makes the texts of a recipe; each loads what it names."""

    def __init__(self, algorithm: str, pool: Pool | None, *, is_quick: bool) -> None:
        self._algorithm = algorithm
        self._pool = pool
        self._is_quick = is_quick

    @cached_property
    def _decoders(self) -> tuple[str, str]:
        """The number of our way of decoding, and the versions of the decoders."""
        return self._told(tasks.decoders)

    @cached_property
    def _hashing(self) -> str:
        """The version of the way from thumbnail to hash."""
        return self._told(tasks.hashing)

    def _told(self, task: Callable[[], T]) -> T:
        return (None if self._pool is None else self._pool.ask(task)) or task()

    @cached_property
    def _films(self) -> str:
        return libraries.film_libraries()

    def thumbnails(self) -> str:
        return ", ".join(self._decoders)

    def hashes(self) -> str:
        return f"{self._algorithm} {self._hashing}"

    def rules(self) -> str:
        from dupfind.evidence import evidence

        return f"rules {evidence.RECIPE}{' of thumbnails alone' if self._is_quick else ''}"

    def comparison(self) -> str:
        from dupfind.evidence import full_size

        return f"full size {full_size.RECIPE}, {', '.join(self._decoders)}"

    def image_data(self) -> str:
        from dupfind.pictures import image_data

        return f"image data {image_data.RECIPE}, {self._decoders[1]}"

    def film_data(self) -> str:
        from dupfind.pictures import film_data

        return f"film data {film_data.RECIPE}, {self._films}"

    def film_print(self) -> str:
        from dupfind.pictures import film_frames

        return f"film print {film_frames.RECIPE}, {self._hashing}, {self._films}"

    def film_comparison(self) -> str:
        from dupfind.evidence import film_likeness
        from dupfind.pictures import film_frames
        from dupfind.search import frame_runs

        return f"films {film_likeness.RECIPE}, {film_frames.RECIPE}, {frame_runs.RECIPE}, {self._films}"

    def fragments(self) -> str:
        from dupfind.evidence import fragments
        from dupfind.pictures import keypoints
        from dupfind.pool import fragments as of_fragments

        by_parts = f"{of_fragments.RECIPE}.{keypoints.RECIPE}.{fragments.RECIPE}"
        return f"fragments {by_parts}, {', '.join(self._decoders)}, {libraries.fragment_library()}"

    def parts(self) -> str:
        import numpy as np

        from dupfind.matching import part_memory

        return f"parts {part_memory.RECIPE}, numpy {np.__version__}, {self.fragments()}"

    def first_looks(self) -> str:
        from dupfind.pictures import embedded_preview

        of_decode, versions = self._decoders
        return f"preview {embedded_preview.RECIPE}, {of_decode}, {self._algorithm} {self._hashing}, {versions}"
