"""Reading on a cluster: the same answer, and every promise on each node; with a real scheduler and real nodes."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dupfind import memory_limit, scheduler
from dupfind.archives import members
from dupfind.archives.scratch import ScratchFile
from dupfind.errors import ClusterError, SettingsError
from dupfind.immich.immich_source import AssetEntry
from dupfind.immich.immich_source import Place as AssetPlace
from dupfind.pool import cluster as door
from dupfind.pool import node
from dupfind.pool.bounded import bounded
from dupfind.pool.cluster import Cluster
from dupfind.pool.process_executor import DiedError
from dupfind.pool.processes import WATCHDOG_EXIT
from dupfind.pool.worker import run_chunk
from dupfind.pool.workers import Pool
from dupfind.scheduler import Scheduler, make_scheduler
from dupfind.values import FileEntry
from fixtures import pictures
from tests.helpers.archives import tarred
from tests.helpers.clusters import Nodes, cluster, freeze
from tests.helpers.labour import Item, end_as_the_watchdog, where, work
from tests.helpers.places import ROOT
from tests.helpers.shelf import TreeBuilder

pytest.importorskip("distributed", reason="the extra cluster is not installed")
psutil = pytest.importorskip("psutil", reason="the extra cluster is not installed")

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A cluster of two nodes that no test harms."""
    with cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


def opened(nodes: Nodes, warnings: list[str] | None = None, **options: Any) -> Cluster:
    """Connect, once all nodes that were started are there."""
    made = Cluster(Scheduler(nodes.address), options.pop("roots", []), (warnings or []).append, **options)
    made._client.wait_for_workers(len(nodes.nodes), timeout=90)
    return made


def run(pool: Pool, items: Iterable[Item], size_bytes: int = 1) -> list[tuple[Item, Any]]:
    """Everything that ``map`` gives, the lost ones as ``"lost"``, sorted."""
    found = pool.map(work, items, size_bytes=lambda _: size_bytes, lost=lambda item, death: "lost")
    return sorted(found, key=lambda pair: pair[0])


@pytest.mark.slow
def test_each_item_once_whatever_happens_to_its_process(shared: Nodes) -> None:
    """A decoder that crashes or is killed costs its own file only; the nodes live on."""
    items = [("double", number) for number in range(40)] + [("exit", 1), ("exit", 2), ("kill", 3)]
    with opened(shared) as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
        expected = sorted((item, item[1] * 2 if item[0] == "double" else "lost") for item in items)
        assert expected == run(pool, items)
        parents = {parent for _, parent in run(pool, [("parent", n) for n in range(40)])}
        assert os.getpid() not in parents
    assert [None, None] == [process.poll() for process in shared.nodes]


@pytest.mark.slow
def test_what_hangs_is_ended_by_its_process(shared: Nodes) -> None:
    """The hard time limit is kept on the node; the rest goes on."""
    with opened(shared) as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
        assert [(("double", 1), 2), (("stuck", 0), "lost")] == run(pool, [("stuck", 0), ("double", 1)])


@pytest.mark.slow
@pytest.mark.skipif(not memory_limit.IS_HELD, reason="this system does not limit the memory of a process")
def test_memory_is_dealt_out_on_each_node(shared: Nodes) -> None:
    """What fits into no share is tried alone with all of it; what does not fit there either is lost."""
    items = [("eat", 100), ("eat", 600), ("eat", 2000)]
    with opened(shared, most_bytes=1 << 30) as nodes:
        nodes._good = dict.fromkeys(nodes._good, 2)  # as if each had two lanes
        with Pool(2, nodes.make_executor) as pool:
            assert [(items[0], 100), (items[1], 600), (items[2], "lost")] == run(pool, items)


def test_a_mistake_in_a_task_is_an_error_and_no_hang(shared: Nodes) -> None:
    """With its own text, even where it cannot be sent."""
    message = "a node failed: ValueError: 5"
    with opened(shared) as nodes, Pool(1, nodes.make_executor) as pool, pytest.raises(ClusterError, match=message):
        run(pool, [("raise", 5)])


@pytest.mark.slow
def test_a_node_that_dies_costs_only_time(tmp_path: Path) -> None:
    """Its chunks are done by the other one, as are those of a node that comes later."""
    items = [("nap", number) for number in range(60)]
    with cluster(tmp_path / "c") as started, opened(started) as nodes:
        threading.Timer(1.0, started.nodes[0].kill).start()
        with Pool(nodes.lanes, nodes.make_executor) as pool:
            assert [(item, item[1] * 2) for item in sorted(items)] == run(pool, items, 1 << 23)
            started.add()
            threading.Timer(0.5, started.nodes[1].kill).start()
            assert [(item, item[1] * 2) for item in sorted(items)] == run(pool, items, 1 << 23)


@pytest.mark.slow
def test_a_node_that_hangs_is_named_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others do the work."""
    monkeypatch.setattr(door, "_PROBE_SECONDS", 3.0)
    warnings: list[str] = []
    with cluster(tmp_path / "c") as started:
        made = Cluster(Scheduler(started.address), [], warnings.append)
        made._client.wait_for_workers(2, timeout=90)
        freeze(started.nodes[0])
        with made as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
            assert 1 == nodes.lanes
            assert [(("double", number), number * 2) for number in range(9)] == run(
                pool, [("double", number) for number in range(9)]
            )
    assert 1 == len(warnings)
    assert warnings[0].endswith("is not used: it cannot tell what it has: it does not answer")


def decoders(process: subprocess.Popen[bytes]) -> set[int]:
    """The processes below a node that read files: those that its server of processes has forked."""
    node_process = psutil.Process(process.pid)
    return {grandchild.pid for child in node_process.children() for grandchild in child.children()}


def soon(is_so: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.1)
    return is_so()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked by a server on Linux only")
def test_no_process_stays_on_a_node(tmp_path: Path) -> None:
    """Those that have nothing to do are ended with the run, and the nodes have nothing to complain of."""
    with cluster(tmp_path / "c", 1) as started:
        with opened(started) as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
            run(pool, [("double", 1)])
            assert decoders(started.nodes[0])
        assert soon(lambda: not decoders(started.nodes[0]), node._IDLE_SECONDS / 2)
        assert "Traceback" not in (tmp_path / "c" / "worker0.log").read_text()


@pytest.mark.slow
def test_a_process_that_comes_free_after_the_goodbye_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody will say it again: it may wait for so long."""
    monkeypatch.setattr(node, "_IDLE_SECONDS", 0.5)
    asyncio.run(node.rest())
    share = node.Share(1, None, is_single=False)
    assert node.DONE == node.run(pickle.dumps((os.getpid, ())), share).how
    (executor, _), *_ = node._IDLE
    again = node.run(pickle.dumps((os.getpid, ())), share)
    assert again.content == pickle.dumps(executor.pid, pickle.HIGHEST_PROTOCOL), "it is used as long as there is work"
    assert soon(lambda: not node._IDLE and not psutil.pid_exists(executor.pid or 0))
    assert soon(lambda: not node._WATCH.is_on)
    assert node.DONE == node.run(pickle.dumps((os.getpid, ())), share).how
    assert soon(lambda: not node._IDLE)


def test_what_had_all_its_time_is_not_tried_again(tmp_path: Path) -> None:
    """It would take as long again, and nothing else would run on the node meanwhile."""
    tries = tmp_path / "tries"
    message = pickle.dumps((end_as_the_watchdog, ([str(tries)],)))
    assert (node.DIED, WATCHDOG_EXIT) == node.run(message, node.Share(1, None, is_single=True))
    assert 1 == tries.stat().st_size


@pytest.mark.slow
def test_a_result_that_was_missed_is_taken_later(shared: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine tells of each once; where the connection failed just then, nobody waits for ever."""
    missed: set[int] = set()
    take = Cluster._take

    def miss_once(self: Cluster, number: int, remote: Any) -> None:
        if number in missed:
            take(self, number, remote)
        missed.add(number)

    monkeypatch.setattr(Cluster, "_take", miss_once)
    with opened(shared) as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
        assert [(("double", 1), 2)] == run(pool, [("double", 1)])
    assert missed


@pytest.mark.slow
@pytest.mark.parametrize(
    "who", [*(pytest.param(who, marks=pytest.mark.slow) for who in ("scheduler", "frozen")), "nodes"]
)
def test_a_cluster_that_is_gone_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """With one line; nothing waits for ever."""
    monkeypatch.setattr(door, "_LOST_SECONDS", 3.0)
    with cluster(tmp_path / "c", 1) as started, opened(started) as nodes:
        for process in started.nodes if who == "nodes" else [started.scheduler]:
            threading.Timer(1.0, partial(freeze, process) if who == "frozen" else process.kill).start()
        message = {"scheduler": "is gone|does not answer", "frozen": "does not answer"}.get(
            who, "has no node left|is gone"
        )
        with Pool(nodes.lanes, nodes.make_executor) as pool, pytest.raises(ClusterError, match=message):
            run(pool, [("nap", number) for number in range(400)], 1 << 23)


@pytest.mark.slow
def test_without_a_good_node_a_task_waits(shared: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the engine no node would mean any node: those too that were refused."""
    monkeypatch.setattr(door, "_LOOK_SECONDS", 600.0)  # the watch rests
    with opened(shared) as nodes:
        good, nodes._good = nodes._good, {}
        future = nodes.submit(os.getpid, ())
        time.sleep(1)
        assert not future.done()
        nodes._look_after_tasks()
        assert not future.done()
        nodes._good = good
        nodes._look_after_tasks()
        assert future.result(60) != os.getpid()


def test_what_cannot_be_understood_ends_its_task() -> None:
    """A node is no reason to wait for ever."""
    for content in (b"no pickle", pickle.dumps(os.getpid)[:-3]):
        future: Future[Any] = Future()
        door._settle(future, node.Outcome(node.DONE, content))
        with pytest.raises(ClusterError, match="a node failed: "):
            future.result(0)


@pytest.mark.slow
def test_a_scheduler_without_workers(tmp_path: Path, dupfind: Run, tree: TreeBuilder) -> None:
    """It is said that there are none, and nothing else is: the engine has loggers of its own."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"a.txt": b"1"})
    with cluster(tmp_path / "c", 0) as started:
        words = "scan", "--haystack", "hay", "needles", "--no-cache", "--scheduler", started.address
        done = dupfind(*words)
        assert (2, b"") == (done.returncode, done.stdout)
        assert f"dupfind: no worker is connected to the scheduler {started.address}" == done.stderr.decode().strip()


def test_the_engine_says_nothing_itself() -> None:
    """Some of its loggers have levels of their own."""
    names = "distributed", "distributed.client", "tornado.application", "asyncio"
    for name in names:
        logging.getLogger(name).setLevel(logging.WARNING)
    door._silence()
    assert [False] * len(names) == [logging.getLogger(name).isEnabledFor(logging.CRITICAL) for name in names]


def test_who_accepts_and_says_nothing_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a server of something else; the engine alone would wait for ever."""
    monkeypatch.setattr(door, "_CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        since = time.monotonic()
        with pytest.raises(ClusterError, match=f"the scheduler {address} cannot be reached: it does not answer"):
            Cluster(Scheduler(address), [], print)
        assert time.monotonic() - since < 10


@pytest.mark.parametrize(
    ("error", "seconds"), [(None, 60.0), (ValueError("5"), 60.0), (TimeoutError("it does not answer"), 0.1)]
)
def test_a_call_is_waited_for_so_long(error: Exception | None, seconds: float) -> None:
    """Then its result or its error is given, or that it does not answer."""
    go = threading.Event()

    def call() -> int:
        if seconds < 1:
            go.wait(60)
        elif error is not None:
            raise error
        return 1

    if error is None:
        assert 1 == bounded(call, seconds)
    else:
        with pytest.raises(type(error), match=str(error)):
            bounded(call, seconds)
    go.set()


def test_a_call_is_waited_for_no_longer_than_there_is_use_for_it() -> None:
    """The end of a run does not wait for a result that is on its way."""
    go, is_over = threading.Event(), threading.Event()
    threading.Timer(0.2, is_over.set).start()
    with pytest.raises(TimeoutError):
        bounded(lambda: go.wait(60), 60.0, is_over)
    go.set()


def test_nodes_that_read_otherwise_are_named_and_not_used(
    shared: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another decoder would make other thumbnails; another folder under the name would prove what is not there."""
    (tmp_path / "a.jpg").write_bytes(b"1")
    own = node.see([str(tmp_path / "a.jpg")])
    with opened(shared, roots=[str(tmp_path)]) as nodes:
        assert 2 == len(nodes._good)
    for other, message in (
        (
            own._replace(versions=own.versions.replace("pillow ", "pillow 0")),
            r"is not used: it has pillow [^0 ][^ ]*, and not pillow 0[^ ]*$",
        ),
        (own._replace(places=((2, 3, 4),)), "is not used: it sees another .*a.jpg"),
    ):
        monkeypatch.setattr(door.node, "see", lambda _, other=other: other)
        warnings: list[str] = []
        connected = Cluster(Scheduler(shared.address), [str(tmp_path)], warnings.append)
        monkeypatch.undo()
        with pytest.raises(ClusterError, match=r"no node of .* can be used"), connected:
            pass
        assert 2 == len(warnings)
        assert all(re.search(message, warning) for warning in warnings)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (node.Seen("v", ((1, 2, 3),)), None),
        (node.Seen("w", ((1, 2, 3),)), "it has w, and not v"),
        (node.Seen("v, x 2", ((1, 2, 3),)), "it has x 2"),
        (node.Seen("w 1, x 2, y, z, zz", ((1, 2, 3),)), "it has w 1, x 2 and 3 more, and not v"),
        (node.Seen("v", (None,)), "it does not see /p"),
        (node.Seen("v", ((1, 2, 4),)), "it sees another /p"),
        (ModuleNotFoundError("No module named 'dupfind'"), "it cannot tell what it has: No module named 'dupfind'"),
        ("v", "it has another version of dupfind"),
    ],
)
def test_why_a_node_is_not_used(seen: object, reason: str | None) -> None:
    """Size, time and inode have to be those that are seen here."""
    assert reason == door._why_not(seen, node.Seen("v", ((1, 2, 3),)), ["/p"])


@pytest.fixture
def trees(tree: TreeBuilder) -> None:
    """A collection and a backup: copies, encoded again, broken, new, text, in an archive."""
    photos = {f"f{number % 3}/{number}.jpg": pictures.photo(number, (320, 240)) for number in range(12)}
    tree("hay", {**photos, "broken.jpg": b"\xff\xd8\xff\xe0 broken", "n.txt": b"note"})
    folder = tree(
        "needles", {"n.txt": b"note", "new.jpg": pictures.photo(99, (320, 240)), "bad.png": b"\x89PNG\r\n\x1a\n"}
    )
    for number in range(0, 12, 3):
        pictures.photo(number, (320, 240)).save(folder / f"again{number}.png")
    shutil.copy(folder.parent / "hay" / "f1" / "1.jpg", folder / "copy.jpg")


def without_times(printed: bytes) -> object:
    """A JSON report without when it was."""
    return {key: value for key, value in json.loads(printed).items() if key not in ("started", "elapsed_seconds")}


@pytest.mark.usefixtures("trees")
def test_the_same_answer_as_on_one_machine(shared: Nodes, dupfind: Run) -> None:
    """Of each command that reads pictures."""
    for words in (
        ("scan", "--haystack", "hay", "needles", "--format", "json"),
        ("find", "needles/again3.png", "--haystack", "hay", "--format", "json"),
        ("explain", "needles/again3.png", "--haystack", "hay", "--format", "json"),
        ("groups", "hay", "needles", "--format", "json"),
        ("hash", "hay/f0/0.jpg", "--exact", "--format", "json"),
    ):
        alone, together = (dupfind(*words, "--no-cache", *more) for more in ((), ("--scheduler", shared.address)))
        assert (alone.returncode, alone.stderr) == (together.returncode, together.stderr)
        assert without_times(alone.stdout) == without_times(together.stdout)


@pytest.mark.slow
def test_what_was_unpacked_here_has_the_same_answer(shared: Nodes, tree: TreeBuilder, dupfind: Run) -> None:
    """A compressed TAR is unpacked on this machine, by whose processes its members are read."""
    hay = tree("hay", {f"{number}.jpg": pictures.photo(number, (320, 240)) for number in range(4)})
    tree("needles", {"x.tgz": tarred({path.name: path.read_bytes() for path in sorted(hay.iterdir())}, "gz")})
    words = "scan", "--haystack", "hay", "needles", "--no-cache", "--format", "json", "--archives", "needles"
    alone, together = (dupfind(*words, *more) for more in ((), ("--scheduler", shared.address)))
    assert without_times(alone.stdout) == without_times(together.stdout)
    assert (0, b"") == (together.returncode, together.stderr)


def test_which_entries_are_only_here(tmp_path: Path) -> None:
    """Members that are unpacked, assets of a server, and whatever lies below no root; alone or among others."""
    root = str(tmp_path) + os.sep
    below, elsewhere = (FileEntry(path, 1, 2, 3, 4) for path in (f"{root}a.tar", "/tmp/x"))  # noqa: S108
    stored = members.Place(below, None, 0, 1, False, None, None)
    scratch = stored._replace(scratch=ScratchFile("/proc/1/fd/3", 1, 1))
    asset = AssetEntry.of("immich://x/a.jpg", 1, AssetPlace("immich://x/", "1", b""))

    def member(place: members.Place) -> FileEntry:
        return members.MemberEntry.of("x.tgz/a", 1, place, None, 0)

    for entry, is_only_here in (
        (below, False),
        (elsewhere, True),
        (FileEntry(str(tmp_path) + "2/a", 1, 2, 3, 4), True),
        (member(stored), False),
        (member(scratch), True),
        (member(stored._replace(archive=elsewhere)), True),
        (asset, True),
    ):
        for items in ([entry], [below, (entry, 5)]):
            task = partial(run_chunk, work, None), (items,)
            packed, is_here = door._packed(task, (root,))
            assert is_only_here == is_here
            assert repr(task[1]) == repr(pickle.loads(packed)[1])  # noqa: S301 - our own


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked by a server on Linux only")
def test_tasks_for_this_machine(shared: Nodes) -> None:
    """They run in processes of it, whatever happens to these; the nodes do the others."""
    here = FileEntry("/tmp/x", 1, 2, 3, 4)  # noqa: S108
    with opened(shared, roots=["/usr"]) as nodes:
        futures = [nodes.submit(where, ([here], number)) for number in range(4)]
        grandparents = {future.result(60) for future in futures}
        assert {os.getpid()} == grandparents
        assert os.getpid() != nodes.submit(where, ([], 0)).result(60)
        with pytest.raises(DiedError):
            nodes.submit(where, ([here], -1)).result(60)
        nodes._here.close()
    assert soon(lambda: not any(thread.is_alive() for thread in nodes._here._threads))


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_cluster_that_is_not_there(dupfind: Run) -> None:
    """One line, and no verdict."""
    done = dupfind("scan", "--haystack", "hay", "needles", "--scheduler", "tcp://127.0.0.1:1", "--no-cache")
    assert (2, b"") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert b"the scheduler tcp://127.0.0.1:1 cannot be reached: " in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tcp://10.0.0.1:8786",), "beyond this machine only tls:// is used"),
        (("tcp://example.org:8786",), "beyond this machine only tls:// is used"),
        (("tcp://[::ffff:10.0.0.1]:8786",), "beyond this machine only tls:// is used"),
        (("127.0.0.1:8786",), "takes tls://HOST:PORT"),
        (("tcp://127.0.0.1",), "takes tls://HOST:PORT"),
        (("tcp://127.0.0.1:port",), "takes tls://HOST:PORT"),
        (("tcp://[::1",), "takes tls://HOST:PORT"),
        (("ws://127.0.0.1:80",), "takes tls://HOST:PORT"),
        (("inproc://127.0.0.1:80",), "takes tls://HOST:PORT"),
        (("tls://10.0.0.1:8786",), "needs --tls-ca"),
        (("tls://127.0.0.1:8786", "/none", "/none", "/none"), "--tls-ca /none: there is no such file"),
        (("tcp://127.0.0.1:8786", "/none"), "--tls-ca goes with tls://"),
        ((None, "/none"), "--tls-ca goes with --scheduler"),
    ],
)
def test_what_is_refused_before_anybody_is_asked(words: tuple[str | None, ...], message: str) -> None:
    """Who reaches the port of a scheduler runs code on every node."""
    with pytest.raises(SettingsError, match=re.escape(message)):
        make_scheduler(*words, *(None,) * (4 - len(words)))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://localhost:1", "tcp://[::1]:1", "tcp://127.9.9.9:1"])
def test_loopback_needs_no_certificate(address: str) -> None:
    """Nobody else reaches it."""
    assert scheduler.Scheduler(address) == make_scheduler(address, None, None, None)


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_tls(tmp_path: Path, dupfind: Run) -> None:
    """With the certificates of the cluster; without them nobody gets in, in either direction."""
    for name in ("ca", "own", "strange"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.pem"], check=True, capture_output=True,
        )  # fmt: skip
    files = {"--tls-ca-file": "own.pem", "--tls-cert": "own.pem", "--tls-key": "own.key"}
    security = [word for option, name in files.items() for word in (option, str(tmp_path / name))]
    with cluster(tmp_path / "c", 1, security, "tls") as started:
        ask = "scan", "--haystack", "hay", "needles", "--no-cache", "--format", "json", "--scheduler", started.address
        words = "--tls-ca", "own.pem", "--tls-cert", "own.pem", "--tls-key", "own.key"
        end = time.monotonic() + 60
        while (done := dupfind(*ask, *words)).returncode == 2 and time.monotonic() < end:
            assert b"no worker is connected" in done.stderr  # it is still starting
        assert 1 == done.returncode
        assert without_times(dupfind(*ask[:-2]).stdout) == without_times(done.stdout)
        for stranger in (("own", "strange"), ("strange", "own")):
            ca, cert = stranger
            done = dupfind(*ask, "--tls-ca", f"{ca}.pem", "--tls-cert", f"{cert}.pem", "--tls-key", f"{cert}.key")
            assert (2, b"") == (done.returncode, done.stdout)
            assert b"cannot be reached" in done.stderr


_ENDLESS = """
import sys
from dupfind.pool.cluster import Cluster
from dupfind.pool.workers import Pool
from dupfind.scheduler import Scheduler
from tests.helpers.labour import work

items = [("nap", number) for number in range(100_000)]
with Cluster(Scheduler(sys.argv[1]), [], print) as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
    for _ in pool.map(work, items, size_bytes=lambda _: 1 << 23, lost=lambda item, death: None):
        print("at work", flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_ends_it_with_a_scheduler_that_hangs(tmp_path: Path) -> None:
    """Within seconds: nothing that the engine is asked holds the end."""
    with cluster(tmp_path / "c", 1) as started:
        opened(started).close()
        process = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS, started.address], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        freeze(started.scheduler)
        time.sleep(3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        since = time.monotonic()
        process.communicate(timeout=60)
        assert time.monotonic() - since < 15


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_ctrl_c_ends_it(shared: Nodes, tmp_path: Path) -> None:
    """In order, while the nodes are at work; the cluster is there for the next run."""
    words = "scan", "--haystack", "hay", "needles", "--no-cache", "--scheduler", shared.address
    process = subprocess.Popen(
        [sys.executable, "-m", "dupfind", *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (130, 1), said
    with opened(shared) as nodes, Pool(nodes.lanes, nodes.make_executor) as pool:
        assert [(("double", 1), 2)] == run(pool, [("double", 1)])
