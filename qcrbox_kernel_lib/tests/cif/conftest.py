"""Real CIF files from installed packages, and the script that builds the table of names."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from qcrbox.cif import Block, read


@pytest.fixture(scope="session")
def build_names() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "build_names.py"
    spec = importlib.util.spec_from_file_location("build_names", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def block_of() -> Callable[[str], Block]:
    """The block of a CIF given without its `data_` line."""

    def make(body: str) -> Block:
        return read(f"data_x\n{body}\n").sole_block()

    return make
