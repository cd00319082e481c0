"""Real data out of the cctbx wheel, refined once, and small simulated crystals whose truth is known."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
sys.path[:0] = [str(FOLDER), str(FOLDER / "tests")]


def in_package(package: str, path: str) -> Path:
    return Path(importlib.util.find_spec(package).origin).parent / path


@pytest.fixture(scope="session")
def distributed():
    """Path of a file inside an installed package."""
    return in_package


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def thpp() -> Path:
    """Folder of thpp.cif, thpp.hkl, thpp.ins as shipped."""
    return in_package("smtbx", "regression/test_data")


@pytest.fixture(scope="session")
def cu3182() -> Path:
    return in_package("iotbx", "regression/data/cu3182sup1.cif")


@pytest.fixture(scope="session")
def refined(thpp, tmp_path_factory):
    """The notebook's way from the shipped model to the finished one: three refinements, files kept."""
    from qcrbox_refine.fcf import fcf_text
    from qcrbox_refine.refinement import Options, refine_files, write_cif

    folder = tmp_path_factory.mktemp("thpp")
    made = {}

    def run(name: str, structure: Path, hkl: Path | None, **options):
        result = refine_files(str(structure), str(hkl) if hkl else None, Options(**options))
        write_cif(result, folder / f"{name}.cif")
        (folder / f"{name}.res").write_text(result.res)
        (folder / f"{name}.hkl").write_text(result.fit.reflections.hkl_text)
        (folder / f"{name}.fcf").write_text(fcf_text(result.fit))
        made[name] = result

    run("shipped", thpp / "thpp.cif", thpp / "thpp.hkl")
    run(
        "riding",
        folder / "shipped.cif",
        None,
        edits="delete C3; occupancy N3 1; aniso N3",
        hydrogens="place",
    )
    run("free", folder / "riding.cif", None, hydrogens="free")
    return folder, made
