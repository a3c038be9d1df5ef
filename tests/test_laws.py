"""The laws of the house: imports run one way, modules stay small, pure modules do no I/O, start-up is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "dupfind"
SUB_PACKAGES = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
WHOLE = {"cli", "report"}
"""Sub-packages that stand for their modules in the table below."""
TITLES = {PACKAGE / name / "__init__.py" for name in SUB_PACKAGES - WHOLE}
MODULES = sorted({*PACKAGE.rglob("*.py")} - TITLES)
MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 50

# What each module may import of this project beside `values` and `errors`; docs/architecture.md draws it.
ALLOWED = {
    "catalogued": set(),
    "values": {"catalogued"},
    "errors": set(),
    "formats": set(),
    "ignore": set(),
    "events": set(),
    "libraries": set(),
    "captured": set(),
    "resampling": set(),
    "greys": {"resampling"},
    "digest": set(),
    "blocks": set(),
    "multi_index": {"blocks"},
    "search_plan": {"blocks", "multi_index"},
    "hamming": {"blocks", "multi_index", "search_plan"},
    "mounts": set(),
    "catalogue_head": set(),
    "volumes": {"catalogued", "mounts"},
    "selfsame": {"catalogued"},
    "roots": {"catalogue_head", "ignore", "mounts"},
    "itself": {"disguise", "mounts", "roots"},
    "named": {"entries", "ignore", "itself", "mounts", "roots"},
    "ceiling": set(),
    "places": {"ignore", "named", "roots"},
    "settings": {"ceiling", "ignore", "named", "overwriting", "places", "roots"},
    "output": set(),
    "stopwatch": set(),
    "processes": set(),
    "messages": set(),
    "worker": {"messages", "time_limit"},
    "chunk": {"ceiling"},
    "forkserver": {"chunk", "decode", "digest", "fingerprint", "tasks", "worker"},
    "launch": {"forkserver", "worker"},
    "process_executor": {"launch", "messages", "worker"},
    "workers": {"ceiling", "chunk", "process_executor", "processes"},
    "entries": set(),
    "disguise": set(),
    "walk": {"disguise", "entries", "ignore"},
    "recheck": {"entries", "findings", "named", "walk"},
    "exif": set(),
    "texture": set(),
    "borders": {"greys"},
    "modes": {"exif", "resampling", "texture"},
    "jpeg_stream": set(),
    "jpeg": {"jpeg_stream"},
    "jxl": set(),
    "raw": {"formats"},
    "trouble": {"ceiling"},
    "parts": set(),
    "containers": {"parts"},
    "decode": {
        "borders", "containers", "exif", "formats", "jpeg", "jpeg_stream", "jxl", "modes", "parts", "raw", "texture",
        "trouble",
    },
    "fingerprint": {"resampling"},
    "differences": {"greys"},
    "facts": {"captured"},
    "evidence": {"captured", "differences", "facts", "fingerprint", "greys"},
    "aligning": {"borders", "evidence", "fingerprint"},
    "scrutiny": {"greys"},
    "verdict": {"formats"},
    "decisions": set(),
    "decisions_file": {"decisions"},
    "findings": {"decisions"},
    "needle_verdicts": {"decisions", "findings", "roots", "settings", "verdict"},
    "changes": set(),
    "time_limit": set(),
    "tasks": {"decode", "digest", "fingerprint", "time_limit"},
    "second_look": {"decode", "digest", "evidence", "fingerprint", "scrutiny", "tasks", "time_limit"},
    "shown": {"found", "grouped"},
    "previews": {
        "decode", "exif", "formats", "jpeg", "jpeg_stream", "jxl", "modes", "raw", "shown", "tasks", "time_limit",
    },
    "cache_schema": set(),
    "cache_file": {"cache_schema", "cache_trust"},
    "cache_seal": {"cache_schema", "digest"},
    "cache_trust": set(),
    "cache_store": {"cache_file", "cache_schema", "cache_seal"},
    "cache_scratch": {"cache_file", "cache_store"},
    "cache_lookup": {"cache_file", "cache_schema", "cache_seal", "cache_store"},
    "cache_buffer": {"cache_schema", "cache_store"},
    "cache": {"cache_buffer", "cache_file", "cache_lookup", "cache_schema", "cache_scratch", "cache_store"},
    "catalogue_file": {
        "cache_file", "cache_schema", "cache_seal", "cache_store", "cache_trust", "catalogue_head", "catalogued",
        "digest", "formats",
    },
    "catalogue_cache": {
        "cache", "cache_file", "cache_lookup", "cache_schema", "cache_seal", "catalogue_file",
    },
    "catalogues": {
        "catalogue_file", "catalogued", "decode", "entries", "ignore", "libraries", "named", "selfsame", "volumes",
    },
    "cache_answers": {"cache_file", "cache_schema"},
    "packing": {"findings"},
    "memory": {"cache_answers", "cache_file", "cache_schema", "digest", "findings", "packing", "settings"},
    "cache_upkeep": {"cache_answers", "cache_file", "cache_snapshots", "cache_store"},
    "pairwise": {"cache_schema", "evidence"},
    "pair_work": {"cache", "cache_schema", "pairwise", "processes", "workers"},
    "reading": {
        "cache", "cache_schema", "events", "formats", "metadata", "pair_work", "previews", "processes", "second_look",
        "settings", "shown", "tasks", "workers",
    },
    "session": {
        "cache", "cache_schema", "catalogue_cache", "ceiling", "decode", "evidence", "events", "fingerprint",
        "reading", "roots",
        "settings", "workers",
    },
    "identical": {"reading"},
    "deciding": {"decisions", "events", "findings", "formats", "reading"},
    "paranoid": {"reading", "second_look"},
    "claims": set(),
    "framing": {"cache", "cache_schema", "events", "evidence", "borders", "fingerprint", "hamming", "reading"},
    "remains": {"differences"},
    "resembling": {"cache", "cache_schema", "differences", "events", "findings", "fingerprint", "reading", "remains"},
    "judging": {"cache", "cache_schema", "claims", "evidence", "pairwise"},
    "wholes": {"cache_schema", "reading"},
    "candidates": {"blocks", "events", "hamming", "reading"},
    "matching": {"cache", "cache_schema", "candidates", "claims", "events", "hamming", "judging", "reading", "wholes"},
    "overwriting": {"roots"},
    "problems": {"findings", "formats"},
    "pipeline": {
        "cache", "catalogues", "deciding", "decisions", "events", "findings", "formats", "framing", "identical",
        "ignore", "libraries", "matching", "memory", "mounts", "named", "needle_verdicts", "paranoid", "problems",
        "reading", "recheck", "resembling", "roots", "session", "settings", "verdict", "walk", "wholes",
    },
    "indexed": set(),
    "indexing": {
        "cache", "cache_schema", "catalogue_file", "catalogued", "events", "indexed", "libraries", "pipeline",
        "reading", "selfsame", "session", "settings", "volumes",
    },
    "index_check": {
        "cache", "catalogue_file", "catalogued", "events", "indexed", "indexing", "mounts", "pipeline",
        "problems", "reading", "session", "settings",
    },
    "snapshot": {"cache_schema"},
    "cache_snapshots": {"cache_file", "cache_schema", "digest", "snapshot"},
    "revisit": {"cache_schema", "snapshot", "walk"},
    "collection": {
        "cache", "cache_schema", "entries", "reading", "revisit", "roots", "settings", "sketches", "snapshot",
    },
    "recollection": {
        "cache", "cache_schema", "cache_snapshots", "catalogued", "catalogues", "collection", "digest", "events",
        "formats", "ignore", "memory", "mounts", "reading", "revisit", "roots", "settings", "snapshot",
        "walk",
    },
    "found": {"catalogued"},
    "nearby": {"candidates", "collection"},
    "lookalikes": {"cache", "cache_schema", "evidence", "found", "reading"},
    "finding": {
        "cache", "cache_schema", "cache_snapshots", "collection", "events", "fingerprint", "found", "hashed", "itself",
        "lookalikes", "nearby", "pipeline", "reading", "recollection", "roots", "session", "settings", "sketches",
        "snapshot", "wholes",
    },
    "explanation": {"catalogued", "facts", "ignore"},
    "api": {
        "comparing", "comparison", "events", "finding", "found", "grouped", "grouping", "hashed", "itself", "pipeline",
        "roots", "settings",
    },
    "neighbours": {"cache", "evidence", "explanation", "fingerprint", "hamming", "reading", "settings"},
    "explain": {
        "cache", "events", "explanation", "findings", "itself", "needle_verdicts", "neighbours", "pipeline",
        "problems", "reading", "roots", "session", "settings", "verdict",
    },
    "showing": {
        "aligning", "cache", "events", "explanation", "findings", "found", "grouped", "hashed", "neighbours", "reading",
        "roots", "session", "settings", "shown",
    },
    "pairs": set(),
    "calibration": {"catalogued", "settings"},
    "hashed": {"roots"},
    "comparison": {"facts"},
    "comparing": {
        "cache", "comparison", "evidence", "events", "fingerprint", "framing", "reading", "resembling", "roots",
        "session", "settings", "thumbnails",
    },
    "originals": {"decode", "fingerprint", "formats", "jxl", "tasks", "time_limit"},
    "thumbnails": {"cache", "cache_schema", "reading"},
    "hashing": {
        "cache", "events", "fingerprint", "hashed", "originals", "processes", "reading", "session", "settings", "tasks",
        "thumbnails", "workers",
    },
    "calibrate": {
        "cache", "calibration", "events", "evidence", "fingerprint", "pairs", "problems", "reading", "session",
        "settings", "together",
    },
    "linkage": set(),
    "components": {"blocks", "hamming"},
    "bests": set(),
    "grouped": {"catalogued"},
    "copies": {"reading"},
    "savings": {"disguise", "mounts"},
    "metadata": {"decode", "formats", "time_limit"},
    "sketches": {"borders", "cache", "captured", "evidence", "fingerprint"},
    "kinship": {"cache_schema", "captured", "claims", "evidence", "judging", "linkage", "sketches"},
    "gathering": {
        "bests", "cache", "cache_schema", "components", "events", "framing", "judging", "kinship", "linkage", "reading",
        "settings", "sketches",
    },
    "scribe": {"bests", "gathering", "grouped", "savings"},
    "together": {
        "catalogued", "catalogues", "events", "ignore", "named", "pipeline", "roots", "savings", "selfsame", "settings",
        "volumes",
    },
    "grouping": {
        "bests", "cache", "copies", "events", "gathering", "grouped", "problems", "reading", "roots", "scribe",
        "session", "settings", "together",
    },
    "likeness": set(),
    "near_graph": set(),
    "route": {"near_graph"},
    "seriation": {"near_graph", "route"},
    "sorted_pictures": {"catalogued"},
    "sorting": {
        "cache", "events", "likeness", "near_graph", "problems", "reading", "roots", "seriation", "session",
        "settings", "sorted_pictures", "together",
    },
    "progress": {"events", "report", "stopwatch"},
    "report": {
        "calibration", "catalogued", "changes", "comparison", "decisions", "explanation", "facts", "found", "grouped",
        "hashed", "indexed", "settings", "shown", "sorted_pictures", "stopwatch",
    },
    "baseline": {"changes", "report"},
    "cli": {
        "baseline", "cache_upkeep", "calibrate", "catalogued", "changes", "comparing", "comparison", "decisions",
        "decisions_file", "explain", "finding", "found", "grouped", "grouping", "hashed", "hashing", "ignore",
        "index_check", "indexed", "indexing", "itself", "libraries", "named", "output", "overwriting", "pipeline",
        "progress", "report", "roots", "session", "settings", "showing", "shown", "sorting", "stopwatch",
    },
    "__main__": {"cli", "progress"},
}  # fmt: skip
PURE = (
    "values", "errors", "formats", "ignore", "jpeg_stream", "captured", "resampling", "greys", "differences", "facts",
    "texture", "borders", "blocks", "multi_index", "search_plan", "hamming", "fingerprint", "evidence", "claims",
    "cache_seal", "remains", "scrutiny", "verdict", "comparison", "explanation", "pairs", "calibration", "findings",
    "packing", "changes", "hashed", "linkage", "components", "bests", "grouped", "likeness", "near_graph", "route",
    "seriation", "sorted_pictures", "snapshot", "found", "catalogued", "selfsame", "indexed", "shown", "decisions",
    "pairwise", "aligning",
)  # fmt: skip
ONLY_IMPORTERS = {
    "sqlite3": {"cache_file", "catalogue_file"},
    "imagehash": {"fingerprint"},
    "blake3": {"digest"},
    "pillow_heif": {"decode"},
    "simplejpeg": {"jpeg"},
    "pillow_jxl": {"jxl"},
    "rawpy": {"raw"},
    # The others than `process_executor` and `workers` name the type of an Executor only.
    "concurrent": {
        "process_executor",
        "workers",
        "pipeline",
        "session",
        "explain",
        "calibrate",
        "comparing",
        "finding",
        "grouping",
        "hashing",
        "index_check",
        "indexing",
        "showing",
        "sorting",
    },
    "tqdm": {"progress"},
    "rich": {"report"},
    "jinja2": {"report"},
    "click": {"cli"},
}


def place(path: Path) -> str:
    """The module, whose name no other has, or the sub-package that stands for its modules."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "dupfind" if parts == ("__init__",) else parts[0] if parts[0] in WHOLE else parts[-1]


def used(path: Path) -> set[str]:
    """The places of this project that a module imports from."""
    names = [name.split(".")[1:] for name in imports(path) if name.startswith("dupfind.")]
    return {
        parts[0] if parts[0] in WHOLE or parts[0] not in SUB_PACKAGES else parts[1]
        for parts in names
        if parts[1:] or parts[0] not in SUB_PACKAGES
    }


@cache
def parsed(path: Path) -> ast.Module:
    """The file as a tree, parsed once for all laws."""
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that the file imports anywhere, dotted."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    """A module imports only what stands below it, and sub-packages never reach upwards."""
    here = place(path)
    known = used(path) & ALLOWED.keys()
    below = {"api"} if here == "dupfind" else ALLOWED[here]  # the package itself hands out the interface, when asked
    assert set() == known - below - {"values", "errors", here}


def test_the_allowed_imports_have_no_circle() -> None:
    """The table itself runs one way."""
    done: set[str] = set()
    while ready := {name for name, below in ALLOWED.items() if name not in done and below <= done}:
        done |= ready
    assert set(ALLOWED) == done


def test_every_module_has_its_place() -> None:
    """A new module is entered in the table before it is used."""
    assert {place(path) for path in MODULES} - {"dupfind"} == set(ALLOWED)


@pytest.mark.parametrize("path", sorted(TITLES), ids=lambda path: path.parent.name)
def test_sub_packages_hold_modules_only(path: Path) -> None:
    """What one of their modules needs is loaded, and no more: a title, no code."""
    (title,) = ast.parse(path.read_text()).body
    assert isinstance(title, ast.Expr)


def test_sub_packages_run_one_way() -> None:
    """They can be put in an order in which each imports only from those before it; so can what lies beside them."""
    below: dict[str, set[str]] = {}
    for path in MODULES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names = {name.split(".")[1] for name in imports(path) if name.startswith("dupfind.")}
        below.setdefault(parts[0], set()).update(
            names & {path.stem for path in MODULES if path.parent == PACKAGE} | names & SUB_PACKAGES
        )
    done: set[str] = set()
    while ready := {name for name, some in below.items() if name not in done and some - {name} <= done}:
        done |= ready
    assert below.keys() == done


@pytest.mark.parametrize(("library", "users"), ONLY_IMPORTERS.items(), ids=ONLY_IMPORTERS)
def test_libraries_have_one_door(library: str, users: set[str]) -> None:
    """A library that another could replace is known to one place."""
    found = {place(path) for path in MODULES if any(name.split(".")[0] == library for name in imports(path))}
    assert users == found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sizes(path: Path) -> None:
    """No module over 300 lines, no function over 50."""
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES_OF_A_MODULE
    functions = (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION]
    assert [] == long


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_do_no_input_or_output(module: str) -> None:
    """No file, no process, no clock, no random numbers, no printing: values in, values out."""
    (path,) = (path for path in MODULES if path.stem == module)
    tree = parsed(path)
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert set() == calls & {"open", "print", "input", "exec", "eval"}
    roots = {name.split(".")[0] for name in imports(path)}
    assert set() == roots & {"io", "pathlib", "random", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "time"}
    attributes = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert attributes <= {"os.sep"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_never_prints_or_exits(path: Path) -> None:
    """Only the command line talks and leaves; `output` and `progress` are its hands."""
    if place(path) in {"cli", "__main__", "output", "progress"}:
        return
    tree = parsed(path)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert set() == (names | attributes) & {"print", "logging", "sys.exit", "sys.stdout", "sys.stderr"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["scan", "--help"],
        ["explain", "--help"],
        ["calibrate", "--help"],
        ["groups", "--help"],
        ["sort", "--help"],
        ["hash", "--help"],
        ["find", "--help"],
        ["compare", "--help"],
        ["index", "--help"],
    ],
    ids=" ".join,
)
def test_start_up_is_light(arguments: list[str]) -> None:
    """Version and help load nothing heavy."""
    code = (
        "import sys; from dupfind.cli.main import run; run(sys.argv[1:]); "
        "heavy = {'numpy', 'PIL', 'imagehash', 'scipy', 'rich', 'tqdm', 'sqlite3', 'multiprocessing', 'blake3'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True, cwd=PACKAGE.parent)
    assert b"[]" == done.stderr.strip()


IMPORT_EACH_ALONE = """
import gc, importlib, os, sys
# Others' modules, which take long, once for all.
import blake3, click, imagehash, jinja2, numpy, pillow_heif, rich.console, rich.table, simplejpeg, sqlite3, tqdm
gc.freeze()
for name in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(name)
        os._exit(0)
    if os.wait()[1] != 0:
        print(name)
"""


def test_each_module_imports_alone() -> None:
    """Every module can be imported first, and warns of nothing."""
    dotted = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES]
    names = [name.removesuffix(".__init__") for name in dotted if not name.endswith("__main__")]
    command = [sys.executable, "-W", "error", "-c", IMPORT_EACH_ALONE, *names]
    done = subprocess.run(command, check=True, cwd=PACKAGE.parent, capture_output=True)
    assert (b"", b"") == (done.stdout, done.stderr)
