"""Placing hydrogen atoms and changing models by words."""

import gemmi
import numpy as np
import pytest
from qcrbox.cif import parse_number
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.edits import apply_edits
from qcrbox_refine.hydrogens import place_hydrogens
from qcrbox_refine.refinement import Options, load_model, prepare_model, refine_files, write_cif
from simulated_crystals import write


@pytest.fixture
def published(cu3182):
    model = load_model(str(cu3182))
    prepare_model(model)
    return model


def positions(model):
    cell = model.symmetry.unit_cell()
    return {atom.label: np.array(cell.orthogonalize(atom.site)) for atom in model.atoms if atom.is_hydrogen}


def test_hydrogen_on_carbon_comes_where_a_published_structure_has_it(published):
    reference = np.array(list(positions(published).values()))
    model = published.copy()
    carbon_h = hydrogen_on(published, "C")
    model.atoms = [atom for atom in model.atoms if not atom.is_hydrogen]
    added = place_hydrogens(model)
    made = positions(model)
    near = [float(np.linalg.norm(reference - made[label], axis=1).min()) for label in added]
    methyl = {label for label in added if label[-1] in "ABC" and label[:-1] + "C" in added}
    assert len(added) == carbon_h
    assert max(d for d, label in zip(near, added, strict=True) if label not in methyl) < 0.25


def hydrogen_on(model, element):
    cell = model.symmetry.unit_cell()
    heavy = [(a, np.array(cell.orthogonalize(a.site))) for a in model.atoms if not a.is_hydrogen]
    nearest = [
        min(heavy, key=lambda one, h=h: np.linalg.norm(one[1] - h))[0] for h in positions(model).values()
    ]
    return sum(1 for atom in nearest if atom.element == element)


@pytest.fixture(scope="module")
def placed_with_data(cu3182, tmp_path_factory):
    """The published model against intensities simulated from it, begun without any hydrogen atom."""
    folder = tmp_path_factory.mktemp("cu3182")
    true = load_model(str(cu3182))
    bare = true.copy()
    bare.atoms = [atom for atom in bare.atoms if not atom.is_hydrogen]
    bare.source = None
    cif, hkl = write(folder, true, bare, d_min=0.85)
    result = refine_files(str(cif), str(hkl), Options(hydrogens="place", wavelength=true.wavelength))
    write_cif(result, folder / "placed.cif")
    return true, result, folder


@pytest.mark.slow
def test_with_reflections_every_hydrogen_atom_is_found(placed_with_data):
    true, result, _ = placed_with_data
    reference = np.array(list(positions(true).values()))
    made = positions(result.model)
    near = {label: float(np.linalg.norm(reference - site, axis=1).min()) for label, site in made.items()}
    assert len(made) == 40
    assert max(near.values()) < 0.35, near
    assert result.fit.r1_gt < 0.03


def number(text):
    return parse_number(text).value


def su_of(text):
    return parse_number(text).su or 0.0


@pytest.mark.slow
def test_hydrogen_bonds_are_listed(placed_with_data):
    _, _, folder = placed_with_data
    cif = gemmi.cif.read(str(folder / "placed.cif")).sole_block()
    table = cif.find("_geom_hbond_", ["atom_site_label_D", "distance_HA", "angle_DHA", "distance_DA"])
    assert len(table) >= 2
    assert all(1.4 < number(row[1]) < 2.8 and number(row[2]) > 120 for row in table)
    # A riding hydrogen atom has no s.u. of its own; donor and acceptor have.
    assert all(0.0005 < su_of(row[3]) < 0.02 for row in table)


def test_without_reflections_oxygen_and_nitrogen_are_left_with_a_note(published):
    model = published.copy()
    model.atoms = [atom for atom in model.atoms if not atom.is_hydrogen]
    place_hydrogens(model)
    assert any("may carry" in note and "without reflections" in note for note in model.notes)


def test_placing_twice_adds_nothing(published):
    model = published.copy()
    before = len(model.atoms)
    assert [label for label in place_hydrogens(model) if label] == []
    assert len(model.atoms) == before


def test_hydrogen_follows_its_pivot_in_the_res_file(refined):
    _, made = refined
    lines = made["riding"].res.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("C13 "))
    assert lines[start + 2].split() == ["AFIX", "137"]
    assert [line[:4] for line in lines[start + 3 : start + 6]] == ["H13A", "H13B", "H13C"]
    assert lines[start + 3].split()[-1] == "-1.50000"


def test_edits_change_what_they_say(thpp):
    model = load_model(str(thpp / "thpp.cif"))
    done = apply_edits(
        model,
        "delete C3; N3 = 1\naniso N3; rename N12 N1; element F1 Cl; part 1 A C7A; part 2 A C7B; move C9 0.1 0.2 0.3",
    )
    assert len(done) == 8
    assert not any(atom.label == "C3" for atom in model.atoms)
    assert model.atom("N3").occupancy == 1
    assert model.atom("N3").u_aniso is not None
    assert model.atom("f1").element == "Cl"
    assert (model.atom("C7A").part, model.atom("C7B").assembly) == (1, "A")
    assert model.atom("C9").site == (0.1, 0.2, 0.3)


def test_wildcards_reach_many_atoms(thpp):
    model = load_model(str(thpp / "thpp.cif"))
    apply_edits(model, "iso C*")
    assert all(atom.u_aniso is None for atom in model.atoms if atom.element == "C")
    assert model.atom("F1").u_aniso is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("delete C99", "there is no atom C99"),
        ("explode C1", "unknown word"),
        ("occupancy N3 1.4", "above 0 and not above 1"),
        ("occupancy N3", "must look like: occupancy N3 1"),
        ("rename C1 C2", "already an atom C2"),
        ("element C1 Qq", "no element"),
        ("move C1 0.1 0.2", "must look like: move"),
        ("delete", "must look like: delete"),
    ],
)
def test_an_edit_that_cannot_be_done_says_why(thpp, text, says):
    with pytest.raises(UserInputError, match=says):
        apply_edits(load_model(str(thpp / "thpp.cif")), text)


def test_a_refinement_places_the_hydrogen_atoms_that_an_edit_asks_for_and_no_others(thpp):
    options = Options(edits="hydrogens C6 N3", cycles=1, weighting="keep", wavelength=0.71073)
    model = refine_files(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), options).model
    cell = model.symmetry.unit_cell()
    added = [atom for atom in model.atoms if atom.is_hydrogen]
    assert added
    pivot = model.atom("C6")
    assert all(cell.distance(pivot.site, atom.site) == pytest.approx(0.97, abs=0.05) for atom in added)
    assert [left.text for left in model.left_out] == ["hydrogens N3"]
