"""The two atom loops of a CIF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cctbx import xray

from qcrbox_refine.cif_block import CifBlock, with_su
from qcrbox_refine.model import Model

_COLUMNS = [
    "label",
    "type_symbol",
    "fract_x",
    "fract_y",
    "fract_z",
    "U_iso_or_equiv",
    "adp_type",
    "occupancy",
    "site_symmetry_order",
    "calc_flag",
    "refinement_flags_posn",
    "refinement_flags_adp",
    "refinement_flags_occupancy",
    "disorder_assembly",
    "disorder_group",
]
_TENSOR_COLUMNS = ["label", "U_11", "U_22", "U_33", "U_12", "U_13", "U_23"]


@dataclass
class AtomSu:
    """s.u. of one atom: coordinates (fractional), U(iso or eq) and the tensor in Å², occupancy; 0 = none."""

    site: Sequence[float]
    u: float
    tensor: Sequence[float]
    occupancy: float


def add_atom_loops(
    block: CifBlock, model: Model, structure: xray.structure, uncertainties: list[AtomSu] | None
) -> None:
    """Write _atom_site and _atom_site_aniso. Without uncertainties the numbers stand alone."""
    symmetry_table = structure.site_symmetry_table()
    none = AtomSu([0.0] * 3, 0.0, [0.0] * 6, 0.0)
    sites, tensors = [], []
    for i, (atom, scatterer) in enumerate(zip(model.atoms, structure.scatterers(), strict=True)):
        su = uncertainties[i] if uncertainties else none
        order = symmetry_table.get(i).n_matrices()
        rides = atom.u_factor is not None
        flags = ("R" if atom.riding else "") + ("S" if order > 1 else "")
        sites.append(
            [
                atom.label,
                atom.element,
                *(with_su(x, x_su) for x, x_su in zip(scatterer.site, su.site, strict=True)),
                with_su(atom.u_iso, su.u, 3 if atom.riding and rides else 4),
                "Uiso" if atom.u_aniso is None else "Uani",
                with_su(atom.occupancy, su.occupancy) if su.occupancy else f"{atom.occupancy:.6g}",
                str(order),
                "calc" if atom.riding else "d",
                flags or ".",
                "U" if rides else ".",
                "P" if atom.occupancy < 0.9999 else ".",
                atom.assembly or ".",
                str(atom.part) if atom.part else ".",
            ]
        )
        if atom.u_aniso is not None:
            texts = (with_su(u, u_su, 4) for u, u_su in zip(atom.u_aniso, su.tensor, strict=True))
            tensors.append([atom.label, *texts])
    block.add_loop([f"_atom_site_{name}" for name in _COLUMNS], sites)
    block.add_loop([f"_atom_site_aniso_{name}" for name in _TENSOR_COLUMNS], tensors)
