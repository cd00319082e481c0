"""Rules of section 10: the structure of one CIF put into another."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.cif.document import Block
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.replacement import crystal_system, lattice_centring, replace_structure

from ..conftest import aniso, write_cif

INTO = write_cif(
    (10, 11, 12, 90, 100, 90),
    [("C1", "C", "0.1000(2)", 0.2, 0.3)],
    group="_space_group_name_H-M_alt 'P 1 21/c 1'\n_space_group_crystal_system monoclinic",
    more=aniso([("C1", 0.02, 0.02, 0.02, 0, 0, 0)])
    + """loop_
_geom_bond_atom_site_label_1
_geom_bond_atom_site_label_2
_geom_bond_distance
C1 C1 1.5
_refine_ls_weighting_scheme calc
_refine_ls_weighting_details 'w=1'
_refine_ls_extinction_coef 0.01
_refine_ls_R_factor_gt 0.04
_refine_diff_density_max 0.3
_atom_sites_solution_primary direct
_shelx_res_file
;
TITL old
;
_iucr_refine_instructions_details old
_shelx_hkl_file
;
   1   0   0    5.00    1.00
;
loop_
_refln_index_h
_refln_index_k
_refln_index_l
_refln_F_squared_meas
_refln_F_squared_calc
1 0 0 5.0 4.9
loop_
_atom_type_symbol
_atom_type_scat_dispersion_real
C 0.003
""",
)
SOURCE = write_cif(
    (10.1, 11.1, 12.1, 90, 100.1, 90),
    [("O7", "O", "0.5000(3)", "0.6000(3)", 0.7)],
    group="_space_group_name_H-M_alt 'P 1 21/n 1'\n_space_group_crystal_system monoclinic",
    more=aniso([("O7", "0.0300(10)", 0.03, 0.03, 0, 0, 0)])
    + "_atom_sites_solution_hydrogens difmap\n_shelx_res_file\n;\nTITL new\n;\n_cell_formula_units_Z 4\n",
)


@pytest.fixture
def replaced() -> Block:
    return replace_structure(INTO, SOURCE)[0]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("_cell_length_a", "10"),
        ("_space_group_name_H-M_alt", "'P 1 21/c 1'"),
        ("_atom_site_label", "O7"),
        ("_atom_site_fract_x", "0.5000"),
        ("_atom_site_aniso_label", "O7"),
        ("_atom_site_aniso_U_11", "0.0300"),
        ("_atom_sites_solution_hydrogens", "difmap"),
        ("_atom_sites_solution_primary", None),
        ("_refine_ls_R_factor_gt", None),
        ("_refine_diff_density_max", None),
        ("_refine_ls_weighting_scheme", "calc"),
        ("_refine_ls_weighting_details", "'w=1'"),
        ("_refine_ls_extinction_coef", "0.01"),
        ("_iucr_refine_instructions_details", None),
        ("_geom_bond_distance", None),
        ("_refln_F_squared_meas", "5.0"),
        ("_refln_F_squared_calc", None),
        ("_atom_type_symbol", "C"),
        ("_cell_formula_units_Z", None),
    ],
)
def test_what_stays_goes_and_comes(replaced: Block, tag: str, value: str | None) -> None:
    assert replaced.get(tag) == value


def test_the_refinement_file_is_the_one_of_the_source(replaced: Block) -> None:
    assert (replaced.text("_shelx_res_file") or "").strip() == "TITL new"
    assert "5.00" in (replaced.text("_shelx_hkl_file") or "")


def test_su_of_the_source_do_not_come_along(replaced: Block) -> None:
    assert not [tag for tag in replaced.tags if tag.startswith("_atom_site") and tag.endswith("_su")]


def test_weighting_goes_when_asked() -> None:
    block = replace_structure(INTO, SOURCE, keep_weighting=False)[0]
    assert block.get("_refine_ls_weighting_scheme") is None
    assert block.get("_refine_ls_extinction_coef") is None


def test_a_source_without_anisotropic_atoms_is_taken_as_it_is() -> None:
    plain = SOURCE.replace(aniso([("O7", "0.0300(10)", 0.03, 0.03, 0, 0, 0)]), "")
    block = replace_structure(INTO, plain)[0]
    assert block.get("_atom_site_label") == "O7"
    assert block.loop("_atom_site_aniso_label") is None


def test_a_source_without_atoms_is_refused() -> None:
    text = "data_x\n_space_group_name_H-M_alt 'P 1 21/n 1'\n_cell_length_a 10\n"
    with pytest.raises(CifError, match="no atoms"):
        replace_structure(INTO, text)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (SOURCE.replace("P 1 21/n 1", "P -1").replace("monoclinic", "triclinic"), "crystal system differs"),
        (SOURCE.replace("P 1 21/n 1", "C 1 2/c 1"), "lattice centring differs"),
        (SOURCE.replace("monoclinic", "triclinic"), "states the crystal system triclinic"),
        (
            SOURCE.replace("_space_group_crystal_system monoclinic", "_space_group_name_Hall '-C 2yc'"),
            "do not agree on the lattice",
        ),
    ],
    ids=["system", "centring", "inconsistent system", "inconsistent centring"],
)
def test_other_symmetry_is_refused_unless_forced(changed: str, words: str) -> None:
    with pytest.raises(CifError, match=words):
        replace_structure(INTO, changed)
    assert replace_structure(INTO, changed, force=True)[0].get("_atom_site_label") == "O7"


def warned(into: str, source: str, **options: bool) -> list[str]:
    return [remark.code for remark in replace_structure(into, source, **options).diagnostics]


BARE = SOURCE.replace("_space_group_name_H-M_alt 'P 1 21/n 1'\n_space_group_crystal_system monoclinic", "")


def test_unknown_symmetry_is_a_warning() -> None:
    document = replace_structure(INTO, BARE)
    assert document[0].get("_atom_site_label") == "O7"
    system, centring = (str(remark) for remark in document.diagnostics)
    assert "crystal system could not be compared: block made does not give it" in system
    assert "lattice centring could not be compared" in centring


def test_a_stated_centring_that_differs_is_refused_though_the_system_is_unknown() -> None:
    with pytest.raises(CifError, match="lattice centring differs"):
        replace_structure(
            INTO, BARE + "_space_group_name_Hall 'not one'\n_symmetry_space_group_name_H-M 'C ?'\n"
        )


def test_atoms_of_another_space_group_are_warned_of() -> None:
    same = SOURCE.replace("P 1 21/n 1", "P 1 21/c 1")
    assert warned(INTO, SOURCE) == ["space-group-differs"]
    assert warned(INTO, same) == []


@pytest.mark.parametrize(("length", "codes"), [("10.1", []), ("10.49", []), ("10.6", ["cell-differs"])])
def test_atoms_of_another_cell_are_warned_of(length: str, codes: list[str]) -> None:
    changed = SOURCE.replace("P 1 21/n 1", "P 1 21/c 1").replace(
        "_cell_length_a 10.1", f"_cell_length_a {length}"
    )
    assert warned(INTO, changed) == codes
    assert warned(INTO, changed, force=True) == codes


@pytest.mark.parametrize(
    ("formula", "z", "codes"),
    [
        ("C2 H4 O", 4, []),
        ("C4 H8 O2", 2, []),
        ("C2 H6 O2", 4, ["formula-differs"]),
        ("C2 H4 O", 2, ["formula-differs"]),
        ("C2 H4 N", 4, ["formula-differs"]),
    ],
)
def test_statements_on_other_contents_are_named(formula: str, z: int, codes: list[str]) -> None:
    """Formula, density and F(000) stayed without a word, beside atoms that they are not of."""
    into = INTO + "_chemical_formula_sum 'C2 H4 O'\n_cell_formula_units_Z 4\n_exptl_crystal_F_000 96\n"
    source = SOURCE.replace("P 1 21/n 1", "P 1 21/c 1").replace(
        "_cell_formula_units_Z 4", f"_cell_formula_units_Z {z}\n_chemical_formula_sum '{formula}'"
    )
    assert warned(into, source) == codes


@pytest.mark.parametrize(
    ("items", "system", "letter"),
    [
        ("_space_group_name_H-M_alt 'P -1'", "triclinic", "P"),
        ("_symmetry_space_group_name_H-M 'C 2/c'", "monoclinic", "C"),
        ("_space_group_name_Hall '-P 2ybc'", "monoclinic", "P"),
        ("_space_group_name_Hall '-I 4'", "tetragonal", "I"),
        ("_space_group_name_H-M_alt 'R -3 :H'\n_symmetry_cell_setting rhombohedral", "trigonal", "R"),
        ("loop_\n_space_group_symop_operation_xyz\n x,y,z\n x+1/2,y+1/2,z\n", "triclinic", "C"),
    ],
)
def test_crystal_system_and_centring_are_found_however_they_are_given(
    items: str, system: str, letter: str
) -> None:
    block = read(f"data_x\n{items}\n".encode())[0]
    assert crystal_system(block) == system
    assert lattice_centring(block) == letter
