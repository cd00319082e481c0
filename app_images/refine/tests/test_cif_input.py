"""Atoms of a CIF in the model: disorder groups, displacements, and what marks riding hydrogen."""

import pytest
from qcrbox_refine.cif_input import model_from_cif_file

HEAD = """data_x
_cell_length_a 7
_cell_length_b 8
_cell_length_c 9
_cell_angle_alpha 90
_cell_angle_beta 103
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
_diffrn_radiation_wavelength 0.71073
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_occupancy
_atom_site_disorder_group
_atom_site_calc_flag
_atom_site_refinement_flags
"""


@pytest.fixture
def read(tmp_path):
    def make(*rows, more=""):
        path = tmp_path / "x.cif"
        path.write_text(HEAD + "\n".join(rows) + "\n" + more)
        return model_from_cif_file(str(path))

    return make


def row(label, *, x=0.1, u="0.03", occupancy="1", group=".", calc="d", flags="."):
    return f"{label} {label.rstrip('0123456789')} {x} 0.2 0.3 {u} {occupancy} {group} {calc} {flags}"


@pytest.mark.parametrize(
    ("groups", "parts"),
    [
        ("..", [0, 0]),
        ("12", [1, 2]),
        ("ab", [1, 2]),
        ("ba", [1, 2]),
        # Letters beside numbers are groups of their own, not those of the numbers.
        ("1a2b", [1, 3, 2, 4]),
        ("a.a", [1, 0, 1]),
    ],
)
def test_disorder_groups_are_told_apart_whatever_they_are_called(read, groups, parts):
    model = read(*(row(f"C{i}", x=0.1 + 0.1 * i, occupancy="0.5", group=g) for i, g in enumerate(groups)))
    assert [atom.part for atom in model.atoms] == parts


def test_a_negative_group_stays_negative(read):
    model = read(row("C1", group="-1", occupancy="0.5"), row("C2", x=0.3, group="a", occupancy="0.5"))
    assert [atom.part for atom in model.atoms] == [-1, 1]


@pytest.mark.parametrize(
    ("calc", "flags", "riding"),
    [
        ("calc", "R", True),
        ("calc", ".", True),
        ("d", "R", True),
        ("d", ".", False),
        ("c", ".", True),
        ("d", "S", False),
    ],
)
def test_hydrogen_rides_where_the_file_says_so(read, calc, flags, riding):
    model = read(row("C1"), row("H1", x=0.2, calc=calc, flags=flags))
    assert model.atom("H1").riding is riding
    assert not read(row("C1", calc="calc", flags="R")).atoms[0].riding


@pytest.mark.parametrize(
    ("u", "expected", "stated"), [("0.0312(5)", 0.0312, True), ("?", 0.05, False), (".", 0.05, False)]
)
def test_displacements_that_are_not_stated_begin_at_a_usual_value(read, u, expected, stated):
    atom = read(row("C1", u=u)).atoms[0]
    assert (atom.u_iso, atom.u_stated) == (pytest.approx(expected), stated)


def test_the_equivalent_u_of_a_tensor_is_computed_and_not_read(read):
    """U(eq) of the file may be rounded or of another refinement: ⅓ [U22 + (U11 + U33 + 2 U13 cos β) / sin² β]."""
    tensor = (
        "loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\n_atom_site_aniso_U_22\n_atom_site_aniso_U_33\n"
        "_atom_site_aniso_U_12\n_atom_site_aniso_U_13\n_atom_site_aniso_U_23\nC1 0.02 0.03 0.04 0.001 0.002 0.003\n"
    )
    atom = read(row("C1", u="0.9"), more=tensor).atoms[0]
    assert atom.u_aniso == pytest.approx((0.02, 0.03, 0.04, 0.001, 0.002, 0.003))
    # cos 103° = -0.22495, sin² = 0.94940: ⅓ (0.03 + (0.06 - 0.00089980) / 0.94940)
    assert atom.u_iso == pytest.approx((0.03 + (0.06 - 0.0008998) / 0.94940) / 3, rel=1e-4)


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([row("C1"), "C2 C -0.1 -0.2 -0.3 0.03 1 . d ."], "C2"),
        ([row("C1"), "N2 N 0.1 0.2 0.3 0.03 0.5 . d ."], "N2"),
        ([row("C1", occupancy="0.6"), "N2 N 0.1 0.2 0.3 0.03 0.4 . d ."], None),
        ([row("C1", group="1"), "N2 N 0.1 0.2 0.3 0.03 1 2 d ."], None),
        ([row("C1"), "C2 C 0.2 0.2 0.3 0.03 1 . d ."], None),
        (["C1 C 0 0 0 0.03 1 . d ."], None),
    ],
    ids=["by symmetry", "as it stands", "shared", "alternatives", "neighbours", "special position"],
)
def test_a_site_that_is_filled_twice_is_named(read, rows, named):
    """Files of databases list whole molecules, with the atoms that symmetry makes."""
    said = [text for kind, text in read(*rows).remarks_by_kind() if "filled twice" in text]
    assert [text.split(": ")[1].split(".")[0] for text in said] == ([named] if named else [])
    assert all(f"edits='delete {named}'" in text for text in said)
