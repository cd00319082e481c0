"""SHELX texts: symmetry cards, instructions, AFIX tables, export read again by cctbx."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from cctbx import adptbx, xray
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.cif import read
from qcrbox.cif.document import Block, Document
from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.shelx import (
    AfixRow,
    afix_loop,
    afix_rows,
    afix_table,
    apply_afix,
    export_hkl,
    export_ins,
    read_instructions,
    space_group_of_cards,
    structure_of_instructions,
    symmetry_cards,
)
from qcrbox.crystallography.shelx.checksum import checksum, wrong_checksums
from qcrbox.crystallography.shelx.instructions import INSTRUCTIONS
from qcrbox.crystallography.shelx.labels import shelx_labels
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.adps import six_components

from ..conftest import aniso, distributed, symops, write_cif

ENTRIES = list(gemmi.spacegroup_table())


@pytest.mark.parametrize("entry", ENTRIES[::5], ids=lambda entry: entry.xhm())
def test_symmetry_cards_mean_the_group_they_were_made_from(entry: gemmi.SpaceGroup) -> None:
    group = SpaceGroup.from_hall(entry.hall)
    latt, *symm = symmetry_cards(group)
    again = space_group_of_cards(int(latt.split()[1]), [line.removeprefix("SYMM ") for line in symm])
    assert again.same_operations(group)
    implied = (2 if not latt.startswith("LATT -") else 1) * {"P": 1, "R": 3, "F": 4}.get(group.centring, 2)
    if group.centring in "PABCIFR":
        assert (len(symm) + 1) * implied == group.order


def test_an_unknown_lattice_is_refused() -> None:
    with pytest.raises(CifError, match="LATT 9"):
        space_group_of_cards(9, [])


RES = """TITL a test
CELL 0.71073 10 11 12 90 95 90
ZERR 4 0.001 0.001 0.001 0 0.01 0
LATT 1
SYMM -X, 0.5+Y, 0.5-Z
SFAC C H O
UNIT 40 40 4
L.S. 10
FVAR 0.5 0.7
WGHT 0.05 0.2
REM a comment that ends with =
C1 1 0.1 0.2 0.3 11.0 0.02 0.03 =
 0.04 0.001 0.002 0.003
AFIX 43
H1A 2 0.15 0.2 0.3 11.0 -1.2
AFIX 0
PART 1
O1 3 0.4 0.5 10.25 21.0 0.05
PART 2
O1B 3 0.4 0.5 0.27 -21.0 0.05
PART 0
AFIX 66
C2 1 0.5 0.5 0.5 11.0 0.05
C3 1 0.6 0.5 0.5 11.0 0.05
AFIX 0
HKLF 4
END
Q1 1 0.0 0.0 0.0 11.0 0.05 1.5
"""


def test_atoms_are_read_with_the_cards_in_force() -> None:
    text = read_instructions(RES)
    atoms = {atom.label: atom for atom in text.atoms}
    assert list(atoms) == ["C1", "H1A", "O1", "O1B", "C2", "C3"]
    assert atoms["C1"].u == (0.02, 0.03, 0.04, 0.001, 0.002, 0.003)
    assert [atom.afix for atom in text.atoms] == [0, 43, 0, 0, 66, 66]
    assert [atom.part for atom in text.atoms] == [0, 0, 1, 2, 0, 0]
    assert text.elements == ["C", "H", "O"]
    assert text.card("WGHT") == ["0.05", "0.2"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (11.0, 1.0),
        (10.5, 0.5),
        (0.3, 0.3),
        (21.0, 0.7),
        (-21.0, 0.3),
        (20.5, 0.35),
        (-1.2, -1.2),
        (9.75, -0.25),
    ],
)
def test_parameters_mean_fixed_values_and_free_variables(written: float, meant: float) -> None:
    assert read_instructions(RES).resolved(written) == pytest.approx(meant)


def test_a_missing_free_variable_is_named() -> None:
    with pytest.raises(CifError, match="free variable 3"):
        read_instructions(RES).resolved(31.0)


def test_an_unreadable_atom_is_named_with_its_line() -> None:
    with pytest.raises(CifError, match="line 2"):
        read_instructions("TITL x\nC1 1 0.1 abc 0.3 11.0 0.05\n")


def test_continuations_comments_residues_and_included_files_are_read() -> None:
    text = read_instructions(
        """TITL a title with = and ! stays
    a comment
RESI CCF3 2
SADI_CCF3 0.02 C1 C2 = the rest of this line is a comment
   C1 C3 ! so is this
+dfix.txt
+gone.txt
rigu_* 0.004
C1 1 0 0 0 11 0.05
RESI 0
HKLF 4
END
WGHT 0.03 0.5
""",
        read_include={"dfix.txt": "DFIX 1.5 C1 C2\nEND\nDFIX 9 C1 C2"}.get,
    )
    sadi = text.named("SADI")[0]
    assert (sadi.residue, sadi.numbers, sadi.names) == ("CCF3", (0.02,), ("C1", "C2", "C1", "C3"))
    assert sadi.line == 4
    assert text.card("TITL") == ["a", "title", "with", "=", "and", "!", "stays"]
    assert [(dfix.numbers, dfix.place) for dfix in text.named("DFIX")] == [((1.5,), "dfix.txt line 1")]
    assert [missing.words for missing in text.missing_files] == [("gone.txt",)]
    assert text.named("RIGU")[0].residue == "*"
    assert (text.atoms[0].around.residue, text.atoms[0].around.residue_class) == (2, "CCF3")
    assert [(later.name, later.numbers) for later in text.ending if later.name == "WGHT"] == [
        ("WGHT", (0.03, 0.5))
    ]


def test_atoms_know_the_numbers_of_part_afix_and_move() -> None:
    text = read_instructions(
        "PART 2 -21\nAFIX 43 0.95 11 -1.5\nMOVE 1 1 1 -1\nH1 2 0.1 0.2 0.3 11 0.05\nHKLF 4\n"
    )
    around = text.atoms[0].around
    assert (around.part, around.part_occupancy) == (2, -21)
    assert (around.afix, around.afix_distance, around.afix_occupancy, around.afix_u) == (43, 0.95, 11, -1.5)
    assert around.move == (1, 1, 1, -1)


def test_lines_of_a_fragment_are_no_atoms() -> None:
    text = read_instructions("FRAG 17\nC1 1 0 0 0\nC2 1 0 0 1.4\nFEND\nC9 1 0.1 0.1 0.1 11 0.05\n")
    assert [atom.label for atom in text.atoms] == ["C9"]
    assert [entry.words[0] for entry in text.instructions if not entry.name] == ["C1", "C2"]


def test_a_riding_atom_in_a_rigid_group_rides_on_the_member_before_it() -> None:
    rows = afix_table(
        "AFIX 66\nC1 1 0 0 0 11 0.05\nC2 1 0 0 0.1 11 0.05\nC3 1 0 0 0.2 11 0.05\nAFIX 43\n"
        "H3 2 0 0.1 0.2 11 -1.2\nAFIX 65\nC4 1 0 0 0.3 11 0.05\nAFIX 43\nH4 2 0 0.1 0.3 11 -1.2\nAFIX 0\n"
    )
    assert [(row.label, row.code, row.pivot) for row in rows if row.label in ("H3", "C4", "H4")] == [
        ("H3", 43, "C3"),
        ("C4", 65, ""),
        ("H4", 43, "C4"),
    ]


def test_the_afix_table_tells_code_pivot_and_meaning() -> None:
    rows = afix_table(RES)
    assert rows == [AfixRow("H1A", 43, "C1"), AfixRow("C2", 66, ""), AfixRow("C3", 66, "")]
    assert rows[0].meaning == "aromatic C-H or amide N-H; riding"


def test_a_table_put_back_changes_nothing() -> None:
    assert apply_afix(RES, afix_table(RES)) == RES


def test_a_changed_table_changes_only_the_cards() -> None:
    text = apply_afix(RES, {"H1A": 33})
    assert [row.code for row in afix_table(text)] == [33]
    without = [line for line in text.splitlines() if not line.startswith("AFIX")]
    assert without == [line for line in RES.splitlines() if not line.startswith("AFIX")]


GROUPED = """TITL x
CELL 0.71073 10 10 10 90 90 90
LATT -1
SFAC C H
AFIX 66
C1 1 0.1 0.1 0.1 11 0.03
C2 1 0.2 0.1 0.1 11 0.03
AFIX 66
C3 1 0.3 0.1 0.1 11 0.03
C4 1 0.4 0.1 0.1 11 0.03
AFIX 0
RESI 1 ABC
C5 1 0.5 0.1 0.1 11 0.03
AFIX 43 1.083
H5 2 0.5 0.2 0.1 11 -1.2
AFIX 0
RESI 2 ABC
C5 1 0.6 0.1 0.1 11 0.03
AFIX 43
H5 2 0.6 0.2 0.1 11 -1.2
AFIX 0
HKLF 4
END
"""


def test_a_changed_table_keeps_the_other_cards_and_tells_residues_apart() -> None:
    """H5 of both residues took one code, the distance of a card was lost, and two rigid groups became one."""
    codes = {row.label: row.code for row in afix_table(GROUPED)}
    assert codes == {"C1": 66, "C2": 66, "C3": 66, "C4": 66, "H5_1": 43, "H5_2": 43}
    text = apply_afix(GROUPED, codes | {"H5_2": 33})
    assert text == GROUPED.replace("AFIX 43\n", "AFIX  33\n")
    with pytest.raises(CifError, match="H5"):
        apply_afix(GROUPED, {"H5": 43})


def test_a_table_with_an_unknown_atom_is_refused() -> None:
    with pytest.raises(CifError, match="H99"):
        apply_afix(RES, {"H99": 43})


def test_the_table_goes_through_a_cif() -> None:
    rows = afix_table(RES)
    document = Document([Block("x", [afix_loop(rows)])])
    assert afix_rows(read(document.to_bytes())[0]) == rows


# Export


COLUMNS = (
    "label type_symbol fract_x fract_y fract_z U_iso_or_equiv occupancy disorder_assembly disorder_group"
)
SITES = [
    ("Cu1", "Cu", 0, 0, 0, 0.02, 1, ".", "."),
    ("C2", "C", 0.1, 0.2, 0.3, 0.03, 1, ".", "."),
    ("O1A", "O", 0.3, 0.3, 0.3, 0.04, 0.6, "A", 1),
    ("O1B", "O", 0.32, 0.33, 0.3, 0.04, 0.4, "A", 2),
    ("Long name(1)".replace(" ", ""), "N", 0.6, 0.6, 0.6, 0.03, 1, ".", "."),
]
MADE = write_cif(
    ("10.000(1)", 11, 12, 90, "95.00(1)", 90),
    SITES,
    COLUMNS,
    group=symops("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"),
    more=aniso([("C2", 0.02, 0.03, 0.04, 0.001, 0.002, 0.003)])
    + "_diffrn_radiation_wavelength 0.71073\n_cell_formula_units_Z 4\n_diffrn_ambient_temperature 100\n"
    "_refine_ls_weighting_details 'w=1/[\\s^2^(Fo^2^)+(0.0414P)^2^+1.1870P] where P=(Fo^2^+2Fc^2^)/3'\n",
)


def test_exported_instructions_are_read_by_cctbx_as_the_same_structure(tmp_path: Path) -> None:
    text, notes = export_ins(read(MADE)[0])
    (tmp_path / "x.ins").write_text(text)
    with (tmp_path / "x.ins").open() as file:
        found = xray.structure.from_shelx(file=file)
    scatterers = {scatterer.label: scatterer for scatterer in found.scatterers()}
    assert found.space_group_info().type().number() == 14
    assert found.unit_cell().parameters() == pytest.approx((10, 11, 12, 90, 95, 90))
    assert list(scatterers) == ["CU1", "C2", "O1A", "O1B", "LONG"]  # cctbx writes labels in capitals
    assert [scatterer.occupancy for scatterer in scatterers.values()] == pytest.approx([1, 1, 0.6, 0.4, 1])
    assert scatterers["C2"].site == pytest.approx((0.1, 0.2, 0.3))
    u_cif = adptbx.u_star_as_u_cif(found.unit_cell(), scatterers["C2"].u_star)
    assert u_cif == pytest.approx((0.02, 0.03, 0.04, 0.001, 0.002, 0.003))
    assert any("Longname(1) is written as Long" in note for note in notes)


def test_occupancies_of_special_positions_and_parts_are_those_of_shelx() -> None:
    text, _ = export_ins(read(MADE)[0])
    atoms = {atom.label: atom for atom in read_instructions(text).atoms}
    assert atoms["Cu1"].occupancy == pytest.approx(10.5)
    assert [atoms[label].part for label in ("C2", "O1A", "O1B", "Long")] == [0, 1, 2, 0]
    assert [float(word) for word in read_instructions(text).card("WGHT")] == [0.0414, 1.187]
    assert read_instructions(text).card("TEMP") == ["-173.1"] or read_instructions(text).card("TEMP") == [
        "-173.2"
    ]


def test_embedded_instructions_are_given_as_they_are() -> None:
    block = read(f"data_x\n_shelx_res_file\n;\n{RES};\n".encode())[0]
    text, notes = export_ins(block)
    assert text.splitlines() == RES.splitlines()
    assert "as they are" in notes[0]


def test_a_missing_wavelength_is_asked_for() -> None:
    block = read(MADE.replace("_diffrn_radiation_wavelength 0.71073\n", ""))[0]
    with pytest.raises(MissingItemsError, match="wavelength is missing"):
        export_ins(block)
    assert "CELL 1.54184" in export_ins(block, wavelength=1.54184)[0]


def test_labels_cut_to_four_characters_stay_different() -> None:
    sites = [(f"C100{n}", "C", n / 20, 0.1, 0.1) for n in range(1, 13)]
    text, _ = export_ins(read(write_cif(sites=sites, more="_diffrn_radiation_wavelength 1"))[0])
    labels = [atom.label for atom in read_instructions(text).atoms]
    assert len(set(labels)) == 12
    assert all(len(label) <= 4 for label in labels)


@pytest.mark.parametrize(
    "label", ["1C", "C1*", "C 1".replace(" ", "_"), "C10001", "CELL", "end", "hfix", "Ä1", "*", "12"]
)
def test_labels_that_shelx_refuses_are_renamed_and_said(label):
    """The grammar is that of SHELXL: cctbx, which reads it, has to find the atoms again."""
    sites = [(label, "C", 0.1, 0.2, 0.3), ("C1", "C", 0.4, 0.2, 0.3), ("C11", "C", 0.1, 0.4, 0.3)]
    text, notes = export_ins(read(write_cif(sites=sites, more="_diffrn_radiation_wavelength 1"))[0])
    new, *kept = (atom.label for atom in read_instructions(text).atoms)
    assert kept == ["C1", "C11"]
    assert re.fullmatch(r"[A-Z][A-Z0-9']{0,3}", new.upper())
    assert new.upper() not in {*INSTRUCTIONS, "C1", "C11"}
    assert f"\nREM {new} is {label}\n" in text
    assert any(f"Atom {label} is written as {new}" in note for note in notes)
    found = xray.structure.from_shelx(file=io.StringIO(text))
    assert [tuple(round(x, 6) for x in one.site) for one in found.scatterers()] == [
        site[2:] for site in sites
    ]


def test_a_label_with_its_letter_behind_keeps_its_number():
    assert shelx_labels(["1C", "23Fe", "C1A'"]) == ["C1", "Fe23", "C1A'"]


def test_many_long_labels_find_names():
    labels = [f"C{n}_long" for n in range(1500)]
    made = shelx_labels(labels)
    assert len({label.upper() for label in made}) == 1500


def with_items(more: str, **sites) -> tuple[str, list[str]]:
    return export_ins(read(write_cif(more=f"_diffrn_radiation_wavelength 0.71073\n{more}", **sites))[0])


def test_coordinates_that_shelx_reads_as_codes_are_moved_by_cells():
    text, notes = with_items("", sites=[("C1", "C", 5.2, -7.3, 4.9), ("C2", "C", 0.1, 0.2, 0.3)])
    found = structure_of_instructions(text)
    assert found.sites.fract[0] == pytest.approx([0.2, 0.7, 4.9])
    assert [note for note in notes if "C1 is moved by whole cells" in note]


def test_cell_and_its_uncertainties_keep_their_digits():
    text, _ = export_ins(
        read(
            write_cif(
                ("5.431021(12)", "5.43102(3)", 12, "90.0012(4)", 90, 90),
                more="_diffrn_radiation_wavelength 0.5608340",
            )
        )[0]
    )
    found = read_instructions(text)
    assert [float(word) for word in found.card("CELL")] == [0.560834, 5.431021, 5.43102, 12, 90.0012, 90, 90]
    assert [float(word) for word in found.card("ZERR")[1:]] == [0.000012, 0.00003, 0, 0.0004, 0, 0]


@pytest.mark.parametrize(
    ("text", "card", "said"),
    [
        (r"w=1/[\s^2^(Fo^2^)+(0.05P)^2^] where P=(Fo^2^+2Fc^2^)/3", [0.05, 0], False),
        (
            r"w=1/[\s^2^(Fo^2^)+(0.05P)^2^+0.3P+1.5] where P=0.5Fo^2^+0.5Fc^2^",
            [0.05, 0.3, 0, 1.5, 0, 0.5],
            False,
        ),
        ("w=1", None, True),
        ("Chebychev polynomial", [0.1, 0], True),
    ],
)
def test_weights_are_those_of_the_file_or_named(text, card, said):
    written, notes = with_items(f"_refine_ls_weighting_details '{text}'")
    assert ([float(word) for word in read_instructions(written).card("WGHT")] or None) == card
    assert bool([note for note in notes if "WGHT" in note]) is said


def test_extinction_of_another_formula_is_not_written_as_shelxls():
    ours, _ = with_items("_refine_ls_extinction_coef 0.012(3)\n_refine_ls_extinction_method SHELXL")
    other, notes = with_items(
        "_refine_ls_extinction_coef 0.3(1)\n_refine_ls_extinction_method 'Becker & Coppens'"
    )
    assert read_instructions(ours).card("EXTI") == ["0.012"]
    assert not read_instructions(other).card("EXTI")
    assert [note for note in notes if "Becker & Coppens" in note]


def test_ions_are_written_with_their_scattering_factors():
    sites = [
        ("Fe1", "Fe3+", 0, 0, 0),
        ("Fe2", "Fe", 0, 0, 0.5),
        ("O1", "O2-", 0.5, 0, 0),
        ("C1", "C", 0, 0.5, 0),
    ]
    text, notes = with_items("", sites=sites)
    found = read_instructions(text)
    assert [card.words[0] for card in found.named("SFAC")] == ["C", "Fe3+", "O2-"]
    # International Tables Vol C: Table 6.1.1.4 for the form factor, 4.2.6.8 for f' and f'' (Mo K alpha).
    iron = [float(word) for word in found.named("SFAC")[1].words[1:]]
    assert iron[:9] == pytest.approx(
        [11.1764, 4.6147, 7.3863, 0.3005, 3.3948, 11.6729, 0.0724, 38.5566, 0.9707]
    )
    assert iron[9:11] == pytest.approx([0.3463, 0.8444], abs=0.01)
    assert len(iron) == 14
    assert [atom.scattering_type for atom in found.atoms] == [3, 2, 4, 1]
    assert structure_of_instructions(text).sites.element == ["Fe", "Fe", "O", "C"]
    assert not [note for note in notes if "neutral" in note]


def test_ions_without_a_table_are_named():
    _, notes = with_items("", sites=[("N1", "N3-", 0, 0, 0), ("C1", "C", 0, 0.5, 0)])
    assert "N3-: the scattering factors of the neutral atoms are written." in notes


def test_radiation_is_that_of_the_file():
    assert "\nNEUT\n" in with_items("_diffrn_radiation_probe neutron")[0]
    text, notes = with_items("_diffrn_radiation_probe electron")
    assert "NEUT" not in text
    assert [note for note in notes if "electron data" in note]
    assert not [note for note in with_items("_diffrn_radiation_probe x-ray")[1] if "electron" in note]


def test_hkl_export_writes_loops_in_the_columns_of_shelx() -> None:
    loop = "loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n_refln_F_squared_sigma\n1 -2 3 4.5 0.5\n"
    lines = export_hkl(read(f"data_x\n{loop}")[0]).splitlines()
    assert lines[0] == "   1  -2   3    4.50    0.50"
    assert lines[1].split()[:3] == ["0", "0", "0"]


def hkl_of(columns: str, rows: str, notes: list[str] | None = None, items: str = "") -> list[str]:
    names = "\n".join(f"_refln_{name}" for name in f"index_h index_k index_l {columns}".split())
    return export_hkl(read(f"data_x\n{items}loop_\n{names}\n{rows}\n")[0], notes).splitlines()[:-1]


def test_hkl_export_leaves_out_and_names_what_has_no_su() -> None:
    """They were written with the s.u. `nan`."""
    notes: list[str] = []
    columns = "F_squared_meas F_squared_sigma observed_status"
    lines = hkl_of(columns, "1 0 0 10.0 ? o\n2 0 0 20.0 2.0 o\n3 0 0 9.0 1.0 x", notes)
    assert lines == ["   2   0   0   20.00    2.00"]
    assert [note.split(" ", 1)[0] for note in notes] == ["1", "1"]
    assert any("without s.u." in note for note in notes)
    assert any("not to be used" in note for note in notes)
    with pytest.raises(MissingItemsError, match="have no s"):
        hkl_of("F_squared_meas", "1 0 0 10.0")


@pytest.mark.parametrize(
    ("columns", "rows", "items", "says"),
    [
        ("F_meas F_sigma", "1 0 0 10.0 0.5", "", "HKLF 3"),
        ("F_squared_meas F_squared_sigma", "1 0 0 10.0 0.5", "", ""),
        (
            "F_calc",
            "1 0 0 1",
            "_shelx_hklf 5\n_shelx_hkl_file\n;\n   1   0   0   10.00    0.50  -1\n;\n",
            "HKLF 5",
        ),
    ],
)
def test_hkl_export_names_the_instruction_that_the_list_needs(columns, rows, items, says) -> None:
    notes: list[str] = []
    hkl_of(columns, rows, notes, items)
    assert says in " ".join(notes)
    assert bool(notes) == bool(says)


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ("loop_\n_twin_individual_id\n_twin_individual_mass_fraction_refined\n1 0.6\n2 0.4\n", "the twin"),
        ("_shelx_fab_file\n;\n1 0 0 1 1\n;\n", "the solvent mask"),
        ("loop_\n_platon_squeeze_void_nr\n1\n2\n", "the solvent mask"),
        ("loop_\n_restr_distance_atom_site_label_1\n_restr_distance_target\nC1 1.5\n", "restraints"),
        ("loop_\n_atom_site_anharm_gc_c_label\n_atom_site_anharm_gc_c_111\nC1 0.1\n", "anharmonic"),
        ("loop_\n_atom_site_moment.label\n_atom_site_moment.crystalaxis_x\nC1 1\n", "magnetic moments"),
        ("loop_\n_atom_type_symbol\n_atom_type_scat_length_neutron\nC 7\n", "scattering factors"),
        ("_cell_modulation_dimension 1\n", "average"),
    ],
)
def test_what_the_instructions_leave_out_is_named(items: str, says: str) -> None:
    notes = export_ins(read(write_cif(more=f"_diffrn_radiation_wavelength 1\n{items}"))[0])[1]
    assert any(says in note for note in notes)
    assert not any(
        says in note for note in export_ins(read(write_cif(more="_diffrn_radiation_wavelength 1"))[0])[1]
    )


def test_a_text_of_another_program_is_not_given_as_instructions() -> None:
    item = "_iucr_refine_instructions_details\n;\nVersion Jana2020\ncell 10 11 12 90 90 90\n;\n"
    text, _ = export_ins(read(write_cif(more=f"_diffrn_radiation_wavelength 1\n{item}"))[0])
    assert text.startswith("TITL made")
    assert "Jana" not in text


def test_instructions_that_are_made_anew_name_those_of_the_file() -> None:
    res = "_shelx_res_file\n;\nTITL x\nCELL 1 10 11 12 90 90 90\nSFAC C\nDFIX 1.5 C1 C2\n;\n"
    block = read(write_cif(more=f"_diffrn_radiation_wavelength 1\n{res}"))[0]
    assert any(
        "restraints, constraints and settings are left out" in n for n in export_ins(block, embedded=False)[1]
    )


def test_riding_hydrogen_that_becomes_free_is_named() -> None:
    sites = [("C1", "C", 0.1, 0.2, 0.3, "."), ("H1", "H", 0.1, 0.28, 0.3, "R")]
    text = write_cif(
        sites=sites,
        columns="label type_symbol fract_x fract_y fract_z refinement_flags_posn",
        more="_diffrn_radiation_wavelength 1",
    )
    assert any("H1. Add AFIX" in note for note in export_ins(read(text)[0])[1])


def test_instructions_of_neutron_data_make_a_structure_of_neutrons() -> None:
    text = "CELL 1 5 6 7 90 90 90\nLATT -1\n{}SFAC C H\nUNIT 1 1\nFVAR 1\nC1 1 0.1 0.2 0.3 11 0.02\nEND\n"
    assert structure_of_instructions(text.format("NEUT\n")).probe == "neutron"
    assert structure_of_instructions(text.format("")).probe == ""


def test_the_real_instructions_of_cctbx_are_read() -> None:
    path = distributed("smtbx", "regression/test_data/thpp.ins")
    ours = read_instructions(path.read_text())
    with path.open() as file:
        reference = xray.structure.from_shelx(file=file)
    assert [atom.label.upper() for atom in ours.atoms] == [
        scatterer.label for scatterer in reference.scatterers()
    ]
    for atom, scatterer in zip(ours.atoms, reference.scatterers(), strict=True):
        assert atom.position == pytest.approx(scatterer.site)
        assert ours.resolved(atom.occupancy) == pytest.approx(scatterer.occupancy, abs=1e-6)


# Checksums


def test_a_checksum_ignores_blanks_and_line_ends() -> None:
    assert checksum("TITL x\nEND\n") == checksum("TITL x\r\nEND \r\n")
    assert checksum("TITL x\nEND\n") != checksum("TITL y\nEND\n")


def test_a_text_that_was_changed_is_found_by_its_checksum() -> None:
    text = "TITL x\nEND\n"
    good = f"data_x\n_shelx_res_file\n;\n{text};\n_shelx_res_checksum {checksum(text)}\n"
    assert wrong_checksums(read(good)[0]) == []
    ((tag, stated, computed),) = wrong_checksums(read(good.replace("TITL x", "TITL z"))[0])
    assert (tag, stated) == ("_shelx_res_file", checksum(text))
    assert computed == checksum("TITL z\nEND\n")


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_a_checksum_has_at_most_five_digits(text: str) -> None:
    assert 0 <= checksum(text) < 100_000


# Structures of .ins and .res texts


def test_the_structure_of_instructions_is_the_one_cctbx_reads() -> None:
    path = distributed("smtbx", "regression/test_data/thpp.ins")
    ours = structure_of_instructions(path.read_text())
    with path.open() as file:
        reference = xray.structure.from_shelx(file=file)
    assert ours.space_group.number == reference.space_group_info().type().number()
    assert ours.cell.parameters == pytest.approx(reference.unit_cell().parameters())
    tensors = dict(zip(ours.sites.label, ours.sites.u_cif, strict=True))
    for scatterer in reference.scatterers():
        label = next(label for label in tensors if label.upper() == scatterer.label)
        row = ours.sites.index[label]
        assert ours.sites.element[row] == scatterer.scattering_type
        assert ours.sites.fract[row] == pytest.approx(scatterer.site)
        assert ours.sites.occupancy[row] == pytest.approx(scatterer.occupancy, abs=1e-5)
        if scatterer.flags.use_u_aniso():
            expected = adptbx.u_star_as_u_cif(reference.unit_cell(), scatterer.u_star)
            assert six_components(tensors[label][None])[0] == pytest.approx(expected, abs=1e-6)


def test_riding_u_parts_and_free_variables_become_those_of_a_cif() -> None:
    structure = structure_of_instructions(RES)
    sites = structure.sites
    assert sites.label == ["C1", "H1A", "O1", "O1B", "C2", "C3"]
    assert sites.u_iso[1] == pytest.approx(1.2 * structure.u_equivalent[0])
    assert sites.u_iso[1] == pytest.approx(1.2 * 0.03, rel=0.01)
    assert sites.occupancy[2:4] == pytest.approx([0.7, 0.3])
    assert sites.group.tolist() == [0, 0, 1, 2, 0, 0]
    assert sites.fract[2, 2] == 0.25
    assert sites.calc_flag[1] == "calc"
    assert sites.occupancy[4] == pytest.approx(2.0)  # 11 on an inversion centre is twice what fits there
    assert structure.cell.a.su == 0.001
    assert structure.z == 4


def test_a_structure_goes_out_to_instructions_and_comes_back() -> None:
    original = Structure.from_cif(MADE)
    back = structure_of_instructions(export_ins(read(MADE)[0])[0])
    assert back.space_group.same_operations(original.space_group)
    assert back.sites.fract == pytest.approx(original.sites.fract)
    assert back.sites.occupancy == pytest.approx(original.sites.occupancy)
    assert back.sites.u_cif == pytest.approx(original.sites.u_cif, nan_ok=True)
    assert back.cell_content == pytest.approx(original.cell_content)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TITL x\nEND\n", "no CELL, SFAC, atoms"),
        (RES.replace("O1 3", "O1 7"), "scattering type 7"),
        (RES.replace("LATT 1", "LATT x"), "cannot be read"),
    ],
)
def test_instructions_without_a_structure_say_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises((CifError, MissingItemsError), match=words):
        structure_of_instructions(text)


IN_FORCE = """CELL 0.71073 9.1 10.3 11.7 90 101 90
ZERR 4 0.001 0.001 0.001 0 0.01 0
LATT 1
SYMM -X, Y, 0.5-Z
SFAC C H O
UNIT 8 8 2
FVAR 1 0.6 0.04
C1 1 0 0.2 0.25 10.5 0.03
C2 1 0 0.3 0.25
PART 1 21
C3 1 0.3 0.2 0.1 11 0.03
PART 2 -21
C4 1 0.35 0.2 0.1 11 0.03
PART 0
C5 1 0.1 0.4 0.4 11 31
AFIX 43 0.95 10.5 -1.5
H5 2 0.1 0.45 0.45 11 0.05
AFIX 0
MOVE 1 1 1 -1
O1 3 0.6 0.7 0.8 11 0.03
HKLF 4
END
"""


def test_part_afix_and_move_hold_for_the_atoms_behind_them():
    """PART and AFIX replace occupancy and U of the lines; without an occupancy the site is full, whatever its symmetry."""
    sites = structure_of_instructions(IN_FORCE).sites
    found = dict(zip(sites.label, zip(sites.occupancy, sites.u_iso, strict=True), strict=True))
    assert {label: tuple(numbers) for label, numbers in found.items()} == {
        "C1": pytest.approx((1, 0.03)),
        "C2": pytest.approx((1, 0.05)),
        "C3": pytest.approx((0.6, 0.03)),
        "C4": pytest.approx((0.4, 0.03)),
        "C5": pytest.approx((1, 0.04)),
        "H5": pytest.approx((0.5, 0.06)),
        "O1": pytest.approx((1, 0.03)),
    }
    assert sites.fract[sites.label.index("O1")] == pytest.approx([0.4, 0.3, 0.2])


@pytest.mark.parametrize(("wavelength", "written"), [(None, True), (1.54184, False)], ids=["own", "another"])
def test_dispersion_of_the_file_is_written_for_its_own_wavelength(
    wavelength: float | None, written: bool
) -> None:
    """SHELXL has f' and f'' of laboratory tubes alone: at 0.41 Å it needs DISP."""
    more = (
        "_diffrn_radiation_wavelength 0.41\nloop_\n_atom_type_symbol\n_atom_type_scat_dispersion_real\n"
        "_atom_type_scat_dispersion_imag\nFE 0.2 0.31\n'C' 0.001 0.0005\nO ? ?\n"
    )
    sites = [
        ("Fe1", "Fe", 0, 0, 0),
        ("Fe2", "Fe3+", 0.5, 0.5, 0),
        ("C1", "C", 0, 0.5, 0),
        ("O1", "O", 0.3, 0.5, 0),
    ]
    text, _ = export_ins(read(write_cif(more=more, sites=sites))[0], wavelength=wavelength)
    found = read_instructions(text)
    cards = {card.words[0]: [float(x) for x in card.words[1:]] for card in found.named("DISP")}
    assert cards == ({"C": [0.001, 0.0005], "Fe": [0.2, 0.31]} if written else {})
    ion = next(card for card in found.named("SFAC") if card.words[0] == "Fe3+")
    assert ([float(x) for x in ion.words[10:12]] == [0.2, 0.31]) is written


def test_difference_peaks_among_the_atoms_are_no_carbon() -> None:
    """Solution programs list them before HKLF, with the number of the first element."""
    text = RES.replace("HKLF 4", "Q1 1 0.7 0.7 0.7 11.0 0.05 1.5\nHKLF 4")
    structure = structure_of_instructions(text)
    assert structure.sites.element[structure.sites.index["Q1"]] == ""
    assert structure.cell_content == structure_of_instructions(RES).cell_content


UNFINISHED = """data_t
_cell_length_a 5
_cell_length_b 6
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_diffrn_radiation_wavelength 0.71073
_chemical_formula_sum 'C2 H6 O'
_space_group_name_H-M_alt 'P -1'
{z}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_calc_flag
C1 C .1 .2 .3 .02 d
C2 C .3 .2 .3 .02 d
O1 O .3 .4 .3 .02 d
X1 C .4 .4 .4 .02 dum
"""


@pytest.mark.parametrize(
    ("z", "cards"),
    [("_cell_formula_units_Z 2", ("SFAC C H O", "UNIT 4 12 2")), ("", ("SFAC C O", "UNIT 4 2"))],
    ids=["Z stated", "Z unknown"],
)
def test_contents_of_the_cell_count_what_the_model_does_not_have_yet(z: str, cards: tuple[str, ...]) -> None:
    """SHELXL takes density, F(000) and absorption from UNIT: 6 H of ethanol are 12 of the 52 electrons in this cell."""
    text, notes = export_ins(read(UNFINISHED.format(z=z)).sole_block())
    assert [line for line in text.splitlines() if line[:4] in ("SFAC", "UNIT")] == list(cards)
    assert "Dummies of the atom list are not atoms and are left out: X1." in notes
    assert "X1" not in text


def test_deuterium_that_the_formula_calls_hydrogen_is_counted_once() -> None:
    text = UNFINISHED.format(z="_cell_formula_units_Z 2").replace(
        "X1 C .4 .4 .4 .02 dum", "D1 D .4 .4 .4 .02 d"
    )
    cards = [
        line for line in export_ins(read(text).sole_block())[0].splitlines() if line[:4] in ("SFAC", "UNIT")
    ]
    assert cards == ["SFAC C D O", "UNIT 4 2 2"]


SHARED = """TITL x
CELL 0.71073 10 11 12 90 90 90
LATT -1
SFAC C FE3+
{cards}
FVAR 1
C1 1 0.1 0.2 0.3 11 0.02 0.03 0.04 0.001 0.002 0.003
C2 1 0.4 0.5 0.6 11 0.05
RESI 2 ABC
C1 1 0.7 0.2 0.3 11 0.06
C2 2 0.8 0.5 0.6 11 0.07
RESI 0
HKLF 4
END
"""


@pytest.mark.parametrize(
    ("cards", "equal"),
    [
        ("EADP C1 C2", ("C1", "C2")),
        ("EADP C1 C2_2", ("C1", "C2_2")),
        ("EADP_2 C1 C2", ("C1_2", "C2_2")),
        ("EADP_ABC C1 C2", ("C1_2", "C2_2")),
        ("EXYZ C1 C2", ("C1", "C2")),
        ("EXYZ C2_2 C1", ("C2_2", "C1")),
    ],
)
def test_shared_parameters_are_those_of_the_first_atom(cards: str, equal: tuple[str, str]) -> None:
    """An .ins file may give the other atoms anything: a refinement begins with what the first one has."""
    own, shared = (structure_of_instructions(SHARED.format(cards=text)).sites for text in ("", cards))
    first, second = (shared.label.index(label) for label in equal)
    if cards.startswith("EXYZ"):
        assert shared.fract[second] == pytest.approx(own.fract[first])
        assert shared.u_iso == pytest.approx(own.u_iso)
    else:
        assert shared.u_iso[second] == pytest.approx(own.u_iso[first])
        assert shared.adp_type[second] == own.adp_type[first]
        assert shared.u_cif[second] == pytest.approx(own.u_cif[first], nan_ok=True)
        assert shared.fract == pytest.approx(own.fract)
    others = [row for row in range(4) if row != second]
    assert shared.u_iso[others] == pytest.approx(own.u_iso[others])
    assert shared.fract[others] == pytest.approx(own.fract[others])


def test_an_ion_of_sfac_stays_one() -> None:
    sites = structure_of_instructions(SHARED.format(cards="")).sites
    assert (sites.element[3], sites.type_symbol[3]) == ("Fe", "Fe3+")
