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


@pytest.mark.parametrize(
    ("description", "right"),
    [
        ("SHELX input (.res/.ins)", [".res", ".ins"]),
        ("One of .res,.ins,.hkl", [".res", ".ins", ".hkl"]),
        ("A '.cube' or \".npz\" file", [".cube", ".npz"]),
        ("[.fcf]", [".fcf"]),
        ("Files: *.hkl, *.HKL", [".hkl"]),
        ("version.txt of the folder", []),
        ("see example.org", []),
        ("", []),
    ],
)
def test_endings_that_a_description_names_in_its_ways(description, right):
    """Of `.res/.ins` the form offered only .res files."""
    assert endings(description, ()) == right


@pytest.mark.parametrize(
    ("companion", "right"),
    [
        (["*.hkl", "*.HKL"], [".hkl"]),
        (["data_*.hkl"], [".hkl"]),
        (["refln.hkl"], [".hkl"]),
        (["*.tar.gz"], [".tar.gz"]),
        (["*"], []),
        (["*.hkl*"], []),
        (["README"], []),
    ],
)
def test_the_ending_of_a_companion(companion, right):
    assert endings("", companion) == right


@pytest.mark.parametrize(
    ("required", "needed"),
    [
        ([], False),
        (["_cell_length_a"], False),
        (["_atom_site_label"], True),
        (["_atom_site.label"], True),
        (["_ATOM_SITE_fract_x"], True),
        (["_atom_site_aniso_U_11"], True),
        # How the structure was solved says nothing about atoms.
        (["_atom_sites_solution_primary"], False),
        (["_atom_sites.solution_hydrogens"], False),
        (["_atom_type_symbol"], False),
        ([{"one_of": ["_atom_site_label", "_atom_site_type_symbol"]}], True),
        ([{"one_of": ["_atom_site_label", ["_cell_length_a", "_atom_site_fract_x"]]}], True),
        ([{"one_of": ["_atom_site_label", ["_cell_length_a", "_cell_length_b"]]}], False),
        ([{"one_of": []}], False),
    ],
    ids=str,
)
def test_atoms_are_needed_where_every_way_to_fulfil_the_entries_has_some(required, needed):
    assert needs_atoms(required) is needed
