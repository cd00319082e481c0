"""Occupancies and disorder groups of SHELX in terms of CIF: without the share of the site, and with assemblies."""

from __future__ import annotations

from qcrbox_refine.model import Model
from qcrbox_refine.parameters import Coding

# An occupancy above this is more than one atom on a site.
_FULLEST = 1.2


def set_site_occupancies(model: Model, full_sites: set[int]) -> None:
    """Occupancies of the sites, as CIF has them, from those of SHELX, which count the multiplicity of the site (0.5 on a mirror
    plane). full_sites: ids of atoms whose line ends before the occupancy.
    """
    for atom, scatterer in zip(model.atoms, model.structure().scatterers(), strict=True):
        share = scatterer.weight_without_occupancy()
        if id(atom) in full_sites:
            continue
        atom.occupancy = _whole(atom.occupancy / share, share)
        coding = atom.occupancy_coding
        if coding.is_tied:
            atom.occupancy_coding = Coding(
                coding.variable,
                _whole(coding.offset / share, share),
                _whole(coding.factor / share, share),
            )
    crowded = [f"{atom.label} ({atom.occupancy:.3g})" for atom in model.atoms if atom.occupancy > _FULLEST]
    if crowded:
        model.warn(
            f"Sites that hold more than one atom: {', '.join(crowded)}. SHELX occupancies contain the share of a special "
            "position (10.5 on a mirror plane)."
        )
    negative = [f"{atom.label} ({atom.occupancy:.3g})" for atom in model.atoms if atom.occupancy < 0]
    if negative:
        model.warn(f"Occupancies below 0: {', '.join(negative)}. Check them, and the values of FVAR.")


def _whole(value: float, share: float) -> float:
    """A value that was rounded to five decimals before it was divided: 0.33333 / (1/3) is 1."""
    simple = round(value, 4)
    return simple if abs(value - simple) * share < 1e-5 else value


def set_assemblies(model: Model) -> None:
    """PART has no assemblies: groups whose occupancies differ belong to different ones."""
    letters: dict[float, str] = {}
    for atom in model.atoms:
        if atom.part > 0:
            major = round(max(atom.occupancy, 1 - atom.occupancy), 3)
            atom.assembly = letters.setdefault(major, chr(ord("A") + min(len(letters), 25)))
