"""The atoms of the asymmetric unit as arrays, and what symmetry makes of their positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.symmetry import point_group

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# Two images of one site closer than this are one atom on a special position (Å).
SPECIAL_POSITION_TOLERANCE = 0.05
# The same where coordinates are written with so few digits that rounding moved the images apart (Å); both coordinates
# of a pair may be off by half a unit, and by a whole one in hexagonal axes.
ROUNDED_TOLERANCE = 0.4
ROUNDING = 1.05
# Coordinates beyond this many cells are mistakes; using them would mean listing all cells between.
FARTHEST = 1000.0


@dataclass
class Sites:
    """Atoms of the asymmetric unit, one row per row of the file.

    label, element, type_symbol, adp_type, assembly, calc_flag, refinement_flags: lists of n texts;
    element is `""` for dummies and difference peaks, `D` for deuterium.
    fract, fract_su (n, 3); occupancy, occupancy_su, u_iso, u_iso_su (n,); u_cif, u_cif_su (n, 3, 3) in Å²;
    values not given are NaN, s.u. not given 0. group: (n,) disorder group, 0 for none.
    """

    label: list[str]
    element: list[str]
    type_symbol: list[str]
    fract: Array
    fract_su: Array
    occupancy: Array
    occupancy_su: Array
    adp_type: list[str]
    u_iso: Array
    u_iso_su: Array
    u_cif: Array
    u_cif_su: Array
    assembly: list[str]
    group: Indices
    calc_flag: list[str]
    refinement_flags: list[str]
    fract_step: Array | None = None
    """(n, 3) unit of the last digit of each coordinate as it is written; None where it is not known."""

    def __len__(self) -> int:
        return len(self.label)

    @cached_property
    def index(self) -> dict[str, int]:
        """Row by label; the first one where a label is used twice."""
        found: dict[str, int] = {}
        for row, label in enumerate(self.label):
            found.setdefault(label, row)
        return found

    @cached_property
    def is_hydrogen(self) -> NDArray[np.bool_]:
        """(n,) True for hydrogen and deuterium."""
        return np.array([element in ("H", "D") for element in self.element], dtype=bool)

    @cached_property
    def is_atom(self) -> NDArray[np.bool_]:
        """False for dummies, difference peaks, and rows without usable coordinates."""
        with np.errstate(invalid="ignore"):
            known = (np.abs(self.fract) < FARTHEST).all(axis=1)
        return known & np.array(
            [
                bool(element) and flag.lower() != "dum"
                for element, flag in zip(self.element, self.calc_flag, strict=True)
            ],
            dtype=bool,
        )

    @cached_property
    def assembly_number(self) -> Indices:
        """(n,) equal numbers for equal assemblies; `.` counts as one assembly, as in SHELX."""
        names = {name: number for number, name in enumerate(dict.fromkeys(["", *self.assembly]))}
        return np.array([names[name] for name in self.assembly], dtype=np.int64)


@dataclass
class SiteSymmetry:
    """For every site and operation, which image coincides with which.

    The image of site i by operation k and translation t is the same atom as the image by operation
    `operation[i, k]` and translation `t + shift[i, k]`: the smallest equivalent one.
    stabiliser: per site the list of (operation, translation) that leave it in place.
    """

    operation: Indices
    shift: Indices
    stabiliser: list[list[tuple[int, tuple[int, int, int]]]]
    multiplicity: Indices

    def canonical(self, site: Indices, operation: Indices, translation: Indices) -> tuple[Indices, Indices]:
        """Bring images (m,), (m,), (m, 3) to their one name."""
        return self.operation[site, operation], translation + self.shift[site, operation]


def site_symmetry(sites: Sites, cell: UnitCell, group: SpaceGroup) -> SiteSymmetry:
    """Site symmetries within `SPECIAL_POSITION_TOLERANCE`."""
    count, order = len(sites), group.order
    fract = np.where(sites.is_atom[:, None], sites.fract, 0.0)
    images = np.einsum("kij,nj->nki", group.rotations.astype(float), fract) + group.translations
    operation = np.tile(np.arange(order), (count, 1))
    shift = np.zeros((count, order, 3), dtype=np.int64)
    special, moved = _fixing_operations(images, fract, sites.fract_step, group.identity, cell)
    products, product_shift = group.multiplication
    stabiliser: list[list[tuple[int, tuple[int, int, int]]]] = [
        [(group.identity, (0, 0, 0))] for _ in range(count)
    ]
    multiplicity = np.full(count, order, dtype=np.int64)
    for site in np.flatnonzero(special.sum(axis=1) > 1):
        fixing = np.flatnonzero(special[site])
        stabiliser[site] = [(int(k), _three(moved[site, k])) for k in fixing]
        # Operation k after any fixing operation gives the same image; the smallest index names it.
        equivalent = products[:, fixing]
        chosen = equivalent.argmin(axis=1)
        rows = np.arange(order)
        operation[site] = equivalent[rows, chosen]
        rotated = np.einsum("kij,kj->ki", group.rotations, moved[site, fixing][chosen])
        shift[site] = product_shift[rows, fixing[chosen]] + rotated
        multiplicity[site] = len(np.unique(operation[site]))
    return SiteSymmetry(operation, shift, stabiliser, multiplicity)


def _three(row: Indices) -> tuple[int, int, int]:
    x, y, z = row.tolist()
    return x, y, z


def _fixing_operations(
    images: Array, fract: Array, step: Array | None, identity: int, cell: UnitCell
) -> tuple[NDArray[np.bool_], Indices]:
    """Which image (n, m) coincides with its site, after which lattice translation (n, m, 3).

    Images farther apart coincide where rounding explains it: 0.33 is 1/3 on a threefold axis.
    """
    difference = images - fract[:, None, :]
    moved = np.rint(cell.nearest(difference) - difference).astype(np.int64)
    distance = np.linalg.norm(cell.to_cartesian(difference + moved), axis=2)
    fixing = distance < SPECIAL_POSITION_TOLERANCE
    if step is not None:
        rounded = (np.abs(difference + moved) <= ROUNDING * step[:, None, :]).all(axis=2)
        fixing |= rounded & (distance < ROUNDED_TOLERANCE)
    fixing[:, identity] = True
    return fixing, moved


def site_symmetry_symbol(symmetry: SiteSymmetry, group: SpaceGroup, site: int) -> str:
    """Point-group symbol of a site, `1` in general position."""
    return point_group([group.rotations[k] for k, _ in symmetry.stabiliser[site]])
