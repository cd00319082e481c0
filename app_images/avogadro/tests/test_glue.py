"""Whole molecules go into Avogadro; what it saved comes out as a crystal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qcrbox import cif
from qcrbox.crystallography.structure import Structure

FOLDER = Path(__file__).resolve().parents[1]
OUTPUTS = ("edited.cif", "molecule.cjson", "molecule.xyz")
# A molecule on an inversion centre: half of it is in the asymmetric unit. H2 stands on the second orientation.
CENTRIC = """data_centric
_cell_length_a 8.0
_cell_length_b 9.0
_cell_length_c 10.0
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P -1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_adp_type
_atom_site_occupancy
_atom_site_disorder_assembly
_atom_site_disorder_group
C1 C 0.0900(3) 0.0100 0.0200 0.021 Uani 1 . .
O1 O 0.1800(2) 0.1300 0.0300 0.034 Uani 1 . .
H1 H 0.28 0.13 0.05 0.05 Uiso 0.6 A 1
H2 H 0.17 0.23 0.04 0.05 Uiso 0.4 A 2
loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_12
_atom_site_aniso_U_13
_atom_site_aniso_U_23
C1 0.02 0.02 0.02 0 0 0
O1 0.03 0.03 0.03 0 0 0
"""


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.chdir(tmp_path)
    import avogadro_glue

    yield avogadro_glue
    for name in ("avogadro_glue", "edited_crystal", "known_again"):
        sys.modules.pop(name, None)


@pytest.fixture
def prepared(glue):
    import iotbx

    glue.prepare(str(Path(iotbx.__file__).parent / "regression" / "data" / "cu3182sup1.cif"))
    return glue


Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def edit_centric(glue) -> Callable[[Edit], cif.Block]:
    """Prepare the centric molecule, change it as Avogadro would save it, finalise."""

    def run(change: Edit) -> cif.Block:
        Path("centric.cif").write_text(CENTRIC)
        glue.prepare("centric.cif")
        content = json.loads(Path("editing.cjson").read_text())
        change(content["atoms"])
        # Where Avogadro's Save puts a file that it was started with.
        Path(".cjson").write_text(json.dumps(content))
        os.utime(".cjson", ns=(2**62, 2**62))
        assert glue.finalise("centric.cif", *OUTPUTS) == list(OUTPUTS)
        return cif.read(Path("edited.cif")).sole_block()

    return run


def move(atoms: dict[str, Any], label: str, by: float) -> None:
    """Along x."""
    atoms["coords"]["3d"][3 * atoms["labels"].index(label)] += by


def remove(atoms: dict[str, Any], label: str) -> None:
    """As Avogadro does: the last atom takes its row, the labels stay at theirs."""
    row = atoms["labels"].index(label)
    coordinates, numbers = atoms["coords"]["3d"], atoms["elements"]["number"]
    coordinates[3 * row : 3 * row + 3] = coordinates[-3:]
    numbers[row] = numbers[-1]
    del coordinates[-3:], numbers[-1], atoms["labels"][-1]


def add(atoms: dict[str, Any], number: int, *place: float) -> None:
    atoms["labels"].append("")
    atoms["elements"]["number"].append(number)
    atoms["coords"]["3d"].extend(place)


def test_the_whole_molecule_is_there_with_its_bonds_and_cell(prepared):
    content = json.loads(Path("editing.cjson").read_text())
    numbers = content["atoms"]["elements"]["number"]
    assert len(content["atoms"]["coords"]["3d"]) == 3 * len(numbers) == 3 * len(content["atoms"]["labels"])
    assert {1, 6, 7, 8} == set(numbers)
    assert 2 * len(content["bonds"]["order"]) == len(content["bonds"]["connections"]["index"])
    assert content["unitCell"]["alpha"] == 90.0


def test_a_molecule_that_was_only_looked_at_gives_nothing(prepared):
    assert prepared.finalise("cu3182sup1.cif", *OUTPUTS) is None


def test_saving_without_a_change_gives_nothing(prepared):
    Path(".cjson").write_text(Path("editing.cjson").read_text())
    assert prepared.finalise("cu3182sup1.cif", *OUTPUTS) is None


def test_symmetry_images_are_told_by_their_labels_and_the_second_orientation_is_not_shown(glue):
    Path("centric.cif").write_text(CENTRIC)
    glue.prepare("centric.cif")
    labels = json.loads(Path("editing.cjson").read_text())["atoms"]["labels"]
    assert sorted(label for label in labels if "@" not in label) == ["C1", "H1", "O1"]
    assert sorted(label.partition("@")[0] for label in labels if "@" in label) == ["C1", "H1", "O1"]


def test_a_moved_atom_is_where_it_was_put_and_the_others_are_as_they_were(edit_centric):
    def change(atoms):
        move(atoms, "O1", 0.1)
        move(atoms, next(label for label in atoms["labels"] if label.startswith("O1@")), -0.1)

    block = edit_centric(change)
    loop = block.loop("_atom_site_label")
    rows = {row[0]: row for row in loop.rows}
    assert rows["C1"][:8] == ("C1", "C", "0.0900(3)", "0.0100", "0.0200", "0.021", "Uani", "1")
    assert float(rows["O1"][2]) == pytest.approx(0.18 + 0.1 / 8.0, abs=1e-6)
    assert rows["O1"][5:8] == ("?", "?", "1")
    assert rows["H2"][7:] == ("0.4", "A", "2"), "an orientation that was not shown stays"
    assert block.loop("_atom_site_aniso_label").texts("_atom_site_aniso_label") == ["C1"]
    before = Structure.from_block(cif.read(CENTRIC.encode()).sole_block())
    after = Structure.from_block(block)
    assert after.space_group.hm == before.space_group.hm
    assert len(after.grow()) == len(before.grow())


def test_an_atom_that_was_deleted_is_not_in_the_crystal(edit_centric, capsys):
    block = edit_centric(lambda atoms: remove(atoms, "H1"))
    assert block.column("_atom_site_label") == ["C1", "O1", "H2"]
    said = capsys.readouterr().out
    assert "1 deleted: H1" in said
    assert "moved" not in said
    assert "1 symmetry images are not where" in said


def test_new_atoms_are_stored_once_for_all_their_images(edit_centric):
    def change(atoms):
        add(atoms, 1, 3.0, 1.0, 2.0)
        add(atoms, 1, -3.0, -1.0, -2.0)
        add(atoms, 9, 0.0, 3.0, 1.0)

    block = edit_centric(change)
    assert block.column("_atom_site_label") == ["C1", "O1", "H1", "H2", "H3", "F1"]
    new = block.column("_atom_site_type_symbol")[-2:], block.column("_atom_site_occupancy")[-2:]
    assert new == (["H", "F"], ["1", "1"])


def test_another_element_at_the_same_place_is_told(edit_centric):
    def change(atoms):
        atoms["elements"]["number"][atoms["labels"].index("O1")] = 7

    block = edit_centric(change)
    assert block.column("_atom_site_type_symbol")[1] == "N"
    assert block.column("_atom_site_fract_x")[1] == "0.1800(2)"


def test_what_is_moved_against_the_symmetry_is_said(edit_centric, capsys):
    block = edit_centric(lambda atoms: move(atoms, "O1", 0.4))
    assert block.column("_atom_site_label") == ["C1", "O1", "H1", "H2"]
    assert "1 symmetry images are not where" in capsys.readouterr().out


def test_the_molecules_are_kept_as_json_and_as_coordinates_too(prepared):
    content = json.loads(Path("editing.cjson").read_text())
    content["atoms"]["coords"]["3d"][0] += 0.5
    Path("editing.cjson").write_text(json.dumps(content))
    import iotbx

    source = str(Path(iotbx.__file__).parent / "regression" / "data" / "cu3182sup1.cif")
    assert prepared.finalise(source, *OUTPUTS) == list(OUTPUTS)
    lines = Path("molecule.xyz").read_text().splitlines()
    assert int(lines[0]) == len(lines) - 2
    assert float(lines[2].split()[1]) == pytest.approx(content["atoms"]["coords"]["3d"][0], abs=1e-3)
