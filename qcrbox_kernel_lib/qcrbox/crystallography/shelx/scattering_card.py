"""SFAC with scattering factors in numbers, which SHELX needs for everything but neutral atoms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.shelx.lines import wrapped

_EV_TIMES_ANGSTROM = 12398.419843
# 2 r(e) in barns per Å: σ = 2 r(e) λ f'' (optical theorem).
_BARNS = 2 * 2.8179403e-15 * 1e-10 / 1e-28
_ION = re.compile(r"([A-Za-z]{1,2})([0-9]{0,2})([+-])([0-9]{0,2})\Z")


@dataclass(frozen=True)
class ScatteringNumbers:
    """f = Σ a(i) exp(-b(i) s²) + c with s = sin θ/λ (Å⁻¹), then f', f'' (electrons), absorption (barns), radius (Å) and
    atomic weight.
    """

    a: Sequence[float]
    b: Sequence[float]
    c: float
    f_prime: float
    f_double_prime: float
    mu: float
    radius: float
    weight: float


def scattering_card(label: str, numbers: ScatteringNumbers) -> list[str]:
    """SFAC label a1 b1 … a4 b4 c f' f'' mu r wt, continued where it is longer than a line. label: an element or ion."""
    pairs = [value for pair in zip(numbers.a, numbers.b, strict=True) for value in pair]
    rest = [numbers.c, numbers.f_prime, numbers.f_double_prime, numbers.mu, numbers.radius, numbers.weight]
    return wrapped(["SFAC", label, *(f"{value:.7g}" for value in [*pairs, *rest])])


def photo_absorption(f_double_prime: float, wavelength: float) -> float:
    """Cross section in barns per atom that belongs to f''; scattering, some per cent of μ, is not in it. wavelength: Å."""
    return _BARNS * wavelength * f_double_prime


def ion_numbers(
    symbol: str, wavelength: float, dispersion: tuple[float, float] | None = None
) -> ScatteringNumbers | None:
    """Scattering of an ion (`Cl1-`, `Fe3+`, `Na+`) for X-rays of this wavelength (Å); None where no table has it.

    International Tables Vol C, Table 6.1.1.4; f' and f'' as given, else by Cromer & Liberman.
    """
    match = _ION.match(symbol.strip())
    if match is None:
        return None
    element = gemmi.Element(match[1])
    charge = int(match[2] or match[4] or 1) * (1 if match[3] == "+" else -1)
    gemmi.IT92_set_ignore_charge(False)
    try:
        form = gemmi.IT92_get_exact(element, charge)
    finally:
        gemmi.IT92_set_ignore_charge(True)
    if form is None:
        return None
    energy = _EV_TIMES_ANGSTROM / wavelength
    f_prime, f_double_prime = dispersion or gemmi.cromer_liberman(element.atomic_number, energy)
    mu = photo_absorption(f_double_prime, wavelength)
    return ScatteringNumbers(
        form.a, form.b, form.c, f_prime, f_double_prime, mu, element.covalent_r, element.weight
    )
