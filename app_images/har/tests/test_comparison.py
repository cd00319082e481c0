"""Spherical and aspherical atoms side by side, from two CIFs written by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from crystals import cif
from qcrbox.crystallography.structure.structure import Structure
from qcrbox_har import comparison, molecules
from qcrbox_har.neutron import kind, mean_distance

FIGURES = {
    "R1": 0.04, "R1_all": 0.05, "wR2": 0.1, "S": 1.1, "parameters": 50, "reflections": 900, "max": 0.3, "min": -0.2, "rms": 0.05
}  # fmt: skip
COLUMNS = ("U_iso_or_equiv", "adp_type")
# Methanol, roughly: O-H 0.97 Å, C-H 1.09 Å, C-O 1.43 Å in a cell of 10 Å.
ROWS = (
    "C1 C 0 0 0 0.02 Uani\nO1 O 0.143 0 0 0.02 Uani\nH1 H 0.175 0.0915 0 0.03 Uiso\nH1A H -0.0363 0.1028 0 0.03 Uiso\n"
    "H1B H -0.0363 -0.0514 0.0890 0.03 Uiso\nH1C H -0.0363 -0.0514 -0.0890 0.03 Uiso\n"
)
ANISO = "loop_\n" + "".join(
    f"_atom_site_aniso_{n}\n" for n in ("label", "U_11", "U_22", "U_33", "U_23", "U_13", "U_12")
)
BONDS = "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\n"


def text(distances: dict[str, str], u11: str) -> str:
    tensors = f"{ANISO}C1 {u11} 0.020(1) 0.020(1) 0 0 0\nO1 0.030(2) 0.030(2) 0.030(2) 0 0 0\n"
    bonds = BONDS + "".join(f"{pair.replace('-', ' ')} {value}\n" for pair, value in distances.items())
    return cif(ROWS, columns=COLUMNS) + tensors + bonds


@pytest.fixture
def files(tmp_path):
    """Of spherical and of Hirshfeld atoms."""
    before, after = tmp_path / "iam.cif", tmp_path / "har.cif"
    old = {"O1-H1": "0.82(2)", "C1-H1A": "0.96", "C1-H1B": "0.97(1)", "C1-O1": "1.43(1)"}
    new = {"H1-O1": "0.965(5)", "C1-H1A": "1.080(4)", "C1-H1B": "1.075(6)", "C1-O1": "1.42(1)"}
    before.write_text(text(old, "0.020(1)"))
    after.write_text(text(new, "0.024(1)"))
    return before, after


@pytest.fixture
def table(files):
    plan = molecules.plan(Structure.from_cif(files[0]))
    return comparison.compare(*files, FIGURES, FIGURES | {"R1": 0.02}, plan)


def test_agreement_is_that_of_both_models(table):
    assert table["agreement"]["R1"] == {"iam": 0.04, "har": 0.02}
    assert table["agreement"]["parameters"] == {"iam": 50, "har": 50}


def test_each_hydrogen_has_both_distances_and_the_mean_of_its_class(table):
    rows = {row["hydrogen"]: row for row in table["hydrogen"]}
    assert set(rows) == {"H1", "H1A", "H1B", "H1C"}
    hydroxyl = rows["H1"]  # written as H-O in one file and O-H in the other
    assert (hydroxyl["iam"], hydroxyl["har"], hydroxyl["neutron"]) == (0.82, 0.965, 0.970)
    assert hydroxyl["har_su"] == pytest.approx(0.005)
    methyl = rows["H1A"]
    assert (methyl["bond_class"], methyl["iam_su"]) == ("C-H methyl", None)
    assert rows["H1C"]["har"] is None  # not in the bonds of the file


def test_the_cap_of_a_fragment_is_no_hydrogen_of_the_crystal(files):
    """Methanol cut between C and O: the methyl group keeps its class, and the cap on carbon has no row."""
    plan = molecules.plan(Structure.from_cif(files[0]))
    whole = plan.molecules[0]
    methyl = [whole.labels.index(label) for label in ("C1", "H1A", "H1B", "H1C")]
    plan.molecules = [
        replace(
            whole,
            symbols=["C", "H", "H", "H", "H"],
            labels=[whole.labels[i] for i in methyl],
            site=whole.site[methyl],
            operation=whole.operation[methyl],
            translation=whole.translation[methyl],
            bonds=np.array([[0, 1], [0, 2], [0, 3], [0, 4]]),
            caps=[molecules.Cap(0, whole.labels.index("O1"), 0, (0, 0, 0), 1.09)],
        )
    ]
    rows = comparison.compare(*files, FIGURES, FIGURES, plan)["hydrogen"]
    assert [(row["hydrogen"], row["bond_class"]) for row in rows] == [
        ("H1A", "C-H methyl"), ("H1B", "C-H methyl"), ("H1C", "C-H methyl")
    ]  # fmt: skip


def test_the_mean_deviation_counts_what_is_known(table):
    iam = [0.970 - 0.82, 1.077 - 0.96, 1.077 - 0.97]
    har = [0.970 - 0.965, 1.080 - 1.077, 1.077 - 1.075]
    assert table["mean_deviation"]["iam"] == pytest.approx(np.mean(iam))
    assert table["mean_deviation"]["har"] == pytest.approx(np.mean(har))


def test_displacements_change_in_units_of_their_s_u(table):
    """U11 of C1 by 4 s.u., the other two with an s.u. by nothing: r.m.s. 4/√3; O1 not at all."""
    change = table["displacements"]
    assert change["largest_atom"] == "C1"
    assert change["largest_su"] == pytest.approx(4 / np.sqrt(3), rel=1e-3)
    assert change["rms_change_su"] == pytest.approx(4 / np.sqrt(6), rel=1e-3)


def test_the_similarity_index_is_that_of_the_two_tensors(table):
    """C1: U11 of 0.020 beside 0.024 Å²; O1 alike. 100 (1 - R), R = (2 √(u v)/(u + v))^½ for one axis."""
    of_c1 = 100 * (1 - np.sqrt(2 * np.sqrt(0.020 * 0.024) / 0.044))
    assert table["displacements"]["similarity_index"] == pytest.approx(of_c1 / 2, rel=1e-6)


@pytest.mark.parametrize("factor", [1.0, 2.0, 10.0])
def test_spheres_that_differ_by_a_factor_have_the_index_of_the_formula(factor):
    """Three equal axes: R = (2 √k / (1 + k))^(3/2) for tensors U and k U."""
    expected = 100 * (1 - (2 * np.sqrt(factor) / (1 + factor)) ** 1.5)
    found = comparison.similarity_index(0.02 * np.eye(3), 0.02 * factor * np.eye(3))
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_similarity_index_is_the_overlap_of_two_densities_of_probability():
    """By integration: R is ∫ √(p q) of the two normal distributions, in two dimensions of a grid and one factor."""
    first = np.array([[0.020, 0.006, 0], [0.006, 0.030, 0], [0, 0, 0.02]])
    second = np.array([[0.026, -0.004, 0], [-0.004, 0.018, 0], [0, 0, 0.02]])
    x = np.linspace(-1.2, 1.2, 241)
    points = np.stack(np.meshgrid(x, x), axis=-1)

    def density(u):
        inverse = np.linalg.inv(u[:2, :2])
        exponent = np.einsum("xyi,ij,xyj->xy", points, inverse, points) / 2
        return np.exp(-exponent) * np.sqrt(np.linalg.det(inverse)) / (2 * np.pi)

    overlap = np.sqrt(density(first) * density(second)).sum() * (x[1] - x[0]) ** 2
    assert comparison.similarity_index(first, second) == pytest.approx(100 * (1 - overlap), abs=1e-6)


def test_tensors_without_meaning_have_no_similarity():
    unknown, negative = np.full((3, 3), np.nan), np.diag([0.02, 0.02, -0.001])
    assert comparison.similarity_index(np.eye(3), unknown) is None
    assert comparison.similarity_index(negative, np.eye(3)) is None


def test_similarities_may_leave_out_hydrogen_and_need_both_models():
    aniso = "H1 0.02 0.02 0.02 0 0 0\nC1 0.02 0.02 0.02 0 0 0\nO1 0.03 0.03 0.03 0 0 0\n"
    first = Structure.from_cif((cif(ROWS, columns=COLUMNS) + ANISO + aniso).encode())
    fewer = ROWS.replace("O1 O 0.143 0 0 0.02 Uani\n", "")
    second = Structure.from_cif(
        (cif(fewer, columns=COLUMNS) + ANISO + aniso.replace("0.02 0", "0.03 0", 1)).encode()
    )
    assert set(comparison.similarities(first, second)) == {"H1", "C1"}
    assert comparison.similarities(first, second, hydrogen=False) == {"C1": pytest.approx(0, abs=1e-9)}


def test_the_table_for_the_log_shows_s_u_and_gaps(table):
    shown = comparison.as_text(table)
    assert "0.965(5)" in shown
    line = next(line for line in shown.splitlines() if line.startswith("C1-H1C"))
    assert line.split()[1:3] == ["-", "-"]
    assert "mean |X-H - neutron|" in shown


@pytest.mark.parametrize(
    ("element", "hydrogens", "neighbours", "expected"),
    [
        ("C", 3, 4, ("C-H methyl", 1.077)),
        ("C", 2, 4, ("C-H methylene", 1.092)),
        ("C", 1, 4, ("C-H methine", 1.099)),
        ("C", 1, 3, ("C(ar)-H", 1.083)),
        ("N", 3, 4, ("N+-H", 1.036)),
        ("N", 1, 3, ("N-H", 1.015)),
        ("O", 1, 2, ("O-H", 0.970)),
        ("O", 2, 2, ("O-H water", 0.958)),
    ],
)
def test_neutron_means_are_those_of_allen_and_bruno(element, hydrogens, neighbours, expected):
    assert kind(element, hydrogens, neighbours) == expected


def test_an_element_without_a_mean_has_a_usual_distance():
    assert kind("Se", 1, 2) == ("Se-H", mean_distance("Se", 1))
    assert 0.9 < mean_distance("Se", 1) < 1.6
    assert mean_distance("C", 1, unsaturated=True) == 1.083
