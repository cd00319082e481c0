"""Scattering factors in numbers: ions against International Tables, and the card that SHELX reads."""

from __future__ import annotations

import pytest
from qcrbox.crystallography.shelx.scattering_card import ion_numbers, photo_absorption, scattering_card


def at_zero_angle(numbers) -> float:
    return sum(numbers.a) + numbers.c


@pytest.mark.parametrize(
    ("symbol", "electrons"),
    [
        ("Na1+", 10),
        ("Na+", 10),
        ("Na+1", 10),
        ("Cl1-", 18),
        ("Cl-", 18),
        ("O2-", 10),
        ("Fe3+", 23),
        ("Fe2+", 24),
        ("Ca2+", 18),
        (" Al3+ ", 10),
    ],
)
def test_an_ion_scatters_with_its_electrons_at_zero_angle(symbol, electrons):
    """f(0) is the number of electrons of the ion (Int. Tables C, 6.1.1)."""
    assert at_zero_angle(ion_numbers(symbol, 0.71073)) == pytest.approx(electrons, abs=0.1)


@pytest.mark.parametrize(
    "symbol",
    ["Fe", "C", "", "Xx2+", "Fe9+", "C4+x", "+", "2+", "Fe++", "Fe" + "9" * 5000 + "+", "Fe²+"],
    ids=lambda s: s[:12] or "nothing",
)
def test_what_is_no_ion_of_the_table_has_no_numbers(symbol):
    """Nor has a charge of thousands of digits."""
    assert ion_numbers(symbol, 0.71073) is None


def test_dispersion_is_that_of_the_file_or_of_the_wavelength():
    given = ion_numbers("Fe3+", 0.71073, (0.35, 0.85))
    assert (given.f_prime, given.f_double_prime) == (0.35, 0.85)
    # Fe at Mo Kα: f' 0.346, f'' 0.844 (Int. Tables C, table 4.2.6.8).
    computed = ion_numbers("Fe3+", 0.71073)
    assert computed.f_prime == pytest.approx(0.346, abs=0.06)
    assert computed.f_double_prime == pytest.approx(0.844, abs=0.06)


def test_absorption_follows_from_dispersion_by_the_optical_theorem():
    """σ = 2 r(e) λ f'': 2 · 2.8179e-5 Å · 1 Å · 1 = 5.6359e-5 Å², 1 barn = 1e-8 Å²."""
    assert photo_absorption(1.0, 1.0) == pytest.approx(5635.9, rel=1e-4)
    assert photo_absorption(2.0, 0.5) == pytest.approx(5635.9, rel=1e-4)


def test_the_card_names_the_ion_and_has_fourteen_numbers_in_short_lines():
    lines = scattering_card("Na", ion_numbers("Na1+", 0.71073))
    assert all(len(line) <= 80 for line in lines)
    assert all(line.endswith("=") for line in lines[:-1])
    words = " ".join(line.rstrip("=") for line in lines).split()
    assert words[:2] == ["SFAC", "Na"]
    numbers = [float(word) for word in words[2:]]
    assert len(numbers) == 14
    assert sum(numbers[0:8:2]) + numbers[8] == pytest.approx(10, abs=0.1)
    assert numbers[-1] == pytest.approx(22.99, abs=0.01)
