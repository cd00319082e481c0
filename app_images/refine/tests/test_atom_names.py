"""Names of atoms in instructions: each residue they mean is reached, and what they do not reach is named.

Right values are those of the definitions in SHELXL's manual: `_CCF3` and `_*` mean every residue of that class or of
all, and a residue that lacks an atom does not keep the others from an instruction.
"""

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.connectivity import neighbours
from qcrbox_refine.restraints import RestraintManager
from qcrbox_refine.shelx_input import parse_shelx

TEXT = """TITL names
CELL 0.71073 9.1 10.3 11.7 93 101 88
ZERR 2 0 0 0 0 0 0
LATT 1
SFAC C N F H
UNIT 8 2 6 2
EQIV $1 1-x, 1-y, 1-z
{lines}
FVAR 0.5
C1 1 0.20 0.30 0.10 11 0.021 0.034 0.028 0.004 0.002 0.001
C2 1 0.32 0.36 0.17 11 0.031 0.024 0.038 0.002 0.006 -0.003
H2 4 0.33 0.46 0.16 11 0.05 0.04 0.03 0.003 -0.005 0.004
AFIX 43
H3 4 0.36 0.30 0.23 11 -1.2
AFIX 0
RESI 1 CF3
C1 1 0.10 0.70 0.50 11 0.03
F1 3 0.22 0.76 0.53 11 0.05
F2 3 0.02 0.69 0.59 11 0.04
RESI 2 CF3
C1 1 0.80 0.15 0.76 11 0.03
F1 3 0.92 0.20 0.80 11 0.045
F2 3 0.72 0.15 0.87 11 0.035
RESI 0
HKLF 4
END
"""


def model_of(*lines):
    return parse_shelx(TEXT.format(lines="\n".join(lines)), "x.ins")


def restrained(line):
    model = model_of(line)
    restraints = RestraintManager(model).restraints
    return [[model.atoms[node.index].label for node in (r.a, r.b)] for r in restraints], model


BOTH = [
    ["C1_1", "F1_1"],
    ["C1_1", "F2_1"],
    ["F1_1", "F2_1"],
    ["C1_2", "F1_2"],
    ["C1_2", "F2_2"],
    ["F1_2", "F2_2"],
]


@pytest.mark.parametrize(
    "line",
    [
        "SIMU 0.04 0.08 3 C1_CF3 > F2_CF3",
        "SIMU 0.04 0.08 3 C1_CF3 > F1_CF3 > F2_CF3",
        "SIMU_CF3 0.04 0.08 3 C1 > F2",
    ],
)
def test_a_range_of_a_class_is_one_range_in_each_residue(line):
    pairs, _ = restrained(line)
    assert sorted(pairs) == sorted(BOTH)


@pytest.mark.parametrize(
    "line", ["DFIX 1.3 C1_CF3 > C2", "SIMU C1_* > F2_CF3", "DFIX 1.3 C1 > C2_$1", "DFIX 1.3 C1_$1 > C2"]
)
def test_a_range_whose_ends_do_not_match_is_named(line):
    pairs, model = restrained(line)
    assert pairs == []
    assert any(remark.startswith(f"Not applied: {line} (") for remark in model.remarks())


@pytest.mark.parametrize("name", ["EADP", "EXYZ"])
@pytest.mark.parametrize(
    ("words", "groups"),
    [
        ("{}_* F1 F2", [["F1_1", "F2_1"], ["F1_2", "F2_2"]]),
        ("{} F1_CF3", [["F1_1", "F1_2"]]),
        ("{} F1_CF3 > F2_CF3", [["F1_1", "F2_1", "F1_2", "F2_2"]]),
    ],
)
def test_residues_without_an_atom_do_not_keep_others_from_a_constraint(name, words, groups):
    model = model_of(words.format(name))
    found = model.equal_displacements if name == "EADP" else model.equal_sites
    assert [[atom.label for atom in group] for group in found] == groups
    assert model.remarks() == []


@pytest.mark.parametrize("line", ["EADP C1 C2_$1", "EXYZ C1 C2_$1", "EADP C1", "EADP_* $N", "EXYZ C1_1"])
def test_constraints_that_tie_no_two_atoms_are_named(line):
    model = model_of(line)
    assert not model.equal_displacements
    assert not model.equal_sites
    assert any(remark.startswith(f"Not applied: {line} (") for remark in model.remarks())


@pytest.mark.parametrize(
    "line", ["SIMU 0.04 0.08 9 C1 C2_$1", "DELU C1 C2_$1", "RIGU C1 C2_$1", "ISOR C1_$1", "CHIV C1_$1"]
)
def test_displacements_of_symmetry_equivalents_are_not_taken_for_those_of_the_atom(line):
    pairs, model = restrained(line)
    assert pairs == []
    assert "Symmetry equivalents" in model.remarks()[0]


def test_hydrogen_that_is_named_is_restrained_where_it_has_displacements_of_its_own():
    pairs, model = restrained("RIGU C1 C2 H2 H3")
    assert ["C2", "H2"] in pairs
    assert ["C1", "H2"] in pairs
    assert not any("H3" in pair for pair in pairs)
    assert model.remarks() == [
        "Not applied: RIGU C1 C2 H2 H3 to H3 (Its displacement parameter rides on that of another atom.)"
    ]
    assert not any("H2" in pair for pair in restrained("RIGU")[0])


def test_bonds_of_all_residues_are_changed_where_the_atoms_are():
    model = model_of("FREE_* C1 F1", "BIND_* F1 F2", "CONN_* 0 C9")
    bonds = neighbours(model, model.structure())
    labels = [{model.atoms[bond.index].label for bond in near} for near in bonds]
    at = [atom.label for atom in model.atoms].index
    for number in (1, 2):
        assert labels[at(f"C1_{number}")] == {f"F2_{number}"}
        assert labels[at(f"F1_{number}")] == {f"F2_{number}"}
    assert [remark for remark in model.remarks() if "C9" not in remark] == []


def test_requests_of_hydrogen_reach_every_residue_that_has_the_atom():
    model = model_of("HFIX_* 137 F1", "ANIS_* F2")
    assert [request.label for request in model.hydrogen_requests] == ["F1_1", "F1_2"]
    assert [atom.label for atom in model.atoms if atom.label[0] == "F" and atom.u_aniso] == ["F2_1", "F2_2"]
    assert model.remarks() == []


@pytest.mark.parametrize("line", ["ANIS $F", "HFIX 137 $F", "CONN 0 $F", "FREE $F $F"])
def test_elements_that_the_residue_does_not_have_are_named(line):
    model = model_of(line)
    neighbours(model, model.structure())
    assert model.remarks() == [f"Not applied: {line} (It applies to none of the atoms.)"]


@pytest.mark.parametrize(
    "line", ["DFIX 1.5 0.02 0.03 C1 C2", "SADI 0.02 0.04 C1 C2 C1_1 F1_1", "BUMP 0.02 0.04", "EADP 0.1 C1 C2"]
)
def test_numbers_beyond_those_of_an_instruction_are_named(line):
    assert [remark for remark in model_of(line).remarks() if "the rest of it is applied" in remark]


def labels_bonded(model, atom):
    bonds = neighbours(model, model.structure())
    found = bonds[[a.label for a in model.atoms].index(atom)]
    return sorted(model.atoms[bond.index].label for bond in found)


@pytest.mark.parametrize(
    "lines",
    [
        ("FREE C1_1 F1_1", "BIND F1_1 F2_1"),
        ("BIND F1_1 F2_1", "FREE C1_1 F1_1"),
        ("FREE F1_1 C1_1", "BIND F2_1 F1_1"),
    ],
)
def test_bonds_are_taken_out_and_put_in_whatever_the_order(lines):
    model = model_of(*lines)
    assert labels_bonded(model, "F1_1") == ["F2_1"]
    assert labels_bonded(model, "C1_1") == ["F2_1"]


def test_a_bond_across_a_centre_is_taken_out_by_either_operation():
    text = TEXT.replace("C1 1 0.20 0.30 0.10", "C1 1 0.46 0.47 0.46")
    for lines in ("", "FREE C1 C1_$1"):
        model = parse_shelx(text.format(lines=lines), "x.ins")
        assert ("C1" in labels_bonded(model, "C1")) == (not lines)
        assert model.remarks() == []


def test_free_without_a_bond_is_named():
    model = model_of("FREE_CF3 F1 F2")
    assert labels_bonded(model, "F1_1") == ["C1_1"]
    assert model.remarks() == [
        f"Not applied: FREE_CF3 F1 F2 to F1_{n} and F2_{n} (There is no bond between them.)" for n in (1, 2)
    ]


def test_difference_peaks_among_the_atoms_are_left_out_and_named():
    model = parse_shelx(TEXT.format(lines="").replace("HKLF", "Q1 1 0.5 0.5 0.5 11 0.05 1.5\nHKLF"), "x.ins")
    assert "Q1" not in [atom.label for atom in model.atoms]
    assert model.remarks() == ["Difference peaks of the file are not atoms and are left out: Q1."]


@pytest.mark.parametrize(
    ("card", "instead", "says"),
    [
        ("HKLF 4", "HKLF 0", "from 1 to 6"),
        ("HKLF 4", "HKLF 7", "from 1 to 6"),
        ("CELL 0.71073 9.1 10.3 11.7 93 101 88", "CELL 0.71073 9.1 10.3 11.7 93 101", "six cell parameters"),
        ("CELL 0.71073 9.1 10.3 11.7 93 101 88", "CELL 9.1 10.3 11.7 93 101 88", "six cell parameters"),
    ],
)
def test_instructions_that_lack_numbers_are_refused(card, instead, says):
    """SHELXL knows HKLF 1 to 6; a cell without its last angle is not one with 90 degrees."""
    with pytest.raises(UserInputError, match=says):
        parse_shelx(TEXT.format(lines="").replace(card, instead), "x.ins")


@pytest.mark.parametrize("counts", ["8 2 6", "8 2 6 2 4"])
def test_contents_that_do_not_fit_the_elements_are_named(counts):
    model = parse_shelx(TEXT.format(lines="").replace("UNIT 8 2 6 2", f"UNIT {counts}"), "x.ins")
    assert model.formula == {}
    assert len(model.remarks()) == 1
    assert model.remarks()[0].startswith(f"Not applied: UNIT {counts} (")


@pytest.mark.parametrize("name", ["DFIX", "EADP", "FREE"])
def test_residues_of_a_class_that_lack_an_atom_are_named(name):
    line = f"{name}_CF3 {'1.3 ' if name == 'DFIX' else ''}C1 F1"
    model = parse_shelx(TEXT.format(lines=line).replace("F1 3 0.92", "F9 3 0.92"), "x.ins")
    RestraintManager(model)
    neighbours(model, model.structure())
    assert model.remarks() == [f"Not applied: {line} in residue 2 (There is no atom F1 in residue 2.)"]


def test_occupancies_below_zero_are_named():
    """FVAR 2 of 1.3 makes 1 - 1.3 of the alternative."""
    text = (
        TEXT.format(lines="")
        .replace("FVAR 0.5", "FVAR 0.5 1.3")
        .replace("0.10 0.70 0.50 11", "0.10 0.70 0.50 -21")
    )
    kinds = parse_shelx(text, "x.ins").remarks_by_kind()
    assert kinds == [("warning", "Occupancies below 0: C1_1 (-0.3). Check them, and the values of FVAR.")]
