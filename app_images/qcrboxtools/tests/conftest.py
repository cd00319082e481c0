from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def commands():
    """The glue module, imported with the application's folder first on the path, as agents do."""
    sys.path.insert(0, str(FOLDER))
    try:
        import qcrboxtools_commands

        return qcrboxtools_commands
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, as a calculation has it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def urea(folder: Path) -> str:
    (folder / "urea.cif").write_bytes((FOLDER / "examples/urea.cif").read_bytes())
    return "urea.cif"


@pytest.fixture
def urea_moved(folder: Path) -> str:
    (folder / "urea_moved.cif").write_bytes((FOLDER / "examples/urea_moved.cif").read_bytes())
    return "urea_moved.cif"
