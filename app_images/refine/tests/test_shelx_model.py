"""A model from a SHELX text: how each parameter is refined, and that it is written back as it was read."""

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import read_instructions
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.parameters import FREE, Coding, read_parameter, write_parameter
from qcrbox_refine.res_output import ModelWriter, model_text
from qcrbox_refine.scattering import factors_of
from qcrbox_refine.shelx_input import parse_shelx, read_shelx
from scitbx.array_family import flex

HEAD = """TITL model
CELL 0.71073 9.1 10.3 11.7 90 101 90
ZERR 4 0.001 0.001 0.001 0 0.01 0
LATT {latt}
{symm}SFAC C H N O
UNIT 8 8 2 2
"""


def text_of(atoms, lines="", variables="FVAR 1 0.6 0.04 0.25", latt=-1, symm=""):
    return f"{HEAD.format(latt=latt, symm=symm)}{lines}\n{variables}\n{atoms}\nHKLF 4\nEND\n"


def model_of(atoms, lines="", **options):
    return parse_shelx(text_of(atoms, lines, **options), "x.ins")


def names_of(model):
    return parametrise(model).reparametrisation.independent_names()


@pytest.mark.parametrize(
    ("written", "value", "coding"),
    [
        (0.3, 0.3, FREE),
        (10.5, 0.5, Coding(1)),
        (9.75, -0.25, Coding(1)),
        (21, 0.6, Coding(2, 0, 1)),
        (-21, 0.4, Coding(2, 1, -1)),
        (20.5, 0.3, Coding(2, 0, 0.5)),
        (-20.5, 0.2, Coding(2, 0.5, -0.5)),
        (19.5, -0.3, Coding(2, 0, -0.5)),
        (31.25, 0.05, Coding(3, 0, 1.25)),
    ],
)
def test_a_number_of_shelx_is_read_and_written(written, value, coding):
    read = read_parameter(written, [1, 0.6, 0.04])
    assert read[0] == pytest.approx(value)
    assert (read[1].variable, read[1].offset, read[1].factor) == pytest.approx(
        (coding.variable, coding.offset, coding.factor)
    )
    assert write_parameter(*read) == pytest.approx(written)


def test_a_free_variable_that_fvar_does_not_give_is_named_with_the_atom():
    with pytest.raises(UserInputError, match="free variable 7 is used, but FVAR has 4") as caught:
        model_of("C1 1 0.1 0.2 0.3 71 0.03")
    assert "atom C1" in caught.value.message
    assert "x.ins line" in caught.value.where


@pytest.mark.parametrize(
    ("atom", "refined"),
    [
        ("C1 1 0.1 0.2 0.3 11 0.03", ["C1 x", "C1 y", "C1 z", "C1 Uiso"]),
        ("C1 1 10.1 0.2 0.3 11 0.03", ["C1 y", "C1 z", "C1 Uiso"]),
        ("C1 1 10.1 10.2 10.3 11 10.03", []),
        ("C1 1 0.1 0.2 0.3 0.8 10.03", ["C1 x", "C1 y", "C1 z", "C1 occupancy"]),
        ("C1 1 0.1 0.2 0.3 21 31", ["FVAR 2", "FVAR 3", "C1 x", "C1 y", "C1 z"]),
        ("C1 1 41 0.2 0.3 11 0.03", ["FVAR 4", "C1 y", "C1 z", "C1 Uiso"]),
        (
            "C1 1 0.1 0.2 0.3 11 0.03 0.03 10.04 0 10.0 0",
            ["C1 x", "C1 y", "C1 z", "C1 U11", "C1 U22", "C1 U12", "C1 U23"],
        ),
    ],
)
def test_only_what_is_free_is_refined(atom, refined):
    assert names_of(model_of(atom)) == refined


def test_tied_parameters_follow_their_free_variable():
    model = model_of("C1 1 40.5 0.2 0.3 -21 31\nC2 1 0.5 0.5 0.5 21 30.5")
    made = parametrise(model)
    r = made.reparametrisation
    step = [0.0] * r.n_independents
    step[:3] = [0.1, 0.02, 0.4]
    r.apply_shifts(flex.double(step))
    r.store()
    model.absorb(made.structure)
    assert model.free_variables == pytest.approx([0.7, 0.06, 0.65])
    first, second = model.atoms
    assert first.site[0] == pytest.approx(0.5 * 0.65)
    assert (first.occupancy, second.occupancy) == pytest.approx((0.3, 0.7))
    assert (first.u_iso, second.u_iso) == pytest.approx((0.06, 0.03))


def test_part_and_afix_give_occupancy_and_u():
    model = model_of(
        "C1 1 0.1 0.2 0.3 11 0.04\nPART 1 21\nC2 1 0.2 0.2 0.3 11 0.03\nPART 2 -21\nC3 1 0.3 0.2 0.3 11 0.03\nPART 0\n"
        "AFIX 3 0.9 10.5 -1.5\nH1 2 0.1 0.2 0.38 11 0.05\nAFIX 0"
    )
    assert [atom.part for atom in model.atoms] == [0, 1, 2, 0]
    assert [atom.occupancy for atom in model.atoms] == pytest.approx([1, 0.6, 0.4, 0.5])
    assert [atom.occupancy_coding.variable for atom in model.atoms] == [1, 2, 2, 1]
    hydrogen = model.atom("H1")
    assert (hydrogen.u_factor, hydrogen.u_pivot.label) == (1.5, "C3")
    assert hydrogen.group.pivot.label == "C3"


def test_u_of_hydrogen_rides_on_the_last_atom_with_its_own_also_when_it_is_refined_in_position():
    model = model_of("C1 1 0.1 0.2 0.3 11 0.04\nH1 2 0.1 0.2 0.38 11 -1.2\nH2 2 0.1 0.3 0.30 11 -1.5")
    assert [atom.u_pivot.label for atom in model.atoms[1:]] == ["C1", "C1"]
    names = names_of(model)
    assert "H1 x" in names
    assert "H1 Uiso" not in names
    made = parametrise(model)
    model.absorb(made.structure)
    assert [atom.u_iso for atom in model.atoms[1:]] == pytest.approx([0.048, 0.06])


def test_u_that_rides_on_no_atom_is_refused():
    """-1.2 is a multiple of U(eq) of an atom before it."""
    with pytest.raises(UserInputError, match=r"atom H1 cannot be read: its U of -1\.2 stands for") as caught:
        model_of("H1 2 0.1 0.2 0.3 11 -1.2\nC1 1 0.1 0.2 0.4 11 0.03")
    assert "x.ins line" in caught.value.where


def test_move_shifts_and_inverts_what_follows():
    model = model_of("C1 1 0.1 0.2 0.3 11 0.04\nMOVE 1 1 1 -1\nC2 1 0.1 0.2 10.3 11 0.04")
    assert model.atoms[0].site == (0.1, 0.2, 0.3)
    assert model.atoms[1].site == pytest.approx((0.9, 0.8, 0.7))
    assert model.atoms[1].site_coding[2].is_fixed


@pytest.mark.parametrize(
    ("line", "anisotropic"),
    [
        ("ANIS", ["C1", "C2", "N1"]),
        ("ANIS 1", ["C1"]),
        ("ANIS -3", ["C1", "C2", "H1"]),
        ("ANIS C2 N1", ["C2", "N1"]),
        ("ANIS $N", ["N1"]),
        ("ANIS C1 > N1", ["C1", "C2", "N1"]),
    ],
)
def test_anis_makes_atoms_anisotropic(line, anisotropic):
    atoms = "C1 1 0.1 0.2 0.3 11 0.04\nC2 1 0.2 0.2 0.3 11 0.03\nH1 2 0.2 0.3 0.3 11 0.05\nN1 3 0.3 0.2 0.3 11 0.03"
    model = model_of(atoms, line)
    assert [atom.label for atom in model.atoms if atom.u_aniso] == anisotropic


def test_eadp_and_exyz_share_parameters():
    atoms = "C1 1 0.1 0.2 0.3 21 0.02 0.03 0.04 0 0 0\nN1 3 0.11 0.2 0.3 -21 0.05\nC2 1 0.5 0.5 0.5 11 0.03"
    model = model_of(atoms, "EADP C1 N1\nEXYZ C1 N1")
    names = names_of(model)
    assert [name for name in names if name.startswith("N1")] == []
    assert len([name for name in names if name.startswith("C1")]) == 9
    first, second = model.atoms[:2]
    assert second.u_aniso == first.u_aniso
    assert second.site == first.site
    made = parametrise(model)
    step = flex.double(range(1, made.reparametrisation.n_independents + 1)) * 1e-3
    made.reparametrisation.apply_shifts(step)
    made.reparametrisation.store()
    model.absorb(made.structure)
    assert model.atoms[1].site == pytest.approx(model.atoms[0].site)
    assert model.atoms[1].u_aniso == pytest.approx(model.atoms[0].u_aniso)


def test_overlapping_eadp_make_one_group():
    atoms = "\n".join(f"C{k} 1 0.{k} 0.2 0.3 11 0.03" for k in range(1, 5))
    names = names_of(model_of(atoms, "EADP C1 C2\nEADP C2 C3"))
    assert [name for name in names if "Uiso" in name] == ["C1 Uiso", "C4 Uiso"]


def test_atoms_on_special_positions_keep_them_and_their_share():
    model = model_of(
        "C1 1 0 0.2 0.25 10.5 0.02 0.03 0.04 0 0.005 0\nC2 1 0.3 0.2 0.1 11 0.03",
        latt=1,
        symm="SYMM -X, Y, 0.5-Z\n",
    )
    assert model.atoms[0].occupancy == 1
    assert names_of(model)[:5] == ["C1 y", "C2 x", "C2 y", "C2 z", "C1 U11"]
    assert model.structure().scatterers()[0].multiplicity() == 2


@pytest.mark.parametrize(
    ("ending", "occupancy", "said"),
    [(" 10.5 0.03", 1, False), ("", 1, False), (" 11 0.03", 2, True)],
    ids=["share of the site", "none", "no share"],
)
def test_the_occupancy_of_a_special_position_and_what_looks_wrong(ending, occupancy, said):
    """SHELXL fills the site where the line has no occupancy; 11 is one atom for each of both asymmetric units."""
    atoms = f"C1 1 0 0.2 0.25{ending}\nC2 1 0.3 0.2 0.1 11 0.03"
    model = model_of(atoms, latt=1, symm="SYMM -X, Y, 0.5-Z\n")
    assert model.atoms[0].occupancy == occupancy
    assert bool([note for note in model.notes if "C1 (2)" in note]) is said
    again = parse_shelx(model_text(model), "again.ins")
    assert again.atoms[0].occupancy == occupancy


def test_an_atom_that_exyz_brings_to_a_special_position_has_its_share():
    """Two elements on a twofold axis: 10.3 and 10.2 are 0.6 and 0.4 of the site, wherever the second one was written."""
    model = model_of(
        "C1 1 0.0 0.2 0.25 10.3 0.03\nN1 3 0.1 0.3 0.2 10.2 0.03",
        "EXYZ C1 N1",
        latt=1,
        symm="SYMM -X, Y, 0.5-Z\n",
    )
    assert [atom.occupancy for atom in model.atoms] == pytest.approx([0.6, 0.4])
    assert model.atoms[1].site == model.atoms[0].site


@pytest.mark.parametrize(
    ("order", "site"),
    [("C1 C11", (0.5, 0.1, 0.1)), ("C11 C1", (0.5, 0.1, 0.1))],
    ids=["free first", "bound first"],
)
def test_an_atom_of_a_rigid_group_leads_those_that_share_its_place(order, site):
    """The group determines its place, so the others follow it in any order of EXYZ."""
    atoms = (
        "C1 1 0.1 0.2 0.3 10.5 0.03\nAFIX 6\nC11 1 0.5 0.1 0.1 10.5 0.03\nC12 1 0.6 0.16 0.15 11 0.03\n"
        "C13 1 0.6 0.28 0.16 11 0.03\nAFIX 0"
    )
    model = model_of(atoms, f"EXYZ {order}")
    made = parametrise(model).reparametrisation
    assert model.atoms[0].site == pytest.approx(site)
    step = flex.double(made.n_independents, 0.0)
    step[made.independent_names().index("C11 rigid group x")] = 0.1
    made.apply_shifts(step)
    assert made.state.sites[0] == pytest.approx(made.state.sites[1])
    assert made.state.sites[0][0] != pytest.approx(site[0])


def test_two_rigid_groups_cannot_share_a_place():
    atoms = (
        "AFIX 6\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.2 0.2 0.3 11 0.03\nAFIX 6\nC11 1 0.5 0.1 0.1 11 0.03\n"
        "C12 1 0.6 0.16 0.15 11 0.03\nAFIX 0"
    )
    model = model_of(atoms, "EXYZ C1 C11")
    assert model.equal_sites == []
    assert model.left_out[0].why == "C1, C11 move with groups of their own (AFIX)."


def test_what_a_rigid_group_cannot_keep_is_named():
    """Fixed coordinates of its atoms, and special positions, which its rotations would leave."""
    atoms = "AFIX 6\nC1 1 10.0 0.2 0.25 10.5 0.03\nC2 1 0.1 0.3 0.3 11 0.03\nAFIX 0"
    model = model_of(atoms, latt=1, symm="SYMM -X, Y, 0.5-Z\n")
    parametrise(model)
    said = " ".join(model.notes)
    assert "Fixed coordinates and free variables of C1 are not applied" in said
    assert "C1 of a rigid group would leave a special position" in said


def test_an_atom_of_a_negative_part_has_no_special_position():
    model = model_of(
        "PART -1\nC1 1 0.001 0.2 0.251 10.5 0.03\nPART 0\nC2 1 0.3 0.2 0.1 11 0.03",
        latt=1,
        symm="SYMM -X, Y, 0.5-Z\n",
    )
    assert model.atoms[0].occupancy == 0.5
    assert names_of(model)[:3] == ["C1 x", "C1 y", "C1 z"]


def test_spec_sets_how_near_a_special_position_is():
    atoms = "C1 1 0.015 0.2 0.25 10.5 0.03\nC2 1 0.3 0.2 0.1 11 0.03"
    options = {"latt": 1, "symm": "SYMM -X, Y, 0.5-Z\n"}
    # 0.134 Å from the axis.
    assert names_of(model_of(atoms, "SPEC 0.14", **options))[0] == "C1 y"
    assert names_of(model_of(atoms, "SPEC 0.13", **options))[0] == "C1 x"
    assert names_of(model_of(atoms, **options))[0] == "C1 y"


def test_spec_counts_for_the_atoms_that_follow():
    """As in SHELXL, up to the next SPEC."""
    atoms = "C1 1 0.015 0.2 0.25 10.5 0.03\nSPEC 0.05\nC2 1 0.015 0.5 0.25 10.5 0.03\nSPEC\nC3 1 0.015 0.8 0.25 10.5 0.03"
    names = names_of(model_of(atoms, latt=1, symm="SYMM -X, Y, 0.5-Z\n"))
    assert [name for name in names if name.endswith(" x")] == ["C2 x"]


def test_residues_have_labels_of_their_own():
    model = model_of(
        "C1 1 0.1 0.2 0.3 11 0.03\nRESI 2 ALA\nC1 1 0.4 0.2 0.3 11 0.03\nRESI ALA 3\nC1 1 0.7 0.2 0.3 11 0.03\nRESI 0"
    )
    assert [(atom.label, atom.residue_class) for atom in model.atoms] == [
        ("C1", ""),
        ("C1_2", "ALA"),
        ("C1_3", "ALA"),
    ]
    with pytest.raises(UserInputError, match="stands for more than one atom"):
        model_of("C1 1 0.1 0.2 0.3 11 0.03\nC1 1 0.4 0.2 0.3 11 0.03")


def test_what_is_not_applied_is_named_with_its_reason():
    model = model_of("C1 1 0.1 0.2 0.3 11 0.03", "STIR 2 0.01\nCONF\nEADP C1 C9\nHFIX 43 C8")
    assert [entry.text for entry in model.left_out] == ["STIR 2 0.01", "EADP C1 C9", "HFIX 43 C8"]
    assert all(entry.why for entry in model.left_out)


def test_nothing_is_said_of_what_changes_no_number():
    model = model_of(
        "C1 1 0.1 0.2 0.3 11 0.03", "CONF\nMORE 3\nTIME 60\nWPDB -2\nMOLE 1\nMPLA C1\nSTIR 2 0.01"
    )
    assert [entry.text for entry in model.left_out] == ["MPLA C1", "STIR 2 0.01"]


def test_included_files_are_read_from_the_folder_and_missing_ones_are_named(tmp_path):
    (tmp_path / "dfix.txt").write_text("DFIX 1.5 C1 C2\nEND\n")
    atoms = "C1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.2 0.2 0.3 11 0.03"
    (tmp_path / "x.ins").write_text(text_of(atoms, "+dfix.txt\n+gone.txt\n+../dfix.txt"))
    model = read_shelx(tmp_path / "x.ins")
    assert [placed.instruction.name for placed in model.placed] == ["DFIX", "DFIX"]
    assert [entry.text for entry in model.left_out] == ["+gone.txt"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("TITL x\nSFAC C\nC1 1 0 0 0 11 0.05\n", "no CELL line"),
        ("TITL x\nCELL 0.7 5 5 5 90 90 90\nC1 1 0 0 0 11 0.05\n", "no SFAC line"),
        (text_of("C1 9 0 0 0 11 0.05"), "atom C1 has scatterer 9"),
        (text_of("C1 1 0 0 zero 11 0.05"), "'zero' is not a number"),
        (text_of("FOO 1 2"), "neither an instruction of SHELXL nor an atom"),
        (text_of(""), "the file has no atoms"),
        (text_of("C1 1 0 0 0.1 11 0.05", "LAUE C"), "LAUE is not supported"),
        (text_of("AFIX 43\nH1 2 0 0 0.1 11 0.05"), "rides on the atom before it"),
        (text_of("AFIX 65\nC1 1 0 0 0.1 11 0.05"), "none is begun"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text, says):
    with pytest.raises(UserInputError, match=says) as caught:
        parse_shelx(text, "x.ins")
    assert "x.ins" in caught.value.where


ROUND_TRIP = """SADI_CF3 C1 F1 C1 F2
RIGU
EQIV $1 -x, -y, -z
DFIX 31 C1 C2_$1
FREE C1 C2
OMIT 1 0 0
SHEL 20 0.8
MERG 4
WGHT 0.05 0.2 0.1 0 0.3 0.5
DISP $C 0.003 0.002
TWIN -1 0 0 0 -1 0 0 0 -1 2
BASF 0.2
EXTI 0.01
CONF C1 C2
REM a remark that stays = as it is !
"""
ROUND_ATOMS = """C1 1 10.1 0.2 0.3 11 0.02 0.03 0.04 10.0 0.001 0.002
AFIX 43
H1 2 0.12 0.25 0.35 11 -1.2
AFIX 0
PART 1
C2 1 0.5 0.5 0.5 21 31
SAME C2 C3
PART 2
C3 1 40.5 0.2 0.7 -21 0.05
PART 0
AFIX 66
C11 1 0.50000 0.10000 0.10000 11 0.05
C12 1 0.60000 0.16000 0.15000 11 0.05
C13 1 0.60000 0.28000 0.16000 11 0.05
AFIX 43
H13 2 0.70000 0.32000 0.20000 11 -1.2
AFIX 65
C14 1 0.48000 0.34000 0.11000 11 0.05
C15 1 0.38000 0.28000 0.05000 11 0.05
C16 1 0.38000 0.16000 0.04000 11 0.05
AFIX 0
RESI 1 CF3
C1 1 0.8 0.7 0.6 0.7 0.05
N9 3 0.9 0.7 0.6 11 0.05
RESI 0
"""


def described(model):
    """Everything that decides how the model is refined."""
    return (
        [
            (
                atom.label,
                atom.element,
                [round(x, 5) for x in atom.site],
                round(atom.occupancy, 4),
                atom.part,
                atom.residue_class,
                [coding.variable for coding in atom.site_coding],
                atom.occupancy_coding.variable,
                [coding.variable for coding in atom.u_coding],
                atom.u_factor,
                atom.u_pivot.label if atom.u_pivot else None,
                (atom.group.code, atom.group.pivot.label if atom.group.pivot else None)
                if atom.group
                else None,
            )
            for atom in model.atoms
        ],
        [round(value, 5) for value in model.free_variables],
        sorted(
            (placed.instruction.text, placed.before.label if placed.before else "") for placed in model.placed
        ),
        model.settings.twin,
        model.settings.basf,
        model.settings.omitted,
        model.settings.weights,
        names_of(model),
    )


def test_the_model_is_written_back_as_it_was_read():
    model = model_of(ROUND_ATOMS, ROUND_TRIP)
    again = parse_shelx(model_text(model), "again.ins")
    assert described(again) == described(model)


def test_coordinates_that_would_be_codes_are_moved_by_whole_cells():
    """A coordinate of 5.2 would be read as fixed at -4.8; riding hydrogen stays beside its pivot."""
    atoms = (
        "C1 1 0.2 0.3 0.4 11 0.03\nAFIX 13\nH1 2 0.25 0.35 0.45 11 -1.2\nAFIX 0\nC2 1 10.1 0.2 0.3 11 0.03"
    )
    model = model_of(atoms)
    carbon, hydrogen, fixed = model.atoms
    carbon.site, hydrogen.site = (5.2, -7.7, 0.4), (5.25, -7.65, 0.45)
    text = model_text(model)
    again = parse_shelx(text, "again.ins")
    assert [[round(x, 6) for x in atom.site] for atom in again.atoms] == [
        [0.2, 0.3, 0.4],
        [0.25, 0.35, 0.45],
        list(fixed.site),
    ]
    assert [atom.site_coding[0] for atom in again.atoms] == [atom.site_coding[0] for atom in model.atoms]
    assert "REM C1 is moved by -5 +8 +0 cells" in text


def test_ions_have_their_scattering_factors_in_numbers():
    # International Tables Vol C, Table 6.1.1.4, Fe3+.
    table = [11.1764, 4.6147, 7.3863, 0.3005, 3.3948, 11.6729, 0.0724, 38.5566, 0.9707]
    model = model_of("C1 1 0.2 0.3 0.4 11 0.03\nC2 1 0.1 0.2 0.3 11 0.03")
    assert "SFAC Fe" not in model_text(model)
    model.atoms[1].element = "Fe3+"
    text = model_text(model)
    assert [float(word) for word in read_instructions(text).named("SFAC")[-1].words[1:10]] == pytest.approx(
        table
    )
    again = parse_shelx(text, "again.ins")
    assert [atom.element for atom in again.atoms] == ["C", "Fe3+"]
    assert factors_of(again, {"Fe3+"})["Fe3+"].form.at_stol(0.3) == pytest.approx(
        factors_of(model, {"Fe3+"})["Fe3+"].form.at_stol(0.3), abs=1e-4
    )


IRON = "SFAC Fe 11.7695 4.7611 7.3573 0.3072 3.5222 15.3535 2.3045 76.8805 1.0369 -1.1 3.2 1 1.3 55.8"


def test_numbers_of_an_ion_in_sfac_are_its_own():
    lines = IRON.replace("Fe", "FE3+")
    model = model_of("C1 1 0.2 0.3 0.4 11 0.03\nFE1 5 0.1 0.2 0.3 11 0.03", lines)
    assert model.atoms[1].element == "Fe3+"
    assert factors_of(model, {"Fe3+"})["Fe3+"].form.at_stol(0) == pytest.approx(25.99, abs=0.01)
    assert factors_of(model, {"Fe3+"})["Fe3+"].f_double_prime == 3.2


def test_numbers_of_a_name_hold_for_its_own_atoms_only():
    """A second C with numbers must not change the carbon atoms that stand for the first."""
    lines = IRON.replace("Fe", "C")
    model = model_of("C1 1 0.2 0.3 0.4 11 0.03", lines)
    assert factors_of(model, {"C"})["C"].form.at_stol(0) == pytest.approx(6, abs=0.01)
    model = model_of("C1 5 0.2 0.3 0.4 11 0.03", lines)
    assert factors_of(model, {"C"})["C"].form.at_stol(0) == pytest.approx(25.99, abs=0.01)
    with pytest.raises(UserInputError, match="two scattering factors named C"):
        model_of("C1 1 0.2 0.3 0.4 11 0.03\nC2 5 0.2 0.5 0.4 11 0.03", lines)


def test_many_free_variables_stay_within_the_lines_of_shelx():
    """SHELX reads 80 characters of a line; a scale keeps its digits however small it is."""
    model = model_of("C1 1 0.2 0.3 0.4 11 0.03")
    model.free_variables = [0.1 * k for k in range(1, 25)]
    writer = ModelWriter(model)
    lines = writer.free_variables(0.000123456)
    assert len(lines) > 1
    assert max(map(len, lines)) < 80
    again = parse_shelx(model_text(model), "again.ins")
    assert again.free_variables == pytest.approx(model.free_variables)
    assert float(lines[0].split()[1]) == pytest.approx(0.000123456, rel=1e-4)


def test_lines_that_are_too_long_are_continued():
    atoms = "\n".join(f"C{k} 1 0.{k:02d} 0.2 0.3 11 0.03" for k in range(1, 40))
    words = " ".join(f"C{k}" for k in range(1, 20))
    text = model_text(model_of(atoms, f"SIMU 0.01 {words[:42]} =\n {words[42:]}"))
    assert max(map(len, text.splitlines())) <= 80
    assert len(parse_shelx(text, "x").placed[0].instruction.names) == 19


HEXAGONAL = "CELL 0.71073 7 7 9 90 90 120"


@pytest.mark.parametrize(
    "symm",
    [
        "SYMM -Y, X-Y, 0.33333+Z\nSYMM -X+Y, -X, 0.66667+Z\n",
        "SYMM -Y, X-Y, Z+0.3333\nSYMM Y-X, -X, Z+0.6667\n",
        "SYMM -Y,X-Y,1/3+Z\nSYMM -X+Y, -X, 2/3 + Z\n",
        "SYMM -y, x-y, z-0.666667\n",
    ],
    ids=["five decimals", "behind the axis", "fractions", "negative"],
)
def test_rounded_thirds_of_symmetry_are_thirds(symm):
    text = text_of("C1 1 0.1 0.2 0.3 11 0.03", symm=symm).replace(
        "CELL 0.71073 9.1 10.3 11.7 90 101 90", HEXAGONAL
    )
    model = parse_shelx(text, "x.ins")
    assert str(model.symmetry.space_group_info()) == "P 31"


def test_operations_that_make_no_group_are_refused_in_words():
    text = text_of("C1 1 0.1 0.2 0.3 11 0.03", symm="SYMM -Y, X-Y, 0.3+Z\n").replace(
        "CELL 0.71073 9.1 10.3 11.7 90 101 90", HEXAGONAL
    )
    with pytest.raises(UserInputError, match="the operations make no group") as caught:
        parse_shelx(text, "x.ins")
    assert "x.ins line" in caught.value.where
