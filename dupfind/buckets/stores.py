"""The stores of this process, each made when it is first asked for; the only place that knows which kinds there are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from dupfind.buckets.store import Store
from dupfind.buckets.traffic import Counter
from dupfind.errors import SettingsError
from dupfind.sources.bucket_roots import Address

_stores: dict[tuple[int, Address, str], Store] = {}
_lock = threading.RLock()  # who collects garbage may be closing a store while this thread makes one


def store_of(address: Address, counts: str) -> Store:
    """Return this process's store of an address, made when it is first asked for; it counts in the folder ``counts``.

    Raises :class:`~dupfind.errors.SettingsError` where its extra is not installed, ``ServerError`` where what the
    environment says of it cannot be used.
    """
    place = os.getpid(), address, counts
    with _lock:
        if place not in _stores:
            _stores[place] = _make(address, Counter(counts))
        return _stores[place]


def forget_store(address: Address, counts: str) -> None:
    """Close such a store, if this process has made one: the next run may find another environment."""
    with _lock:
        store = _stores.pop((os.getpid(), address, counts), None)
    if store is not None:
        store.close()


def _make(address: Address, count: Callable[[int, int], None]) -> Store:
    extra = {"s3": "s3", "sftp": "sftp"}.get(address.scheme, "webdav")
    try:
        if extra == "s3":
            from dupfind.buckets.s3 import S3Store

            return S3Store(address, count)
        if extra == "sftp":
            from dupfind.buckets.sftp import SftpStore

            return SftpStore(address, count)
        from dupfind.buckets.webdav import WebdavStore

        return WebdavStore(address, count)
    except ImportError as error:
        raise SettingsError(f"{address.url} is read with the extra {extra}: pip install 'dupfind[{extra}]'") from error
