"""Wavelength and temperature as a block states them."""

from __future__ import annotations

import pytest
from qcrbox.analysis.index import index_file
from qcrbox.cif import read
from qcrbox.crystallography.measurement import stated_temperature, stated_wavelength
from qcrbox.crystallography.shelx import export_ins

from ..conftest import write_cif

LOOP = (
    "loop_\n_diffrn_radiation_wavelength_id\n_diffrn_radiation_wavelength\n_diffrn_radiation_wavelength_wt\n"
)


@pytest.mark.parametrize(
    ("more", "wavelength", "says"),
    [
        (f"{LOOP}1 1.54060 1.0\n2 1.54440 0.5\n", 1.541867, "mean by weight"),
        (f"{LOOP}1 1.54060 .\n2 1.54440 .\n", 1.54060, "the first"),
        (f"{LOOP}1 0.9 1.0\n2 1.8 1.0\n", 0.9, "the first"),
        ("_cell_measurement_wavelength 0.56086\n", 0.56086, ""),
        ("_diffrn_radiation_wavelength ?\n_cell_measurement_wavelength 0.56086\n", 0.56086, ""),
        ("_diffrn_radiation_wavelength 0\n", None, ""),
        ("_diffrn_radiation_wavelength -0.529177\n", None, "is -0.529177, which is no wavelength"),
        ("_diffrn_radiation_wavelength -1\n_cell_measurement_wavelength 0.56086\n", 0.56086, ""),
    ],
    ids=[
        "doublet",
        "without weights",
        "two sources",
        "of the cell",
        "unknown",
        "zero",
        "negative",
        "the other",
    ],
)
def test_one_wavelength_is_chosen_and_said(more: str, wavelength: float | None, says: str) -> None:
    found, note = stated_wavelength(read(write_cif(more=more))[0])
    assert found == (None if wavelength is None else pytest.approx(wavelength, abs=1e-6))
    assert says in note
    assert bool(note) == bool(says)


def test_instructions_get_the_mean_of_a_doublet_with_a_note() -> None:
    text, notes = export_ins(read(write_cif(more=f"{LOOP}1 1.54060 1.0\n2 1.54440 0.5\n"))[0])
    assert "CELL 1.5418667 " in text
    assert any("2 wavelengths" in note for note in notes)


def test_degrees_celsius_are_not_taken_for_kelvin() -> None:
    block = read(write_cif(more="_diffrn_ambient_temperature -100\n_diffrn_radiation_wavelength 1\n"))[0]
    found, doubt = stated_temperature(block)
    assert found is None
    assert "-100" in doubt
    text, notes = export_ins(block)
    assert "TEMP" not in text
    assert doubt in notes


@pytest.mark.parametrize("ambient", ["?", ".", "-100"], ids=["unknown", "not applicable", "degrees Celsius"])
def test_the_temperature_of_the_cell_measurement_counts_where_the_other_is_none(ambient: str) -> None:
    more = f"_diffrn_ambient_temperature {ambient}\n_cell_measurement_temperature 150(2)\n"
    text = write_cif(more=more)
    assert stated_temperature(read(text)[0]) == (150.0, "")
    assert index_file(text.encode()).temperature_k == 150.0


def test_a_misprint_of_the_wavelength_is_noted_in_the_index() -> None:
    record = index_file(write_cif(more="_diffrn_radiation_wavelength 0,71073\n").encode())
    assert record.wavelength == 0.71073
    assert any("_diffrn_radiation_wavelength" in note for note in record.warnings)
