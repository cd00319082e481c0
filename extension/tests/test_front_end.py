"""The front end's unit tests, and whether its types are those of the contract; `make lint` checks its types and style."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.contract_types import TYPES, contract_types

EXTENSION = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _packages() -> None:
    if shutil.which("node") is None or not (EXTENSION / "node_modules" / "vitest").is_dir():
        pytest.skip("the packages of the front end are not installed here (make frontend)")


@pytest.mark.slow
def test_unit_tests_pass() -> None:
    done = subprocess.run(
        ["npx", "--no-install", "vitest", "run"],
        cwd=EXTENSION,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.slow
def test_types_are_those_of_the_openapi_page() -> None:
    assert TYPES.read_text() == contract_types(), "run: make types"
