"""Processes with pyscf and with cctbx for the tests, and a crystal of urea whose truth is known."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
sys.path[:0] = [str(FOLDER), str(FOLDER / "tests")]
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(FOLDER / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

from qcrbox.contract.errors import UserInputError  # noqa: E402
from qcrbox_har.periodic import interpreter  # noqa: E402
from qcrbox_har.periodic.program import GpawProgram  # noqa: E402
from qcrbox_har.processes import Child  # noqa: E402


@pytest.fixture(autouse=True)
def no_earlier_runs(tmp_path_factory, monkeypatch):
    """Estimates do not depend on what ran on this machine before, and leave nothing behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def installed_gpaw() -> interpreter.Interpreter:
    """The Python that has GPAW; it is looked for where a test needs it, not by every worker that collects the tests."""
    try:
        return interpreter.find()
    except UserInputError:
        pytest.skip("GPAW is not installed (Debian packages gpaw, gpaw-data)")


@pytest.fixture(scope="session")
def quantum():
    """The process with pyscf."""
    with Child("The wavefunction program", threads=1) as child:
        yield child


@pytest.fixture(scope="session")
def cctbx():
    """The process with cctbx, wherever it works; `least_squares` is it in a folder of the test."""
    with Child("The least-squares program", threads=1) as child:
        yield child


@pytest.fixture
def least_squares(cctbx, tmp_path, monkeypatch):
    """The process with cctbx, in the folder of the test, as its parent. Every test starts or resumes a model of its own."""
    monkeypatch.chdir(tmp_path)
    cctbx.call("os:chdir", str(tmp_path))
    return cctbx


@pytest.fixture(scope="session")
def gpaw_program(installed_gpaw):
    """The process with GPAW; what it is asked next begins anew where the crystal is another."""
    with GpawProgram(installed_gpaw) as gpaw:
        yield gpaw


@pytest.fixture(scope="session")
def urea_cif() -> Path:
    return FOLDER / "tests" / "data" / "urea.cif"
