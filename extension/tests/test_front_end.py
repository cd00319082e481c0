"""The front end's own tests, run by node on what tsc built."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

EXTENSION = Path(__file__).resolve().parents[1]


def test_front_end() -> None:
    node = shutil.which("node")
    if node is None or not (EXTENSION / "lib").is_dir():
        pytest.skip("the front end is not built here (make frontend)")
    done = subprocess.run(
        [node, "--test", str(EXTENSION / "tests")], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout
