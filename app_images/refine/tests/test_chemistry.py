"""Formula, weight, density, F(000) and Z in the CIF, against values computed by hand."""

import pytest
from qcrbox.cif import read
from qcrbox_refine.chemistry import add_chemistry
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.model import Atom
from small_models import model_in

# Urea, P -4 21 m: C and O on mm2, N on m; two molecules in a cell of 145.06 Å³.
UREA_CELL = (5.565, 5.565, 4.684, 90, 90, 90)
UREA = [
    Atom("C1", "C", (0.0, 0.5, 0.326)),
    Atom("O1", "O", (0.0, 0.5, 0.595)),
    Atom("N1", "N", (0.146, 0.646, 0.177)),
    Atom("H1", "H", (0.257, 0.757, 0.283)),
    Atom("H2", "H", (0.144, 0.644, -0.034)),
]


def written(atoms=UREA, items="", **fields):
    model = model_in(UREA_CELL, "P -4 21 m", atoms, **fields)
    block = CifBlock(block=read(f"data_x\n{items}".encode()).blocks[0])
    add_chemistry(block, model)
    return block, model


def test_what_follows_from_the_atoms():
    """CH4N2O: 12.011 + 4 · 1.008 + 2 · 14.007 + 15.999 = 60.056; ρ = 2 · 60.056 · 1.66054 / 145.06 = 1.375."""
    block, model = written(z=2)
    assert block.text("_chemical_formula_sum") == "C H4 N2 O"
    assert block.text("_chemical_formula_weight") == "60.06"
    assert block.text("_cell_formula_units_Z") == "2"
    assert block.number("_exptl_crystal_density_diffrn")[0] == pytest.approx(1.375, abs=0.001)
    # 2 (6 + 4 + 2 · 7 + 8) electrons.
    assert block.text("_exptl_crystal_F_000") == "64"
    assert block.text("_qcrbox_formula_from_atoms") == "yes"
    assert model.notes == []


@pytest.mark.parametrize(
    ("radiation", "f_000"),
    # Neutrons: 2 (6.646 + 4 · -3.739 + 2 · 9.36 + 5.803) fm; electrons: 2 Σ f(0) of the atoms in Å.
    [("neutron", 32.43), ("electron", 2 * (2.5088 + 4 * 0.5288 + 2 * 2.2115 + 1.9826))],
)
def test_f_000_is_that_of_the_radiation(radiation, f_000):
    block, _ = written(z=2, radiation=radiation)
    assert block.number("_exptl_crystal_F_000")[0] == pytest.approx(f_000, rel=0.01)


def test_deuterium_weighs_as_deuterium_and_has_one_electron():
    atoms = [*UREA[:3], Atom("D1", "D", UREA[3].site), Atom("D2", "D", UREA[4].site)]
    block, _ = written(atoms, z=2)
    assert block.text("_chemical_formula_sum") == "C D4 N2 O"
    assert block.number("_chemical_formula_weight")[0] == pytest.approx(60.056 + 4 * 1.0063, abs=0.01)
    assert block.text("_exptl_crystal_F_000") == "64"


def test_the_formula_of_the_file_stays_and_a_model_of_other_atoms_is_named():
    block, model = written(
        UREA[:3], "_chemical_formula_sum 'C H4 N2 O'\n", z=2, formula={"C": 1, "H": 4, "N": 2, "O": 1}
    )
    assert block.text("_chemical_formula_sum") == "C H4 N2 O"
    assert block.text("_exptl_crystal_F_000") == "64"
    assert "The model holds C N2 O; the formula of the file was kept: C H4 N2 O." in model.notes
    assert model.kinds[model.notes[0]] == "warning"


def test_what_was_computed_from_an_earlier_formula_of_the_atoms_is_computed_anew():
    items = "_chemical_formula_sum 'C N2 O'\n_chemical_formula_weight 56.02\n_qcrbox_formula_from_atoms yes\n"
    block, _ = written(items=items, z=2)
    assert block.text("_chemical_formula_sum") == "C H4 N2 O"
    assert block.text("_chemical_formula_weight") == "60.06"


def test_a_weight_that_the_file_states_stays():
    block, _ = written(items="_chemical_formula_weight 60.1\n", z=2, formula={"C": 1, "H": 4, "N": 2, "O": 1})
    assert block.text("_chemical_formula_weight") == "60.1"


@pytest.mark.parametrize("occupancy", [1.0, 0.5])
def test_partial_atoms_count_by_their_occupancy(occupancy):
    atoms = [*UREA[:3], *(Atom(a.label, "H", a.site, occupancy) for a in UREA[3:])]
    block, _ = written(atoms, z=2)
    assert block.text("_chemical_formula_sum") == ("C H4 N2 O" if occupancy == 1 else "C H2 N2 O")
