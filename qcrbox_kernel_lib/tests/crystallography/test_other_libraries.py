"""The other library's own figures for the crystal it was given: contents, distances, structure factors."""

from __future__ import annotations

import json
import re
import warnings
from importlib import import_module

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure, other_libraries, three_d_mol
from qcrbox.crystallography.structure.other_libraries import NotCarriedOver

from ..conftest import aniso, write_cif

HKL = [(h, k, m) for h in range(-3, 4) for k in range(4) for m in range(4) if (h, k, m) != (0, 0, 0)]
FULL_COLUMNS = (
    "label type_symbol fract_x fract_y fract_z occupancy U_iso_or_equiv disorder_assembly disorder_group"
)
P21C = "_space_group_name_H-M_alt 'P 21/c'"


def mixed(*sites: tuple[object, ...], group: str = "_space_group_name_H-M_alt 'P 1'") -> Structure:
    return Structure.from_cif(write_cif(sites=sites, columns=FULL_COLUMNS, group=group))


@pytest.fixture
def disordered() -> Structure:
    return mixed(
        ("C1", "C", 0.1, 0.2, 0.3, 1, 0.02, ".", "."),
        ("O1A", "O", 0.25, 0.2, 0.3, 0.7, 0.03, "A", 1),
        ("O1B", "O", 0.20, 0.3, 0.3, 0.3, 0.03, "A", 2),
    )


@pytest.fixture
def alloy() -> Structure:
    return mixed(
        ("Fe1", "Fe", 0, 0, 0, 0.6, 0.01, ".", "."),
        ("Ni1", "Ni", 0, 0, 0, 0.4, 0.01, ".", "."),
        ("O1", "O", 0.3, 0.3, 0.3, 1, 0.02, ".", "."),
    )


def structure_factors(structure: Structure) -> np.ndarray:
    """|F| of the cell with atoms of Z electrons and their displacements, by a sum over images written here."""
    f = np.zeros(len(HKL), dtype=complex)
    hkl = np.array(HKL, dtype=float)
    ortho = structure.cell.fractionalisation
    s = hkl @ ortho
    cell = structure.images
    symmetry = cell.symmetry
    gemmi = import_module("qcrbox.crystallography._gemmi").gemmi
    for row in np.flatnonzero(structure.sites.is_atom):
        z = gemmi.Element(structure.sites.element[row]).atomic_number
        weight = structure.sites.occupancy[row] * symmetry.multiplicity[row] / structure.space_group.order
        for rotation, shift in zip(
            structure.space_group.rotations, structure.space_group.translations, strict=True
        ):
            turned = structure.cell.orthogonalisation @ rotation @ ortho
            u = turned @ structure.u_cart[row] @ turned.T
            phase = np.exp(2j * np.pi * hkl @ (rotation @ structure.sites.fract[row] + shift))
            f += z * weight * phase * np.exp(-2 * np.pi**2 * np.einsum("ni,ij,nj->n", s, u, s))
    return np.abs(f)


# gemmi


def test_gemmi_holds_the_same_cell_sites_and_displacements(thpp):
    made = thpp.to_gemmi()
    assert made.cell.volume == pytest.approx(thpp.cell.volume)
    assert made.spacegroup.number == thpp.space_group.number
    assert [site.label for site in made.sites] == thpp.sites.label
    for row, site in enumerate(made.sites):
        assert site.fract.tolist() == pytest.approx(thpp.sites.fract[row])
        u = thpp.sites.u_cif[row]
        if np.isfinite(u).all():
            assert [site.aniso.u11, site.aniso.u33, site.aniso.u12, site.aniso.u23] == pytest.approx(
                [u[0, 0], u[2, 2], u[0, 1], u[1, 2]]
            )
            assert site.aniso.as_mat33().tolist() == pytest.approx(u)


def test_gemmi_makes_the_same_unit_cell_of_it(urea):
    made = urea.to_gemmi()
    per_cell = len(made.get_all_unit_cell_sites())
    assert per_cell == sum(urea.images.symmetry.multiplicity)
    assert per_cell == 16  # Z = 2, CH4N2O


def test_gemmi_keeps_a_disorder_group_and_its_occupancy(disordered):
    sites = {site.label: site for site in disordered.to_gemmi().sites}
    assert (sites["O1B"].disorder_group, sites["O1B"].occ) == (2, 0.3)


# cctbx


@pytest.mark.parametrize("name", ["thpp", "urea", "deoxyribonucleoside"])
def test_cctbx_computes_the_structure_factors_of_the_same_crystal(name, request):
    structure = request.getfixturevalue(name)
    made = structure.to_cctbx()
    expected = structure_factors(structure)
    miller, flex = import_module("cctbx.miller"), import_module("cctbx.array_family.flex")
    eltbx = import_module("cctbx.eltbx.xray_scattering")
    gemmi = import_module("qcrbox.crystallography._gemmi").gemmi
    made.scattering_type_registry(
        custom_dict={
            element: eltbx.gaussian(float(gemmi.Element(element).atomic_number))
            for element in set(structure.sites.element)
        }
    )
    indices = miller.set(made.crystal_symmetry(), flex.miller_index(HKL), anomalous_flag=True)
    calculated = indices.structure_factors_from_scatterers(made, algorithm="direct").f_calc()
    found = dict(zip(calculated.indices(), np.abs(np.array(calculated.data())), strict=True))
    assert [found[hkl] for hkl in HKL] == pytest.approx(expected, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize(
    ("symbol", "kind", "electrons", "charge"),
    [
        ("Fe", "Fe", 26, 0),
        ("Fe3+", "Fe3+", 23, 3),
        ("Fe+3", "Fe3+", 23, 3),
        ("Cl1-", "Cl1-", 18, -1),
        ("Cl-", "Cl1-", 18, -1),
        ("O2-", "O2-", 10, -2),
        ("Na+", "Na1+", 10, 1),
        ("Fe0+", "Fe", 26, 0),
        ("D", "D", 1, 0),
    ],
)
def test_ions_scatter_as_ions_in_cctbx_and_have_their_charge_in_gemmi(symbol, kind, electrons, charge):
    """f(0) is the number of electrons."""
    structure = mixed(("X1", symbol, 0.1, 0.2, 0.3, 1, 0.02, ".", "."))
    made = structure.to_cctbx()
    (scatterer,) = made.scatterers()
    assert scatterer.scattering_type == kind
    registry = made.scattering_type_registry(table="it1992")
    assert registry.gaussian_not_optional(kind).at_stol(0) == pytest.approx(electrons, abs=0.05)
    assert structure.to_gemmi().sites[0].charge == charge


def test_an_ion_that_cctbx_has_no_factors_for_is_named():
    structure = mixed(("C1", "C4+", 0.1, 0.2, 0.3, 1, 0.02, ".", "."))
    with pytest.warns(NotCarriedOver, match=r"C1 are ions without scattering factors"):
        made = structure.to_cctbx()
    assert made.scatterers()[0].scattering_type == "C"


def test_an_atom_without_displacement_stands_at_rest_in_cctbx_and_is_named():
    structure = Structure.from_cif(write_cif())
    with pytest.warns(NotCarriedOver, match=r"C1 have no displacement"):
        made = structure.to_cctbx()
    assert made.scatterers()[0].u_iso == 0


def beside_a_centre() -> Structure:
    """An oxygen atom disordered about an inversion centre, 0.23 Å from its image."""
    return Structure.from_cif(
        write_cif(
            (10, 11, 12, 90, 90, 90),
            [("O1", "O", 0.01, 0.005, 0, 0.5, -1, 0.02)],
            "label type_symbol fract_x fract_y fract_z occupancy disorder_group U_iso_or_equiv",
            group="_space_group_name_H-M_alt 'P -1'",
        )
    )


def test_cctbx_leaves_atoms_beside_a_special_position_where_they_are():
    (scatterer,) = beside_a_centre().to_cctbx().scatterers()
    assert scatterer.site == pytest.approx((0.01, 0.005, 0))
    assert scatterer.weight() == pytest.approx(0.5)


def test_atoms_that_gemmi_takes_for_special_ones_are_named():
    with pytest.warns(NotCarriedOver, match=r"O1 are within 0\.4 Å"):
        beside_a_centre().to_gemmi()


def test_cctbx_takes_a_setting_that_is_no_standard_one():
    structure = Structure.from_cif(
        write_cif(
            (8, 9, 10, 90, 100, 90),
            (("C1", "C", 0.1, 0.2, 0.3, 0.02),),
            "label type_symbol fract_x fract_y fract_z U_iso_or_equiv",
            group="_space_group_name_H-M_alt 'P 1 21/n 1'",
        )
    )
    made = structure.to_cctbx()
    assert made.space_group_info().symbol_and_number() == "P 1 21/n 1 (No. 14)"
    assert made.scatterers()[0].multiplicity() == 4


# ASE


def test_ase_holds_every_atom_of_the_cell_once(urea):
    made = urea.to_ase()
    assert made.get_chemical_formula() == "C2H8N4O2"
    assert made.get_volume() == pytest.approx(urea.cell.volume)
    distances = made.get_all_distances(mic=True)
    assert distances[~np.eye(len(made), dtype=bool)].min() > 0.9


def test_distances_in_ase_are_those_of_the_structure(urea):
    made = urea.to_ase()
    labels = list(made.arrays["label"])
    c, o = labels.index("C1"), labels.index("O1")
    nearest = min(made.get_distance(c, i, mic=True) for i, label in enumerate(labels) if label == "O1")
    assert o != c
    assert nearest == pytest.approx(urea.distance("C1", "O1").value, abs=1e-6)


def test_displacements_in_ase_turn_with_their_atoms(urea):
    """The mean square displacement of H along its N-H bond is the same for every image of the pair."""
    made = urea.to_ase()
    labels = np.array(made.arrays["label"])
    along = []
    for h in np.flatnonzero(labels == "H1"):
        vectors = made.get_distances(h, np.flatnonzero(labels == "N1"), mic=True, vector=True)
        bond = min(vectors, key=np.linalg.norm)
        bond = bond / np.linalg.norm(bond)
        along.append(bond @ made.arrays["u_cart"][h] @ bond)
    assert len(along) == 4
    assert along == pytest.approx([along[0]] * 4)
    assert along[0] > 0


def test_ase_takes_the_major_part_and_names_the_other(disordered):
    with pytest.warns(NotCarriedOver) as caught:
        made = disordered.to_ase()
    assert list(made.arrays["label"]) == ["C1", "O1A"]
    texts = [str(each.message) for each in caught]
    assert "O1B are left out (disorder='major')." in texts
    assert "O1A are partly occupied and stand as whole atoms." in texts
    assert made.arrays["occupancy"].tolist() == [1.0, 0.7]


def test_ase_takes_the_part_that_is_asked_for(disordered):
    with pytest.warns(NotCarriedOver, match="O1A are left out"):
        made = disordered.to_ase(disorder="minor")
    assert list(made.arrays["label"]) == ["C1", "O1B"]


def test_deuterium_is_heavy_hydrogen_in_ase():
    structure = Structure.from_cif(write_cif(sites=(("D1", "D", 0.1, 0.2, 0.3),)))
    made = structure.to_ase()
    assert made.get_chemical_symbols() == ["H"]
    assert made.get_masses() == pytest.approx([2.014])


def test_a_full_structure_is_carried_over_without_a_word(urea):
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotCarriedOver)
        for make in (urea.to_ase, urea.to_gemmi, urea.to_cctbx, urea.to_pymatgen, urea.to_py3dmol):
            make()


def test_dummies_and_peaks_are_left_out_and_named():
    structure = Structure.from_cif(
        write_cif(
            sites=(("C1", "C", 0.1, 0.2, 0.3, "."), ("Q1", "C", 0.5, 0.5, 0.5, "dum")),
            columns="label type_symbol fract_x fract_y fract_z calc_flag",
        )
    )
    with pytest.warns(NotCarriedOver, match=r"Q1 are no atoms"):
        assert len(structure.to_gemmi().sites) == 1
    with pytest.warns(NotCarriedOver, match=r"Q1 are no atoms"):
        assert len(structure.to_ase()) == 1


# pymatgen


def test_pymatgen_finds_the_space_group_again(urea):
    made = urea.to_pymatgen()
    assert made.composition.reduced_formula == "H4CN2O"
    assert made.get_space_group_info() == ("P-42_1m", 113)


def test_pymatgen_has_the_density_of_the_contents(thpp):
    made = thpp.to_pymatgen()
    assert made.volume == pytest.approx(thpp.cell.volume)
    content = {str(element): count for element, count in made.composition.as_dict().items()}
    assert content == pytest.approx(thpp.cell_content)


def test_atoms_of_one_place_share_a_site_in_pymatgen(alloy):
    made = alloy.to_pymatgen()
    assert len(made) == 2
    assert made[0].species.as_dict() == pytest.approx({"Fe": 0.6, "Ni": 0.4})
    assert made.labels == ["Fe1/Ni1", "O1"]


def test_a_place_that_is_more_than_full_is_refused():
    crowded = mixed(
        ("Fe1", "Fe", 0, 0, 0, 0.8, 0.01, ".", "."), ("Ni1", "Ni", 0, 0, 0.9999, 0.4, 0.01, ".", ".")
    )
    with pytest.raises(UserInputError, match=r"Fe1, Ni1 add up to 1\.200"):
        crowded.to_pymatgen()


@pytest.mark.parametrize("angles", [(90, 90, 90), (40, 50, 55), (145, 100, 95)])
def test_places_are_shared_across_the_faces_of_any_cell(angles):
    """Groups of atoms against a search through all pairs and all lattice points around."""
    random = np.random.default_rng(1)
    places = np.concatenate([random.uniform(0, 1, (8, 3)), [[0, 0, 0], [0.5, 0, 0.99999]]])
    cell = (9, 8, 7, *angles)
    structure = Structure.from_cif(write_cif(cell, [("C1", "C", 0, 0, 0)]))
    nudges = structure.cell.to_fractional(np.array([[0.004, 0, 0], [0, -0.004, 0.002], [-0.008, 0, 0.008]]))
    every = np.concatenate([places, *(places + nudge for nudge in nudges)])
    sites = [
        (f"C{number}", "C", *place, 0.25, 0.03, ".", ".")
        for number, place in enumerate(every.tolist(), start=1)
    ]
    structure = Structure.from_cif(write_cif(cell, sites, columns=FULL_COLUMNS))
    steps = np.array(list(np.ndindex(5, 5, 5))) - 2
    first: list[int] = []
    for row, place in enumerate(every):
        lengths = [
            np.linalg.norm(structure.cell.to_cartesian(every[other] - place + steps), axis=1).min()
            for other in first
        ]
        if not lengths or min(lengths) >= other_libraries.SHARED_SITE:
            first.append(row)
    cell_atoms = other_libraries._unit_cell(structure)
    kept, members = other_libraries._shared_places(structure, cell_atoms)
    assert [cell_atoms.label[row] for row in kept] == [f"C{row + 1}" for row in first]
    assert sorted(row for group in members.values() for row in group) == list(range(len(every)))
    assert len(first) < len(every)


def test_an_atom_on_the_border_of_the_cell_stands_once():
    structure = Structure.from_cif(
        write_cif(
            (5, 6, 7, 90, 95, 90),
            (("Fe1", "Fe", 0, 0, 0), ("O1", "O", -1e-12, 0.2, 0.9999999999999)),
            group=P21C,
        )
    )
    assert len(structure.to_pymatgen()) == 2 + 4
    fract = structure.to_ase().get_scaled_positions(wrap=False)
    assert fract.min() > -1e-6
    assert fract.max() < 1


def test_displacements_are_a_site_property_of_pymatgen():
    structure = Structure.from_cif(
        write_cif(group=P21C, cell=(5, 6, 7, 90, 95, 90), more=aniso([("C1", 0.01, 0.02, 0.03, 0, 0, 0.004)]))
    )
    tensors = [np.array(site.properties["u_cart"]) for site in structure.to_pymatgen()]
    assert len(tensors) == 4
    for tensor in tensors:
        assert np.linalg.eigvalsh(tensor) == pytest.approx(np.linalg.eigvalsh(structure.u_cart[0]))


def test_a_package_that_is_missing_is_named_with_what_to_do(urea, monkeypatch):
    def missing(name):
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(other_libraries, "import_module", missing)
    with pytest.raises(UserInputError, match="ase is not installed here") as caught:
        urea.to_ase()
    assert "%pip install ase" in str(caught.value.next)


# py3Dmol


def atoms_of_the_view(view) -> list[dict]:
    (text,) = re.findall(r"addAtoms\((\[.*\])\);", view.startjs)
    return json.loads(text)


def test_py3dmol_gets_the_whole_molecule_with_our_bonds(urea):
    atoms = atoms_of_the_view(urea.to_py3dmol())
    assert sorted(atom["elem"] for atom in atoms) == ["C", *"HHHH", *"NN", "O"]
    assert [len(atom["bonds"]) for atom in atoms if atom["elem"] == "C"] == [3]
    lengths = {
        tuple(sorted((atom["elem"], atoms[other]["elem"]))): np.linalg.norm(
            [atom[axis] - atoms[other][axis] for axis in "xyz"]
        )
        for atom in atoms
        for other in atom["bonds"]
    }
    assert lengths["C", "O"] == pytest.approx(float(urea.distance("C1", "O1").value), abs=2e-5)


def test_py3dmol_takes_nothing_from_elsewhere(urea):
    view = urea.to_py3dmol()
    assert "cdn" not in view.startjs.split("atob(")[0]
    assert not re.findall(r"loadScriptAsync\('", view.startjs)
    assert "BSD" in three_d_mol.SCRIPT.read_text()[:500]


def test_py3dmol_names_what_it_leaves_out(disordered):
    with pytest.warns(NotCarriedOver, match=r"O1B are left out \(disorder='major'\)"):
        view = disordered.to_py3dmol()
    assert [atom["atom"] for atom in atoms_of_the_view(view)] == ["C1", "O1A"]
    view = disordered.to_py3dmol(disorder="all")
    shares = {atom["atom"]: atom["properties"]["occupancy"] for atom in atoms_of_the_view(view)}
    assert shares == {"C1": 1.0, "O1A": 0.7, "O1B": 0.3}


def test_a_py3dmol_that_loads_its_script_in_another_way_is_refused(urea, monkeypatch):
    monkeypatch.setattr(three_d_mol, "_LOAD", "import('qcrbox-3dmol')")
    with pytest.raises(UserInputError, match="cannot be given the script"):
        urea.to_py3dmol()
