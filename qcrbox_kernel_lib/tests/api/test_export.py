"""The exported CIF in other programs' hands."""

from __future__ import annotations

import gemmi
import pytest
from qcrbox.cif import read
from qcrbox.cif.convert.classic_names import classic_name
from qcrbox.cif.convert.journal_cif import ascii_document, ascii_text, conventional_document
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.structure import Structure


@pytest.mark.parametrize(
    ("unified", "conventional"),
    [
        ("_cell.length_a", "_cell_length_a"),
        ("_space_group.name_h-m_alt", "_space_group_name_H-M_alt"),
        ("_atom_site_aniso.u_11", "_atom_site_aniso_U_11"),
        ("_atom_site.u_iso_or_equiv", "_atom_site_U_iso_or_equiv"),
        ("_refine_ls.shift_over_su_max", "_refine_ls_shift/su_max"),
        ("_refine_ls.wr_factor_ref", "_refine_ls_wR_factor_ref"),
        ("_diffrn_radiation_wavelength.value", "_diffrn_radiation_wavelength"),
        ("_shelx.res_file", "_shelx_res_file"),
        ("_geom_angle.value", "_geom_angle"),
        ("_geom_torsion.angle", "_geom_torsion"),
        ("_computing.diffrn_collection", "_computing_data_collection"),
        ("_diffrn_source.description", "_diffrn_source"),
        ("_diffrn_radiation_wavelength.type", "_diffrn_radiation_type"),
        ("_diffrn_measurement.device_make", "_diffrn_measurement_device_type"),
        ("_exptl_crystal_appearance.hue", "_exptl_crystal_colour_primary"),
        ("_refln.f_squared_meas_su", "_refln_F_squared_sigma"),
        ("_diffrn_reflns.laue_measured_fraction_full", "_diffrn_reflns_Laue_measured_fraction_full"),
        ("_my_own_item", "_my_own_item"),
        ("_aspheric_ff.index_h", "_aspheric_ff.index_h"),
    ],
)
def test_names_are_those_that_programs_know(unified, conventional):
    assert classic_name(unified) == conventional


@pytest.fixture(scope="session")
def exported(refined, tmp_path_factory):
    return refined.export(tmp_path_factory.mktemp("export") / "final.cif", embed=["hkl", "res"])


def test_gemmi_reads_the_same_structure_from_the_export(refined, exported):
    small = gemmi.read_small_structure(str(exported))
    assert len(small.sites) == len(refined.structure.sites)
    assert small.cell.a == pytest.approx(refined.cell.a.value)
    assert gemmi.SpaceGroup(small.spacegroup_hm).number == 14
    assert sum(site.aniso.nonzero() for site in small.sites) > 10


def test_su_are_in_brackets_and_nothing_is_lost(refined, exported):
    block = read(exported).sole_block()
    stored = refined.structure
    again = Structure.from_block(block)
    assert "(" in block.loop("_atom_site_label").column("_atom_site_fract_x")[0]
    assert again.sites.label == stored.sites.label
    assert abs(again.sites.fract - stored.sites.fract).max() < 2e-5
    assert {"_shelx_res_file", "_shelx_hkl_file"} <= set(block.tags)
    assert not [tag for tag in block.tags if "." in tag]


def test_cctbx_refinement_data_are_read_by_iotbx(exported):
    cif = pytest.importorskip("iotbx.cif")
    structures = cif.reader(file_path=str(exported)).build_crystal_structures()
    assert next(iter(structures.values())).scatterers().size() > 15


def test_letters_that_cif_1_cannot_hold_become_its_markup(exported):
    assert (
        ascii_text("Mo Kα, 0.71 Å, 5°, Müller, Σ, 2 × 3, 漢")
        == r"Mo K\a, 0.71 \%A, 5\%, M\"uller, \S, 2 \\times 3, ?"
    )
    assert exported.read_bytes().isascii()


def test_letters_that_become_quotes_end_no_value():
    """`'the crystals’ faces'` became `'the crystals' faces'`, which ends behind the s."""
    text = (
        "data_x\n_exptl_crystal_description 'the crystals’ faces'\n_exptl_special_details \"a “b” c\"\n"
        "loop_\n_atom_site_label\n_atom_site_fract_x\nC1′ 0.1\nC1″ 0.2\n"
    )
    block = read(ascii_document(read(text)).encode()).sole_block()
    assert block.text("_exptl_crystal_description") == "the crystals' faces"
    assert block.text("_exptl_special_details") == 'a "b" c'
    assert block.loop("_atom_site_label").texts("_atom_site_label") == ["C1'", "C1''"]


def test_export_overwrites_nothing_and_names_what_it_has_not_got(refined, exported, tmp_path):
    with pytest.raises(UserInputError, match="exists already"):
        refined.export(exported)
    with pytest.raises(UserInputError, match="embed knows"):
        refined.export(tmp_path / "a.cif", embed=["pdf"])
    assert issubclass(MissingItemsError, UserInputError)


def test_unified_export_is_the_stored_file(refined, tmp_path):
    path = refined.export(tmp_path / "stored.cif", unified=True)
    assert path.read_bytes() == refined.cif.bytes


def test_reflections_keep_their_s_u_in_a_column_of_their_own():
    """As programs read them; the export had it in brackets."""
    loop = "_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n_refln_F_squared_sigma\n"
    document = read(f"data_x\n_cell_length_a 5.1(2)\nloop_\n{loop}1 0 0 12.31 0.22\n0 1 0 3.10 0.31\n")
    block = conventional_document(document.sole_block()).sole_block()
    assert block.text("_cell_length_a") == "5.1(2)"
    assert block.column("_refln_F_squared_meas") == ["12.31", "3.10"]
    assert block.column("_refln_F_squared_sigma") == ["0.22", "0.31"]
    assert "_refln_F_squared_sigma" in block.tags
