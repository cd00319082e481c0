from __future__ import annotations

import re
from pathlib import Path

import pytest
from qcrbox.cif import names
from qcrbox.crystallography.structure import reading
from qcrbox.spec import Application, load

APPLICATIONS = sorted(Path(__file__).parents[2].glob("*/application.yaml"))


@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.parent.name)
def test_spec_of_ours_is_read_without_guessing(path):
    application = load(path)
    assert application.notes == []
    assert Application.model_validate_json(application.model_dump_json()) == application


@pytest.mark.parametrize("path", APPLICATIONS, ids=lambda path: path.parent.name)
def test_every_command_and_parameter_of_ours_is_described(path):
    for command in load(path).listed_commands:
        assert command.description, command.name
        assert [p.name for p in command.arguments if not p.description] == [], command.name


# What decides how a structure is read, beside its atoms; coordinates in Å stand for fractional ones, which are required.
OF_STRUCTURES = (
    "_space_group_IT_coordinate_system_code",
    "_atom_site_site_symmetry_multiplicity",
    "_atom_site_site_symmetry_order",
    "_cell_formula_units_Z",
    "_chemical_formula_sum",
)


@pytest.mark.parametrize(
    "path",
    [path for path in APPLICATIONS if '"cell_and_symmetry"' in path.read_text()],
    ids=lambda path: path.parent.name,
)
def test_structures_arrive_whole(path):
    """An item that a spec does not name never reaches the command: the origin, say, or displacements as B(ij)."""
    sets = path.read_text().partition("cif_entry_sets:")[2]
    asked = {names.key(name) for name in re.findall(r"_[A-Za-z][\w./-]+", sets)}
    read = [tag for tag in (*reading._SITE_TAGS, *reading._ANISO_TAGS) if not tag.endswith("_su")]
    needed = {names.key(tag) for tag in (*read, *OF_STRUCTURES) if "_Cartn_" not in tag}
    assert needed - asked == set()
