"""A written SHELX text, read back by our own reader and by the independent one of cctbx."""

from io import StringIO

import numpy as np
import pytest
from cctbx import adptbx
from iotbx import shelx as cctbx_shelx
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.edits import apply_edits, make_anisotropic
from qcrbox_refine.model import Atom
from qcrbox_refine.res_output import ModelWriter, model_text
from qcrbox_refine.shelx_input import parse_shelx
from small_models import ins_text, model_in, shelx_model

TRICLINIC = (7.0, 8.0, 9.0, 71.0, 103.0, 96.0)
CELLS = {
    "P -1": TRICLINIC,
    "P 1 21/c 1": (7.0, 8.0, 9.0, 90.0, 103.0, 90.0),
    "C 1 2/c 1": (7.0, 8.0, 9.0, 90.0, 103.0, 90.0),
    "P 21 21 21": (7.0, 8.0, 9.0, 90.0, 90.0, 90.0),
    "F d d 2": (7.0, 8.0, 9.0, 90.0, 90.0, 90.0),
    "P 41": (7.0, 7.0, 9.0, 90.0, 90.0, 90.0),
    "I 41/a :2": (7.0, 7.0, 9.0, 90.0, 90.0, 90.0),
    "P 31 2 1": (7.0, 7.0, 9.0, 90.0, 90.0, 120.0),
    "R -3 :H": (7.0, 7.0, 9.0, 90.0, 90.0, 120.0),
    "P 63/m": (7.0, 7.0, 9.0, 90.0, 90.0, 120.0),
    "P 21 3": (8.0, 8.0, 8.0, 90.0, 90.0, 90.0),
    "F m -3 m": (8.0, 8.0, 8.0, 90.0, 90.0, 90.0),
}
SPECIAL = {
    "P -1": (0.5, 0.0, 0.5),
    "C 1 2/c 1": (0.0, 0.17, 0.25),
    "F d d 2": (0.0, 0.0, 0.13),
    "R -3 :H": (0.0, 0.0, 0.2),
    "P 63/m": (0.37, 0.13, 0.25),
    "P 21 3": (0.2, 0.2, 0.2),
    "F m -3 m": (0.25, 0.25, 0.25),
}


def by_cctbx(text):
    """The structure as the reader of cctbx sees it, for special positions with the tolerance of SHELXL."""
    return cctbx_shelx.parse_smtbx_refinement_model(file=StringIO(text)).structure


def by_label(structure):
    return {scatterer.label.upper(): scatterer for scatterer in structure.scatterers()}


@pytest.mark.parametrize("group", CELLS)
def test_cctbx_reads_the_same_crystal(group):
    """Cell, symmetry, positions, displacements, and occupancies without the share of the site."""
    atoms = [
        Atom("C1", "C", (0.11, 0.22, 0.34), u_iso=0.03),
        # Further from every symmetry element than the 0.5 Å within which cctbx moves an atom onto it.
        Atom("N1", "N", (0.38, 0.07, 0.19), 0.62, u_iso=0.04),
    ]
    if group in SPECIAL:
        atoms.append(Atom("O1", "O", SPECIAL[group], 0.9, u_iso=0.02))
    model = model_in(CELLS[group], group, atoms)
    model.title = "written"
    make_anisotropic(model, model.atoms[-1])
    model.atoms[0].u_aniso = (0.02, 0.03, 0.04, 0.006, 0.007, 0.005)
    read = by_cctbx(model_text(model))
    assert read.unit_cell().parameters() == pytest.approx(CELLS[group])
    assert read.space_group() == model.symmetry.space_group()
    found = by_label(read)
    cell = read.unit_cell()
    for atom in model.atoms:
        scatterer = found[atom.label.upper()]
        assert scatterer.site == pytest.approx(atom.site, abs=1e-6)
        assert scatterer.occupancy == pytest.approx(atom.occupancy, abs=2e-4)
        assert scatterer.element_symbol() == atom.element
        if atom.u_aniso is None:
            assert scatterer.u_iso == pytest.approx(atom.u_iso, abs=1e-5)
        else:
            assert adptbx.u_star_as_u_cif(cell, scatterer.u_star) == pytest.approx(atom.u_aniso, abs=1e-5)


ATOMS = """C1 1 0.1 0.2 0.3 11 0.02 0.03 0.04 0.005 0.006 0.007
AFIX 43
H1 2 0.12 0.25 0.35 11 -1.2
AFIX 0
PART 1 21
C2 1 0.5 0.5 0.5 11 31
PART 2 -21
N3 3 10.4 0.2 0.7 11 0.05
PART 0
O4 4 0.8 0.7 0.6 10.7 10.05"""


def test_cctbx_and_we_read_the_same_values_of_coded_numbers():
    text = ins_text(ATOMS)
    again = model_text(parse_shelx(text, "x.ins"))
    for source in (text, again):
        found, model = by_label(by_cctbx(source)), parse_shelx(source, "x.ins")
        for atom in model.atoms:
            scatterer = found[atom.label.upper()]
            assert scatterer.site == pytest.approx(atom.site, abs=1e-5)
            assert scatterer.occupancy == pytest.approx(atom.occupancy, abs=1e-5)
            if atom.u_aniso is None and atom.u_factor is None:
                assert scatterer.u_iso == pytest.approx(atom.u_iso, abs=1e-5)


def rewritten(model):
    return parse_shelx(model_text(model), "again.ins")


def codings(model):
    return [
        (atom.label, *atom.site_coding, atom.occupancy_coding, *atom.u_coding[: 6 if atom.u_aniso else 1])
        for atom in model.atoms
    ]


@pytest.mark.parametrize(
    "atoms",
    [
        "C1 1 0.1 0.2 0.3 11 0.03",
        "C1 1 10.1 9.7 -10.3 11 10.03",
        "C1 1 41 -40.5 19.5 21 31",
        "C1 1 0.1 0.2 0.3 -21 30.5",
        "C1 1 0.1 0.2 0.3 11 31 0.03 10.04 0 30.1 0",
    ],
    ids=["free", "fixed", "free variables", "complement", "tensor"],
)
def test_every_coding_is_written_as_it_was_read(atoms):
    model = shelx_model(atoms)
    again = rewritten(model)
    assert codings(again) == codings(model)
    assert [a.site for a in again.atoms] == [pytest.approx(a.site, abs=1e-6) for a in model.atoms]


@pytest.mark.parametrize("x", [5.2, 7.9, -5.3, 14.6, -12.4])
@pytest.mark.parametrize("fixed", [False, True], ids=["free", "fixed"])
def test_coordinates_far_from_the_cell_keep_their_place_and_their_coding(x, fixed):
    """Numbers of 5 and more are codes in SHELX, 10 + 5.2 too: the atom moves by whole cells and stays fixed or free."""
    model = shelx_model("C1 1 10.1 0.2 0.3 11 0.03" if fixed else "C1 1 0.1 0.2 0.3 11 0.03")
    model.atoms[0].site = (x, 0.2, 0.3)
    for source in (rewritten(model).atoms[0].site, by_cctbx(model_text(model)).scatterers()[0].site):
        assert (source[0] - x) % 1 == pytest.approx(round((source[0] - x) % 1), abs=1e-5)
        assert abs(source[0]) < 5
    assert codings(rewritten(model)) == codings(model)


@pytest.mark.parametrize(
    ("move", "written", "expressible"),
    [
        ("MOVE 0 0 0 1", "41", True),
        # 1 - x of a variable is the complement.
        ("MOVE 1 0 0 -1", "41", True),
        ("MOVE 0.5 0 0 1", "41", False),
        ("MOVE 0.3 0 0 -1", "40.5", False),
        ("MOVE 1 0 0 -1", "10.25", True),
    ],
)
def test_a_tied_coordinate_behind_move_keeps_its_value(move, written, expressible):
    """SHELX has no number for 0.5 + FVAR: such a coordinate is written without its tie, and named."""
    model = shelx_model(f"{move}\nC1 1 {written} 0.2 0.3 11 0.03")
    value = model.atoms[0].site[0]
    again = rewritten(model)
    assert again.atoms[0].site[0] == pytest.approx(value, abs=1e-6)
    assert (codings(again) == codings(model)) is expressible
    said = " ".join(model.remarks())
    assert ("C1" in said and "free variable" in said) is not expressible


@pytest.mark.parametrize(
    "between",
    ["REM a remark", "DFIX 1.5 C1 C2", "REM one\nREM two"],
    ids=["remark", "restraint", "two remarks"],
)
def test_an_instruction_among_the_atoms_of_a_group_does_not_part_it(between):
    """AFIX 137 needs its three atoms behind one instruction."""
    atoms = (
        "C2 1 0.2 0.2 0.2 11 0.03\nC1 1 0.33 0.26 0.25 11 0.03\nAFIX 137\nH1A 2 0.30 0.33 0.29 11 -1.5\n"
        f"{between}\nH1B 2 0.40 0.20 0.30 11 -1.5\nH1C 2 0.38 0.29 0.19 11 -1.5\nAFIX 0"
    )
    model = shelx_model(atoms)
    again = rewritten(model)
    assert len({id(atom.group) for atom in again.atoms if atom.riding}) == 1
    names = [parametrise(m).reparametrisation.independent_names() for m in (model, again)]
    assert names[0] == names[1]
    assert "C1 torsion" in names[1]
    for line in between.split("\n"):
        assert line in model_text(model)


GROUPS = """C1 1 0.1 0.2 0.3 11 0.03
REM a remark of the author
AFIX 3
H1 2 0.12 0.25 0.35 11 -1.2
AFIX 0
AFIX 6
C5 1 0.5 0.2 0.3 11 0.03
C6 1 0.6 0.3 0.3 11 0.03
AFIX 3
H6 2 0.65 0.35 0.3 11 -1.2
AFIX 5
C7 1 0.7 0.3 0.4 11 0.03
AFIX 1
C8 1 0.8 0.3 0.4 11 0.03
AFIX 0
RESI 2 ABC
C1 1 0.1 0.7 0.3 11 0.03
RESI 0"""


@pytest.mark.parametrize("atoms", [ATOMS, GROUPS], ids=["parts", "groups and residues"])
def test_a_text_that_is_read_and_written_again_is_the_same_text(atoms):
    cards = ("REM of the head", "EADP C1 O4" if atoms is ATOMS else "EADP C5 C7", "TEMP -100", "SIMU 0.02")
    once = model_text(shelx_model(atoms, *cards))
    twice = model_text(parse_shelx(once, "small.ins"))
    assert twice.splitlines() == once.splitlines()


def test_labels_that_are_too_long_come_back_through_any_number_of_files():
    model = model_in(
        TRICLINIC, "P -1", [Atom("C101A", "C", (0.1, 0.2, 0.3)), Atom("C102A", "C", (0.3, 0.2, 0.3))]
    )
    once = model_text(model)
    assert once.count("REM") == 2
    twice = model_text(parse_shelx(once, "x.ins"))
    assert twice.count("REM") == 2


def test_a_moved_atom_is_remarked_once():
    model = shelx_model("C1 1 0.2 0.3 0.4 11 0.03")
    model.atoms[0].site = (5.2, 0.3, 0.4)
    once = model_text(model)
    assert once.count("is moved by") == 1
    assert model_text(parse_shelx(once, "x.ins")).count("is moved by") <= 1


def test_hydrogen_of_a_pivot_further_up_is_written_behind_it():
    model = shelx_model(
        "C1 1 0.1 0.2 0.3 11 0.03\nAFIX 3\nH1 2 0.12 0.25 0.35 11 -1.2\nAFIX 0\nC2 1 0.3 0.2 0.3 11 0.03"
    )
    model.atoms = [model.atoms[0], model.atoms[2], model.atoms[1]]
    assert [atom.label for atom in rewritten(model).atoms] == ["C1", "H1", "C2"]


def test_a_split_atom_of_a_residue_stays_in_it():
    model = shelx_model("RESI 2 ABC\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.3 0.2 0.3 11 0.03\nRESI 0")
    apply_edits(model, "split C1_2 0.6")
    assert [atom.residue for atom in model.atoms] == [2, 2, 2]
    assert [atom.label for atom in model.atoms] == ["C1A_2", "C1B_2", "C2_2"]
    again = rewritten(model)
    assert [(atom.label, atom.part, atom.occupancy) for atom in again.atoms] == [
        ("C1A_2", 1, pytest.approx(0.6)),
        ("C1B_2", 2, pytest.approx(0.4)),
        ("C2_2", 0, 1.0),
    ]


def test_equal_parameters_are_written_with_the_residues_of_their_atoms():
    atoms = "C1 1 0.1 0.2 0.3 11 0.03\nRESI 2 ABC\nC1 1 0.1 0.7 0.3 11 0.03\nRESI 0"
    text = model_text(shelx_model(atoms, "EADP C1 C1_2"))
    assert "EADP C1 C1_2" in text
    again = parse_shelx(text, "x.ins")
    assert [[atom.label for atom in group] for group in again.equal_displacements] == [["C1", "C1_2"]]


@pytest.mark.parametrize(("scale", "digits"), [(1.0, 5), (0.0123, 5), (123.4, 5), (4.2e-5, 5)])
def test_the_scale_keeps_its_digits(scale, digits):
    written = ModelWriter(shelx_model("C1 1 0.1 0.2 0.3 11 0.03")).free_variables(scale)[0].split()[1]
    assert float(written) == pytest.approx(scale, rel=10.0 ** (1 - digits))


def test_the_contents_of_the_cell_are_those_of_the_formula_shared_among_ions():
    atoms = [Atom("Fe1", "Fe2+", (0.1, 0.2, 0.3)), Atom("Fe2", "Fe3+", (0.3, 0.2, 0.3), 0.5)]
    model = model_in(TRICLINIC, "P -1", atoms, formula={"Fe": 1.5}, z=2)
    text = model_text(model)
    unit = next(line for line in text.splitlines() if line.startswith("UNIT"))
    assert [float(word) for word in unit.split()[1:]] == pytest.approx([2.0, 1.0])


def test_every_line_fits_into_80_characters():
    atoms = "\n".join(
        f"C{k} 1 {0.01 * k:.6f} 0.2 0.3 11 0.02 0.03 0.04 0.005 0.006 0.007" for k in range(1, 60)
    )
    names = " ".join(f"C{k}" for k in range(1, 15))
    text = model_text(shelx_model(atoms, f"EADP {names}", f"RIGU {names}"))
    assert max(map(len, text.splitlines())) <= 80
    assert np.array([atom.site for atom in parse_shelx(text, "x").atoms]).shape == (59, 3)
