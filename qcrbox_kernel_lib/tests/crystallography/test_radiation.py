"""What was diffracted: by statement, by wavelength, and where the two do not fit."""

from __future__ import annotations

import pytest
from qcrbox.analysis.index import index_file
from qcrbox.analysis.validation import validate
from qcrbox.cif import read
from qcrbox.crystallography.radiation import (
    acceleration_voltage,
    density_unit,
    density_unit_of,
    read_radiation,
    residual_figures,
)

from ..conftest import CifMaker


@pytest.mark.parametrize(
    ("kilovolts", "wavelength"), [(80, 0.04176), (100, 0.03701), (120, 0.03349), (200, 0.02508), (300, 0.01969)]
)  # fmt: skip
def test_voltage_of_electrons_by_their_wavelength(kilovolts: float, wavelength: float) -> None:
    """Wavelengths as tabulated for electron microscopes."""
    assert acceleration_voltage(wavelength) == pytest.approx(kilovolts, rel=1e-3)


STATED = [
    ("_diffrn_radiation_probe x-ray", "x-ray", "x-ray"),
    ("_diffrn_radiation_probe neutron", "neutron", "neutron"),
    ("_diffrn_radiation_type 'MoK\\a'", "x-ray", "MoK\\a"),
    ("_diffrn_radiation_type 'constant wavelength neutron'", "neutron", "constant wavelength neutron"),
    ("_diffrn_radiation_type electron\n_diffrn_radiation_wavelength 0.0251", "electron", "electron"),
    ("_diffrn_source 'nuclear reactor'", "neutron", "nuclear reactor"),
    ("_diffrn_source synchrotron\n_diffrn_radiation_wavelength 0.2", "x-ray", "synchrotron"),
    ("_diffrn_radiation_probe gamma\n_diffrn_radiation_wavelength 0.039", "gamma", "gamma"),
    ("_diffrn_radiation_wavelength 0.71073", "", None),
    ("_diffrn_radiation_type 'Cu K\\b'\n_diffrn_radiation_wavelength 1.3922", "x-ray", "Cu K\\b"),
    ("_diffrn_radiation_type CuK\\a~1~\n_diffrn_radiation_wavelength 1.54056", "x-ray", "CuK\\a~1~"),
    ("_x 1", "", None),
]


@pytest.mark.parametrize(("body", "probe", "shown"), STATED, ids=[row[0][:40] for row in STATED])
def test_radiation_as_stated(body: str, probe: str, shown: str | None) -> None:
    found = read_radiation(read(f"data_x\n{body}\n").sole_block())
    assert (found.probe, found.shown, found.doubt) == (probe, shown, "")


DOUBTFUL = [
    ("_diffrn_radiation_wavelength 0.0251", "electron", "electron?", "electrons of 200 kV"),
    ("_diffrn_radiation_wavelength 0.0197(1)", "electron", "electron?", "electrons of 300 kV"),
    ("_diffrn_radiation_probe x-ray\n_diffrn_radiation_wavelength 0.0251", "x-ray", "x-ray", "states x-ray: electrons?"),
    ("_diffrn_radiation_type 'MoK\\a'\n_diffrn_radiation_wavelength 1.54184", "x-ray", "MoK\\a", "that of Cu Kα"),
    ("_diffrn_radiation_type 'CuK\\a'\n_diffrn_radiation_wavelength 0.9", "x-ray", "CuK\\a", "not that of Cu Kα"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "probe", "shown", "words"), DOUBTFUL, ids=[row[0][:40] for row in DOUBTFUL])
def test_a_wavelength_that_says_otherwise_is_a_doubt(body: str, probe: str, shown: str, words: str) -> None:
    found = read_radiation(read(f"data_x\n{body}\n").sole_block())
    assert (found.probe, found.shown) == (probe, shown)
    assert words in found.doubt


def test_index_and_validation_ask_for_electrons(cif: CifMaker) -> None:
    text = cif(more="_diffrn_radiation_wavelength 0.0251")
    index = index_file(text.encode(), "x.cif")
    assert index.radiation == "electron?"
    assert any("electrons?" in warning for warning in index.warnings)
    (alert,) = [alert for alert in validate(read(text).sole_block()).alerts if alert.test == "RADIATION"]
    assert "electrons?" in alert.text
    assert "_diffrn_radiation_probe electron" in alert.advice


@pytest.mark.parametrize(
    ("body", "probe"),
    [
        # Electrons make these X-rays.
        ("_diffrn_source 'X-ray free-electron laser'", "x-ray"),
        ("_diffrn_source 'free electron laser'", "x-ray"),
        ("_diffrn_source 'synchrotron, electron storage ring'", "x-ray"),
        ("_diffrn_source 'transmission electron microscope'", "electron"),
        ("_diffrn_source 'TEM JEOL 2100'", "electron"),
        ("_diffrn_radiation_probe electron\n_diffrn_source 'X-ray tube'", "electron"),
        ("_diffrn_source 'rotating anode'", "x-ray"),
        ("_diffrn_source 'sealed tube'", "x-ray"),
        ("_diffrn_source 'spallation source'", "neutron"),
        ("_diffrn_radiation_probe 'γ-rays'", "gamma"),
        ("_diffrn_radiation_type 'Ag K\\a'", "x-ray"),
        ("_diffrn_radiation_type 'Ga-Kalpha, liquid metal jet'", "x-ray"),
        ("_diffrn_radiation_type unknown", ""),
        ("_diffrn_radiation_type ?\n_diffrn_source neutron", "neutron"),
    ],
)
def test_the_probe_is_found_in_the_words_of_any_item(body: str, probe: str) -> None:
    assert read_radiation(read(f"data_x\n{body}\n").sole_block()).probe == probe


# Kα in Å, International Tables C, table 4.2.2.1; Kα1, Kα2 and Kβ of the same anode raise no doubt.
@pytest.mark.parametrize(
    ("anode", "wavelength"),
    [
        ("Mo", 0.71073),
        ("Mo", 0.70932),
        ("Mo", 0.71361),
        ("Mo", 0.63230),
        ("Cu", 1.54184),
        ("Cu", 1.54056),
        ("Cu", 1.39222),
        ("Ag", 0.56087),
        ("Ga", 1.34138),
        ("In", 0.51359),
        ("Cr", 2.29100),
        ("Co", 1.79026),
        ("Fe", 1.93736),
    ],
)
def test_lines_of_the_stated_anode_raise_no_doubt(anode: str, wavelength: float) -> None:
    body = f"_diffrn_radiation_type '{anode} K\\a'\n_diffrn_radiation_wavelength {wavelength}"
    assert read_radiation(read(f"data_x\n{body}\n").sole_block()).doubt == ""


@pytest.mark.parametrize(
    ("probe", "unit"), [("neutron", "fm Å⁻³"), ("electron", "Å⁻²"), ("x-ray", "e Å⁻³"), ("", "e Å⁻³")]
)
def test_the_unit_of_a_density_follows_from_the_probe(probe: str, unit: str) -> None:
    assert density_unit(probe) == unit
    stated = f"_diffrn_radiation_probe {probe}\n" if probe else ""
    assert density_unit_of(read(f"data_x\n_a 1\n{stated}").sole_block()) == unit


@pytest.mark.parametrize(
    ("probe", "figures"),
    [
        ("x-ray", {"residual_max": 0.123, "residual_min": -0.457}),
        ("", {"residual_max": 0.123, "residual_min": -0.457}),
        ("neutron", {"residual_max_neutron": 0.123, "residual_min_neutron": -0.457}),
        ("electron", {"residual_max_electron": 0.123, "residual_min_electron": -0.457}),
    ],
)
def test_names_of_residual_figures_tell_their_unit(probe: str, figures: dict[str, float]) -> None:
    assert residual_figures(0.12345, -0.45678, probe) == figures
