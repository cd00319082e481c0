"""The edge cases of CIF that concern structures, by their numbers: 12 to 18, 20 to 22 and 24.

12 to 14 (symmetry) are in test_space_group.py, 15 (B, beta, odd tensors) in test_adps.py, 17 (disorder) in
test_growing.py, 19 and 20 (reflections, twins) and 24 (FCF) in test_reflections.py; here is the rest.
"""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.index import index_file
from qcrbox.analysis.validation import validate
from qcrbox.cif import read
from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography.extended_symmetry import is_magnetic, is_modulated
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.elements import element_of_type, readings_of_label

from ..conftest import CifMaker, symops

# 16: elements


@pytest.mark.parametrize(
    ("symbol", "element"),
    [
        ("Cl1-", "Cl"),
        ("Cl-1", "Cl"),
        ("Fe3+", "Fe"),
        ("O2-", "O"),
        ("D", "D"),
        ("T", "D"),
        ("Q1", ""),
        ("Q", ""),
        ("X", ""),
        ("CL", "Cl"),
        ("co", "Co"),
        ("CO", "Co"),
        ("C", "C"),
        ("Du", ""),
        ("?", ""),
        ("Xe", "Xe"),
    ],
)
def test_16_type_symbols_name_elements_with_charge_in_any_case(symbol: str, element: str) -> None:
    assert element_of_type(symbol) == element


@pytest.mark.parametrize(
    ("label", "element"),
    [
        ("H1A'", "H"),
        ("C12", "C"),
        ("CA1", "C"),
        ("Cl1", "Cl"),
        ("CL1", "Cl"),
        ("Co2", "Co"),
        ("CO2", "C"),
        ("N(1)", "N"),
        ("Q12", ""),
        ("X1", ""),
        ("1A", ""),
        ("Fe(2A)", "Fe"),
        ("D5", "D"),
        ("ZN1", "Zn"),
        ("W1", "W"),
    ],
)
def test_16_labels_name_elements_where_there_is_no_type(label: str, element: str) -> None:
    assert next(iter(readings_of_label(label)), "") == element


def test_16_peaks_and_dummies_are_no_atoms(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1), ("Q1", "Q", 0.2, 0.1, 0.1), ("X1", "X", 0.3, 0.1, 0.1)]
    structure = Structure.from_cif(cif(sites=sites))
    assert structure.asymmetric_unit.label == ["C1"]
    assert structure.cell_content == {"C": 1}
    assert any("Q1, X1" in note for note in structure.notes)


def test_16_dummy_flags_take_atoms_out_whatever_their_element(cif: CifMaker) -> None:
    columns = "label type_symbol fract_x fract_y fract_z calc_flag"
    sites = [("C1", "C", 0.1, 0.1, 0.1, "d"), ("C2", "C", 0.2, 0.1, 0.1, "dum")]
    assert Structure.from_cif(cif(sites=sites, columns=columns)).asymmetric_unit.label == ["C1"]


def test_16_duplicate_labels_are_noted_and_both_atoms_kept(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1), ("C1", "C", 0.5, 0.5, 0.5)]
    structure = Structure.from_cif(cif(sites=sites))
    assert len(structure.sites) == 2
    assert any("more than once: C1" in note for note in structure.notes)


def test_16_labels_without_element_are_noted(cif: CifMaker) -> None:
    structure = Structure.from_cif(
        cif(sites=[("1A", 0.1, 0.1, 0.1), ("C1", 0.2, 0.2, 0.2)], columns="label fract_x fract_y fract_z")
    )
    assert structure.sites.element == ["", "C"]
    assert any("No element is known for 1A" in note for note in structure.notes)


def test_16_a_prime_in_a_label_is_kept(cif: CifMaker) -> None:
    structure = Structure.from_cif(
        cif(sites=[("H1A'", "H", 0.1, 0.1, 0.1), ("\"C1''\"", "C", 0.2, 0.1, 0.1)])
    )
    assert structure.sites.label == ["H1A'", "C1''"]


# 18: flags, s.u. absent against zero


def test_18_riding_hydrogens_keep_their_flags_and_have_no_su(cif: CifMaker) -> None:
    columns = "label type_symbol fract_x fract_y fract_z calc_flag refinement_flags_posn"
    sites = [("C1", "C", "0.1000(2)", 0.1, 0.1, "d", "."), ("H1", "H", 0.18, 0.1, 0.1, "calc", "R")]
    structure = Structure.from_cif(cif(sites=sites, columns=columns))
    assert structure.sites.calc_flag == ["d", "calc"]
    assert structure.sites.refinement_flags == ["", "R"]
    assert structure.sites.fract_su[0].tolist() == [0.0002, 0, 0]
    assert structure.sites.fract_su[1].tolist() == [0, 0, 0]


def test_18_old_refinement_flags_are_read(cif: CifMaker) -> None:
    columns = "label type_symbol fract_x fract_y fract_z refinement_flags"
    structure = Structure.from_cif(cif(sites=[("C1", "C", 0.1, 0.1, 0.1, "DPG")], columns=columns))
    assert structure.sites.refinement_flags == ["DPG"]


def test_18_a_formula_with_hydrogen_and_a_model_without_is_an_alert(cif: CifMaker) -> None:
    text = cif(more="_chemical_formula_sum 'C1 H4'\n_cell_formula_units_Z 1\n")
    assert "NO_HYDROGENS" in {alert.test for alert in validate(read(text)[0]).alerts}


def test_18_an_su_of_zero_and_none_give_the_same_geometry_but_stay_different_texts(cif: CifMaker) -> None:
    block = read(cif(("10.0(0)", 11, 12, 90, 90, 90)))[0]
    structure = Structure.from_block(block)
    assert structure.cell.a.su == 0.0
    assert structure.cell.b.su is None
    assert block.get("_cell_length_a") == "10.0(0)"


# 17: tensors and coordinates in other forms


def test_17_a_tensor_that_is_not_complete_is_named(cif: CifMaker) -> None:
    columns = "\n".join(f"_atom_site_aniso_U_{name}" for name in ("11", "22", "33"))
    structure = Structure.from_cif(cif(more=f"loop_\n_atom_site_aniso_label\n{columns}\nC1 0.02 0.03 0.04\n"))
    assert any("not complete" in note and "C1" in note for note in structure.notes)


@pytest.mark.parametrize(
    "name",
    ["_atom_sites_Cartn_tran_matrix_{}{}", "_atom_sites.Cartn_transf_matrix[{}][{}]"],
    ids=["core", "mmCIF"],
)
def test_17_cartesian_coordinates_are_read_on_the_axes_that_the_file_states(cif: CifMaker, name: str) -> None:
    # x along b, y along a*; in the cell 10 11 12, β 100°: x = b y', and so on.
    cosine, sine = np.cos(np.radians(100)), np.sin(np.radians(100))
    matrix = np.array([[0, 11, 0], [10, 0, 12 * cosine], [0, 0, 12 * sine]])
    items = "".join(f"{name.format(i + 1, j + 1)} {matrix[i, j]:.6f}\n" for i, j in np.ndindex(3, 3))
    place = matrix @ [0.1, 0.2, 0.3]
    made = {
        "cell": (10, 11, 12, 90, 100, 90),
        "sites": [("C1", "C", *(f"{x:.5f}(20)" for x in place))],
        "columns": "label type_symbol Cartn_x Cartn_y Cartn_z",
    }
    sites = Structure.from_cif(cif(**made, more=items)).sites
    np.testing.assert_allclose(sites.fract[0], [0.1, 0.2, 0.3], atol=2e-6)
    # y' = x / b, so its s.u. is 0.0002 Å / 11 Å.
    assert sites.fract_su[0, 1] == pytest.approx(0.0002 / 11)
    wrong = Structure.from_cif(cif(**made, more=items.replace(" 11.000000", " 9.000000")))
    assert len([note for note in wrong.notes if "not a matrix of this cell" in note]) == 1


@pytest.mark.parametrize(
    ("number", "cell", "atoms"),
    [
        (166, (7, 7, 7, 80, 80, 80), 12),
        (166, (7, 7, 17, 90, 90, 120), 18),
        (14, (7, 8, 9, 90, 90, 100), 4),
        (14, (7, 8, 9, 90, 100, 90), 4),
    ],
    ids=["rhombohedral", "hexagonal", "unique axis c", "unique axis b"],
)
def test_13_of_a_number_alone_the_setting_that_fits_the_cell_is_taken(
    cif: CifMaker, number: int, cell: tuple[float, ...], atoms: int
) -> None:
    structure = Structure.from_cif(cif(cell=cell, group=f"_space_group_IT_number {number}"))
    assert len(structure.pack()) == atoms
    assert not any("does not have the symmetry" in note for note in structure.notes)


# 21: neutrons, electrons, wavelengths


def test_21_deuterium_is_an_element_of_its_own(cif: CifMaker) -> None:
    sites = [("O1", "O", 0.1, 0.1, 0.1), ("D1", "D", 0.19, 0.1, 0.1)]
    structure = Structure.from_cif(cif(sites=sites, more="_diffrn_radiation_probe neutron"))
    assert structure.sites.element == ["O", "D"]
    assert len(structure.bonds()) == 1
    record = index_file(cif(sites=sites, more="_diffrn_radiation_probe neutron").encode())
    assert (record.radiation, record.has_hydrogens) == ("neutron", True)


def test_21_of_two_wavelengths_the_first_positive_one_is_indexed(cif: CifMaker) -> None:
    more = "loop_\n_diffrn_radiation_wavelength_id\n_diffrn_radiation_wavelength\n1 0.7093\n2 0.71359\n"
    assert index_file(cif(more=more).encode()).wavelength == 0.7093


def test_21_a_missing_wavelength_is_unknown_not_guessed(cif: CifMaker) -> None:
    assert index_file(cif().encode()).wavelength is None


# 22: other kinds of CIF


def test_22_a_modulated_structure_is_recognised_and_politely_refused(cif: CifMaker) -> None:
    text = cif(
        more="loop_\n_space_group_symop_ssg_id\n_space_group_symop_ssg_operation_algebraic\n1 x1,x2,x3,x4\n"
    )
    with pytest.raises(CifError, match="does not support superspace"):
        Structure.from_cif(text)
    assert index_file(text.encode()).kind == "modulated"


def test_22_a_modulated_structure_in_a_space_group_is_read_as_its_average_and_named(cif: CifMaker) -> None:
    text = cif(more="_cell_modulation_dimension 1\n_cell_wave_vector_x 0\n_cell_wave_vector_y 0.31\n")
    assert any("average" in note for note in Structure.from_cif(text).notes)
    assert not Structure.from_cif(cif(more="_cell_modulation_dimension 0\n")).notes


def test_22_nuclei_of_a_magnetic_group_have_its_operations_without_time_reversal(cif: CifMaker) -> None:
    group = (
        "loop_\n_space_group_symop_magn_operation.id\n_space_group_symop_magn_operation.xyz\n1 x,y,z,+1\n2 -x,-y,-z,-1\n"
        "loop_\n_space_group_symop_magn_centering.id\n_space_group_symop_magn_centering.xyz\n1 x,y,z,+1\n2 x,y+1/2,z+1/2,-1"
    )
    structure = Structure.from_cif(cif(group=group))
    # One atom in a general place of a cell with inversion and A centring, black and white as it is.
    assert len(structure.pack()) == 4
    assert structure.formula == "C4"
    assert any("magnetic" in note for note in structure.notes)


def test_22_a_magnetic_structure_is_recognised(cif: CifMaker) -> None:
    text = cif(more="_space_group_magn.number_BNS 62.448\n")
    assert index_file(text.encode()).kind == "magnetic"


def test_22_empty_items_of_a_template_make_no_structure_modulated_or_magnetic(cif: CifMaker) -> None:
    more = "_space_group_ssg_name ?\n_cell_modulation_dimension ?\n_space_group_magn.number_BNS .\n"
    text = cif(more=f"{more}loop_\n_cell_wave_vector_seq_id\n_cell_wave_vector_x\n? ?\n")
    assert Structure.from_cif(text).notes == Structure.from_cif(cif()).notes
    block = read(text)[0]
    assert not is_modulated(block)
    assert not is_magnetic(block)


def test_22_a_powder_file_is_recognised(cif: CifMaker) -> None:
    text = cif(more="loop_\n_pd_meas_2theta_scan\n_pd_meas_counts_total\n5.0 100\n")
    assert index_file(text.encode()).kind == "powder"


def test_22_a_macromolecular_file_is_recognised_and_its_coordinates_converted() -> None:
    cell = (
        "\n".join(f"_cell.length_{name} 20" for name in "abc")
        + "\n"
        + "\n".join(f"_cell.angle_{name} 90" for name in ("alpha", "beta", "gamma"))
    )
    rows = "ATOM C CA 1.0 2.0 3.0\nATOM N N 2.4 2.0 3.0\n"
    loop = "loop_\n_atom_site.group_PDB\n_atom_site.type_symbol\n_atom_site.label_atom_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n_atom_site.Cartn_z\n"
    text = f"data_m\n{cell}\n{loop}{rows}"
    assert index_file(text.encode()).kind == "macromolecule"


def test_22_symmetry_with_superspace_operations_in_the_usual_place_does_not_become_p1_silently(
    cif: CifMaker,
) -> None:
    structure = Structure.from_cif(cif(group=symops("x1,x2,x3,x4", "-x1,-x2,-x3,-x4")))
    assert any("Superspace" in note for note in structure.notes)


# 24: blocks


def test_24_of_several_blocks_with_atoms_one_must_be_chosen(cif: CifMaker) -> None:
    two = cif() + cif().replace("data_made", "data_other").replace("C1 C 0.1", "N1 N 0.1")
    with pytest.raises(CifError, match="made, other"):
        Structure.from_cif(two)
    assert Structure.from_cif(two, block="other").sites.label == ["N1"]
    assert Structure.from_cif(two, block=0).sites.label == ["C1"]


def test_24_a_stray_data_line_does_not_hide_the_structure(cif: CifMaker) -> None:
    assert Structure.from_cif("data_\n" + cif()).sites.label == ["C1"]


def test_24_reflections_in_a_block_of_another_name_are_found_by_the_index(cif: CifMaker) -> None:
    loop = "loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n1 0 0 5\n"
    record = index_file((cif() + f"data_fcf\n{loop}").encode())
    assert record.block == "made"
    assert record.has_hkl
    assert record.blocks == ["made", "fcf"]


# Damaged files


def test_a_file_without_atoms_says_which_items_are_missing() -> None:
    text = (
        "data_x\n"
        + "\n".join(f"_cell_length_{name} 9" for name in "abc")
        + "\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n"
    )
    with pytest.raises(MissingItemsError) as caught:
        Structure.from_cif(text)
    assert "_atom_site_label" in caught.value.items


def test_atoms_without_coordinates_are_kept_out_of_the_picture(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1), ("C2", "C", "?", "?", "?")]
    structure = Structure.from_cif(cif(sites=sites))
    assert len(structure.sites) == 2
    assert structure.asymmetric_unit.label == ["C1"]
    assert len(structure.pack()) == 1


def test_one_atom_may_be_written_without_a_loop() -> None:
    cell = (
        "\n".join(f"_cell_length_{name} 9" for name in "abc")
        + "\n"
        + "\n".join(f"_cell_angle_{name} 90" for name in ("alpha", "beta", "gamma"))
    )
    atom = "_atom_site_label Po1\n_atom_site_type_symbol Po\n_atom_site_fract_x 0\n_atom_site_fract_y 0\n_atom_site_fract_z 0\n"
    structure = Structure.from_cif(f"data_x\n{cell}\n_space_group_name_H-M_alt 'P m -3 m'\n{atom}")
    assert structure.sites.label == ["Po1"]
    assert structure.cell_content == {"Po": 1}


def test_a_unified_file_gives_the_structure_of_the_original(cu_path) -> None:
    from qcrbox.cif.convert import unify

    original = Structure.from_cif(cu_path)
    unified = Structure.from_block(unify(cu_path, block="I").block)
    assert unified.sites.label == original.sites.label
    assert np.array_equal(unified.sites.fract, original.sites.fract)
    assert unified.sites.fract_su == pytest.approx(original.sites.fract_su)
    assert unified.sites.u_cif_su == pytest.approx(original.sites.u_cif_su)
    assert unified.cell.a == original.cell.a
    assert unified.bonds() == original.bonds()


def test_a_stale_list_of_bonds_is_noted_and_not_used(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1), ("C2", "C", 0.25, 0.1, 0.1), ("O1", "O", 0.5, 0.5, 0.5)]
    more = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\nC1 O1 1.4\nC1 C9 1.5\n"
    structure = Structure.from_cif(cif(sites=sites, more=more))
    assert [(bond.label_1, bond.label_2) for bond in structure.bonds()] == [("C1", "C2")]
    notes = " ".join(structure.notes)
    assert "C1-O1: listed 1.400" in notes
    assert "C9" in notes


def test_listed_bonds_longer_than_radii_are_shown(cif: CifMaker) -> None:
    sites = [("K1", "K", 0.1, 0.1, 0.1), ("O1", "O", 0.43, 0.1, 0.1)]
    more = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\nK1 O1 3.300(2)\n"
    (bond,) = Structure.from_cif(cif(sites=sites, more=more)).bonds()
    assert bond.listed
    assert Structure.from_cif(cif(sites=sites)).bonds() == []


def test_listed_bonds_of_an_atom_on_a_special_position_are_completed_by_its_symmetry(cif: CifMaker) -> None:
    sites = [("Cu1", "Cu", 0, 0, 0), ("O1", "O", 0.2, 0, 0)]
    more = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\n_geom_bond_site_symmetry_2\nCu1 O1 2.0 .\n"
    structure = Structure.from_cif(cif(sites=sites, group=symops("x,y,z", "-x,-y,-z"), more=more))
    assert len(structure.edges.of(0)) == 2
    assert len(structure.atoms) == 3


def test_an_atom_thousands_of_cells_away_is_noted_and_left_out(cif: CifMaker) -> None:
    structure = Structure.from_cif(cif(sites=[("C1", "C", 0.1, 0.1, 0.1), ("C2", "C", 999999, 0.1, 0.1)]))
    assert structure.asymmetric_unit.label == ["C1"]
    assert any("C2 lie thousands of cells away" in note for note in structure.notes)


def test_atoms_in_different_cells_are_bonded_to_the_right_images(cif: CifMaker) -> None:
    sites = [("C1", "C", 5.95, -3.9, 0.1), ("C2", "C", 0.08, 0.1, 2.1)]
    structure = Structure.from_cif(cif(sites=sites))
    (bond,) = structure.bonds()
    assert bond.length.value == pytest.approx(1.3)
    assert bond.symmetry == "x+6, y-4, z-2"


def test_an_empty_list_of_atoms_is_no_structure(cif: CifMaker) -> None:
    with pytest.raises(MissingItemsError, match="no atoms"):
        Structure.from_cif(cif(sites=[]))


def test_what_the_reader_found_wrong_is_among_the_notes(cif: CifMaker) -> None:
    structure = Structure.from_cif(cif(more="_cell_length_a 20\n"))
    assert structure.cell.a.value == 10
    assert any("given twice with different values" in note for note in structure.notes)
