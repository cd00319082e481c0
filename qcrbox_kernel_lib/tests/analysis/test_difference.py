from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.difference import crystal_difference, semantic_difference, text_difference
from qcrbox.cif import read
from qcrbox.crystallography.structure import Structure

from ..conftest import aniso, symops, write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z"
CELL = ("10.000(1)", 11, 12, 90, 97, 90)
SITES = [
    ("S1", "S", "0.1200(2)", "0.2100(2)", "0.3300(2)"),
    ("C1", "C", "0.2500(3)", "0.2900(3)", "0.4000(3)"),
    ("C2", "C", "0.3700(3)", "0.2300(3)", "0.4600(3)"),
    ("N1", "N", "0.4800(3)", "0.3100(3)", "0.5200(3)"),
    ("O1", "O", "0.6100(3)", "0.2700(3)", "0.5500(3)"),
]
P21C = symops("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")
TENSORS = aniso(
    [(row[0], "0.020(1)", "0.030(1)", "0.040(1)", "0.003(1)", "0.005(1)", "-0.004(1)") for row in SITES]
)


def structure(sites=SITES, cell=CELL, group: str = P21C, more: str = TENSORS) -> Structure:
    return Structure.from_cif(write_cif(cell, sites, COLUMNS, group=group, more=more))


def mapped(change) -> list[tuple]:
    rows = []
    for label, element, *position in SITES:
        values = change(*(float(text.split("(")[0]) for text in position))
        rows.append((label, element, *(f"{value:.6f}({30})" for value in values)))
    return rows


# Text


def test_equal_texts_have_no_difference_whatever_their_line_ends() -> None:
    assert text_difference(b"data_x\n_a 1\n", b"data_x\r\n_a 1  \r\n") == []


def test_a_changed_line_is_shown_with_its_place_in_the_file() -> None:
    one = b"data_x\n" + b"".join(b"_item_%d 1\n" % n for n in range(100))
    lines = text_difference(one, one.replace(b"_item_50 1", b"_item_50 2"))
    assert "-_item_50 1" in lines
    assert "+_item_50 2" in lines
    assert any(line.startswith("@@ -49,7 +49,7 @@") for line in lines)


def test_large_changes_are_compared_as_sets_of_lines() -> None:
    one = b"".join(b"%d a\n" % n for n in range(30_000))
    other = b"".join(b"%d a\n" % (n if n % 1000 else n + 10**6) for n in range(30_000))
    lines = text_difference(b"x\n" + one + b"y", b"z\n" + other + b"q")
    assert sum(line.startswith("-") and not line.startswith("---") for line in lines) == 32


# Meaning


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("_cell_length_a 10.0", "_CELL_LENGTH_A 10.0"),
        ("_cell_length_a 10.0", "_cell.length_a 10.00"),
        ("_cell_length_a 10.0(2)", "_cell.length_a 10.0\n_cell.length_a_su 0.2"),
        ("_symmetry_cell_setting cubic", "_space_group_crystal_system 'cubic'"),
        ("_a 'x y'", "_a\n;\nx y\n;"),
        ("_a 1\n_b 2", "_b 2\n_a 1"),
        (
            "loop_\n_atom_type_symbol\n_atom_type_description\nC carbon\nH hydrogen",
            "loop_\n_atom_type_description\n_atom_type_symbol\nhydrogen H\ncarbon C",
        ),
        (
            "loop_\n_atom_type_symbol\n_atom_type_description\nC carbon",
            "_atom_type_symbol C\n_atom_type_description carbon",
        ),
    ],
)
def test_spelling_order_and_quoting_are_no_difference(one: str, other: str) -> None:
    assert not semantic_difference(f"data_x\n{one}\n", f"data_y\n{other}\n")


def test_a_changed_number_is_told_in_su() -> None:
    (change,) = semantic_difference(
        "data_x\n_cell_length_a 10.00(3)\n", "data_x\n_cell_length_a 10.10(4)\n"
    ).changes[:1]
    assert (change.kind, change.first, change.second) == ("changed", "10.00", "10.10")
    assert change.shift_in_su == pytest.approx(2.0)
    kept = semantic_difference("data_x\n_cell_length_a 10.00(3)\n", "data_x\n_cell_length_a 10.10(4)\n", su=3)
    assert (kept.changes, kept.small) == ([], 2)


def test_an_su_goes_with_its_number_and_is_told_where_that_is_told() -> None:
    first, second = "data_x\n_cell_length_a 10.00(3)\n", "data_x\n_cell_length_a 10.00(4)\n"
    assert [change.tag for change in semantic_difference(first, second).changes] == ["_cell.length_a_su"]
    assert semantic_difference(first, second, su=3).changes == []
    far = semantic_difference(first, "data_x\n_cell_length_a 11.00(4)\n", su=3).changes
    assert [change.tag for change in far] == ["_cell.length_a", "_cell.length_a_su"]
    gone = semantic_difference(first, "data_x\n_cell_length_a 10.00\n", su=3).changes
    assert [(change.kind, change.tag) for change in gone] == [("removed", "_cell.length_a_su")]


def test_unknown_and_the_text_of_a_question_mark_differ() -> None:
    assert semantic_difference("data_x\n_a ?\n", "data_x\n_a '?'\n")


def test_rows_are_compared_by_their_key() -> None:
    difference = semantic_difference(
        write_cif(CELL, SITES, COLUMNS),
        write_cif(CELL, [SITES[4], ("N9", "N", 0, 0, 0), *SITES[:3]], COLUMNS),
    )
    assert [(change.kind, change.row) for change in difference.changes] == [
        ("row removed", "N1"),
        ("row added", "N9"),
    ]


def test_bonds_with_different_symmetry_codes_are_different_rows() -> None:
    head = "data_x\nloop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_site_symmetry_2\n_geom_bond_distance\n"
    difference = semantic_difference(
        head + "C1 C1 2_555 1.5\nC1 C1 3_655 1.6\n", head + "C1 C1 3_655 1.6\nC1 C1 2_555 1.4\n"
    )
    (change,) = difference.changes
    assert (change.row, change.first, change.second) == ("C1 C1 2_555", "1.5", "1.4")


def test_rows_without_key_are_compared_as_a_set() -> None:
    loops = [
        f"data_x\n{symops(*operations)}\n" for operations in (("x,y,z", "-x,-y,-z"), ("-x,-y,-z", "x,y,z"))
    ]
    assert not semantic_difference(*loops)


def test_ignored_items_are_left_out() -> None:
    pair = (
        "data_x\n_audit_creation_date 2001-01-01\n_b 1\n",
        "data_x\n_audit_creation_date 2002-01-01\n_b 1\n",
    )
    assert semantic_difference(*pair)
    assert not semantic_difference(*pair, ignore=["_audit.*"])
    assert not semantic_difference(*pair, ignore=["_audit*"])
    assert not semantic_difference(*pair, ignore=["_audit_*"])


# Structures


def test_a_structure_equals_itself() -> None:
    difference = crystal_difference(structure(), structure())
    assert difference.operation == ""
    assert difference.changed() == []
    assert difference.cell == {}
    assert difference.space_group is None


def test_shifts_are_told_in_su() -> None:
    sites = [(SITES[0][0], "S", "0.1210(2)", *SITES[0][3:]), *SITES[1:]]
    (atom,) = crystal_difference(structure(), structure(sites)).changed()
    assert atom.label == "S1"
    assert atom.shift == pytest.approx(0.01)
    assert atom.position_su == pytest.approx(0.001 / (0.0002 * np.sqrt(2)))


@pytest.mark.parametrize(("other", "listed"), [("0.71(1)", []), ("0.80(1)", ["S1"]), ("0.70(1)", [])])
def test_an_occupancy_is_listed_when_it_changed_by_more_than_three_su(other: str, listed: list[str]) -> None:
    def occupied(text: str) -> Structure:
        sites = [(*row, text if row[0] == "S1" else "1") for row in SITES]
        return Structure.from_cif(write_cif(CELL, sites, f"{COLUMNS} occupancy", group=P21C, more=TENSORS))

    changed = crystal_difference(occupied("0.70(1)"), occupied(other)).changed()
    assert [atom.label for atom in changed] == listed


def test_a_changed_cell_is_told_with_its_su() -> None:
    difference = crystal_difference(structure(), structure(cell=("10.003(1)", *CELL[1:])))
    assert difference.cell == {"a": (10.0, 10.003, pytest.approx(3 / np.sqrt(2)))}


def test_a_renamed_atom_is_found_by_geometry() -> None:
    sites = [*SITES[:3], ("N2", *SITES[3][1:]), SITES[4]]
    difference = crystal_difference(structure(), structure(sites))
    assert difference.renamed == [("N1", "N2")]
    assert difference.only_first == difference.only_second == []


def test_exchanged_labels_are_found_by_geometry() -> None:
    sites = [SITES[0], ("C2", *SITES[1][1:]), ("C1", *SITES[2][1:]), *SITES[3:]]
    difference = crystal_difference(structure(), structure(sites))
    assert sorted(difference.renamed) == [("C1", "C2"), ("C2", "C1")]


def test_a_new_and_a_lost_atom_are_named() -> None:
    sites = [*SITES[:4], ("F1", "F", 0.9, 0.9, 0.9)]
    difference = crystal_difference(structure(), structure(sites))
    assert difference.only_first == ["O1"]
    assert difference.only_second == ["F1"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y, z: (x, y + 0.5, z), "origin shift 0, 1/2, 0"),
        (lambda x, y, z: (x + 0.5, y, z), "origin shift 1/2, 0, 0"),
    ],
)
def test_an_origin_shift_is_recognised(change, words: str) -> None:
    difference = crystal_difference(structure(), structure(mapped(change)))
    assert difference.operation.startswith("origin shift")
    assert max(atom.shift for atom in difference.atoms) < 1e-6
    assert sorted(
        part.strip(" -") for part in difference.operation.removeprefix("origin shift").split(",")
    ) == sorted(part.strip() for part in words.removeprefix("origin shift").split(","))


def test_another_image_of_the_same_atoms_is_no_difference() -> None:
    difference = crystal_difference(
        structure(), structure(mapped(lambda x, y, z: (-x, y + 0.5, 0.5 - z)), more="")
    )
    assert difference.operation == ""
    assert max(atom.shift for atom in difference.atoms) < 1e-6


def test_tensors_of_another_image_are_turned_before_they_are_compared() -> None:
    turned = aniso(
        [(row[0], "0.020(1)", "0.030(1)", "0.040(1)", "-0.003(1)", "0.005(1)", "0.004(1)") for row in SITES]
    )
    other = structure(mapped(lambda x, y, z: (-x, y + 0.5, 0.5 - z)), more=turned)
    assert max(atom.uij or 0 for atom in crystal_difference(structure(), other).atoms) < 1e-9


def test_an_inversion_is_recognised() -> None:
    group = symops("x,y,z", "-x,y+1/2,-z")
    difference = crystal_difference(
        structure(group=group), structure(mapped(lambda x, y, z: (-x, -y, -z)), group=group)
    )
    assert difference.operation == "inversion"
    assert difference.changed() == []


def test_another_setting_of_the_cell_is_recognised() -> None:
    """P 21/c turned into P 21/n by a' = -a-c, c' = a."""
    first = structure()
    metric = first.cell.metric
    axes = np.array([[-1, 0, -1], [0, 1, 0], [1, 0, 0]], dtype=float)
    new = axes @ metric @ axes.T
    lengths = np.sqrt(np.diag(new))
    beta = np.degrees(np.arccos(new[0, 2] / (lengths[0] * lengths[2])))
    inverse = np.linalg.inv(axes.T)
    sites = mapped(lambda x, y, z: tuple(inverse @ np.array([x, y, z])))
    second = structure(sites, (*lengths, 90, beta, 90), "_space_group_name_H-M_alt 'P 1 21/n 1'", "")
    difference = crystal_difference(first, second)
    assert difference.operation.startswith("change of axes")
    assert max(atom.shift for atom in difference.atoms) < 1e-4
    assert difference.space_group == ("P 1 21/c 1", "P 1 21/n 1")


def test_s_u_follow_the_axes() -> None:
    """In P 21/n with a' = -a-c, c' = a: x' = -z and z' = x - z, so σ²(z') = σ²(x) + σ²(z) - 2 σ(x) σ(z) cos β*."""
    first = structure()
    axes = np.array([[-1, 0, -1], [0, 1, 0], [1, 0, 0]], dtype=float)
    new = axes @ first.cell.metric @ axes.T
    lengths = np.sqrt(np.diag(new))
    beta = np.degrees(np.arccos(new[0, 2] / (lengths[0] * lengths[2])))
    moved = mapped(lambda x, y, z: (-z, y, x - z + 0.001))
    plain = [(label, element, *(text.split("(")[0] for text in place)) for label, element, *place in moved]
    second = structure(plain, (*lengths, 90, beta, 90), "_space_group_name_H-M_alt 'P 1 21/n 1'", "")
    (atom,) = [atom for atom in crystal_difference(first, second).atoms if atom.label == "S1"]
    su = first.sites.fract_su[first.sites.index["S1"]]
    cosine = -np.cos(np.radians(first.cell.parameters[4]))
    spread = np.sqrt(su[0] ** 2 + su[2] ** 2 - 2 * cosine * su[0] * su[2])
    assert atom.position_su == pytest.approx(0.001 / spread, rel=0.02)


@pytest.mark.parametrize(("after", "listed"), [("0.060(2)", ["H1"]), ("0.053(2)", []), ("0.08", ["H1"])])
def test_isotropic_displacements_that_changed_are_listed(after: str, listed: list[str]) -> None:
    def with_u(u: str) -> Structure:
        return Structure.from_cif(
            write_cif(
                CELL,
                [("H1", "H", 0.1, 0.2, 0.3, u)],
                "label type_symbol fract_x fract_y fract_z U_iso_or_equiv",
            )
        )

    before = with_u("0.050(2)" if "(" in after else "0.05")
    assert [atom.label for atom in crystal_difference(before, with_u(after)).changed()] == listed


def test_an_atom_made_anisotropic_has_changed() -> None:
    columns = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv"
    sites = [("C1", "C", 0.1, 0.2, 0.3, 0.02)]
    cell = (10, 11, 12, 90, 90, 90)
    iso = Structure.from_cif(write_cif(cell, sites, columns))
    tensor = aniso([("C1", 0.02, 0.02, 0.02, 0, 0, 0)])
    (atom,) = crystal_difference(
        iso, Structure.from_cif(write_cif(cell, sites, columns, more=tensor))
    ).changed()
    assert (atom.anisotropic, atom.uij) == ((False, True), 0.0)


def test_equivalent_displacements_are_compared_where_a_file_has_tensors_alone() -> None:
    cell = (10, 11, 12, 90, 90, 90)
    columns = "label type_symbol fract_x fract_y fract_z"
    iso = Structure.from_cif(write_cif(cell, [("C1", "C", 0.1, 0.2, 0.3, 0.02)], f"{columns} U_iso_or_equiv"))
    tensor = aniso([("C1", 0.03, 0.04, 0.05, 0, 0, 0)])
    alone = Structure.from_cif(write_cif(cell, [("C1", "C", 0.1, 0.2, 0.3)], columns, more=tensor))
    (atom,) = crystal_difference(iso, alone).changed()
    assert atom.uij == pytest.approx(0.02)


def test_different_structures_are_said_to_be_different() -> None:
    rng = np.random.default_rng(1)
    other = [(label, element, *rng.random(3).round(4)) for label, element, *_ in SITES]
    notes = crystal_difference(structure(), structure(other, more="")).notes
    assert notes == [] or "different structures" in notes[0]
    strange = structure(other, (5.1, 5.2, 30.3, 80, 85, 95), symops("x,y,z"), "")
    assert "no common setting" in crystal_difference(structure(), strange).notes[0]


def test_moved_hydrogens_are_listed() -> None:
    rows = [*SITES, ("H1", "H", 0.7, 0.3, 0.6)]
    longer = [*SITES, ("H1", "H", 0.71, 0.3, 0.6)]
    assert crystal_difference(structure(rows), structure(longer)).moved_hydrogens == ["H1"]


def test_differences_of_real_files_are_found(thpp_path) -> None:
    data = thpp_path.read_bytes()
    changed = data.replace(b"0.167193  0.426069", b"0.168193  0.426069")
    (change,) = semantic_difference(read(data), read(changed)).changes
    assert (change.row, change.tag) == ("F1", "_atom_site.fract_x")
