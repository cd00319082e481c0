"""How the files of the package import one another, and what `import qcrbox` costs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from qcrbox.contract.python_names import MODULES

PACKAGE = Path(__file__).parents[1] / "qcrbox"
ROOT = Path(__file__).parents[2]
REASONS = ("Start-up time: ", "Optional: ")


def house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "tools" / "house.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_no_file_imports_itself_through_others_not_even_inside_functions():
    assert house().measure(PACKAGE).circles() == []


@pytest.mark.slow
def test_imports_inside_functions_are_for_start_up_time_or_optional_packages():
    found = house().measure(PACKAGE).deferred
    assert len(found) > 10
    assert [place for place, reason in found.items() if not reason.startswith(REASONS)] == []


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import qcrbox", ["pydantic", "numpy", "httpx", "asyncio", "qcrbox.api", "qcrbox.cif"]),
        ("import qcrbox; repr(qcrbox); dir(qcrbox)", ["pydantic", "numpy", "httpx", "qcrbox.api.box"]),
        (
            "import qcrbox.api.box",
            ["pydantic", "numpy", "httpx", "gemmi", "matplotlib", "anywidget", "IPython"],
        ),
        ("import qcrbox.cif", ["pydantic", "numpy", "gemmi"]),
        ("import qcrbox.api.densities", ["matplotlib", "anywidget", "ipywidgets"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_needed_is_not_loaded(statement, heavy, tmp_path):
    code = f"{statement}; import sys; print([name for name in {heavy!r} if name in sys.modules])"
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_is_imported_from_the_package_without_a_registry(module, tmp_path):
    """As the first statement of a program: nothing has loaded the module before, and no registry is there to ask."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QCRBOX_")}
    done = subprocess.run(
        [sys.executable, "-c", f"from qcrbox import {module}; assert {module}.__name__ == 'qcrbox.{module}'"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path), "QCRBOX_URL": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stderr
