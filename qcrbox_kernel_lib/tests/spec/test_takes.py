"""Which files fit a parameter."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.spec import load
from qcrbox.spec.takes import endings, needs_atoms

APPLICATIONS = Path(__file__).parents[3] / "app_images"


@pytest.mark.parametrize(
    ("description", "companion", "right"),
    [
        ("Reflections: SHELX .hkl file (HKLF 4) or .fcf file.", ("*.hkl",), [".hkl", ".fcf"]),
        ("A table of form factors (.tsc, .TSCB)", (), [".tsc", ".tscb"]),
        ("Any file. It is kept as it is; 0.5 of it is enough.", (), []),
        ("Distances below 1.2e3 Å", (), []),
    ],
)
def test_endings_are_those_of_companions_and_of_the_description(description, companion, right):
    assert endings(description, companion) == right


def test_atoms_are_needed_when_an_entry_of_them_is():
    assert needs_atoms(["_cell_length_a", "_atom_site_label"])
    assert not needs_atoms(["_cell_length_a", {"one_of": ["_atom_site_label", "_refln_index_h"]}])


def test_the_records_of_a_command_say_what_its_files_are():
    shelxle = load(APPLICATIONS / "shelxle" / "application.yaml")
    parameters = shelxle.commands[0].to_rest(shelxle)["parameters"]
    assert parameters["structure"]["takes"] == {"endings": [".cif"], "atoms": True}
    assert parameters["reflections"]["takes"] == {"endings": [".hkl"], "atoms": False}
    assert "takes" not in parameters["wavelength"]
