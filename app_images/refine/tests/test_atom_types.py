"""What a CIF says of scattering is what is refined with: exact intensities of plain sums, and the model they come from."""

import numpy as np
import pytest
from cctbx.eltbx.xray_scattering import wk1995
from qcrbox.cif import read
from qcrbox_refine.refinement import Options, refine_files, write_cif
from qcrbox_refine.scattering import Radiation, own_wavelength, radiation_of
from truth import DISPERSION, FORM, NEUTRON, Truth, hkl_text

EXACT = {"weighting": "sigma", "cycles": 0}
CELL = """data_types
_cell_length_a 6.1
_cell_length_b 9.4
_cell_length_c 7.7
_cell_angle_alpha 90
_cell_angle_beta 104
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21/c'
"""
MOLYBDENUM = "_diffrn_radiation_wavelength 0.71073\n"


def loop(names, rows):
    head = "\n".join(["loop_", *(f"_{name}" for name in names.split())])
    return "\n".join([head, *(" ".join(str(word) for word in row) for row in rows), ""])


def refined(folder, truth, types, more=MOLYBDENUM, options=EXACT):
    """The model of this truth as a CIF with these atom types against its exact intensities."""
    names = "atom_site_label atom_site_type_symbol atom_site_fract_x atom_site_fract_y atom_site_fract_z"
    atoms = loop(f"{names} atom_site_U_iso_or_equiv", [(a, e, *x, u) for a, e, x, u in truth.atoms])
    (folder / "types.cif").write_text(CELL + more + types + atoms)
    hkl = truth.indices()
    intensity = np.abs(truth.f(hkl)) ** 2
    (folder / "types.hkl").write_text(hkl_text(hkl, intensity, 0.003 * intensity + 0.5))
    return refine_files(str(folder / "types.cif"), str(folder / "types.hkl"), Options(**options))


NAMES = "diffrn_radiation_wavelength_id diffrn_radiation_wavelength diffrn_radiation_wavelength_wt"
DOUBLET = loop(NAMES, [("1", "0.70930", "1.0"), ("2", "0.71359", "0.5")])


def dispersion(spelt=str):
    names = "atom_type_symbol atom_type_scat_dispersion_real atom_type_scat_dispersion_imag"
    return loop(names, [(spelt(element), *values) for element, values in DISPERSION.items()])


@pytest.mark.parametrize("spelt", [str, str.upper], ids=["Fe", "FE"])
def test_dispersion_of_a_symbol_in_any_case(tmp_path, spelt):
    assert refined(tmp_path, Truth(wavelength=0.71073), dispersion(spelt)).fit.r1_gt < 0.001


def test_form_factors_of_the_file_count_and_are_named(tmp_path):
    own = FORM | {"C": (*FORM["C"][:8], 1.2156)}
    names = ["a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4", "c"]
    heads = "atom_type_symbol " + " ".join(f"atom_type_scat_Cromer_Mann_{name}" for name in names)
    types = loop(
        heads + " atom_type_scat_dispersion_real atom_type_scat_dispersion_imag",
        [(element, *numbers, *DISPERSION[element]) for element, numbers in own.items()],
    )
    result = refined(tmp_path, Truth(wavelength=0.71073, form=own), types)
    assert result.fit.r1_gt < 0.001
    named = [note for note in result.model.notes if "Cromer_Mann" in note]
    assert len(named) == 1
    assert "of C is" in named[0]
    write_cif(result, tmp_path / "again.cif")
    assert refine_files(str(tmp_path / "again.cif"), None, Options(**EXACT)).fit.r1_gt < 0.001


def test_all_gaussian_functions_of_a_fit_are_summed(tmp_path):
    """Some files have five or six (cctbx); the first four alone are another atom."""
    fits = {kind: wk1995(kind).fetch() for kind in ("C", "N", "O")}
    names = [f"atom_type_scat_Cromer_Mann_{letter}{n}" for letter in "ab" for n in range(1, 6)]
    rows = [
        (
            kind,
            *(f"{x:.6f}" for x in [*fit.array_of_a(), *fit.array_of_b()]),
            f"{fit.c():.6f}",
            *DISPERSION[kind],
        )
        for kind, fit in fits.items()
    ]
    heads = ["atom_type_symbol", *names, "atom_type_scat_Cromer_Mann_c"]
    more = ["atom_type_scat_dispersion_real", "atom_type_scat_dispersion_imag"]
    result = refined(tmp_path, Truth("P 21/c", None, wavelength=0.71073), loop(" ".join(heads + more), rows))
    assert result.fit.r1_gt < 0.002
    assert not [note for note in result.model.notes if "Cromer_Mann" in note]


def test_scattering_lengths_of_the_file_count_and_are_named(tmp_path):
    """Those of an isotope, say: the element of the tables scatters otherwise."""
    lengths = NEUTRON | {"C": -3.0}
    types = loop("atom_type_symbol atom_type_scat_length_neutron", lengths.items())
    more = "_diffrn_radiation_probe neutron\n_diffrn_radiation_wavelength 1.2\n"
    result = refined(tmp_path, Truth(wavelength=1.2, lengths=lengths), types, more)
    assert result.fit.r1_gt < 0.001
    assert [note for note in result.model.notes if "scat_length_neutron" in note]
    write_cif(result, tmp_path / "again.cif")
    assert refine_files(str(tmp_path / "again.cif"), None, Options(**EXACT)).fit.r1_gt < 0.001


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1", "0.70930", "1.0"), ("2", "0.71359", "0.5")], (2 * 0.70930 + 0.71359) / 3),
        ([("1", "0.71073", "1.0"), ("2", "1.54184", "1.0")], 0.71073),
    ],
    ids=["doublet", "two anodes"],
)
def test_wavelengths_in_a_loop(tmp_path, rows, expected):
    result = refined(tmp_path, Truth(wavelength=0.71073), dispersion(), loop(NAMES, rows))
    assert result.model.wavelength == pytest.approx(expected, abs=1e-6)
    assert [note for note in result.model.notes if "2 wavelengths" in note]


def test_dispersion_of_a_file_with_two_wavelengths_counts_at_its_own_wavelength_alone(tmp_path):
    """At 1.2 Å the tables give other numbers than the file."""
    own = refined(tmp_path, Truth(wavelength=0.71073), dispersion(), DOUBLET)
    assert own.fit.r1_gt < 0.001
    assert own_wavelength(own.model)
    other = refined(tmp_path, Truth(wavelength=0.71073), dispersion(), DOUBLET, EXACT | {"wavelength": 1.2})
    assert not own_wavelength(other.model)
    for result, wavelength in ((own, (2 * 0.70930 + 0.71359) / 3), (other, 1.2)):
        write_cif(result, tmp_path / "new.cif")
        block = read((tmp_path / "new.cif").read_bytes())[0]
        assert block.number("_diffrn_radiation_wavelength").value == pytest.approx(wavelength, abs=1e-6)
        assert "_diffrn_radiation_wavelength_wt" not in block
    assert any("as asked" in note for note in other.model.notes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'nuclear reactor'", Radiation.NEUTRON),
        ("'spallation source'", Radiation.NEUTRON),
        ("'fine-focus sealed tube'", Radiation.XRAY),
    ],
)
def test_the_source_tells_neutrons_where_nothing_else_does(tmp_path, source, expected):
    more = f"{MOLYBDENUM}_diffrn_source {source}\n"
    result = refined(tmp_path, Truth(wavelength=0.71073), dispersion(), more)
    assert radiation_of(result.model) is expected


def test_ions_of_electron_data_are_named(tmp_path):
    truth = Truth("P 21/c", None, wavelength=0.0251)
    truth.atoms = [
        (label, "O1-" if label == "O1" else element, site, u) for label, element, site, u in truth.atoms
    ]
    truth.lengths = NEUTRON | {"O1-": 5.8}
    more = "_diffrn_radiation_probe electron\n_diffrn_radiation_wavelength 0.0251\n"
    result = refined(tmp_path, truth, "", more)
    assert any("O1-: the table for electrons" in note for note in result.model.notes)
    assert "SHELXL takes X-ray factors" in result.res


def test_rows_without_a_value_and_free_sets_of_a_loop_are_named(tmp_path):
    truth = Truth(wavelength=0.71073)
    refined(tmp_path, truth, dispersion())
    hkl = truth.indices()
    rows = [
        (
            *(int(x) for x in h),
            f"{i:.4f}" if n % 7 else "?",
            f"{0.003 * i + 0.5:.4f}",
            "f" if n % 9 == 1 else "o",
        )
        for n, (h, i) in enumerate(zip(hkl, np.abs(truth.f(hkl)) ** 2, strict=True))
    ]
    names = "index_h index_k index_l F_squared_meas F_squared_sigma observed_status"
    data = loop(" ".join(f"refln_{name}" for name in names.split()), rows)
    cif = tmp_path / "types.cif"
    cif.write_text(cif.read_text() + data)
    result = refine_files(str(cif), None, Options(**EXACT))
    assert result.fit.r1_gt < 0.001
    empty = sum(row[3] == "?" for row in rows)
    assert any(f"{empty} rows of loop _refln have no F_squared_meas" in note for note in result.model.notes)
    assert any("status f" in text for kind, text in result.model.remarks_by_kind() if kind == "not_applied")
