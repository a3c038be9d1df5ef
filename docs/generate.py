"""Writes the parts of the docs that are made from the program, or checks that they are what it says today.

The manual page is one of them, whole, see :mod:`docs.man`; and the picture of the table, see :mod:`docs.screens`.

A generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``. ``python -m docs.generate`` rewrites
them all; with ``--check`` it changes nothing and fails where one has drifted.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from docs import images, man, screens
from dupfind.sources import file_systems, ignore, junk_names, photo_managers, trash_names
from faults import rules
from fixtures import demo

ROOT = Path(__file__).resolve().parents[1]
_PART = re.compile(r"(<!-- generated: ([\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_CHRISTMAS = "Masters/2006/2006-12 Christmas"
_EDITED = "Josie_Backup/12-25-2006 part 1/IMG_0416.JPG"
_DEMO = Path(tempfile.gettempdir()) / f"dupfind-docs-{os.getpid()}"


def _run(*arguments: str, folder: Path = _DEMO) -> str:
    """What the command prints on a terminal of 80 columns, below the line that started it."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "dupfind", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "DUPFIND_CACHE": "../dupfind-docs-cache/cache.sqlite"},
        stdout=subprocess.PIPE,
        check=False,
    )
    shown = " ".join(f"'{one}'" if " " in one else one for one in arguments)
    # The commands that an answer ends with repeat what was asked, and so what the docs need to be made.
    printed = re.sub(r"(?m)^(  dupfind .*?) --no-cache", r"\1", done.stdout.decode())
    return f"```\n$ dupfind {shown}\n{printed}```\n"


def _hard_pairs() -> str:
    """The pairs that docs/images shows, scanned: each verdict with its reason."""
    with tempfile.TemporaryDirectory() as name:
        images.build_trees(Path(name))
        roots = "--haystack", "Collection", "--needles", "Old copy"
        return _run("scan", *roots, "--files", "--all", "-q", "--no-cache", folder=Path(name)).replace(
            " -q --no-cache", ""
        )


def _scan(*arguments: str) -> str:
    return _run("scan", "--haystack", "Masters", "--needles", "Josie_Backup", "-q", "--no-cache", *arguments).replace(
        " -q --no-cache", ""
    )


def _changes() -> str:
    """A scan after something has changed since the one before."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo.build(folder)
        command = "scan", "--haystack", "Masters", "--needles", "Josie_Backup", "-q", "--no-cache"
        _run(*command, "--save", "last.json", folder=folder)
        shutil.copytree(folder / "Josie_Backup" / "MY_PIX", folder / "Masters" / "MY_PIX")
        shutil.rmtree(folder / "Josie_Backup" / "Summer 2007")
        shown = _run(*command, "--baseline", "last.json", folder=folder).replace(" -q --no-cache", "")
        return re.sub(r"report of [-0-9]+ [0-9]+:[0-9]+", "report of 2026-11-20 03:00", shown)


def _acting(command: str, *arguments: str) -> str:
    """What a command would do that acts."""
    roots = "--haystack", "Masters", "--needles", "Josie_Backup"
    return _run(command, *roots, *arguments, "-q", "--no-cache").replace(" -q --no-cache", "")


def _explain(*arguments: str) -> str:
    return _run("explain", "--haystack", "Masters", *arguments, "-q", "--no-cache").replace(" -q --no-cache", "")


def _groups(level: str) -> str:
    folders = "Josie_Backup/12-25-2006 part 1", "Masters/2006"
    return _run("groups", *folders, "--accept", level, "-q", "--no-cache").replace(" -q --no-cache", "")


def _sort(*arguments: str) -> str:
    return _run("sort", *arguments, "--format", "table", "-q", "--no-cache").replace(" -q --no-cache", "")


def _compare(*arguments: str) -> str:
    return _run("compare", *arguments, "-q", "--no-cache").replace(" -q --no-cache", "")


def _hash(*names: str) -> str:
    shown = _run("hash", *(f"{_CHRISTMAS}/{name}" for name in names), "-q", "--no-cache")
    return shown.replace(" -q --no-cache", "")


def _find(*arguments: str) -> str:
    return _run("find", *arguments, "--haystack", "Masters", "-q", "--no-cache").replace(" -q --no-cache", "")


@cache
def _catalog() -> tuple[str, str, str]:
    """A catalog made, used as haystack, and grouped; with moments and names of folders that do not change."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        demo.build(folder)
        made = _run("index", "Masters", "--catalog", "../masters.catalog", "-q", "--no-cache", folder=folder)
        scan = "scan", "--haystack", "../masters.catalog", "--needles", "Josie_Backup", "-q", "--no-cache"
        groups = "groups", "../masters.catalog", "Josie_Backup/12-25-2006 part 1", "-q", "--no-cache"
        used, grouped = _run(*scan, folder=folder), _run(*groups, folder=folder)
        return _dated(made, folder), _dated(used, folder), _dated(grouped, folder)


def _archives() -> str:
    """A scan of a folder in which some of the folders of the demo are archives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo.build(folder)
        backup = folder / "Old disk"
        backup.mkdir()
        for number, packed in enumerate(("Summer 2007", "MY_PIX", "12-25-2006 part 1"), 1):
            inside = folder / "Josie_Backup" / packed
            kind = "zip" if number == 1 else "gztar"
            shutil.make_archive(str(backup / packed.lower()), kind, inside)
        shutil.copytree(folder / "Masters" / "2006", backup / "2006")
        shutil.make_archive(str(backup / "copy of 2006"), "tar", backup / "2006")
        shutil.rmtree(backup / "2006")
        scan = "scan", "--haystack", "Masters", "--needles", "Old disk", "--all", "-q", "--no-cache"
        return _run(*scan, folder=folder).replace(" -q --no-cache", "")


def _dated(shown: str, folder: Path) -> str:
    shown = shown.replace(f"{folder.resolve()}/", "/media/photos/").replace(" -q --no-cache", "")
    shown = re.sub(r"as it was [^(]* ago", "as it was 9 hours ago", shown)
    return re.sub(r"[-0-9]{10} [0-9]+:[0-9]+", "2026-11-20 21:04", shown)


def _names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name!r}`".replace("'", "") for name in sorted(names)) + "\n"


def _modules() -> str:
    """Each module with the first sentence of its docstring, by sub-packages."""
    package = ROOT / "dupfind"
    folders = [package, *sorted(path.parent for path in package.glob("*/__init__.py"))]
    return "\n".join(_modules_of(folder, is_top=folder == package) for folder in folders)


def _modules_of(folder: Path, *, is_top: bool) -> str:
    rows = [
        f"| `{path.stem}` | {_first_sentence(path)} |\n"
        for path in sorted(folder.glob("*.py"))
        if path.name not in ("__init__.py", "_version.py")  # the latter is there where something was built
    ]
    title = "`dupfind/`" if is_top else f"`{folder.name}/`: {_first_sentence(folder / '__init__.py')}"
    return f"### {title}\n\n| module | job |\n|---|---|\n{''.join(rows)}"


def _first_sentence(path: Path) -> str:
    title = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0].replace("\n", " ")
    sentence = re.split(r"(?<=[\w)`])\.(?: |$)", title)[0].removesuffix("; pure")
    return re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", sentence).replace("``", "`").replace("|", "\\|")


def _safety_rules() -> str:
    parts: dict[str, list[str]] = {}
    for rule in rules.read():
        tests = ", ".join(f"`test_{name}`" for name in rule.tests)
        row = f"| {rule.what} | {rule.fault} | {tests} | {len(rule.mutants)} |\n"
        parts.setdefault(rule.part, []).append(row)
    head = "| rule | what would be contained, or prove something, without it | tests | ways to break it |\n"
    head += "|---|---|---|---|\n"
    return "\n".join(f"## {part}\n\n{head}{''.join(rows)}" for part, rows in parts.items())


def _trash_names() -> str:
    """The table of trash folders: each origin with its names."""
    rows = "".join(
        f"| {row.origin} | {', '.join(f'`{name}`' for name in row.names)} |\n" for row in trash_names.TRASH_NAMES
    )
    return f"| given by | names |\n|---|---|\n{rows}"


def _managers() -> str:
    """The table of what photo managers make: folders, then files."""
    rows = [(made.manager, made.shown, made.why) for made in photo_managers.MADE]
    why = "the name, and the folders around it, which are named by its first letters: wherever they lie"
    rows += [(made.manager, made.shown, why) for made in photo_managers.MADE_FILES]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"| made by | what | known by |\n|---|---|---|\n{lines}"


def _junk() -> str:
    """The table of junk: what names alone say, then what needs more."""
    rows = [
        (row.origin, ", ".join(f"`{name!r}`".replace("'", "") for name in row.files), row.folders, "")
        for row in junk_names.JUNK_NAMES
    ]
    rows += [(rule.origin, rule.shown, (), rule.why) for rule in junk_names.GUARDED]
    head = "| left behind by | files | folders, with all that is in them | only where |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {origin} | {files} | {', '.join(f'`{name}`' for name in folders)} | {why} |\n"
        for origin, files, folders, why in rows
    )


def _file_systems() -> str:
    """The table of file systems, those of one kind in one row."""
    kinds: dict[file_systems.FileSystem, list[str]] = {}
    for kind, system in [*file_systems.TABLE.items(), ("fuse.*", file_systems.file_system("fuse.x"))]:
        kinds.setdefault(system, []).append(f"`{kind}`")
    rows = "".join(
        f"| {', '.join(names)} | {_yes(system.keeps_change_time)} | {_step(system.clock_ns)} "
        f"| {_yes(system.keeps_numbers)} | {_yes(system.shows_others)} | {system.reason} |\n"
        for system, names in kinds.items()
    )
    head = "| type | time of change | clock | numbers that last | shows files of others | why |\n"
    return f"{head}|---|---|---|---|---|---|\n{rows}"


def _reason_codes() -> str:
    """The codes of reasons with their words, without the facts, in the groups of their source."""
    source = (ROOT / "dupfind" / "reasons.py").read_text().replace("\\\n", "")
    codes = source.partition("class ReasonCode")[2].partition("\n\n\n")[0]
    groups = re.split(r"^    # (.+)\n", codes, flags=re.MULTILINE)[1:]
    parts = []
    for title, members in zip(groups[::2], groups[1::2], strict=True):
        rows = re.findall(r'^    [A-Z_]+ = "(.+)"\n    """(.+?)(?: \(.+\))?"""$', members, flags=re.MULTILINE)
        table = "".join(f"| `{code}` | {words} |\n" for code, words in rows)
        parts.append(f"**{title.partition(', in their')[0]}**\n\n| code | what it says |\n|---|---|\n{table}")
    return "\n" + "\n".join(parts) + "\n"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _step(clock_ns: int) -> str:
    """A step of a clock in a unit that fits."""
    for unit_ns, unit in ((10**9, "s"), (10**6, "ms"), (1, "ns")):
        if clock_ns >= unit_ns:
            return f"{clock_ns // unit_ns} {unit}"
    raise ValueError(clock_ns)


PARTS: dict[str, Callable[[], str]] = {
    "modules": _modules,
    "help": lambda: _run("--help"),
    "scan help": lambda: _run("scan", "--help"),
    "import help": lambda: _run("import", "--help"),
    "clean help": lambda: _run("clean", "--help"),
    "undo help": lambda: _run("undo", "--help"),
    "demo import": lambda: _acting("import", "--to", "Masters/Import", "--layout", "date", "--dry-run"),
    "demo clean": lambda: _acting("clean", "--trash"),
    "explain help": lambda: _run("explain", "--help"),
    "explain present": lambda: _explain("Josie_Backup/Summer 2007/beach 2.jpg"),
    "explain similar": lambda: _explain(_EDITED, "-k", "2"),
    "calibrate help": lambda: _run("calibrate", "--help"),
    "calibrate": lambda: _run("calibrate", "Masters", "-q", "--no-cache").replace(" -q --no-cache", ""),
    "find help": lambda: _run("find", "--help"),
    "find": lambda: _find("Josie_Backup/Summer 2007/beach 2.jpg"),
    "find not seen": lambda: _find(_EDITED, "-k", "2"),
    "groups help": lambda: _run("groups", "--help"),
    "groups": lambda: _groups("same"),
    "groups similar": lambda: _groups("similar"),
    "sort help": lambda: _run("sort", "--help"),
    "sort": lambda: _sort("Masters/2006"),
    "sort like": lambda: _sort("Masters/2007", "--like", "Josie_Backup/Summer 2007/beach 2.jpg"),
    "compare help": lambda: _run("compare", "--help"),
    "compare small": lambda: _compare(f"{_CHRISTMAS}/tree 02.jpg", "Josie_Backup/12-25-2006 part 1/IMG_0413.JPG"),
    "compare visual": lambda: _compare(f"{_CHRISTMAS}/tree 06.jpg", _EDITED, "--visual"),
    "hash help": lambda: _run("hash", "--help"),
    "hash": lambda: _hash("tree 01.jpg", "tree 02.jpg"),
    "index help": lambda: _run("index", "--help"),
    "index": lambda: _catalog()[0],
    "index scan": lambda: _catalog()[1],
    "archives": _archives,
    "groups catalog": lambda: _catalog()[2],
    "review help": lambda: _run("review", "--help"),
    "cache help": lambda: _run("cache", "--help"),
    "selftest help": lambda: _run("selftest", "--help"),
    "doctor help": lambda: _run("doctor", "--help"),
    "cache prune help": lambda: _run("cache", "prune", "--help"),
    "demo": _scan,
    "demo files": lambda: _scan("--files", "--only", "similar", "--only", "unreadable"),
    "demo changes": _changes,
    "demo contained": lambda: _scan("--only", "contained", "--format", "paths"),
    "hard pairs": _hard_pairs,
    "file systems": _file_systems,
    "demo csv": lambda: _scan("--format", "csv"),
    "junk": _junk,
    "snapshot folders": lambda: _names(ignore.SNAPSHOT_FOLDERS),
    "reason codes": _reason_codes,
    "safety rules": _safety_rules,
    "managers": _managers,
    "trash folders": _trash_names,
}


def main() -> int:
    """Rewrite or check every page; gives the exit code."""
    demo.build(_DEMO)
    try:
        return _write_or_check(is_check="--check" in sys.argv[1:])
    finally:
        shutil.rmtree(_DEMO)


def _write_or_check(*, is_check: bool) -> int:
    made: dict[str, str] = {}
    drifted = []
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        text = page.read_text()
        for _, name, _ in _PART.findall(text):
            if name not in made:
                made[name] = PARTS[name]()
        new = _PART.sub(lambda part: part[1] + made[part[2]] + part[3], text)
        if new != text:
            drifted.append(str(page.relative_to(ROOT)))
            if not is_check:
                page.write_text(new)
    for file, new in ((man.FILE, man.page()), (screens.TABLE, screens.table())):
        if not file.is_file() or file.read_text() != new:
            drifted.append(str(file.relative_to(ROOT)))
            if not is_check:
                file.parent.mkdir(exist_ok=True)
                file.write_text(new)
    for name in drifted:
        print(f"{name}: {'no longer what the program says; run make docs' if is_check else 'rewritten'}")  # noqa: T201
    return 1 if is_check and drifted else 0


if __name__ == "__main__":
    sys.exit(main())
