"""Growing, packing, disorder (edge case 17), contacts and hydrogen bonds."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from cctbx import crystal, sgtbx, xray
from cctbx.array_family import flex
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.contacts import Contacts
from qcrbox.crystallography.structure.formula import format_formula, parse_formula
from qcrbox.crystallography.structure.neighbours import pairs_within

from ..conftest import CifMaker, symops, write_cif

ENTRIES = list(gemmi.spacegroup_table())
CELLS = {
    "triclinic": (7.1, 8.2, 9.3, 95.0, 101.0, 112.0),
    "orthorhombic": (7.1, 8.2, 9.3, 90.0, 90.0, 90.0),
    "tetragonal": (7.1, 7.1, 9.3, 90.0, 90.0, 90.0),
    "hexagonal": (7.1, 7.1, 9.3, 90.0, 90.0, 120.0),
    "rhombohedral": (7.1, 7.1, 7.1, 75.0, 75.0, 75.0),
    "cubic": (7.1, 7.1, 7.1, 90.0, 90.0, 90.0),
}


def cell_for(entry: gemmi.SpaceGroup) -> tuple[float, ...]:
    system = entry.crystal_system_str()
    if system == "monoclinic":
        angles = {"a": (101, 90, 90), "b": (90, 101, 90), "c": (90, 90, 101)}[entry.qualifier.lstrip("-")[0]]
        return (7.1, 8.2, 9.3, *angles)
    if system == "trigonal":
        return CELLS["rhombohedral" if entry.ext == "R" else "hexagonal"]
    return CELLS[system]


special = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1 / 3, 2 / 3, 0.137, 0.211, 0.322])


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ENTRIES), st.tuples(special, special, special))
def test_atoms_of_one_cell_agree_with_cctbx_in_any_setting_and_on_any_position(
    entry: gemmi.SpaceGroup, site: tuple[float, float, float]
) -> None:
    cell = cell_for(entry)
    group = f"_space_group_name_Hall '{entry.hall}'"
    structure = Structure.from_cif(write_cif(cell, [("Xe1", "Xe", *site)], group=group))
    symmetry = crystal.symmetry(cell, space_group=sgtbx.space_group(entry.hall))
    positions = crystal.special_position_settings(symmetry, min_distance_sym_equiv=0.05)
    reference = xray.structure(
        positions,
        flex.xray_scatterer([xray.scatterer("Xe", site=site, u=0)]),
    )
    multiplicity = reference.scatterers()[0].multiplicity()
    assert structure.images.symmetry.multiplicity[0] == multiplicity
    assert structure.cell_content == {"Xe": multiplicity}
    expected = positions.site_symmetry(site)
    assert len(structure.images.symmetry.stabiliser[0]) == expected.n_matrices()
    assert structure.site_symmetry("Xe1") == expected.point_group_type().replace("-62m", "-6m2")
    unit = structure.pack(((0, 0.99999 - 1e-3), (0, 0.99999 - 1e-3), (0, 0.99999 - 1e-3)))
    inside = np.array(list(reference.expand_to_p1(sites_mod_positive=True).sites_frac()))
    wanted = inside[(inside <= 0.99999).all(axis=1)]
    assert len(unit) >= len(wanted)
    for position in wanted:
        assert np.linalg.norm(unit.fract - position, axis=1).min() < 1e-4


@pytest.mark.parametrize("fixture", ["deoxyribonucleoside"])
def test_the_content_of_the_cell_is_z_formulae(fixture: str, request: pytest.FixtureRequest) -> None:
    structure: Structure = request.getfixturevalue(fixture)
    assert structure.z is not None
    expected = {name: count * structure.z for name, count in parse_formula(structure.formula).items()}
    assert structure.cell_content == pytest.approx(expected)
    packed = structure.pack(molecules=True)
    counted = {name: packed.element.count(name) for name in expected}
    assert counted == pytest.approx(expected)


def test_grown_molecules_have_the_atoms_and_bonds_of_the_molecule_in_every_image(thpp: Structure) -> None:
    packed = thpp.pack(molecules=True)
    fragments = packed.fragments()
    assert np.bincount(fragments).tolist() == [len(thpp.atoms)] * 4
    assert len(packed.bonds) == 4 * len(thpp.atoms.bonds)
    assert np.allclose(np.sort(packed.bond_lengths), np.sort(np.tile(thpp.atoms.bond_lengths, 4)))


def half_molecule(cif: CifMaker) -> Structure:
    """A chain C1-C2-C2'-C1' about an inversion centre."""
    sites = [("C1", "C", 0.20, 0.10, 0.0), ("C2", "C", 0.07, 0.02, 0.0)]
    return Structure.from_cif(cif(sites=sites, group=symops("x,y,z", "-x,-y,-z")))


def test_half_a_molecule_is_completed_through_its_inversion_centre(cif: CifMaker) -> None:
    structure = half_molecule(cif)
    assert len(structure.asymmetric_unit) == 2
    assert len(structure.atoms) == 4
    assert len(structure.atoms.bonds) == 3
    assert structure.atoms.code.count("2_555") == 2
    row = structure.atoms.code.index("2_555")
    assert structure.atoms.readable_symmetry(row) == "-x, -y, -z"


def test_growing_by_one_bond_adds_only_what_is_bonded(cif: CifMaker) -> None:
    structure = half_molecule(cif)
    once = structure.grow("bond")
    assert sorted(zip(once.label, once.code, strict=True)) == [("C1", "."), ("C2", "."), ("C2", "2_555")]
    assert len(structure.grow("bond", atoms=once)) == 4


def test_a_molecule_split_by_the_file_is_put_together(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.95, 0.1, 0.1), ("C2", "C", 0.08, 0.1, 0.1), ("C3", "C", 0.21, 0.1, 0.1)]
    structure = Structure.from_cif(cif(sites=sites))
    assert len(structure.atoms) == 3
    assert len(structure.atoms.bonds) == 2
    assert sorted(structure.atoms.code) == [".", ".", "1_455"]


def test_a_chain_without_end_is_grown_to_its_repeat_and_said_to_be_polymeric(cif: CifMaker) -> None:
    structure = Structure.from_cif(cif((1.5, 10, 10, 90, 90, 90), [("C1", "C", 0, 0, 0)]))
    assert structure.atoms.polymeric
    assert len(structure.atoms) == 1
    assert len(structure.bonds()) == 1
    packed = structure.pack(((0, 3), (0, 0.5), (0, 0.5)))
    assert len(packed) == 4
    assert len(packed.bonds) == 3


def test_sodium_chloride_packs_to_27_atoms_on_the_faces_of_the_cell() -> None:
    sites = [("Na1", "Na", 0, 0, 0), ("Cl1", "Cl", 0.5, 0.5, 0.5)]
    structure = Structure.from_cif(
        write_cif((5.64, 5.64, 5.64, 90, 90, 90), sites, group="_space_group_name_H-M_alt 'F m -3 m'")
    )
    packed = structure.pack()
    assert len(packed) == 27
    assert packed.element.count("Na") == 14
    assert structure.site_symmetry("Na1") == "m-3m"
    assert structure.cell_content == {"Na": 4, "Cl": 4}
    assert {bond.length.value for bond in structure.bonds()} == {2.82}
    assert len(structure.edges.of(0)) == 6


def test_radius_and_contacts_reach_neighbouring_molecules(thpp: Structure) -> None:
    near = thpp.grow("radius", radius=3.5)
    outside = near.cartesian[~near.is_own_place]
    _, _, gap = pairs_within(outside, thpp.asymmetric_unit.cartesian, 3.5)
    assert len(outside)
    assert gap.max() <= 3.5
    whole = thpp.grow("radius", radius=3.5, whole=True)
    assert len(whole) % len(thpp.atoms) == 0
    contacts = thpp.grow("contacts")
    assert len(contacts) > len(thpp.asymmetric_unit)
    assert {int(size) for size in np.bincount(thpp.grow("contacts", whole=True).fragments())} == {18}


@pytest.mark.parametrize("ranges", [((1, 0), (0, 1), (0, 1)), ((0, 0), (0, 1), (0, 1))])
def test_an_empty_box_is_refused(thpp: Structure, ranges: tuple) -> None:
    with pytest.raises(UserInputError, match="lower bound"):
        thpp.pack(ranges)


def test_an_enormous_box_is_refused_before_it_is_filled(thpp: Structure) -> None:
    with pytest.raises(UserInputError, match="limit"):
        thpp.pack(((0, 1000), (0, 1000), (0, 1000)))


PARTS = "label type_symbol fract_x fract_y fract_z occupancy disorder_assembly disorder_group"


def test_alternatives_are_never_bonded_to_each_other(cif: CifMaker) -> None:
    sites = [
        ("C1", "C", 0.10, 0.1, 0.1, 1, ".", "."),
        ("C2A", "C", 0.25, 0.1, 0.10, 0.6, "A", 1),
        ("C2B", "C", 0.24, 0.2, 0.13, 0.4, "A", 2),
        ("C3", "C", 0.36, 0.17, 0.1, 1, ".", "."),
    ]
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS))
    bonded = {frozenset((bond.label_1, bond.label_2)) for bond in structure.bonds()}
    assert structure.distance("C2A", "C2B").value < 1.5
    assert frozenset(("C2A", "C2B")) not in bonded
    assert {frozenset(("C1", "C2A")), frozenset(("C1", "C2B"))} <= bonded
    assert structure.choose(structure.atoms, "major").label == ["C1", "C2A", "C3"]
    assert structure.choose(structure.atoms, "minor").label == ["C1", "C2B", "C3"]
    assert structure.choose(structure.atoms, {"A": 2}).label == ["C1", "C2B", "C3"]
    assert structure.atoms.minor.tolist() == [False, False, True, False]


def test_alternatives_are_not_bonded_even_when_the_file_lists_the_bond(cif: CifMaker) -> None:
    sites = [("C2A", "C", 0.25, 0.1, 0.1, 0.6, "A", 1), ("C2B", "C", 0.25, 0.23, 0.1, 0.4, "A", 2)]
    more = (
        "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\nC2A C2B 1.43"
    )
    assert Structure.from_cif(cif(sites=sites, columns=PARTS, more=more)).bonds() == []


def test_groups_of_different_assemblies_may_be_bonded(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1, 0.5, "A", 1), ("C2", "C", 0.24, 0.1, 0.1, 0.5, "B", 2)]
    assert len(Structure.from_cif(cif(sites=sites, columns=PARTS)).bonds()) == 1


def test_three_parts_without_assembly_are_alternatives_of_each_other(cif: CifMaker) -> None:
    sites = [
        (f"C{part}", "C", 0.1 + 0.1 * part, 0.1, 0.1, share, ".", part)
        for part, share in ((1, 0.2), (2, 0.5), (3, 0.3))
    ]
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS))
    assert structure.bonds() == []
    assert structure.choose(structure.atoms, "major").label == ["C2"]


def test_group_dot_and_group_zero_are_no_disorder(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1, 1, ".", "."), ("C2", "C", 0.24, 0.1, 0.1, 1, ".", 0)]
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS))
    assert structure.sites.group.tolist() == [0, 0]
    assert len(structure.bonds()) == 1


def test_a_negative_group_is_not_bonded_to_its_own_images(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.05, 0.02, 0.0, 0.5, ".", -1), ("C2", "C", 0.19, 0.02, 0.0, 0.5, ".", -1)]
    inverted = symops("x,y,z", "-x,-y,-z")
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS, group=inverted))
    assert [(bond.label_1, bond.label_2, bond.code) for bond in structure.bonds()] == [("C1", "C2", ".")]
    assert len(structure.atoms) == 2
    positive = [(*row[:-1], 1) for row in sites]
    same_group = Structure.from_cif(cif(sites=positive, columns=PARTS, group=inverted))
    assert len(same_group.atoms) == 4


def test_packing_shows_one_orientation_of_a_negative_group(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.55, 0.52, 0.5, 0.5, ".", -1), ("C2", "C", 0.69, 0.52, 0.5, 0.5, ".", -1)]
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS, group=symops("x,y,z", "-x,-y,-z")))
    assert len(structure.pack()) == 4
    major = structure.pack(disorder="major")
    assert major.code == [".", "."]


def test_compositional_disorder_on_one_position_is_kept_apart(thpp: Structure) -> None:
    """N3 and C3 of this structure share a position without a disorder group."""
    rows = [thpp.sites.index[name] for name in ("N3", "C3")]
    assert np.linalg.norm(np.diff(thpp.images.cartesian[rows], axis=0)) < 0.02
    bonded = {frozenset((bond.label_1, bond.label_2)) for bond in thpp.bonds()}
    assert frozenset(("N3", "C3")) not in bonded
    assert {frozenset(("N3", "C2")), frozenset(("C3", "C2"))} <= bonded


def test_occupancy_is_of_the_site_not_divided_by_its_multiplicity(cif: CifMaker) -> None:
    sites = [("Cu1", "Cu", 0, 0, 0, 1.0, ".", "."), ("O1", "O", 0.2, 0.2, 0.2, 0.5, ".", 1)]
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS, group=symops("x,y,z", "-x,-y,-z")))
    assert structure.site_symmetry("Cu1") == "-1"
    assert structure.cell_content == {"Cu": 1, "O": 1}


def test_an_unknown_disorder_group_is_refused_with_those_known(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1, 0.6, "A", 1), ("C2", "C", 0.24, 0.1, 0.1, 0.4, "A", 2)]
    structure = Structure.from_cif(cif(sites=sites, columns=PARTS))
    with pytest.raises(UserInputError, match="no disorder group 3"):
        structure.choose(structure.atoms, {"A": 3})


def test_hydrogen_is_bonded_to_its_nearest_atom_only(cif: CifMaker) -> None:
    sites = [("O1", "O", 0.1, 0.1, 0.1), ("H1", "H", 0.21, 0.1, 0.1), ("O2", "O", 0.34, 0.1, 0.1)]
    structure = Structure.from_cif(cif(sites=sites))
    assert [(bond.label_1, bond.label_2) for bond in structure.bonds()] == [("O1", "H1")]
    (hydrogen_bond,) = structure.hydrogen_bonds()
    assert hydrogen_bond.h_a == pytest.approx(1.3)
    assert hydrogen_bond.angle == pytest.approx(180)


def test_hydrogen_bonds_of_a_published_structure_are_found(deoxyribonucleoside: Structure, cu_path) -> None:
    from qcrbox.cif import read

    loop = read(cu_path, on_error="keep")["I"].loop("_geom_hbond_atom_site_label_D")
    assert loop is not None
    listed = set(
        zip(
            loop.texts("_geom_hbond_atom_site_label_D"),
            loop.texts("_geom_hbond_atom_site_label_H"),
            loop.texts("_geom_hbond_atom_site_label_A"),
            strict=True,
        )
    )
    label = deoxyribonucleoside.sites.label
    ours = {
        (label[bond.donor], label[bond.hydrogen], label[bond.acceptor])
        for bond in deoxyribonucleoside.hydrogen_bonds()
        if bond.hydrogen is not None
    }
    assert listed <= ours


def test_contacts_leave_out_atoms_up_to_three_bonds_apart(deoxyribonucleoside: Structure) -> None:
    contacts = deoxyribonucleoside.short_contacts(within_molecules=True)
    assert len(contacts) > 0
    assert (np.diff(contacts.distance) >= 0).all()
    assert (contacts.shorter_by > 0).all()
    bonded = {(bond.label_1, bond.label_2) for bond in deoxyribonucleoside.bonds() if bond.code == "."}
    label = deoxyribonucleoside.sites.label
    own = deoxyribonucleoside.images.is_own_place(contacts.second, contacts.operation, contacts.translation)
    pairs = {(label[i], label[j]) for i, j in zip(contacts.first[own], contacts.second[own], strict=True)}
    assert not pairs & bonded


def test_contacts_lie_between_molecules(deoxyribonucleoside: Structure) -> None:
    images = deoxyribonucleoside.images
    everything = deoxyribonucleoside.short_contacts(within_molecules=True)
    between = deoxyribonucleoside.short_contacts()
    molecules = deoxyribonucleoside.atoms
    number = dict(zip(molecules.key.tolist(), molecules.fragments().tolist(), strict=True))
    own = deoxyribonucleoside.asymmetric_unit
    own_key = dict(zip(own.site.tolist(), own.key.tolist(), strict=True))

    def inside(contacts: Contacts) -> int:
        far = images.key(contacts.second, contacts.operation, contacts.translation).tolist()
        ends = zip(contacts.first.tolist(), far, strict=True)
        return sum(number[own_key[one]] == number.get(other) for one, other in ends)

    assert inside(everything) > 0
    assert inside(between) == 0
    assert len(between) == len(everything) - inside(everything)


def test_contacts_of_a_network_are_kept() -> None:
    # A chain along a: H1 and H1 one cell on are four bonds and 3.0 Å apart.
    rows = (("C1", "C", 0.0, 0.1, 0.5), ("C2", "C", 0.5, 0.1, 0.5), ("H1", "H", 0.0, 0.21, 0.5))
    chain = Structure.from_block(read(write_cif(cell=(3.0, 10.0, 9, 90, 90, 90), sites=rows))[0])
    assert chain.atoms.polymeric
    contacts = chain.short_contacts(extra=1.0)
    along = [
        tuple(cell)
        for one, other, cell in zip(
            contacts.first, contacts.second, contacts.translation.tolist(), strict=True
        )
        if chain.sites.label[one] == chain.sites.label[other] == "H1"
    ]
    assert sorted(along) == [(-1, 0, 0), (1, 0, 0)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(0.5, 6))
def test_neighbour_search_finds_what_all_pairs_find(seed: int, count: int, cutoff: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.uniform(-6, 6, (count, 3)), rng.uniform(-6, 6, (count + 3, 3))
    i, j, d = pairs_within(first, second, cutoff)
    full = np.linalg.norm(first[:, None] - second[None], axis=2)
    expected = set(zip(*np.nonzero(full <= cutoff), strict=True))
    assert set(zip(i, j, strict=True)) == expected
    assert len(i) == len(expected)
    assert d == pytest.approx(full[i, j])


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("C17 H20 N4 O5", {"C": 17, "H": 20, "N": 4, "O": 5}),
        ("C2H6O", {"C": 2, "H": 6, "O": 1}),
        ("Ca0.5 Na1.5 Cl2.5", {"Ca": 0.5, "Na": 1.5, "Cl": 2.5}),
        ("C12 H10 Cl2, H2 O", {}),
        ("?", {}),
    ],
)
def test_sum_formulae_are_read(text: str, counts: dict[str, float]) -> None:
    assert parse_formula(text) == counts


def test_formulae_are_written_in_hill_order() -> None:
    assert format_formula({"O": 5, "H": 20, "C": 17, "N": 4}) == "C17 H20 N4 O5"
    assert format_formula({"Na": 1, "Cl": 1}) == "Cl Na"


def test_listed_hydrogen_bonds_come_with_their_symmetry_and_the_table_with_su(
    deoxyribonucleoside: Structure, cu_path
) -> None:
    from qcrbox.cif import read

    loop = read(cu_path, on_error="keep")["I"].loop("_geom_hbond_atom_site_label_D")
    assert loop is not None
    rows = {(row.donor, row.hydrogen, row.acceptor): row for row in deoxyribonucleoside.hydrogen_bond_table()}
    listed = zip(
        loop.texts("_geom_hbond_atom_site_label_D"),
        loop.texts("_geom_hbond_atom_site_label_H"),
        loop.texts("_geom_hbond_atom_site_label_A"),
        loop.numbers("_geom_hbond_distance_DA"),
        loop.numbers("_geom_hbond_angle_DHA"),
        strict=True,
    )
    for donor, hydrogen, acceptor, d_a, angle in listed:
        row = rows[donor, hydrogen, acceptor]
        assert row.listed
        assert row.d_a.value == pytest.approx(d_a, abs=0.002)
        assert row.d_a.su is not None
        assert row.angle.value == pytest.approx(angle, abs=1.5)
    assert sum(row.listed for row in rows.values()) == len(loop)


def test_a_listed_hydrogen_bond_counts_from_the_image_of_its_hydrogen(cif: CifMaker) -> None:
    sites = [("O1", "O", 0.1, 0.1, 0.1), ("H1", "H", 0.19, 0.1, 0.1), ("O2", "O", 0.62, 0.9, 0.9)]
    codes = "loop_\n_geom_hbond_atom_site_label_D\n_geom_hbond_atom_site_label_H\n_geom_hbond_atom_site_label_A\n_geom_hbond_site_symmetry_D\n_geom_hbond_site_symmetry_H\n_geom_hbond_site_symmetry_A\n"
    direct = Structure.from_cif(
        cif(sites=sites, group=symops("x,y,z", "-x,-y,-z"), more=codes + "O1 H1 O2 . . 2_666\n")
    )
    turned = Structure.from_cif(
        cif(sites=sites, group=symops("x,y,z", "-x,-y,-z"), more=codes + "O1 H1 O2 2_666 2_666 .\n")
    )
    for structure in (direct, turned):
        (row,) = structure.hydrogen_bond_table()
        assert row.listed
        assert (row.code, row.d_a.value) == ("2_666", pytest.approx(2.8))
