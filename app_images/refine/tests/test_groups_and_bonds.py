"""AFIX groups, fragments and changes of the bond table: positions, derivatives, counts of parameters."""

import itertools

import numpy as np
import pytest
from qcrbox_refine.connectivity import neighbours
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.fragments import template
from qcrbox_refine.shelx_input import parse_shelx
from scitbx.array_family import flex

HEAD = """TITL groups
CELL 0.71073 12 13 14 92 101 97
ZERR 2 0 0 0 0 0 0
LATT -1
SFAC C H N O
UNIT 8 8 2 2
TEMP -100
"""
CELL = parse_shelx(HEAD + "FVAR 1\nC1 1 0 0 0.1 11 0.03\nHKLF 4\n").symmetry.unit_cell()


def model_of(atoms, lines="", variables="FVAR 1 0.6"):
    return parse_shelx(f"{HEAD}{lines}\n{variables}\n{atoms}\nHKLF 4\nEND\n", "x.ins")


def line(label, kind, cartesian, tail="11 0.03"):
    x, y, z = CELL.fractionalize(tuple(np.add(cartesian, [4.0, 5.0, 6.0])))
    return f"{label} {kind} {x:.6f} {y:.6f} {z:.6f} {tail}"


def cartesian(model, *labels):
    cell = model.symmetry.unit_cell()
    return [np.array(cell.orthogonalize(model.atom(label).site)) for label in labels]


def distances(model, *labels):
    sites = cartesian(model, *labels)
    return [float(np.linalg.norm(a - b)) for a, b in itertools.pairwise(sites)]


def angle(model, a, b, c):
    p, q, r = cartesian(model, a, b, c)
    u, v = p - q, r - q
    cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def check_jacobian(made, riding=()):
    """Derivatives of all sites against finite differences. riding: atoms whose ideal positions turn with others."""
    r = made.reparametrisation
    jacobian = r.jacobian_transpose_matching_grad_fc().as_dense_matrix().as_numpy_array()
    parameters = list(r.parameter_map())
    for k in range(r.n_independents):
        found = []
        for sign in (1, -1):
            step = flex.double(r.n_independents, 0.0)
            step[k] = sign * 1e-6
            r.apply_shifts(step)
            found.append(r.state.sites.copy())
            r.apply_shifts(-step)
        numeric = (found[0] - found[1]) / 2e-6
        for i, p in enumerate(parameters):
            if i not in riding:
                assert numeric[i] == pytest.approx(jacobian[k, p.site : p.site + 3], abs=1e-4)


@pytest.mark.parametrize(("m", "n", "bond"), [(5, 5, 1.42), (6, 6, 1.39), (10, 10, 1.42), (11, 10, 1.39)])
def test_templates_have_their_bonds(m, n, bond):
    sites = template(m)
    assert len(sites) == n
    pairs = {
        5: [(0, 1), (4, 0)],
        6: [(0, 1), (5, 0)],
        10: [(0, 1), (4, 0)],
        11: [(0, 1), (4, 5), (5, 6), (9, 4)],
    }[m]
    assert [np.linalg.norm(sites[i] - sites[j]) for i, j in pairs] == pytest.approx([bond] * len(pairs))
    if m == 10:
        assert np.linalg.norm(sites[0] - sites[5]) == pytest.approx(1.063 * bond)


def phenyl(noise=0.05, code=66, riding=True):
    rng = np.random.default_rng(1)
    rows = [f"AFIX {code}"]
    for k, site in enumerate(template(6)):
        rows.append(line(f"C{k + 1}", 1, site + noise * rng.normal(size=3)))
        if riding and k:
            rows += ["AFIX 43", line(f"H{k + 1}", 2, site * 1.7, "11 -1.2"), "AFIX 65"]
    return "\n".join([*rows, "AFIX 0"])


def test_afix_66_makes_a_regular_hexagon_and_moves_it_as_one():
    model = model_of(phenyl())
    assert distances(model, *(f"C{k}" for k in (1, 2, 3, 4, 5, 6, 1))) == pytest.approx([1.39] * 6, abs=1e-6)
    made = parametrise(model)
    # Six of the group, six displacements of the carbon atoms; hydrogen rides.
    assert made.reparametrisation.n_independents == 6 + 6
    hydrogen = [i for i, atom in enumerate(model.atoms) if atom.is_hydrogen]
    assert [model.atoms[i].group.pivot.label for i in hydrogen] == ["C2", "C3", "C4", "C5", "C6"]
    check_jacobian(made, riding=hydrogen)


def test_afix_69_refines_a_scale_too():
    made = parametrise(model_of(phenyl(code=69, riding=False)))
    assert made.reparametrisation.n_independents == 7 + 6
    check_jacobian(made)


def test_a_finite_rotation_keeps_a_rigid_group_rigid():
    model = model_of(phenyl(riding=False))
    r = parametrise(model).reparametrisation
    r.apply_shifts(flex.double([0.1, -0.2, 0.05, 0.4, -0.3, 0.7, *[0.0] * 6]))
    sites = [r.state.cartesian(i) for i in range(6)]
    assert [np.linalg.norm(sites[i] - sites[i - 1]) for i in range(6)] == pytest.approx([1.39] * 6)


def test_atoms_at_the_origin_get_their_place_from_the_fit():
    rows = phenyl(riding=False).split("\n")
    rows[4] = "C4 1 0 0 0 11 0.03"
    model = model_of("\n".join(rows))
    assert distances(model, "C3", "C4", "C5") == pytest.approx([1.39, 1.39], abs=1e-6)


def test_a_fragment_is_fitted():
    frag = "FRAG 17\nC1 1 0 0 0\nN1 3 1.30 0 0\nO1 4 1.95 1.10 0.2\nFEND"
    rng = np.random.default_rng(2)
    sites = np.array([(0, 0, 0), (1.3, 0, 0), (1.95, 1.10, 0.2)]) @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    atoms = "\n".join(
        [
            "AFIX 176",
            *(line(f"A{k}", 1, site + 0.03 * rng.normal(size=3)) for k, site in enumerate(sites)),
            "AFIX 0",
        ]
    )
    model = model_of(atoms, frag)
    assert distances(model, "A0", "A1", "A2") == pytest.approx(
        [1.30, np.sqrt(0.65**2 + 1.1**2 + 0.2**2)], abs=1e-6
    )
    assert parametrise(model).reparametrisation.n_independents == 6 + 3
    assert [entry.why for entry in model_of(atoms).left_out] == ["There is no FRAG 17."]


METHANE = {"C1": (0, 0, 0), "C2": (1.53, 0, 0), "C3": (-0.51, 1.44, 0), "C4": (-0.51, -0.72, 1.25)}


def bonded(labels, hydrogen):
    rows = [line(label, 1, METHANE[label]) for label in labels[1:]]
    return "\n".join([*rows, line("C1", 1, METHANE["C1"]), hydrogen, "AFIX 0"])


@pytest.mark.parametrize(
    ("code", "parents", "count", "length"),
    [
        (13, ["C2", "C3", "C4"], 1, 1.00),
        (23, ["C2", "C3"], 2, 0.99),
        (43, ["C2", "C3"], 1, 0.95),
        (163, ["C2"], 1, 0.95),
        (137, ["C2"], 3, 0.98),
        (33, ["C2"], 3, 0.98),
        (127, ["C2"], 6, 0.98),
        (93, ["C2"], 2, 0.95),
    ],
)
def test_riding_hydrogen_has_the_geometry_of_its_code(code, parents, count, length):
    rng = np.random.default_rng(code)
    hydrogen = "\n".join(
        [
            f"AFIX {code}",
            *(line(f"H{k}", 2, rng.normal(size=3) * 0.4 - [0.4, 0.5, 0.5], "11 -1.2") for k in range(count)),
        ]
    )
    model = model_of(bonded(["C1", *parents], hydrogen))
    made = parametrise(model)
    model.absorb(made.structure)
    names = [f"H{k}" for k in range(count)]
    assert [distances(model, "C1", name)[0] for name in names] == pytest.approx([length] * count, abs=1e-6)
    angles = [angle(model, parent, "C1", name) for parent in parents for name in names]
    if code in (13, 23, 43):
        assert angles == pytest.approx([angles[0]] * len(angles), abs=1e-3)
        assert angles[0] > 100
    elif code == 93:
        assert angles == pytest.approx([120] * 2, abs=1e-3)
    elif code == 163:
        assert angles == pytest.approx([180], abs=1e-3)
    else:
        assert angles == pytest.approx([109.47] * count, abs=1e-3)
    own = made.reparametrisation.n_independents - 4 * (len(parents) + 1)
    assert own == (1 if code % 10 == 7 else 0)
    assert not model.left_out


@pytest.mark.parametrize(("code", "own"), [(3, 0), (4, 1), (13, 0), (14, 1)])
def test_riding_derivatives_are_those_of_the_shifts(code, own):
    atoms = bonded(["C1", "C2", "C3", "C4"], f"AFIX {code}\n" + line("H1", 2, (-0.5, -0.6, -0.6), "11 -1.2"))
    made = parametrise(model_of(atoms))
    assert made.reparametrisation.n_independents == 16 + own
    if code in (3, 4):
        check_jacobian(made)


def test_a_torsion_turns_hydrogen_about_the_bond():
    hydrogen = "AFIX 137\n" + "\n".join(
        line(f"H{k}", 2, site, "11 -1.5")
        for k, site in enumerate([(-0.3, 0.9, 0), (-0.3, -0.45, 0.8), (-0.3, -0.45, -0.8)])
    )
    model = model_of(bonded(["C1", "C2"], hydrogen))
    r = parametrise(model).reparametrisation
    place = r.independent_names().index("C1 torsion")
    step = flex.double(r.n_independents, 0.0)
    step[place] = 1e-4
    before = r.state.sites.copy()
    r.apply_shifts(step)
    moved = (r.state.sites - before)[2:] / 1e-4
    jacobian = r.jacobian_transpose_matching_grad_fc().as_dense_matrix().as_numpy_array()[place]
    columns = [list(r.parameter_map())[i].site for i in (2, 3, 4)]
    for row, column in zip(moved, columns, strict=True):
        assert row == pytest.approx(jacobian[column : column + 3], abs=1e-3)
        assert np.linalg.norm(row) > 0.01


def test_a_distance_of_afix_is_used():
    model = model_of(
        bonded(["C1", "C2", "C3"], "AFIX 43 1.083\n" + line("H1", 2, (-0.5, -0.6, 0), "11 -1.2"))
    )
    model.absorb(parametrise(model).structure)
    assert distances(model, "C1", "H1") == pytest.approx([1.083], abs=1e-6)


def test_a_metal_beside_an_aromatic_carbon_does_not_count():
    rows = bonded(["C1", "C2", "C3"], "AFIX 43\n" + line("H1", 2, (-0.5, -0.6, 0), "11 -1.2"))
    with_metal = model_of(line("FE", 5, (0.3, 0.4, 2.0)) + "\n" + rows, "SFAC Fe\nUNIT 1 1 1 1 1")
    plain = model_of(rows)
    for model in (with_metal, plain):
        model.absorb(parametrise(model).structure)
    assert with_metal.atom("H1").site == pytest.approx(plain.atom("H1").site, abs=1e-6)
    assert not with_metal.left_out


def test_a_geometry_without_its_bonds_keeps_the_hydrogen_in_place():
    model = model_of(bonded(["C1", "C2"], "AFIX 13\n" + line("H1", 2, (-0.5, -0.6, 0.2), "11 -1.2")))
    before = model.atom("H1").site
    model.absorb(parametrise(model).structure)
    assert model.atom("H1").site == pytest.approx(before, abs=1e-5)
    assert "AFIX 13 needs 1 atom(s) on an atom with 3 other bond(s)" in model.notes[-1]


def bonds(model, label):
    index = model.index(model.atom(label))
    found = neighbours(model, model.structure())[index]
    return sorted(model.atoms[bond.index].label for bond in found)


CHAIN = "\n".join(line(label, 1, site) for label, site in METHANE.items())


def test_free_takes_a_bond_out_and_bind_puts_one_in():
    assert bonds(model_of(CHAIN), "C1") == ["C2", "C3", "C4"]
    assert bonds(model_of(CHAIN, "FREE C1 C2"), "C1") == ["C3", "C4"]
    assert bonds(model_of(CHAIN, "BIND C2 C3"), "C2") == ["C1", "C3"]


def test_conn_changes_radii_and_numbers_of_bonds():
    assert bonds(model_of(CHAIN, "CONN 0 C4"), "C1") == ["C2", "C3"]
    assert bonds(model_of(CHAIN, "CONN 1 C1"), "C1") == ["C3"]
    assert bonds(model_of(CHAIN, "CONN 12 1.6 C3"), "C3") == ["C1", "C2", "C4"]


def test_bind_joins_parts():
    parts = (
        CHAIN.replace("\nC2", "\nPART 1\nC2").replace("\nC3", "\nPART 2\nC3").replace("\nC4", "\nPART 0\nC4")
    )
    near = "\n".join([parts, "PART 1", line("C5", 1, (-0.4, 2.9, 0)), "PART 0"])
    assert bonds(model_of(near), "C5") == []
    assert bonds(model_of(near, "BIND 1 2"), "C5") == ["C3"]


def test_bonds_of_unknown_atoms_are_named():
    model = model_of(CHAIN, "FREE C1 C99")
    bonds(model, "C1")
    assert [entry.why for entry in model.left_out] == ["There is no atom C99."]
