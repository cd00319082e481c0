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
    """The Python with GPAW. A fixture searches for it, so that collecting the tests starts no process."""
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
    """The cctbx process of the session, in whatever folder it works; `least_squares` moves it to that of a test."""
    with Child("The least-squares program", threads=1) as child:
        yield child


@pytest.fixture
def least_squares(cctbx, tmp_path, monkeypatch):
    """The cctbx process, working in the folder of the test. Each test starts or resumes a model of its own."""
    monkeypatch.chdir(tmp_path)
    cctbx.call("os:chdir", str(tmp_path))
    return cctbx


@pytest.fixture(scope="session")
def gpaw_program(installed_gpaw):
    """The GPAW process of the session; it starts a new calculation when the crystal changes."""
    with GpawProgram(installed_gpaw) as gpaw:
        yield gpaw


@pytest.fixture(scope="session")
def urea_cif() -> Path:
    return FOLDER / "tests" / "data" / "urea.cif"
