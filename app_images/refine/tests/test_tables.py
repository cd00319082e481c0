"""Refinement with tables of form factors."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.tsc import FormFactorTable, write_tsc, write_tscb
from qcrbox_refine import aspherical
from qcrbox_refine.refinement import Options, refine_files
from qcrbox_refine.scattering import set_factors

AS_IT_IS = {"cycles": 4, "weighting": "keep"}


@pytest.fixture(scope="module")
def spherical_fit(folder):
    data = folder / "tests" / "data"
    return refine_files(str(data / "simulated.cif"), str(data / "simulated.hkl"), Options(**AS_IT_IS))


def table_of(fit, hkl=None) -> FormFactorTable:
    """Spherical form factors of every atom as a table."""
    model = fit.model
    structure = model.structure()
    set_factors(structure, model)
    if hkl is None:
        centric = model.symmetry.space_group().is_centric()
        hkl = aspherical.needed_indices(fit.reflections, centric, aspherical.rotations_of(model))
    values = [aspherical.spherical(structure, i, hkl) for i in range(len(model.atoms))]
    labels = [atom.label for atom in model.atoms]
    return FormFactorTable(
        labels, hkl.astype(np.int32), np.array(values, dtype=complex).T, {"SYMM": "expanded"}
    )


@pytest.mark.parametrize("write", [write_tsc, write_tscb], ids=["tsc", "tscb"])
def test_a_table_of_spherical_atoms_gives_the_independent_atom_model(
    folder, spherical_fit, write, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "spherical.tsc"
    table.write_bytes(write(table_of(spherical_fit.fit)))
    data = folder / "tests" / "data"
    options = Options(**AS_IT_IS, table=str(table))
    result = refine_files(str(data / "simulated.cif"), str(data / "simulated.hkl"), options)
    before, after = spherical_fit.fit, result.fit
    for name in ("r1_gt", "r1_all", "wr2", "goof"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-5), name
    assert result.residual.maximum == pytest.approx(spherical_fit.residual.maximum, abs=1e-3)
    assert "SHA-256" in " ".join(result.model.notes)


def test_a_table_with_dispersion_is_refused(spherical_fit):
    own = table_of(spherical_fit.fit)
    table = FormFactorTable(own.scatterers, own.hkl, own.values, {"SYMM": "expanded", "AD": "TRUE"})
    with pytest.raises(UserInputError, match="anomalous dispersion"):
        aspherical.aspherical_atoms(table, spherical_fit.fit.model, spherical_fit.fit.reflections)


def test_a_table_of_friedel_mates_does_as_well(spherical_fit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit = spherical_fit.fit
    own = table_of(fit)
    mates = FormFactorTable(own.scatterers, -own.hkl, own.values.conj(), {})
    made = aspherical.aspherical_atoms(mates, fit.model, fit.reflections)
    assert np.abs(aspherical.read_table(made.path).values - own.values).max() < 1e-7


def test_a_table_that_lacks_reflections_is_refused(spherical_fit):
    fit = spherical_fit.fit
    table = table_of(fit, np.array([(1, 0, 0), (0, 1, 0)]))
    with pytest.raises(UserInputError, match="lacks"):
        aspherical.aspherical_atoms(table, fit.model, fit.reflections)


def test_a_table_of_other_atoms_is_refused(spherical_fit):
    fit = spherical_fit.fit
    table = table_of(fit)
    other = FormFactorTable([f"X{i}" for i in range(len(table.scatterers))], table.hkl, table.values, {})
    with pytest.raises(UserInputError, match="none of the atoms"):
        aspherical.aspherical_atoms(other, fit.model, fit.reflections)


def test_an_atom_that_the_table_lacks_stays_spherical(spherical_fit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit = spherical_fit.fit
    table = table_of(fit)
    fewer = FormFactorTable(table.scatterers[1:], table.hkl, table.values[:, 1:], {})
    made = aspherical.aspherical_atoms(fewer, fit.model, fit.reflections)
    assert made.spherical == [table.scatterers[0]]


def test_columns_of_atoms_that_the_model_lacks_are_named(spherical_fit, folder, tmp_path, monkeypatch):
    """They were left out without a word: the table may be of an earlier model."""
    monkeypatch.chdir(tmp_path)
    whole, data = table_of(spherical_fit.fit), folder / "tests" / "data"
    more = FormFactorTable(
        [*whole.scatterers, "X9"], whole.hkl, np.hstack([whole.values, whole.values[:, :1]]), whole.header
    )
    (tmp_path / "more.tsc").write_bytes(write_tsc(more))
    options = Options(table="more.tsc", **AS_IT_IS)
    found = refine_files(str(data / "simulated.cif"), str(data / "simulated.hkl"), options)
    said = [text for kind, text in found.model.remarks_by_kind() if kind == "not_applied"]
    assert "Columns of the table for atoms that the model lacks: X9." in said


def test_other_orders_and_names_in_other_capitals_are_the_same_table(spherical_fit, tmp_path, monkeypatch):
    """Rows backwards, columns backwards, half of the rows as their Friedel mates."""
    monkeypatch.chdir(tmp_path)
    fit = spherical_fit.fit
    own = table_of(fit)
    sign = np.where(np.arange(len(own.hkl)) % 2, 1, -1)
    values = np.where(sign[:, None] > 0, own.values, own.values.conj())[::-1, ::-1]
    names = [label.lower() for label in reversed(own.scatterers)]
    other = FormFactorTable(names, (own.hkl * sign[:, None])[::-1], values, {"SYMM": "expanded"})
    made = aspherical.aspherical_atoms(other, fit.model, fit.reflections)
    assert made.spherical == made.doubtful == []
    assert np.abs(aspherical.read_table(made.path).values - own.values).max() < 1e-7


def test_values_that_are_no_numbers_are_refused_with_atom_and_reflection(spherical_fit):
    fit = spherical_fit.fit
    table = table_of(fit)
    table.values[3, 1] = np.nan
    place = " ".join(map(str, table.hkl[3]))
    with pytest.raises(UserInputError, match=f"no number for {table.scatterers[1]} at {place}"):
        aspherical.aspherical_atoms(table, fit.model, fit.reflections)


def test_an_atom_that_the_table_has_twice_is_refused(spherical_fit):
    fit = spherical_fit.fit
    own = table_of(fit)
    names = [own.scatterers[1], *own.scatterers[1:]]
    with pytest.raises(UserInputError, match=f"has {names[1]} twice"):
        aspherical.aspherical_atoms(
            FormFactorTable(names, own.hkl, own.values, {}), fit.model, fit.reflections
        )


def test_form_factors_of_another_element_are_named(spherical_fit, tmp_path, monkeypatch):
    """A table of another structure that has an atom of the same name: half the electrons."""
    monkeypatch.chdir(tmp_path)
    fit = spherical_fit.fit
    table = table_of(fit)
    heavy = next(i for i, atom in enumerate(fit.model.atoms) if atom.element != "H")
    table.values[:, heavy] *= 0.5
    made = aspherical.aspherical_atoms(table, fit.model, fit.reflections)
    assert made.doubtful == [table.scatterers[heavy]]


def test_a_reflection_that_stands_there_twice_with_one_value_does_no_harm(
    spherical_fit, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    fit = spherical_fit.fit
    own = table_of(fit)
    twice = FormFactorTable(
        own.scatterers,
        np.concatenate([own.hkl, own.hkl[:5]]),
        np.concatenate([own.values, own.values[:5]]),
        {},
    )
    made = aspherical.aspherical_atoms(twice, fit.model, fit.reflections)
    assert np.abs(aspherical.read_table(made.path).values - own.values).max() < 1e-7


@pytest.mark.parametrize(
    ("hkl_sign", "factor", "words"),
    [(1, 1.1, "two different form factors"), (-1, 1j, "no conjugate form factors at h and -h")],
    ids=["twice", "Friedel mate"],
)
def test_two_values_for_one_reflection_are_refused(spherical_fit, hkl_sign, factor, words):
    fit = spherical_fit.fit
    own = table_of(fit)
    table = FormFactorTable(
        own.scatterers,
        np.concatenate([own.hkl, hkl_sign * own.hkl[:1]]),
        np.concatenate([own.values, factor * own.values[:1]]),
        {},
    )
    with pytest.raises(UserInputError, match=words):
        aspherical.aspherical_atoms(table, fit.model, fit.reflections)


@pytest.mark.parametrize("head", ["", "data_x\n", "#\\#CIF_2.0\ndata_x\n"])
def test_form_factors_of_atoms_that_a_cif_does_not_name_are_refused_with_the_way(tmp_path, head):
    """As NoSpherA2 writes them: below its wavefunction, without a data_ line and without a loop of atoms."""
    path = tmp_path / "wfn.cif"
    path.write_text(
        f"{head}loop_\n_basis.id\n_basis.name\n_basis.dict\n1 'def2-SVP' [\n  {{\n    'Z': 6\n  }}\n]\n\n"
        "_aspheric_ffs_partitioning.name     'Hirshfeld'\n_aspheric_ffs_partitioning.software 'NoSpherA2'\n\n"
        "loop_\n_aspheric_ff.index_h\n_aspheric_ff.index_k\n_aspheric_ff.index_l\n_aspheric_ff.form_factor_real\n"
        "_aspheric_ff.form_factor_imag\n 1 0 3 '[1.5 ]' '[-0.25 ]'\n 2 -1 0 '[2 ]' '[0.5 ]'\n "
    )
    with pytest.raises(MissingItemsError, match="1 form factors of each reflection belong to atoms") as error:
        aspherical.read_table(path)
    assert error.value.where == "wfn.cif"
    assert ".tscb" in error.value.next
