"""Glue code written before the layers still imports, and learns the present path."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from qcrbox.old_paths import MOVED


@pytest.mark.parametrize(("old", "present"), MOVED.items(), ids=MOVED)
def test_old_path_gives_the_module_of_the_present_path(old, present):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=f"import {present} instead"):
        module = importlib.import_module(old)
    assert module is importlib.import_module(present)
    assert module.__spec__.name == module.__name__ == present


def test_classes_are_the_same_by_either_path_and_the_warning_names_the_line():
    code = (
        "from qcrbox.cif.structure.adps import u_equivalent\n"
        "from qcrbox.crystallography.structure import adps\n"
        "assert adps.u_equivalent is u_equivalent\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "<string>:1: DeprecationWarning: qcrbox.cif.structure has moved" in done.stderr


def test_path_that_never_was_stays_unknown():
    with pytest.raises(ModuleNotFoundError, match="never_was"):
        importlib.import_module("qcrbox.cif.never_was")
