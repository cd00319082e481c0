"""Least squares against crystals whose truth is known."""

import re
from dataclasses import replace

import gemmi
import pytest
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox_refine.cif_output import model_block
from qcrbox_refine.edits import apply_edits
from qcrbox_refine.least_squares import not_positive_definite_words
from qcrbox_refine.refinement import Options, load_model, refine_files, write_cif
from qcrbox_refine.restraint_equations import Distance, Node
from qcrbox_refine.restraints import RESTRAINTS, RestraintManager
from qcrbox_refine.scattering import tabulated_dispersion
from simulated_crystals import model as simulated_model
from simulated_crystals import write


def disturbed(space_group="P -1"):
    start = simulated_model(space_group)
    for i, atom in enumerate(start.atoms[1:], start=1):
        atom.site = tuple(x + 0.004 * (-1) ** (i + k) for k, x in enumerate(atom.site))
        atom.u_aniso, atom.u_iso = None, 0.03
    return start


@pytest.fixture(scope="module")
def triclinic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("triclinic")
    true = simulated_model()
    cif, hkl = write(folder, true, disturbed())
    return true, refine_files(str(cif), str(hkl), Options(adp="anisotropic", cycles=20)), folder


def test_the_truth_is_found_within_its_su(triclinic):
    true, result, _ = triclinic
    fit = result.fit
    parameters = fit.parametrisation.structure.parameter_map()
    deviations = []
    for i, (atom, original) in enumerate(zip(result.model.atoms, true.atoms, strict=True)):
        su = fit.su[parameters[i].site : parameters[i].site + 3]
        deviations += [(x - y) / s for x, y, s in zip(atom.site, original.site, su, strict=True) if s > 0]
    assert fit.converged
    assert max(map(abs, deviations)) < 4
    assert 0.6 < (sum(d * d for d in deviations) / len(deviations)) ** 0.5 < 1.5
    assert fit.r1_gt < 0.03


def test_an_atom_on_an_inversion_centre_stays_there_without_su(triclinic, tmp_path):
    _, result, _ = triclinic
    write_cif(result, tmp_path / "x.cif")
    line = next(line for line in (tmp_path / "x.cif").read_text().splitlines() if line.startswith("Cl1 Cl"))
    assert line.split()[2:5] == ["0.00000"] * 3
    assert line.split()[7:9] == ["1", "2"]


def test_the_res_file_counts_the_site_multiplicity(triclinic, tmp_path):
    _, result, folder = triclinic
    card = next(line for line in result.res.splitlines() if line.startswith("Cl1"))
    assert card.split()[5] == "10.50000"
    (tmp_path / "again.res").write_text(result.res)
    again = refine_files(
        str(tmp_path / "again.res"), str(folder / "simulated.hkl"), Options(cycles=0, weighting="keep")
    )
    assert again.fit.r1_gt == pytest.approx(result.fit.r1_gt, abs=2e-4)
    assert next(a for a in again.model.atoms if a.label == "Cl1").occupancy == pytest.approx(1)


def test_cell_su_enter_the_bond_su(triclinic, tmp_path):
    true, _, _folder = triclinic
    su = {}
    for scale in (0, 20):
        start = simulated_model()
        start.cell_su = tuple(scale * x for x in true.cell_su)
        cif, hkl = write(tmp_path, true, start)
        write_cif(refine_files(str(cif), str(hkl), Options()), tmp_path / "x.cif")
        row = next(
            line for line in (tmp_path / "x.cif").read_text().splitlines() if line.startswith("C1 C2 1.")
        )
        value, digits = re.match(r"([\d.]+)\((\d+)\)", row.split()[2]).groups()
        su[scale] = int(digits) * 10.0 ** -len(value.partition(".")[2])
    assert su[20] > 1.3 * su[0]


def test_bonds_to_symmetry_images_carry_codes_that_lead_there(tmp_path):
    true = simulated_model()
    apply_edits(true, "add C8 C 0.56 0.57 0.45; aniso C8")
    cif, hkl = write(tmp_path, true)
    write_cif(refine_files(str(cif), str(hkl), Options()), tmp_path / "x.cif")
    block = gemmi.cif.read(str(tmp_path / "x.cif")).sole_block()
    operations = {
        row[0]: gemmi.Op(row[1]) for row in block.find("_space_group_symop_", ["id", "operation_xyz"])
    }
    sites = {
        row[0]: [gemmi.cif.as_number(x) for x in list(row)[1:]]
        for row in block.find("_atom_site_", ["label", "fract_x", "fract_y", "fract_z"])
    }
    cell = gemmi.UnitCell(*true.symmetry.unit_cell().parameters())
    names = ["atom_site_label_1", "atom_site_label_2", "distance", "site_symmetry_2"]
    symmetric = [row for row in block.find("_geom_bond_", names) if row[3] != "."]
    assert symmetric
    for first, second, length, code in symmetric:
        number, _, shift = code.partition("_")
        image = operations[number].apply_to_xyz(sites[second])
        image = [x + int(n) - 5 for x, n in zip(image, shift or "555", strict=True)]
        a, b = (cell.orthogonalize(gemmi.Fractional(*site)) for site in (sites[first], image))
        assert a.dist(b) == pytest.approx(gemmi.cif.as_number(length), abs=2e-3)


def test_an_atom_disordered_about_a_centre_is_not_bonded_to_its_image(tmp_path):
    true = simulated_model()
    apply_edits(true, "add C8 C 0.54 0.55 0.47; occupancy C8 0.5; part -1 C8")
    cif, hkl = write(tmp_path, true)
    result = refine_files(str(cif), str(hkl), Options())
    write_cif(result, tmp_path / "x.cif")
    bonds = (
        gemmi.cif.read(str(tmp_path / "x.cif")).sole_block().find("_geom_bond_atom_site_label_", ["1", "2"])
    )
    assert not any(list(row) == ["C8", "C8"] for row in bonds)
    assert "PART -1" in result.res
    card = next(line for line in result.res.splitlines() if line.startswith("C8 "))
    assert card.split()[5] == "10.50000"


def test_the_hand_of_a_polar_crystal_is_found(tmp_path):
    true = simulated_model("P 1")
    true.wavelength = 1.54184
    cif, hkl = write(tmp_path, true, noise=0.005, d_min=0.8)
    right = refine_files(str(cif), str(hkl), Options())
    write_cif(right, tmp_path / "right.cif")
    inverted = simulated_model("P 1")
    inverted.wavelength = 1.54184
    for atom in inverted.atoms:
        atom.site = tuple(-x for x in atom.site)
    write(tmp_path, true, inverted, noise=0.005, d_min=0.8)
    wrong = refine_files(str(cif), str(hkl), Options())
    write_cif(wrong, tmp_path / "wrong.cif")
    flack = [
        float(re.search(r"abs_structure_Flack +(-?[\d.]+)", (tmp_path / name).read_text()).group(1))
        for name in ("right.cif", "wrong.cif")
    ]
    assert flack == pytest.approx([0, 1], abs=0.1)
    warned = [
        any(
            kind == "warning" and "other absolute structure" in text
            for kind, text in one.model.remarks_by_kind()
        )
        for one in (right, wrong)
    ]
    assert warned == [False, True]


def test_extinction_is_refined_with_su(tmp_path):
    cif, hkl = write(tmp_path, simulated_model())
    result = refine_files(str(cif), str(hkl), Options(extinction="refine"))
    value, su = result.fit.extinction
    assert su > 0
    assert abs(value) < 5 * su
    assert "EXTI" in result.res


def test_two_atoms_on_one_site_are_named_as_singular(tmp_path):
    start = simulated_model()
    start.atoms.append(replace(start.atom("C1"), label="C9"))
    cif, hkl = write(tmp_path, simulated_model(), start)
    with pytest.raises(CalculationFailed, match="singular") as caught:
        refine_files(str(cif), str(hkl), Options())
    assert "C9" in caught.value.message or "C1" in caught.value.message


def test_more_parameters_than_reflections_are_refused(tmp_path):
    cif, hkl = write(tmp_path, simulated_model(), d_min=2.5)
    with pytest.raises(CalculationFailed, match="parameters cannot be refined against"):
        refine_files(str(cif), str(hkl), Options())


def test_atoms_that_are_not_positive_definite_are_named(tmp_path):
    start = simulated_model()
    apply_edits(start, "element C3 H; rename C3 H3")
    start.atom("H3").u_aniso = (0.02,) * 3 + (0.0,) * 3
    cif, hkl = write(tmp_path, simulated_model(), start)
    try:
        notes = refine_files(str(cif), str(hkl), Options(cycles=4, weighting="0.1")).model.notes
    except CalculationFailed as error:
        notes = [error.message]
    assert any("H3" in note for note in notes)


@pytest.mark.parametrize(("labels", "whose"), [(["C1"], "C1. Its"), (["C1", "H2"], "C1, H2. Their")])
def test_one_atom_or_several_are_warned_of_in_words(labels, whose):
    words = f"Not positive definite: {whose} displacement parameters mean nothing."
    assert not_positive_definite_words(labels) == words


def test_a_wavelength_outside_the_table_is_refused():
    with pytest.raises(UserInputError, match="no dispersion factors for Fe at 50000 Å"):
        tabulated_dispersion("Fe", 50_000)


def test_californium_is_not_taken_for_carbon():
    with pytest.raises(UserInputError, match="no dispersion factors for Cf"):
        tabulated_dispersion("Cf", 0.71073)


def test_split_atoms_share_one_free_variable(tmp_path):
    true = simulated_model()
    apply_edits(true, "split C3 0.7 at 0.35 0.80 0.45")
    for atom in true.atoms:
        if atom.part:
            atom.u_aniso, atom.u_iso = None, 0.03
    start = true.copy()
    for atom in start.atoms:
        if atom.part:
            atom.occupancy = 0.5
    cif, hkl = write(tmp_path, true, start)
    result = refine_files(str(cif), str(hkl), Options(cycles=20))
    occupancies = {atom.label: atom.occupancy for atom in result.model.atoms if atom.part}
    assert occupancies["C3A"] == pytest.approx(0.7, abs=0.03)
    assert sum(occupancies.values()) == pytest.approx(1)
    codes = [line.split()[5] for line in result.res.splitlines() if line.startswith(("C3A ", "C3B "))]
    assert codes == ["21.00000", "-21.00000"]
    assert load_model(str(cif)).atom("C3A").assembly == "A"


def bond(result, first, second):
    atoms = {atom.label: atom.site for atom in result.model.atoms}
    return result.model.symmetry.unit_cell().distance(atoms[first], atoms[second])


def test_a_distance_restraint_draws_the_bond_to_its_target(tmp_path):
    true = simulated_model()
    cif, hkl = write(tmp_path, true, noise=0.3)
    free = refine_files(str(cif), str(hkl), Options())
    held = refine_files(
        str(cif), str(hkl), Options(restraints="DFIX 1.30 0.001 C1 C2; DFIX 1.20 0.001 C2 O1")
    )
    assert abs(bond(held, "C1", "C2") - 1.30) < 0.02 < abs(bond(free, "C1", "C2") - 1.30)
    assert (held.fit.n_restraints, free.fit.n_restraints) == (2, 0)
    write_cif(held, tmp_path / "held.cif")
    again = load_model(str(tmp_path / "held.cif"))
    assert restraint_texts(again) == ["DFIX 1.30 0.001 C1 C2", "DFIX 1.20 0.001 C2 O1"]
    apply_edits(again, "rename O1 O9; delete C1")
    (tmp_path / "edited.cif").write_text(str(model_block(again)))
    edited = load_model(str(tmp_path / "edited.cif"))
    assert restraint_texts(edited) == ["DFIX 1.30 0.001 C1 C2", "DFIX 1.20 0.001 C2 O9"]
    places = [[atom.label for atom in edited.atoms].index(label) for label in ("C2", "O9")]
    assert RestraintManager(edited).restraints == [Distance(*map(Node, places), 1.2, 0.001)]
    left_out = [entry.text for entry in edited.left_out if entry.text.startswith("DFIX")]
    assert left_out == ["DFIX 1.30 0.001 C1 C2"]


def restraint_texts(model):
    return [placed.instruction.text for placed in model.placed if placed.instruction.name in RESTRAINTS]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DFIX 1.5 0.01 C1 C77", "There is no atom C77"),
        ("DFIX 1.5 0.01 C1 C2; DFIX 1.5 C1 C2 C3", "'DFIX 1.5 C1 C2 C3' cannot be understood"),
        ("PULL 1.5 C1 C2", "PULL is no restraint known here"),
    ],
)
def test_a_restraint_that_cannot_be_used_is_named(tmp_path, text, says):
    cif, hkl = write(tmp_path, simulated_model())
    with pytest.raises(UserInputError, match=says):
        refine_files(str(cif), str(hkl), Options(restraints=text))
