"""The installed libraries, told by what lies beside them: nothing is overlooked, and in doubt nothing is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from dupfind import libraries

DISTRIBUTIONS = [
    "ImageHash-4.3.2", "av-18.1.0", "numpy-2.4.6", "pillow-13.0.0", "pillow_heif-1.8.1", "pillow_jxl_plugin-1.3.8",
    "pywavelets-1.9.0", "rawpy-0.28.0", "scipy-1.17.1", "simplejpeg-1.9.0",
]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which everything is installed from wheels."""
    for name in [
        *(f"{one}.dist-info" for one in DISTRIBUTIONS),
        "pillow.libs",
        "pillow_heif.libs",
        "click-8.0.dist-info",
    ]:
        (tmp_path / name).mkdir()
    places = dict.fromkeys(libraries._MODULES, tmp_path)

    def find_spec(name: str) -> SimpleNamespace | None:
        return SimpleNamespace(origin=str(places[name] / name / "__init__.py")) if name in places else None

    monkeypatch.setattr(libraries, "find_spec", find_spec)
    monkeypatch.setattr(libraries, "PLACES", places, raising=False)
    return tmp_path


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_library_counts(site: Path, name: str) -> None:
    """Another version, the same one installed anew, or none at all: each is told from what was there."""
    first = libraries.installed()
    assert first
    assert first == libraries.installed()
    os.utime(site / f"{name}.dist-info", ns=(1, 1))
    again = libraries.installed()
    (site / f"{name}.dist-info").rename(site / f"{name}1.dist-info")
    other = libraries.installed()
    shutil.rmtree(site / f"{name}1.dist-info")
    assert 4 == len({first, again, other, libraries.installed()})


def test_other_libraries_do_not_count(site: Path) -> None:
    """Those that draw tables and read options decide nothing."""
    first = libraries.installed()
    (site / "click-8.0.dist-info").rename(site / "click-9.0.dist-info")
    assert first == libraries.installed()


@pytest.mark.parametrize("bundle", sorted(libraries._BUNDLED))
def test_the_system_s_libraries_cannot_be_seen(site: Path, bundle: str) -> None:
    """Pillow as a distribution builds it: its decoders may change while it does not."""
    (site / bundle).rmdir()
    assert libraries.installed() is None


@pytest.mark.parametrize("module", libraries._MODULES)
def test_all_in_one_place(site: Path, module: str) -> None:
    """A library that comes from elsewhere is not seen here; one that is not there at all is no matter."""
    places = libraries.PLACES  # type: ignore[attr-defined]
    places[module] = site / "elsewhere"
    assert libraries.installed() is None
    del places[module]
    assert libraries.installed()


def test_nothing_is_loaded() -> None:
    """Which is why it is asked."""
    code = (
        "import sys; from dupfind import libraries; libraries.installed(); "
        "sys.exit(bool({'PIL', 'numpy', 'imagehash', 'simplejpeg'} & set(sys.modules)))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_versions_are_those_of_the_modules() -> None:
    """What is told without loading is what loading tells."""
    import imagehash
    import numpy as np
    import PIL
    import pillow_heif

    found = dict(libraries.versions())
    expected = {
        "Pillow": PIL.__version__,
        "ImageHash": imagehash.__version__,
        "numpy": np.__version__,
        "pillow-heif": pillow_heif.__version__,
    }
    assert expected.items() <= found.items()
    assert found["simplejpeg"]


def test_version_of_a_decoder() -> None:
    """It is what the distribution says of itself; what is not installed has none."""
    for name, module in (("pillow-jxl-plugin", "pillow_jxl"), ("rawpy", "rawpy"), ("Pillow", "PIL")):
        try:
            expected: str | None = metadata.version(name)
        except metadata.PackageNotFoundError:
            expected = None
        assert expected == libraries.version_of(name, module)
    assert libraries.version_of("nothing-of-this-name", "nothing_of_this_name") is None


def test_versions_of_what_is_not_there(site: Path) -> None:
    """None for an extra; and what lies beside no module of its own is asked of the system's records."""
    places = libraries.PLACES  # type: ignore[attr-defined]
    libraries._versions_in.cache_clear()
    del places["rawpy"]
    (site / "simplejpeg-1.9.0.dist-info").rename(site / "simplejpeg-9.9.9.dist-info")
    (site / "numpy-2.4.6.dist-info").rmdir()
    found = dict(libraries.versions())
    libraries._versions_in.cache_clear()
    assert (None, "9.9.9", "13.0.0") == (found["rawpy"], found["simplejpeg"], found["Pillow"])
    assert metadata.version("numpy") == found["numpy"]
