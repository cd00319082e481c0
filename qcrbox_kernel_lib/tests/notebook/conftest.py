"""A box on real spec JSON that fails the test when anything reaches for the network."""

from __future__ import annotations

import pytest
from qcrbox.notebook.applications import Application
from qcrbox.notebook.box import Box

REFINE = {
    "name": "Refine",
    "slug": "refine",
    "version": "1.0",
    "id": 1,
    "registered_at": "2026-11-24T06:00:00Z",
    "description": "Least squares refinement.",
    "url": None,
    "email": None,
    "doi": None,
    "yaml_file_path": None,
    "gui_port": None,
    "pyqcrbox_version": "0.1.0",
    "commands": [
        {
            "id": 1,
            "application_id": 1,
            "name": "refine_iam",
            "cmd_name": "refine_iam",
            "application": "refine",
            "version": "1.0",
            "description": "Refine an independent-atom model.",
            "implemented_as": "python_callable",
            "merge_cif_su": False,
            "doi": None,
            "parameters": {
                "input_cif": {
                    "name": "input_cif",
                    "dtype": "QCrBox.cif_data_file",
                    "description": "Structure to refine",
                    "default_value": None,
                    "required": True,
                    "valid_value": None,
                },
                "ls_cycles": {
                    "name": "ls_cycles",
                    "dtype": "int",
                    "description": "Most cycles to run",
                    "default_value": 10,
                    "required": False,
                    "valid_value": {"numeric_range": [0, None]},
                },
                "hydrogens": {
                    "name": "hydrogens",
                    "dtype": "str",
                    "description": "Treatment of hydrogen atoms",
                    "default_value": "riding",
                    "required": False,
                    "valid_value": {"choices": ["riding", "free", "none"]},
                },
                "gridspacing": {
                    "name": "gridspacing",
                    "dtype": "float",
                    "description": "Grid",
                    "default_value": 0.2,
                    "required": False,
                    "valid_value": {"numeric_range": [0.05, 0.5]},
                    "unit": "Å",
                },
                "anharmonic": {"name": "anharmonic", "dtype": "bool", "default_value": False, "required": False},
                "hkl": {
                    "name": "hkl",
                    "dtype": "QCrBox.data_file",
                    "description": "Reflections",
                    "default_value": None,
                    "required": False,
                    "valid_value": None,
                },
            },
        },
        {
            "id": 2,
            "application_id": 1,
            "name": "solve-it",
            "cmd_name": "solve-it",
            "application": "refine",
            "version": "1.0",
            "description": "Solve <b>it</b>.",
            "implemented_as": "cli_command",
            "merge_cif_su": False,
            "doi": None,
            "parameters": {},
        },
    ],
}


class NoNetwork:
    """In the place of a client: whatever is asked, the test has failed."""

    url = "http://127.0.0.1:9"

    def __getattr__(self, name):
        raise AssertionError(f"the network was used: {name}")


@pytest.fixture
def box():
    made = Box(NoNetwork())
    made.apps._known = [Application(made, REFINE)]
    made.apps._read_at = float("inf")
    return made


@pytest.fixture
def refine_iam(box):
    return box.refine.refine_iam
