"""Which cluster reads, as the options name it, and what is checked before anybody is asked. Light: loads no engine."""

from __future__ import annotations

import os
from typing import NamedTuple

from dupfind.errors import SettingsError, option_error


class Scheduler(NamedTuple):
    """Where a scheduler is, and by what it is trusted."""

    address: str
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


def make_scheduler(
    address: str | None, tls_ca: str | None, tls_cert: str | None, tls_key: str | None
) -> Scheduler | None:
    """Check how a cluster is reached; None where no address is given.

    A scheduler runs code for whoever reaches its port, and so does whoever answers in its place here: beyond this
    machine both have to prove who they are. Raises :class:`~dupfind.errors.SettingsError`.
    """
    files = {"--tls-ca": tls_ca, "--tls-cert": tls_cert, "--tls-key": tls_key}
    if address is None:
        if given := [name for name, path in files.items() if path is not None]:
            raise SettingsError(f"{given[0]} goes with --scheduler")
        return None
    scheme, host = _parts(address)
    if scheme == "tcp":
        if not _is_loopback(host):
            raise SettingsError(
                f"--scheduler {address}: who reaches that port can run code on every node and here; beyond this "
                "machine only tls:// is used, with --tls-ca, --tls-cert and --tls-key"
            )
        if given := [name for name, path in files.items() if path is not None]:
            raise SettingsError(f"{given[0]} goes with tls://, and the scheduler is at {address}")
        return Scheduler(address)
    for name, path in files.items():
        if path is None:
            raise option_error("--scheduler", f"{address} needs {name}")
        if not os.path.isfile(path):
            raise option_error(name, f"{path}: there is no such file")
    return Scheduler(address, tls_ca, tls_cert, tls_key)


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(address: str) -> tuple[str, str]:
    """Return scheme and host; raises :class:`~dupfind.errors.SettingsError` for what is no such address."""
    mistake = option_error("--scheduler", f"takes tls://HOST:PORT, or tcp://127.0.0.1:PORT, not {address}")
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        has_port = parts.port is not None
    except ValueError:
        raise mistake from None
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not has_port:
        raise mistake
    return parts.scheme, parts.hostname
