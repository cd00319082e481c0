"""The scene as arrays: views along axes in every crystal system, growing, words, what is labelled and covered."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import Options, Scene
from qcrbox.widgets.structure_view import scene as module

from ...conftest import symops, write_cif

CELLS = {
    "triclinic": (8, 9, 10, 78, 81, 68),
    "monoclinic": (8, 9, 10, 90, 105, 90),
    "orthorhombic": (8, 9, 10, 90, 90, 90),
    "tetragonal": (8, 8, 10, 90, 90, 90),
    "trigonal": (8, 8, 10, 90, 90, 120),
    "rhombohedral": (8, 8, 8, 70, 70, 70),
    "cubic": (8, 8, 8, 90, 90, 90),
}
FULL = "label type_symbol fract_x fract_y fract_z U_iso_or_equiv occupancy disorder_assembly disorder_group"
PAIR = [("C1", "C", 0.1, 0.2, 0.3), ("O1", "O", 0.22, 0.2, 0.3)]


def scene(structure, **options):
    return Scene(structure, Options.of(options))


def of(
    sites=PAIR,
    cell=(10, 10, 10, 90, 90, 90),
    group="_space_group_name_H-M_alt 'P 1'",
    columns=None,
    **options,
):
    more = {} if columns is None else {"columns": columns}
    return scene(Structure.from_cif(write_cif(cell, sites, group=group, **more)), **options)


# ---------------------------------------------------------------- directions


@pytest.mark.parametrize("system", CELLS)
def test_each_axis_points_at_the_eye_in_its_view(system):
    drawn = of(cell=CELLS[system])
    cell = drawn.structure.cell
    for number, name in enumerate("abc"):
        real, reciprocal = cell.orthogonalisation[:, number], cell.fractionalisation[number]
        for axis, direction in ((name, real), (f"{name}*", reciprocal)):
            matrix = drawn.directions[axis]
            seen = matrix @ direction
            assert seen[:2] == pytest.approx([0, 0], abs=1e-9)
            assert seen[2] > 0
            assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-9)
            assert np.linalg.det(matrix) == pytest.approx(1)


@pytest.mark.parametrize("system", CELLS)
def test_seen_along_b_the_axis_c_star_is_up(system):
    drawn = of(cell=CELLS[system])
    up = drawn.directions["b"] @ drawn.structure.cell.fractionalisation[2]
    assert up[0] == pytest.approx(0, abs=1e-9)
    assert up[1] > 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_atoms_have_a_best_view_too(count):
    sites = [(f"C{n}", "C", 0.1 + 0.14 * n, 0.2, 0.3) for n in range(count)]
    matrix = of(sites).directions["best"]
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-9)


def test_the_best_view_shows_the_flat_side_of_a_molecule(thpp):
    drawn = scene(thpp)
    spread = np.ptp(drawn.positions @ drawn.directions["best"].T, axis=0)
    assert spread[0] > spread[2]
    assert spread[1] > 0.8 * spread[2]


# ---------------------------------------------------------------- where


@pytest.mark.parametrize("system", CELLS)
def test_the_edges_of_the_cell_have_its_lengths(system):
    drawn = of(cell=CELLS[system])
    lengths = np.linalg.norm(drawn.cell_edges[:, 1] - drawn.cell_edges[:, 0], axis=1)
    assert lengths[:3] == pytest.approx(CELLS[system][:3])
    assert sorted(lengths) == pytest.approx(sorted([*CELLS[system][:3]] * 4))


def test_the_middle_is_that_of_what_is_drawn():
    alone = of()
    assert alone.centre == pytest.approx([1.6, 2, 3])
    framed = scene(alone.structure, cell=True)
    assert framed.centre == pytest.approx([5, 5, 5])
    assert framed.extent == pytest.approx(np.sqrt(75))


def test_everything_lies_within_the_extent(molecule):
    drawn = scene(molecule, grow="cell")
    assert np.linalg.norm(drawn.positions, axis=1).max() <= drawn.extent


# ---------------------------------------------------------------- growing

INVERTED = symops("x,y,z", "-x,-y,-z")


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"grow": "none"}, 2),
        ({"grow": "cell"}, 4),
        ({"grow": "cell", "ranges": ((0, 2), (0, 1), (0, 1))}, 8),
        ({"grow": "cell", "ranges": ((0, 0.5), (0, 0.5), (0, 0.5))}, 2),
        ({"grow": False}, 2),
        ({"grow": True}, 2),
    ],
    ids=str,
)
def test_how_much_of_the_crystal_is_drawn(options, count):
    assert len(of(group=INVERTED, **options)) == count


def test_a_radius_is_counted_from_the_atoms_shown():
    near, far = (of(group=INVERTED, grow="radius", radius=radius) for radius in (2.0, 9.9))
    assert len(near) == 2
    assert len(far) > 2


def test_hydrogen_can_be_left_out_with_its_bonds():
    sites = [*PAIR, ("H1", "H", 0.05, 0.28, 0.3)]
    assert "H1" in of(sites).labels
    without = of(sites, hydrogens="none")
    assert without.labels == ["C1", "O1"]
    assert len(without.bonds) == 1


def test_too_many_atoms_are_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(module, "_MOST_ATOMS", 10)
    with pytest.raises(
        UserInputError, match=r"16 atoms are too many to draw. Choose a smaller box or radius"
    ):
        of(grow="cell", ranges=((0, 2), (0, 2), (0, 2)))


# ---------------------------------------------------------------- words


def test_an_atom_is_described_with_what_is_unusual_about_it():
    sites = [("C1", "C", 0.1, 0.2, 0.3, 0.02, 1, ".", 0), ("O1", "O", 0.22, 0.2, 0.3, 0.05, 0.25, "A", 2), ("Pu1", "Pu", 0.5, 0.5, 0.5, "?", 1, ".", 0)]  # fmt: skip
    drawn = of(sites, columns=FULL, grow="none")
    assert [drawn.description(row) for row in range(3)] == [
        "C1, carbon, Ueq 0.0200 Å²",
        "O1, oxygen, part A 2, occupancy 0.25, Ueq 0.0500 Å²",
        "Pu1, plutonium",
    ]


def test_an_image_says_where_it_is():
    drawn = of(group=INVERTED, grow="cell")
    words = [drawn.description(row) for row in range(4)]
    assert sum(" at -x" in text for text in words) == 2
    assert all(("at " in text) == (code != ".") for text, code in zip(words, drawn.atoms.code, strict=True))


def test_the_summary_counts_atoms_bonds_and_minor_parts(molecule):
    text = scene(molecule).summary()
    assert text.startswith(f"{molecule.formula}: {len(scene(molecule))} atoms (")
    assert "1 atom of minor disorder parts drawn hollow" in text


@pytest.mark.parametrize(
    ("labels", "labelled"), [(False, []), ("heavy", ["C1", "O1"]), (True, ["C1", "O1", "H1"])]
)
def test_labels_are_on_those_that_are_asked_for(labels, labelled):
    drawn = of([*PAIR, ("H1", "H", 0.05, 0.28, 0.3)], labels=labels)
    assert [label for label, on in zip(drawn.labels, drawn.labelled, strict=True) if on] == labelled


def test_the_table_twin_says_what_is_unknown():
    drawn = of([("C1", "C", 0.1, 0.2, 0.3, "?", ".", ".", 0)], columns=FULL)
    (row,) = drawn.table_rows()
    named = dict(zip(drawn.TABLE_HEADS, row, strict=True))
    assert named["Ueq / Å²"] == "?"
    assert "nan" not in " ".join(row)


def test_hydrogen_bonds_are_lines_only_where_they_are_asked_for(urea):
    assert len(scene(urea).dashed_lines) == 0
    shown = scene(urea, hydrogen_bonds=True, grow="cell")
    rows = shown.dashed_lines
    assert len(rows)
    assert all(shown.hydrogen[rows[:, 0]] | shown.hydrogen[rows[:, 1]])
    lengths = np.linalg.norm(shown.positions[rows[:, 0]] - shown.positions[rows[:, 1]], axis=1)
    assert (lengths < 2.6).all()
