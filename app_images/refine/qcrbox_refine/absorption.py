"""The linear absorption coefficient from the cross sections that DISP and SFAC state."""

from __future__ import annotations

from collections.abc import Mapping

from qcrbox_refine.model import Model
from qcrbox_refine.scattering import own_wavelength


def absorption_coefficient(model: Model, content: Mapping[str, float]) -> float | None:
    """µ in mm⁻¹: the sum of the cross sections (barns per atom, 10⁻²⁴ cm²) of the cell over its volume.

    content: atoms of the cell by element. None where the input states none, or they are of another wavelength; where it
    states some but not all, the model names the elements that lack one.
    """
    stated = {element: _cross_section(model, element) for element in content}
    if not any(stated.values()) or not own_wavelength(model):
        return None
    lacking = sorted(element for element, value in stated.items() if value is None)
    if lacking:
        model.not_applied(
            f"The absorption coefficients of DISP or SFAC are not applied: {', '.join(lacking)} has none."
        )
        return None
    barns = sum(count * (stated[element] or 0.0) for element, count in content.items())
    return 0.1 * barns / model.symmetry.unit_cell().volume()


def _cross_section(model: Model, element: str) -> float | None:
    dispersion = model.settings.dispersion.get(element)
    if dispersion is not None and dispersion.mu is not None:
        return dispersion.mu
    numbers = model.settings.scattering.get(element)
    return numbers.mu if numbers is not None and numbers.mu > 0 else None
