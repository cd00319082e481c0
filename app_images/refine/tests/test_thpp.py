"""The main path on real data: from the shipped model to the finished structure."""

import re

import gemmi
import pytest
from cctbx import xray
from iotbx.cif import distances_as_cif_loop
from qcrbox.cif.names import canonical, is_known
from qcrbox.contract.errors import CalculationFailed
from qcrbox_refine import cycles
from qcrbox_refine.cycles import Cycles
from qcrbox_refine.refinement import Options, refine_files

POSITIONS = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")


def block(folder, name):
    return gemmi.cif.read(str(folder / f"{name}.cif")).sole_block()


def test_the_shipped_model_refines_below_0_073_without_hydrogen(refined):
    folder, made = refined
    assert made["shipped"].fit.r1_gt <= 0.073
    assert not any(atom.is_hydrogen for atom in made["shipped"].model.atoms)
    assert float(block(folder, "shipped").find_value("_refine_ls_R_factor_gt")) == pytest.approx(
        made["shipped"].fit.r1_gt, abs=5e-5
    )


def test_the_mixed_site_tells_that_it_is_nitrogen(refined):
    _, made = refined
    atoms = {atom.label: atom for atom in made["shipped"].model.atoms}
    assert atoms["N3"].site == pytest.approx(atoms["C3"].site)
    assert atoms["N3"].occupancy > 0.85
    assert atoms["N3"].occupancy + atoms["C3"].occupancy == pytest.approx(1)


def test_hydrogen_placed_and_the_site_set_right_reach_0_045(refined):
    _, made = refined
    assert made["riding"].fit.r1_gt <= 0.045
    assert made["free"].fit.r1_gt <= 0.042
    assert made["free"].fit.goof == pytest.approx(1, abs=0.05)
    assert made["riding"].residual.maximum < 0.6


def test_the_placed_hydrogen_atoms_are_those_of_the_molecule(refined):
    _, made = refined
    hydrogen = [atom for atom in made["riding"].model.atoms if atom.is_hydrogen]
    by_part = {part: sum(1 for atom in hydrogen if atom.part == part) for part in (0, 1, 2)}
    assert by_part == {0: 6, 1: 4, 2: 4}
    assert sum(atom.occupancy for atom in hydrogen) == pytest.approx(10)


def test_every_refined_parameter_has_an_su_and_riding_ones_have_none(refined):
    folder, made = refined
    for name in ("shipped", "riding", "free"):
        cif = block(folder, name)
        table = cif.find(
            [*POSITIONS, "_atom_site_U_iso_or_equiv", "_atom_site_calc_flag", "_atom_site_label"]
        )
        assert len(table) == len(made[name].model.atoms)
        for row in table:
            has_su = ["(" in row[i] for i in range(4)]
            assert has_su == [row[4] != "calc"] * 4, row[5]
        for row in cif.find("_atom_site_aniso_", [f"U_{ij}" for ij in ("11", "22", "33", "12", "13", "23")]):
            assert all("(" in value for value in row)
        occupancy = cif.find(["_atom_site_occupancy", "_atom_site_refinement_flags_occupancy"])
        assert all(("(" in row[0]) == (row[1] == "P") for row in occupancy)


def test_cell_and_space_group_are_those_of_the_shipped_file(refined, thpp):
    folder, _ = refined
    before = gemmi.cif.read(str(thpp / "thpp.cif")).sole_block()
    after = block(folder, "free")
    for name in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma", "volume"):
        assert after.find_value(f"_cell_{name}") == before.find_value(f"_cell_{name}")
    assert after.find_value("_space_group_name_H-M_alt") == before.find_value("_space_group_name_H-M_alt")
    assert not after.find_value("_symmetry_space_group_name_H-M")
    assert len(after.find_loop("_space_group_symop_operation_xyz")) == 4


def test_the_formula_is_that_of_the_instructions(thpp, tmp_path):
    from qcrbox_refine.refinement import Options, refine_files, write_cif

    result = refine_files(str(thpp / "thpp.ins"), str(thpp / "thpp.hkl"), Options(cycles=4, weighting="keep"))
    write_cif(result, tmp_path / "from_ins.cif")
    cif = gemmi.cif.read(str(tmp_path / "from_ins.cif")).sole_block()
    assert gemmi.cif.as_string(cif.find_value("_chemical_formula_sum")) == "C10 H10 F2 N4"
    assert cif.find_value("_cell_length_a") == "6.91960(10)"
    assert any("formula of the file was kept" in note for note in result.model.notes)


def test_no_atom_of_the_old_model_stays(refined):
    folder, _ = refined
    assert "C3" not in list(block(folder, "riding").find_loop("_atom_site_label"))
    assert not any(
        row[0] == "C3" for row in block(folder, "riding").find("_geom_bond_atom_site_label_", ["1", "2"])
    )


def test_bond_su_agree_with_cctbx(refined):
    folder, made = refined
    fit = made["free"].fit
    made_by_cctbx = distances_as_cif_loop(
        fit.parametrisation.reparametrisation.connectivity_table.pair_asu_table,
        [atom.label for atom in fit.model.atoms],
        sites_frac=fit.parametrisation.structure.sites_frac(),
        covariance_matrix=fit.covariance,
        parameter_map=fit.parametrisation.structure.parameter_map(),
        include_bonds_to_hydrogen=True,
    ).loop
    columns = [
        made_by_cctbx[f"_geom_bond_{name}"] for name in ("atom_site_label_1", "atom_site_label_2", "distance")
    ]
    reference = {frozenset(row[:2]): row[2] for row in zip(*columns, strict=True)}
    table = block(folder, "free").find("_geom_bond_", ["atom_site_label_1", "atom_site_label_2", "distance"])
    compared = 0
    for first, second, length in table:
        if "(" in length:
            value, su = split(length)
            other, other_su = split(reference[frozenset((first, second))])
            assert value == pytest.approx(other, abs=0.5 * su + 1e-4)
            assert su == pytest.approx(other_su, rel=0.35)
            compared += 1
    assert compared >= 25
    assert reference[frozenset(("C9", "C4"))].startswith("1.453")


def split(text):
    value, digits = re.match(r"([\d.]+)\((\d+)\)", text).groups()
    return float(value), int(digits) * 10 ** -len(value.partition(".")[2])


def test_the_refined_cif_is_read_by_cctbx_as_the_same_structure(refined):
    folder, made = refined
    structure = next(iter(xray.structure.from_cif(file_path=str(folder / "free.cif")).values()))
    assert structure.scatterers().size() == len(made["free"].model.atoms)


def test_every_name_of_the_cif_is_a_core_name_once(refined):
    folder, _ = refined
    names = []
    for item in block(folder, "free"):
        names += [item.pair[0]] if item.pair else list(item.loop.tags)
    known = [canonical(name) for name in names if not name.startswith(("_shelx_", "_qcrbox_"))]
    assert all(is_known(name) for name in known)
    assert len(known) == len(set(known))


def test_progress_names_cycle_r_values_and_shift(thpp, monkeypatch):
    from qcrbox_refine import cycles
    from qcrbox_refine.refinement import Options, refine_files

    reports = []
    monkeypatch.setattr(cycles, "report", lambda **values: reports.append(values))
    refine_files(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), Options(cycles=3, weighting="0.1"))
    assert [one["cycle"] for one in reports] == [1, 2, 3, 4]
    assert reports[-1]["text"].startswith("After 3 cycles: R1 0.")
    assert all({"R1", "wR2", "max_shift_su", "fraction", "text"} <= set(one) for one in reports)
    assert reports[0]["fraction"] < reports[-1]["fraction"] < 1


def test_an_unfinished_refinement_is_kept_with_a_warning(thpp):
    from qcrbox_refine.refinement import Options, refine_files

    result = refine_files(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), Options(cycles=1, weighting="0.1"))
    assert not result.fit.converged
    assert any(note.startswith("Finished, but not converged: max shift/s.u.") for note in result.model.notes)


@pytest.mark.parametrize("resolution", [0.9, 1.0])
def test_less_data_do_not_make_the_refinement_run_away(thpp, resolution):
    """Unguarded Gauss-Newton sends U of the 12 % part to minus infinity here."""
    options = Options(
        resolution=resolution, hydrogens="place", edits="delete C3; occupancy N3 1", weighting="keep"
    )
    made = refine_files(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), options)
    assert made.fit.r1_gt < 0.045
    assert sum(atom.is_hydrogen for atom in made.model.atoms) == 14


def test_a_model_that_cannot_fit_is_told_and_not_kept(thpp, monkeypatch):
    monkeypatch.setattr(Cycles, "_shorten_while_worse", lambda *_: None)
    monkeypatch.setattr(cycles, "MOST_U_SHIFT", 1e9)
    options = Options(resolution=0.9, edits="delete C3; occupancy N3 1; element N3 C")
    with pytest.raises(CalculationFailed, match="diverged"):
        refine_files(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), options)


def test_fixed_occupancies_stay_while_hydrogen_atoms_are_placed(thpp):
    edits = "delete C3; occupancy N3 1; occupancy C7A 0.5; occupancy C7B 0.5"
    options = Options(cycles=1, weighting="keep", hydrogens="place", occupancies="fixed", edits=edits)
    made = refine_files(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"), options)
    assert {atom.occupancy for atom in made.model.atoms if atom.label in ("C7A", "C7B")} == {0.5}
