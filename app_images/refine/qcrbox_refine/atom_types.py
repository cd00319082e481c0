"""What the `_atom_type` loop of a CIF says of scattering: f', f'', form factors in numbers, neutron scattering lengths."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from qcrbox.crystallography.structure.elements import element_of_type

from qcrbox_refine.cif_block import CifBlock, value_and_su

_FORM = "_atom_type_scat_Cromer_Mann_"
# Fits have 4 Gaussian functions in the dictionary; cctbx writes 6.
_MOST_GAUSSIANS = 6


@dataclass(frozen=True)
class FormFactor:
    """f = Σ a(i) exp(-b(i) s²) + c, s = sin θ/λ in Å⁻¹, as in International Tables."""

    a: tuple[float, ...]
    b: tuple[float, ...]
    c: float


@dataclass
class AtomTypes:
    """By element: dispersion (f', f''); by type symbol as in the file (`C`, `Cl1-`): form factors, and neutron scattering
    lengths in fm.
    """

    dispersion: dict[str, tuple[float, float]] = field(default_factory=dict)
    form_factors: dict[str, FormFactor] = field(default_factory=dict)
    neutron_lengths: dict[str, float] = field(default_factory=dict)


def read_atom_types(block: CifBlock) -> AtomTypes:
    """Symbols in capitals (`FE`, `CL`) are elements too."""
    found = AtomTypes()
    for row, text in enumerate(block.column("_atom_type_symbol") or []):
        element = element_of_type(text)
        if not element:
            continue
        charge = re.search(r"\d*[+-]\d*\Z", text.strip())
        kind = element + (charge[0] if charge else "")
        dispersion = _numbers(
            block, row, "_atom_type_scat_dispersion_real", "_atom_type_scat_dispersion_imag"
        )
        if dispersion:
            found.dispersion[element] = (dispersion[0], dispersion[1])
        form = _form_factor(block, row)
        if form:
            found.form_factors[kind] = form
        length = _numbers(block, row, "_atom_type_scat_length_neutron")
        if length:
            found.neutron_lengths[kind] = length[0]
    return found


def _form_factor(block: CifBlock, row: int) -> FormFactor | None:
    """All Gaussian functions of the row; None where there are fewer than four."""
    gaussians = []
    for n in range(1, _MOST_GAUSSIANS + 1):
        pair = _numbers(block, row, f"{_FORM}a{n}", f"{_FORM}b{n}")
        if not pair:
            break
        gaussians.append(pair)
    if len(gaussians) < 4:
        return None
    constant = _numbers(block, row, f"{_FORM}c") or (0.0,)
    return FormFactor(tuple(a for a, _ in gaussians), tuple(b for _, b in gaussians), constant[0])


def _numbers(block: CifBlock, row: int, *tags: str) -> tuple[float, ...]:
    """The numbers of these columns in a row; none where one is missing."""
    columns = [block.column(tag) for tag in tags]
    found = [value_and_su(column[row]) if column else None for column in columns]
    return tuple(number[0] for number in found if number) if all(found) else ()
