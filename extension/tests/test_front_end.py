"""The front end's own checks: unit tests by vitest, eslint and prettier, and whether its types are those of the contract."""

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


def run(*command: str) -> str:
    done = subprocess.run(
        ["npx", "--no-install", *command],
        cwd=EXTENSION,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_unit_tests_pass() -> None:
    assert " passed" in run("vitest", "run")


def test_types_hold_in_sources_and_tests() -> None:
    """vitest takes types out unread: a test may go on with a property that is gone."""
    run("tsc", "-p", "tests")


def test_style_holds() -> None:
    run("eslint", "--max-warnings", "0", ".")
    run("prettier", "--check", "src", "style", "tests")


def test_types_are_those_of_the_openapi_page() -> None:
    assert TYPES.read_text() == contract_types(), "run: make types"
