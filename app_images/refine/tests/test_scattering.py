"""Scattering factors: which source is trusted, which radiation it is."""

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx.scattering_card import ScatteringNumbers
from qcrbox_refine.model import Model
from qcrbox_refine.scattering import (
    Radiation,
    described,
    doubts,
    factors_of,
    radiation_of,
    radiation_of_block,
    set_factors,
    tabulated_dispersion,
    wavelength_by_dispersion,
)
from qcrbox_refine.shelx_settings import Dispersion
from simulated_crystals import model as simulated_model
from simulated_crystals import parse_blocks


@pytest.fixture
def model() -> Model:
    return simulated_model()


def source(text: str):
    return parse_blocks("data_x\n" + text)[0]


def test_the_order_of_trust_is_disp_sfac_cif_tables(model):
    model.dispersion = {"Cl": (0.3, 0.4)}
    model.settings.scattering["Cl"] = ScatteringNumbers((1, 2, 3, 4), (1, 2, 3, 4), 7, 0.5, 0.6, 1, 1, 35)
    model.settings.dispersion["Cl"] = Dispersion(0.1, 0.2)
    found = factors_of(model, {"Cl"})["Cl"]
    assert (found.f_prime, found.f_double_prime) == (0.1, 0.2)
    assert found.form.at_stol(0) == pytest.approx(17)
    assert "DISP in the input" in found.source
    del model.settings.dispersion["Cl"]
    assert factors_of(model, {"Cl"})["Cl"].f_prime == 0.5
    del model.settings.scattering["Cl"]
    assert factors_of(model, {"Cl"})["Cl"].dispersion_source.startswith("the CIF")
    model.dispersion = {}
    assert factors_of(model, {"Cl"})["Cl"].dispersion_source == "Cromer & Liberman (1981) at 0.71073 Å"


def test_factors_of_a_file_do_not_hold_at_another_wavelength(model):
    model.source = source("_diffrn_radiation_wavelength 0.71073\n")
    model.dispersion = {"Cl": (0.3, 0.4)}
    assert factors_of(model, {"Cl"})["Cl"].f_prime == 0.3
    model.wavelength = 1.54184
    assert factors_of(model, {"Cl"})["Cl"].f_prime == pytest.approx(0.36, abs=0.01)


def test_the_log_names_every_source(model):
    model.dispersion = {"C": (0.0, 0.0)}
    text = described(model)
    assert "C from the CIF" in text
    assert "Cl, N, O from Cromer & Liberman (1981) at 0.71073 Å" in text


def test_dispersion_that_cannot_be_right_is_used_and_named(model):
    model.dispersion = {"Cl": (0.0, 0.0), "C": (0.0, 0.0)}
    model.wavelength = 1.54184
    (doubt,) = doubts(model)
    assert doubt.startswith("f' and f'' of Cl are 0 and 0 by the CIF")
    assert factors_of(model, {"Cl"})["Cl"].f_double_prime == 0.0


# International Tables Vol C, Table 4.2.6.8.
@pytest.mark.parametrize(
    ("element", "wavelength", "f_prime", "f_double_prime"),
    [
        ("C", 0.71073, 0.0033, 0.0016),
        ("Cl", 0.71073, 0.1484, 0.1585),
        ("Br", 0.71073, -0.2901, 2.4595),
        ("Fe", 0.71073, 0.3463, 0.8444),
        ("Ga", 0.71073, 0.2307, 1.6083),
        ("O", 1.54184, 0.0492, 0.0322),
        ("S", 1.54184, 0.3331, 0.5567),
    ],
)
def test_tables_give_the_international_values(element, wavelength, f_prime, f_double_prime):
    real, imaginary, _ = tabulated_dispersion(element, wavelength)
    assert real == pytest.approx(f_prime, abs=0.006)
    assert imaginary == pytest.approx(f_double_prime, rel=0.02, abs=0.001)


def test_the_laboratory_is_found_by_its_dispersion():
    mo = {"C": (0.0033, 0.0016), "N": (0.0061, 0.0033), "F": (0.0171, 0.0103)}
    assert wavelength_by_dispersion(mo) == ("Mo Kα", 0.71073)
    cu = {"C": (0.0181, 0.0091), "O": (0.0492, 0.0322)}
    assert wavelength_by_dispersion(cu)[0].startswith("Cu")
    assert wavelength_by_dispersion({"C": (0.5, 0.5)}) is None
    assert wavelength_by_dispersion({"C": (0.0, 0.0)}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_diffrn_radiation_probe neutron\n", Radiation.NEUTRON),
        ("_diffrn_radiation_type neutron\n", Radiation.NEUTRON),
        ("_diffrn_radiation_type 'constant wavelength neutrons'\n", Radiation.NEUTRON),
        ("_diffrn_radiation_type 'MoK\\a'\n", None),
        ("_diffrn_radiation_probe electron\n", Radiation.ELECTRON),
        ("_diffrn_radiation_probe x-ray\n", Radiation.XRAY),
        ("_diffrn_radiation_type synchrotron\n", None),
    ],
)
def test_radiation_is_seen(text, expected):
    assert radiation_of_block(source(text)) is expected


def test_unknown_radiation_is_refused():
    with pytest.raises(UserInputError, match="the data are muon data"):
        radiation_of_block(source("_diffrn_radiation_probe muon\n"))


def test_the_wavelength_of_electrons_asks(model):
    model.wavelength = 0.0251
    with pytest.raises(UserInputError, match=r"0\.0251 Å: electrons\?"):
        radiation_of(model)
    model.source = source("_diffrn_radiation_probe electron\n")
    assert radiation_of(model) is Radiation.ELECTRON
    structure = model.structure()
    set_factors(structure, model)
    assert all(s.fp == s.fdp == 0 for s in structure.scatterers())
    # Mott-Bethe: electrons see carbon with about 2.5 Å forward, X-rays with 6 electrons.
    assert factors_of(model, {"C"})["C"].form.at_stol(0) == pytest.approx(2.5, abs=0.05)


def test_neutrons_have_scattering_lengths_and_absorption(model):
    model.settings.neutron = True
    found = factors_of(model, {"H", "D", "Cd"})
    assert found["H"].form.at_stol(0.5) == pytest.approx(-3.739, abs=1e-3)
    assert found["D"].form.at_stol(0.5) == pytest.approx(6.671, abs=1e-3)
    assert found["Cd"].f_double_prime == pytest.approx(0.7, abs=0.01)
    with pytest.raises(UserInputError, match="no scattering factors of Cf for neutrons"):
        factors_of(model, {"Cf"})


def test_the_user_decides_over_the_file(model):
    model.source = source("_diffrn_radiation_probe neutron\n")
    model.radiation = "x-ray"
    assert radiation_of(model) is Radiation.XRAY
