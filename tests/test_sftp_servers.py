"""SFTP on both sides: the answer is that of folders, and whatever a server does, nothing is contained wrongly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("asyncssh", reason="the extra sftp is not installed")

import asyncssh

from dupfind import pipeline
from dupfind.buckets import sftp as sftp_store
from dupfind.buckets.sftp import SftpStore
from dupfind.buckets.store import Listed, State, Trouble
from dupfind.errors import ServerError, SettingsError
from dupfind.settings import Settings, make_settings
from dupfind.sources.bucket_roots import Address
from dupfind.values import Report
from tests.helpers.archives import zipped
from tests.helpers.photo_sides import DISK, HAY, NEEDLES, OLD, build
from tests.helpers.scans import one_thread
from tests.helpers.sftp import Sftp


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sftp]:
    """A server that shows both sides, of another time each."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr("dupfind.buckets.store.PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("dupfind.run.read_mounts", lambda: DISK)
    build(tmp_path / "shown" / "hay", HAY)
    build(tmp_path / "shown" / "needles", NEEDLES, OLD + 10**7)
    with Sftp(tmp_path / "shown", home) as server:
        yield server


def settings(haystack: str, needles: str, **options: Any) -> Settings:
    """Settings of a scan of these."""
    options = {"no_cache": True, "workers": 1, **options}
    return make_settings(haystack=[haystack], needles=[needles], may_be_servers=True, **options)


def scan(sftp: Sftp, haystack: str = "hay", needles: str = "needles", **options: Any) -> Report:
    """Scan in this process; what is not absolute is a folder of the server."""
    sides = [side if side.startswith("/") else f"{sftp.url}/{side}" for side in (haystack, needles)]
    return pipeline.scan(settings(*sides, **options), make_executor=one_thread)


def states(report: Report) -> dict[str, str]:
    """The verdict on each file, by its last names."""
    return {"/".join(file.path.split("/")[-2:]): file.state.value for file in report.files}


def folders(report: Report) -> dict[str, str]:
    """The verdict on each folder, by its last name."""
    return {folder.path.rpartition("/")[2]: folder.state.value for folder in report.folders}


def reasons(report: Report) -> dict[str, str]:
    """What went wrong, by the last name."""
    return {problem.path.rpartition("/")[2]: problem.reason for problem in report.problems}


def test_the_verdicts_are_those_of_folders(sftp: Sftp, tmp_path: Path) -> None:
    """Whichever side is a server; what went over the network is told."""
    hay, needles = str(build(tmp_path / "h", HAY, OLD + 10**6)), str(build(tmp_path / "n", NEEDLES, OLD + 2 * 10**6))
    expected = states(scan(sftp, hay, needles))
    assert "contained" == folders(scan(sftp, hay, needles))["all"]
    for sides in (("hay", "needles"), (hay, "needles"), ("hay", needles)):
        report = scan(sftp, *sides)
        assert expected == states(report)
        assert "contained" == folders(report)["all"]
        assert all(one.requests and one.bytes_read and one.objects in (4, 5) for one in report.buckets)


def test_links_and_names(sftp: Sftp) -> None:
    """A link is not followed and a gap; a name that is no UTF-8 is read like any other; denied folders are told of."""
    folder = sftp.folder / "needles"
    (folder / "all" / "link").symlink_to("notes.txt")
    (Path(os.fsdecode(os.fsencode(folder / "raw") + b"\xff"))).write_bytes(b"words")
    (folder / "no").mkdir()

    def deny(name: str, path: str) -> None:
        if (name, path.endswith("/no")) == ("scandir", True) or path.rstrip("/").endswith("needles/no"):
            raise asyncssh.SFTPPermissionDenied("no")

    sftp.fault = deny
    report = scan(sftp)
    assert {"link": "symbolic link: not followed", "no": "cannot read the folder: access denied"} == {
        name: reason for name, reason in reasons(report).items() if name in ("link", "no")
    }
    assert "present" == states(report)[os.fsdecode(b"needles/raw\xff")]
    assert "contained" not in folders(report).values()


@pytest.mark.slow
def test_archives(sftp: Sftp) -> None:
    """Those of the needles are looked into; what is in one of a haystack proves nothing."""
    packed = zipped({"a.jpg": HAY["2006/a.jpg"], "notes.txt": b"words"}, zipfile.ZIP_DEFLATED)
    build(sftp.folder / "needles", {"all/a.zip": packed}, OLD + 10**7)
    report = scan(sftp, archives="both")
    assert "contained" == folders(report)["a.zip"]
    assert "missing" == states(scan(sftp, "needles/part", "hay/2007", archives="both"))["2007/notes.txt"]
    build(sftp.folder / "needles", {"part/a.zip": packed}, OLD + 10**7)
    assert "missing" == states(scan(sftp, "needles/part", "hay/2007", archives="both"))["2007/notes.txt"]


def test_a_file_that_changes_after_the_listing(sftp: Sftp, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is seen by its time, before and after it is read."""
    real = pipeline.find_matches

    def change_and_find(*values: Any, **options: Any) -> Any:
        build(sftp.folder / "hay", {"2007/notes.txt": b"sdrow"}, OLD + 5)
        return real(*values, **options)

    monkeypatch.setattr(pipeline, "find_matches", change_and_find)
    report = scan(sftp)
    assert ("missing", "changed while it was read") == (states(report)["all/notes.txt"], reasons(report)["notes.txt"])


def test_a_file_that_changes_while_it_is_read(sftp: Sftp) -> None:
    """What was read of it is worth nothing."""

    def change(name: str, path: str) -> None:
        if name == "read" and "hay/2007/notes" in path:
            build(sftp.folder / "hay", {"2007/notes.txt": b"words"}, OLD + 5)

    sftp.fault = change
    report = scan(sftp)
    assert ("missing", "changed while it was read") == (states(report)["all/notes.txt"], reasons(report)["notes.txt"])


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("change", ["gone", "changed"])
def test_the_final_check(sftp: Sftp, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """A witness that is not any more what was listed proves nothing."""
    real = pipeline.find_matches

    def find_and_change(*values: Any, **options: Any) -> Any:
        findings = real(*values, **options)
        if change == "gone":
            (sftp.folder / "hay/2007/notes.txt").unlink()
        else:
            build(sftp.folder / "hay", {"2007/notes.txt": b"words"}, OLD + 5)
        return findings

    monkeypatch.setattr(pipeline, "find_matches", find_and_change)
    report = scan(sftp)
    assert "missing" == states(report)["all/notes.txt"]
    assert "partial" == folders(report)["all"]


@pytest.mark.slow
def test_connections_that_break(sftp: Sftp) -> None:
    """Once, and it is asked again; each time, and the file is a problem."""
    left = [1]

    def cut(name: str, path: str) -> None:
        if name == "read" and "notes" in path and left[0]:
            left[0] -= 1
            sftp.cut()

    sftp.fault = cut
    assert "present" == states(scan(sftp))["all/notes.txt"]
    left[0] = 10**6
    report = scan(sftp)
    assert ("missing", "cannot be read: the connection broke off, or there is none") == (
        states(report)["all/notes.txt"],
        reasons(report)["notes.txt"],
    )


@pytest.mark.parametrize(("size", "is_listed"), [(5, True), (1 << 63, False), (None, False)])
def test_a_size_that_no_file_has(size: int | None, is_listed: bool) -> None:
    """It is told of and not looked at: no report and no cache could hold it."""
    attributes = asyncssh.SFTPAttrs(size=size, permissions=stat.S_IFREG | 0o600, mtime=1 << 40)
    expected = Listed("/a/b", State(5, 0)) if is_listed else Trouble("/a/b", "not a regular file of a known size")
    assert expected == sftp_store._item("/a/", "b", attributes)


@pytest.mark.slow
def test_a_server_that_says_nothing(sftp: Sftp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each silence takes minutes: after so many in a row it is asked about no further file."""
    monkeypatch.setattr("dupfind.buckets.sftp.SILENCE_SECONDS", 0.2)
    monkeypatch.setattr("dupfind.buckets.store.MOST_FAILURES", 2)
    store = SftpStore(Address("sftp", "127.0.0.1", sftp.port, "me", "hay"), lambda *_: None)
    assert 4 == len(list(store.list()))
    sftp.fault = lambda name, _: asyncio.sleep(1) if name == "lstat" else None
    try:
        for reason in ("takes too long", "takes too long", "is not asked any more"):
            with pytest.raises(OSError, match=reason):
                store.look("/hay/c.jpg")
    finally:
        store.close()


@pytest.mark.slow
def test_a_file_without_an_end(sftp: Sftp) -> None:
    """Nothing beyond the listed size is taken, and a server that gives more than it was asked for is not believed."""
    sftp.fault = lambda name, path: b"words and words" if name == "read" and "notes" in path else None
    report = scan(sftp)
    assert "missing" == states(report)["all/notes.txt"]
    assert all(one.bytes_read < 10**6 for one in report.buckets)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("turned", [False, True])
def test_nothing_proves_itself(sftp: Sftp, tmp_path: Path, turned: bool) -> None:
    """The folder that this machine shows, on its disk and by the server; a link to it, on the server."""
    here = str(sftp.folder / "needles")
    sides = ("needles", here) if turned else (here, "needles")
    assert "present" not in states(scan(sftp, *sides)).values()
    said = f"{sftp.url}/needles"
    assert {"present"} == set(states(scan(sftp, *sides, elsewhere=[said])).values())
    (sftp.folder / "link").symlink_to("needles")
    assert "present" not in states(scan(sftp, "link", "needles")).values()
    with pytest.raises(SettingsError, match="are the same folder"):
        scan(sftp, "hay", "hay")


@pytest.mark.slow
def test_nothing_is_remembered(sftp: Sftp, tmp_path: Path) -> None:
    """A time in whole seconds and a size may be those of another content."""
    options: dict[str, Any] = {"no_cache": False, "cache": str(tmp_path / "cache.sqlite")}
    assert "present" == states(scan(sftp, **options))["all/notes.txt"]
    build(sftp.folder / "needles", {"all/notes.txt": b"other"}, OLD + 10**7)
    assert "missing" == states(scan(sftp, **options))["all/notes.txt"]


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("name", ["{}.txt", ".", "{}/"])
def test_a_listing_without_an_end(sftp: Sftp, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """New files for ever, the folder itself for ever, folders in folders in each folder: a limit ends the run."""
    monkeypatch.setattr("dupfind.buckets.store.MOST_LISTED", 300)
    kind = stat.S_IFDIR if name.endswith("/") else stat.S_IFREG

    async def names() -> AsyncIterator[asyncssh.SFTPName]:
        for number in range(2000 if kind == stat.S_IFREG else 2 * (len(sftp.asked) < 2000)):
            attributes = asyncssh.SFTPAttrs(size=5, permissions=kind | 0o700, mtime=OLD)
            yield asyncssh.SFTPName(name.rstrip("/").format(number).encode(), attrs=attributes)

    sftp.fault = lambda asked, path: names() if asked == "scandir" and path.startswith("/needles") else None
    monkeypatch.setattr(asyncssh.SFTPServer, "format_longname", lambda *_: None)
    with pytest.raises(ServerError) as error:
        scan(sftp)
    reason = "it has more than 300 objects and folders, or has no end: name folders of it instead"
    assert f"{sftp.url}/needles cannot be listed: {reason}" == str(error.value)


def test_a_folder_in_itself(sftp: Sftp, monkeypatch: pytest.MonkeyPatch) -> None:
    """By ever longer paths: somewhere it ends, and no folder around that is contained."""
    monkeypatch.setattr("dupfind.buckets.names.MOST_DEPTH", 6)

    async def names() -> AsyncIterator[asyncssh.SFTPName]:
        for name, kind in ((b"notes.txt", stat.S_IFREG), (b"again", stat.S_IFDIR)):
            yield asyncssh.SFTPName(
                name, attrs=asyncssh.SFTPAttrs(size=5, permissions=kind | 0o700, atime=OLD, mtime=OLD + 10**7)
            )

    def show(asked: str, path: str) -> object:
        if not path.startswith("/needles"):
            return None
        notes = sftp.folder / "needles/all/notes.txt"
        answers = {"scandir": names, "lstat": notes.lstat, "open": partial(open, notes, "rb", buffering=0)}
        return answers.get(asked, lambda: None)()

    sftp.fault = show
    monkeypatch.setattr(asyncssh.SFTPServer, "format_longname", lambda *_: None)
    report = scan(sftp)
    assert "a folder that lies too deep: not looked into" == reasons(report)["again"]
    assert {"present"} == set(states(report).values())
    assert 6 == len(report.folders)
    assert "contained" not in folders(report).values()


def test_a_server_that_is_not_known(sftp: Sftp) -> None:
    """It is not spoken with; nor is one that accepts no key, or is not there."""
    known = sftp.known.read_bytes()
    sftp.known.write_bytes(b"")
    with pytest.raises(ServerError, match="cannot be listed: its host key is not the one in known_hosts"):
        scan(sftp)
    assert [] == sftp.asked
    sftp.known.write_bytes(known)
    with pytest.raises(ServerError, match="nothing/here cannot be listed: it is no longer there"):
        scan(sftp, "nothing/here")
    (sftp.known.parent / "id_ed25519").unlink()
    with pytest.raises(ServerError, match="it accepts none of your keys"):
        scan(sftp)


SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
SERVERS = "/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server"
SUBSYSTEM = next(filter(os.path.exists, SERVERS), "")


@pytest.mark.slow
@pytest.mark.skipif(not (SSHD and SUBSYSTEM and os.geteuid() == 0), reason="no sshd that could be started here")
def test_openssh(sftp: Sftp, tmp_path: Path) -> None:
    """The server that most have, asked by the real program in processes of its own."""
    os.makedirs("/run/sshd", exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "host")
    os.chmod(tmp_path / "host", 0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "ListenAddress": f"127.0.0.1:{port}", "HostKey": tmp_path / "host", "PidFile": "none", "UsePAM": "no",
        "AuthorizedKeysFile": sftp.known.parent / "allowed", "StrictModes": "no", "Subsystem": f"sftp {SUBSYSTEM}",
    }  # fmt: skip
    (tmp_path / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    known = b"[127.0.0.1]:%d %s" % (port, key.export_public_key())
    sftp.known.write_bytes(sftp.known.read_bytes() + b"\n" + known)
    assert SSHD is not None
    server = subprocess.Popen([SSHD, "-D", "-f", str(tmp_path / "sshd_config")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        url = f"sftp://root@127.0.0.1:{port}{sftp.folder}"
        said = ["--elsewhere", f"{url}/hay", "--elsewhere", f"{url}/needles"]
        command = [sys.executable, "-m", "dupfind", "scan", "--haystack", f"{url}/hay", f"{url}/needles", "--no-cache"]
        done = subprocess.run([*command, *said, "--format", "json"], capture_output=True, check=False, timeout=100)
        told = json.loads(done.stdout)
    finally:
        server.terminate()
        server.wait(10)
    assert 1 == done.returncode
    assert {"all": "contained", "part": "missing", "needles": "partial"} == {
        folder["path"].rpartition("/")[2]: folder["verdict"] for folder in told["folders"]
    }
    assert [5, 4] == [one["objects"] for one in told["buckets"]]
