"""The same crystal as an object of gemmi, cctbx, ASE, pymatgen or py3Dmol.

What the other library cannot hold is named in a `NotCarriedOver` warning. ASE and pymatgen know no s.u. and no
displacements: ASE gets U as an array beside the atoms, pymatgen as a site property.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.atoms import Atoms
from qcrbox.crystallography.structure.neighbours import pairs_within
from qcrbox.crystallography.structure.sites import SPECIAL_POSITION_TOLERANCE
from qcrbox.crystallography.structure.three_d_mol import view
from qcrbox.language import listed

if TYPE_CHECKING:
    from qcrbox.crystallography.structure.structure import Structure

Array = NDArray[np.float64]
Disorder = str | Mapping[str, int]
DEUTERIUM_MASS = 2.014
# Atoms of pymatgen closer than this share a site (Å).
SHARED_SITE = 0.01
FULL = 0.999
_GEMMI_SPECIAL = 0.4  # Å
_CHARGE = re.compile(r"(?P<before>[0-9]{0,2})(?P<sign>[-+])(?P<after>[0-9]{0,2})\Z")


class NotCarriedOver(UserWarning):
    """Something of the structure that an object of another library does not have."""


def to_gemmi(structure: Structure) -> gemmi.SmallStructure:
    """The asymmetric unit as `gemmi.SmallStructure`, with occupancies and U(ij) of CIF in Å²; s.u. stay behind."""
    made = gemmi.SmallStructure()
    made.name, made.cell = structure.name, structure.cell.gemmi_cell()
    made.symops = [operation.xyz(",") for operation in structure.space_group.operations]
    made.determine_and_set_spacegroup("s")
    made.spacegroup_hm = structure.space_group.hm or ""
    sites = structure.sites
    for row in _atoms_of(structure):
        site = gemmi.SmallStructure.Site()
        site.label, site.type_symbol = sites.label[row], sites.type_symbol[row]
        site.element = gemmi.Element(sites.element[row])
        site.charge = _charge(sites.type_symbol[row])
        site.fract = gemmi.Fractional(*sites.fract[row])
        site.occ = float(np.nan_to_num(sites.occupancy[row], nan=1.0))
        site.u_iso = float(np.nan_to_num(structure.u_equivalent[row]))
        site.disorder_group = int(sites.group[row])
        if np.isfinite(sites.u_cif[row]).all():
            site.aniso = gemmi.SMat33d(*adps.six_components(sites.u_cif[row]).tolist())
        made.add_site(site)
    made.setup_cell_images()
    _warn(
        f"are within {_GEMMI_SPECIAL} Å of an image of themselves and count for gemmi as on a special position",
        _near_their_images(structure),
    )
    return made


def _near_their_images(structure: Structure) -> list[str]:
    """Labels of atoms beside a special position, nearer to it than gemmi tells apart."""
    group, sites = structure.space_group, structure.sites
    near = []
    for row in np.flatnonzero(sites.is_atom).tolist():
        images = group.rotations @ sites.fract[row] + group.translations
        apart = np.linalg.norm(
            structure.cell.to_cartesian(structure.cell.nearest(images - sites.fract[row])), axis=1
        )
        if ((apart > SPECIAL_POSITION_TOLERANCE) & (apart < _GEMMI_SPECIAL)).any():
            near.append(sites.label[row])
    return near


def to_cctbx(structure: Structure) -> Any:
    """The asymmetric unit as `cctbx.xray.structure`, in the setting and origin of the file.

    Raises UserInputError where cctbx is not installed.
    """
    adptbx, crystal, sgtbx, xray = _cctbx()
    group = sgtbx.space_group()
    for operation in structure.space_group.operations:
        group.expand_smx(sgtbx.rt_mx(operation.xyz(",")))
    symmetry = crystal.symmetry(
        unit_cell=tuple(structure.cell.parameters), space_group=group, assert_is_compatible_unit_cell=False
    )
    # By default cctbx moves an atom within 0.5 Å of its own image onto the special position.
    made = xray.structure(
        crystal.special_position_settings(symmetry, min_distance_sym_equiv=SPECIAL_POSITION_TOLERANCE)
    )
    sites, unknown, neutral = structure.sites, [], []
    for row in _atoms_of(structure):
        kind = _scattering_type(sites.type_symbol[row], sites.element[row])
        if _charge(sites.type_symbol[row]) and kind == sites.element[row]:
            neutral.append(sites.label[row])
        u_cif, u_iso = sites.u_cif[row], float(structure.u_equivalent[row])
        if np.isfinite(u_cif).all():
            displacement: Any = adptbx.u_cif_as_u_star(
                symmetry.unit_cell(), tuple(adps.six_components(u_cif).tolist())
            )
        elif np.isfinite(u_iso):
            displacement = u_iso
        else:
            displacement = 0.0
            unknown.append(sites.label[row])
        made.add_scatterer(
            xray.scatterer(
                label=sites.label[row],
                scattering_type=kind,
                site=tuple(sites.fract[row]),
                occupancy=float(np.nan_to_num(sites.occupancy[row], nan=1.0)),
                u=displacement,
            )
        )
    _warn("have no displacement and stand at rest (U = 0)", unknown)
    _warn("are ions without scattering factors of their own and stand as neutral atoms", neutral)
    return made


def _charge(type_symbol: str) -> int:
    """Charge of a type symbol: 3 of `Fe3+` and `Fe+3`, -1 of `Cl-`, 0 of `C`."""
    match = _CHARGE.search(type_symbol.strip())
    if match is None:
        return 0
    number = int(match["before"] or match["after"] or 1)
    return -number if match["sign"] == "-" else number


def _scattering_type(type_symbol: str, element: str) -> str:
    """The name that cctbx has for an ion, `Fe3+`; that of the element for a neutral atom and for ions without a table."""
    charge = _charge(type_symbol)
    if not charge:
        return element
    tables = _imported("cctbx.eltbx.xray_scattering", "cctbx-base")
    name = f"{element}{abs(charge)}{'-' if charge < 0 else '+'}"
    return tables.get_standard_label(name, exact=True, optional=True) or element


def to_ase(structure: Structure, *, disorder: Disorder = "major") -> Any:
    """All atoms of one unit cell as `ase.Atoms`, in P1.

    disorder: `major`, `minor`, `all` or {assembly: group}; ASE has no partly occupied atoms, so the others are left
    out and named. Beside the atoms stand `arrays["label"]`, `arrays["occupancy"]` and `arrays["u_cart"]` (n, 3, 3) in
    Å², NaN where unknown. Raises UserInputError where ASE is not installed.
    """
    ase = _imported("ase")
    chosen = structure.choose(_unit_cell(structure), disorder)
    sites = structure.sites
    left = {sites.label[row] for row in _atoms_of(structure)} - set(chosen.label)
    _warn(f"are left out (disorder='{disorder}')", sorted(left))
    occupancy = np.nan_to_num(sites.occupancy[chosen.site], nan=1.0)
    _warn(
        "are partly occupied and stand as whole atoms",
        dict.fromkeys(name for name, share in zip(chosen.label, occupancy, strict=True) if share < FULL),
    )
    made = ase.Atoms(
        symbols=["H" if element == "D" else element for element in chosen.element],
        scaled_positions=chosen.fract,
        cell=structure.cell.parameters,
        pbc=True,
    )
    masses = made.get_masses()
    masses[[element == "D" for element in chosen.element]] = DEUTERIUM_MASS
    made.set_masses(masses)
    made.set_array("label", np.array(chosen.label))
    made.set_array("occupancy", occupancy)
    # ASE turns the cell so that a lies along x, as we do: Cartesian tensors stay as they are.
    made.set_array("u_cart", chosen.u_cart)
    made.info["name"], made.info["spacegroup"] = structure.name, structure.space_group.hm
    return made


def to_pymatgen(structure: Structure) -> Any:
    """One unit cell as `pymatgen.core.Structure`, occupancies and all; atoms of one place share a site.

    Raises UserInputError where pymatgen is not installed, or where the occupancies of one place add up to more than 1.
    """
    core = _imported("pymatgen.core", "pymatgen")
    cell = _unit_cell(structure)
    shares = np.nan_to_num(structure.sites.occupancy[cell.site], nan=1.0)
    first, members = _shared_places(structure, cell)
    species, labels = [], []
    for row in first:
        content: dict[str, float] = {}
        for other in members[row]:
            content[cell.element[other]] = content.get(cell.element[other], 0.0) + float(shares[other])
        _check_share(content, [cell.label[other] for other in members[row]])
        species.append({name: min(share, 1.0) for name, share in content.items()})
        labels.append("/".join(dict.fromkeys(cell.label[other] for other in members[row])))
    return core.Structure(
        core.Lattice.from_parameters(*structure.cell.parameters),
        species,
        cell.fract[first],
        labels=labels,
        site_properties={"u_cart": list(cell.u_cart[first])},
    )


def to_py3dmol(
    structure: Structure, *, disorder: Disorder = "major", width: int = 640, height: int = 480
) -> Any:
    """Complete molecules as `py3Dmol.view`, with the bonds and labels of this structure; works without a network.

    disorder: `major`, `minor`, `all` or {assembly: group}; the others are left out and named. 3Dmol.js draws no
    displacement ellipsoids: each atom carries Beq in Å² as `b`. `.addUnitCell()` draws the cell. width, height: pixels.
    Raises UserInputError where py3Dmol is not installed.
    """
    py3dmol = _imported("py3Dmol")
    chosen = structure.choose(structure.atoms, disorder)
    left = {structure.sites.label[row] for row in _atoms_of(structure)} - set(chosen.label)
    _warn(f"are left out (disorder='{disorder}')", sorted(left))
    known = structure.sites.is_atom[chosen.site]
    return view(py3dmol, structure, chosen.select(known), width=width, height=height)


def _atoms_of(structure: Structure) -> list[int]:
    """Rows of the sites that are atoms; what is left out is named."""
    sites = structure.sites
    _warn("are no atoms, or have no position", [sites.label[row] for row in np.flatnonzero(~sites.is_atom)])
    return [int(row) for row in np.flatnonzero(sites.is_atom)]


def _unit_cell(structure: Structure) -> Atoms:
    """Every atom of the cell once, with fractional coordinates from 0 up to 1."""
    symmetry = structure.images.symmetry
    operation = np.arange(structure.space_group.order)
    rows, operations = np.nonzero(symmetry.operation == operation)
    known = structure.sites.is_atom[rows]
    rows, operations = rows[known], operations[known]
    zero = np.zeros((len(rows), 3), dtype=np.int64)
    placed = structure.images.make(rows, operations, zero)
    inside = -np.floor(placed.fract + 1e-9).astype(np.int64)
    return Atoms(structure.images, structure.edges, structure.images.make(rows, operations, inside))


def _shared_places(structure: Structure, atoms: Atoms) -> tuple[list[int], dict[int, list[int]]]:
    """The first atom of each place, and the atoms of its place, itself included."""
    before: dict[int, list[int]] = {}
    for row, other in _pairs_of_one_place(structure, atoms.fract):
        before.setdefault(row, []).append(other)
    members: dict[int, list[int]] = {}
    for row in range(len(atoms)):
        first = min((other for other in before.get(row, ()) if other in members), default=row)
        members.setdefault(first, []).append(row)
    return list(members), members


def _pairs_of_one_place(structure: Structure, fract: Array) -> list[tuple[int, int]]:
    """Row and earlier row of all pairs of points of the cell, fract (n, 3), that share a place across its faces too."""
    margin = SHARED_SITE * structure.cell.reciprocal_lengths
    steps = np.array(list(np.ndindex(3, 3, 3))) - 1
    beside = fract[None, :, :] + steps[:, None, :]
    step, row = np.nonzero(((beside >= -margin) & (beside <= 1 + margin)).all(axis=2))
    points = structure.cell.to_cartesian(beside[step, row])
    i, j, distance = pairs_within(structure.cell.to_cartesian(fract), points, SHARED_SITE)
    shared = (row[j] < i) & (distance < SHARED_SITE)
    return list(zip(i[shared].tolist(), row[j[shared]].tolist(), strict=True))


def _check_share(content: Mapping[str, float], labels: Iterable[str]) -> None:
    total = sum(content.values())
    if total > 2 - FULL:
        raise UserInputError(
            f"The occupancies of {', '.join(dict.fromkeys(labels))} add up to {total:.3f} in one place.",
            why="pymatgen holds at most one atom in a place.",
            next="Correct the occupancies, or use to_ase, which takes one disorder group.",
        )


def _warn(what: str, labels: Iterable[str]) -> None:
    names = list(labels)
    if names:
        warnings.warn(f"{listed(names, 20)} {what}.", NotCarriedOver, stacklevel=4)


def _imported(module: str, package: str = "") -> Any:
    """An optional package. Raises UserInputError that says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = package or module
        raise UserInputError(
            f"{package} is not installed here.", why=str(error), next=f"Install it: %pip install {package}"
        ) from error


def _cctbx() -> tuple[Any, Any, Any, Any]:
    names = ("cctbx.adptbx", "cctbx.crystal", "cctbx.sgtbx", "cctbx.xray")
    adptbx, crystal, sgtbx, xray = (_imported(name, "cctbx-base") for name in names)
    return adptbx, crystal, sgtbx, xray
