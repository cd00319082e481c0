"""What was diffracted: by statement, by wavelength, and where the two do not fit."""

from __future__ import annotations

import pytest
from qcrbox.analysis.index import index_file
from qcrbox.analysis.validation import validate
from qcrbox.cif import read
from qcrbox.crystallography.radiation import acceleration_voltage, read_radiation

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
