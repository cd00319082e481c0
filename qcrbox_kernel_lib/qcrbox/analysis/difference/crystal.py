"""As crystal structures: shifts in s.u., renamed atoms, and whether origin, hand, atom images or cell setting changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.structure.adps import six_components, symmetric
from qcrbox.crystallography.structure.structure import Structure

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
# Atoms of one element this near in both structures are taken for one that was renamed (Å).
RENAMED_WITHIN = 0.3
# Å from each other at the median: this far apart, other axes are tried.
_APART = 0.5
# Values without s.u. that differ by more than this have changed (Å, Å²).
_MOVED, _SWOLLEN = 1e-4, 5e-4


@dataclass(frozen=True)
class AtomChange:
    """An atom that is in both structures, with its largest changes.

    shift: Å, after the transformation found. position_su, uij_su, occupancy_su: largest |Δ| in s.u., None without s.u.
    uij: the largest |ΔU(ij)| in Å², or |ΔU(eq)| unless both are anisotropic; None where one has no displacements.
    anisotropic: whether it is in either structure.
    """

    label: str
    new_label: str
    shift: float
    position_su: float | None
    uij: float | None
    uij_su: float | None
    occupancy: tuple[float, float]
    group: tuple[int, int]
    occupancy_su: float | None = None
    anisotropic: tuple[bool, bool] = (True, True)

    def has_changed(self, su: float) -> bool:
        """Whether it moved, or its U(ij), occupancy or group changed; numbers with s.u. by more than `su` of them."""
        moved = self.shift > _MOVED if self.position_su is None else self.position_su > su
        swollen = (self.uij or 0) > _SWOLLEN if self.uij_su is None else self.uij_su > su
        if self.occupancy_su is None:
            filled = self.occupancy[0] != self.occupancy[1]
        else:
            filled = self.occupancy_su > su
        kinds = self.group[0] != self.group[1] or self.anisotropic[0] != self.anisotropic[1]
        return moved or filled or swollen or kinds


@dataclass(frozen=True)
class CrystalDifference:
    """What differs between two structures.

    operation: the transformation from the first to the second as text, empty when there is none: `inversion`,
    `origin shift 1/2, 0, 0`, or a change of axes. cell: parameters that differ, with both values and s.u. of Δ.
    renamed: pairs of labels found by geometry; they are offers, not certain.
    """

    operation: str
    cell: dict[str, tuple[float, float, float | None]]
    space_group: tuple[str, str] | None
    atoms: list[AtomChange]
    renamed: list[tuple[str, str]]
    only_first: list[str]
    only_second: list[str]
    moved_hydrogens: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def changed(self, su: float = 3.0) -> list[AtomChange]:
        """Atoms of which something changed by more than `su` s.u.; without s.u., at all."""
        return [atom for atom in self.atoms if atom.has_changed(su)]


def crystal_difference(first: Structure, second: Structure) -> CrystalDifference:
    """Compare two structures of one compound, however labels, origin, hand or setting were chosen."""
    notes: list[str] = []
    moved, turned, operation = _aligned(first, second, notes)
    pairs, renamed = _pairs(first, second, moved)
    rows_1 = [i for i, _ in pairs]
    rows_2 = [j for _, j in pairs]
    labels_1, labels_2 = first.sites.label, second.sites.label
    paired_1, paired_2 = set(rows_1), set(rows_2)
    groups = (first.space_group.hm, second.space_group.hm)
    atoms = _atom_changes(first, second, moved, turned, rows_1, rows_2)
    hydrogens = [
        atom.label
        for atom, row in zip(atoms, rows_1, strict=True)
        if first.sites.is_hydrogen[row] and atom.shift > 0.02
    ]
    return CrystalDifference(
        operation=operation,
        cell=_cell_changes(first, second),
        space_group=None if first.space_group.same_operations(second.space_group) else groups,
        atoms=atoms,
        renamed=[(labels_1[i], labels_2[j]) for i, j in renamed],
        only_first=[label for row, label in enumerate(labels_1) if row not in paired_1],
        only_second=[label for row, label in enumerate(labels_2) if row not in paired_2],
        moved_hydrogens=hydrogens,
        notes=notes,
    )


def _cell_changes(first: Structure, second: Structure) -> dict[str, tuple[float, float, float | None]]:
    changes = {}
    for name in ("a", "b", "c", "alpha", "beta", "gamma"):
        one, other = getattr(first.cell, name), getattr(second.cell, name)
        if one.value != other.value:
            spread = ((one.su or 0) ** 2 + (other.su or 0) ** 2) ** 0.5
            changes[name] = (
                one.value,
                other.value,
                abs(one.value - other.value) / spread if spread else None,
            )
    return changes


def _candidates(first: Structure, second: Structure) -> list[tuple[str, Array, Array]]:
    """Rotations and shifts that may turn the first into the second: as it is, inverted, with other origins."""
    same_lattice = np.allclose(first.cell.parameters, second.cell.parameters, rtol=0.02, atol=2.0)
    if not same_lattice:
        return []
    found = [("", np.eye(3), np.zeros(3)), ("inversion", -np.eye(3), np.zeros(3))]
    for name, rotation in (("", np.eye(3)), ("inversion", -np.eye(3))):
        for shift in _origin_shifts(first, second, rotation):
            words = f"origin shift {_as_fractions(shift)}"
            found.append((f"{name} and {words}" if name else words, rotation, shift))
    return found


def _origin_shifts(first: Structure, second: Structure, rotation: Array) -> list[Array]:
    """Shifts that bring the first heavy atom of one onto atoms of its element in the other."""
    shared = [label for label in first.sites.label if label in second.sites.index]
    shifts: list[Array] = []
    for label in shared:
        row_1, row_2 = first.sites.index[label], second.sites.index[label]
        if first.sites.is_hydrogen[row_1] or not (first.sites.is_atom[row_1] and second.sites.is_atom[row_2]):
            continue
        images = second.images.in_box([0, 0, 0], [0.99999] * 3, np.array([row_2]))
        shifts += [fract - rotation @ first.sites.fract[row_1] for fract in images.fract]
        break
    return [shift - np.rint(shift) for shift in shifts]


def _changes_of_axes(first: Structure, second: Structure) -> list[tuple[str, Array, Array]]:
    """Unimodular changes of axes with entries -1, 0, 1 that turn one metric into the other."""
    grid = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.any(grid, axis=1)]
    target = second.cell.metric
    lengths = np.einsum("ni,ij,nj->n", grid, first.cell.metric, grid)
    per_axis = [grid[np.abs(lengths / target[k, k] - 1) < 0.04] for k in range(3)]
    found = []
    for a in per_axis[0]:
        for b in per_axis[1]:
            for c in per_axis[2]:
                axes = np.array([a, b, c], dtype=float)
                if abs(np.linalg.det(axes) - 1) > 1e-6:
                    continue
                metric = axes @ first.cell.metric @ axes.T
                if np.allclose(metric, target, rtol=0.04, atol=0.03 * float(np.trace(target)) / 3):
                    # New coordinates are the inverse transpose of the change of axes applied to the old.
                    found.append((f"change of axes {_axes_words(axes)}", np.linalg.inv(axes.T), np.zeros(3)))
    for words, rotation, _ in list(found):
        found += [
            (f"{words} and origin shift {_as_fractions(shift)}", rotation, shift)
            for shift in _origin_shifts(first, second, rotation)
        ]
    return found


def _axes_words(axes: Array) -> str:
    def words(row: Array) -> str:
        parts = [f"{'-' if n < 0 else '+'}{name}" for n, name in zip(row, "abc", strict=True) if n]
        return "".join(parts).removeprefix("+")

    return ", ".join(words(row) for row in axes)


def _as_fractions(shift: Sequence[float] | Array) -> str:
    parts = []
    for value in np.asarray(shift).tolist():
        near = Fraction(value).limit_denominator(12)
        parts.append(str(near) if abs(float(near) - value) < 2e-3 else f"{value:.4f}")
    return ", ".join(parts)


def _aligned(first: Structure, second: Structure, notes: list[str]) -> tuple[Array, Array, str]:
    """Fractional coordinates (n, 3) of the first in the frame of the second, each at the image nearest to its
    partner; the rotations (n, 3, 3) applied; and the transformation as text.
    """
    best = _best(first, second, _candidates(first, second), None)
    if best is None or best[0] > _APART:
        # Axes that are nearly as long as each other may have been exchanged.
        best = _best(first, second, _changes_of_axes(first, second), best)
    if best is None:
        notes.append("The cells have no common setting; coordinates are compared as they are.")
        return first.sites.fract, np.tile(np.eye(3), (len(first.sites), 1, 1)), ""
    if best[0] > 1.0:
        notes.append("Few atoms fall together; these may be different structures.")
    return best[1:]


_Placed = tuple[float, Array, Array, str]  # median distance in Å, coordinates, rotations, words


def _best(
    first: Structure, second: Structure, candidates: list[tuple[str, Array, Array]], best: _Placed | None
) -> _Placed | None:
    """The transformation after which atoms lie nearest; `best`: one that was found before."""
    for words, rotation, shift in candidates:
        transformed = first.sites.fract @ rotation.T + shift
        placed, turns, distance = _nearest_images(second, transformed, first)
        known = distance[np.isfinite(distance)]
        score = float(np.median(known)) if len(known) else np.inf
        # The simplest transformation is kept unless another one is clearly better.
        if best is None or score < best[0] - 0.05:
            best = (score, placed, turns @ rotation, words)
    return best


def _nearest_images(second: Structure, transformed: Array, first: Structure) -> tuple[Array, Array, Array]:
    """Move each transformed atom by symmetry of the second structure next to the atom of its label or element."""
    placed, distances = transformed.copy(), np.full(len(transformed), np.nan)
    turns = np.tile(np.eye(3), (len(transformed), 1, 1))
    group, cell = second.space_group, second.cell
    for row, label in enumerate(first.sites.label):
        if not first.sites.is_atom[row]:
            continue
        partner = second.sites.index.get(label)
        element = first.sites.element[row]
        if partner is not None and second.sites.element[partner] == element:
            targets = second.sites.fract[partner : partner + 1]
        else:
            same = [
                k
                for k, other in enumerate(second.sites.element)
                if other == element and second.sites.is_atom[k]
            ]
            targets = second.sites.fract[same]
        if not len(targets):
            continue
        images = group.rotations @ transformed[row] + group.translations
        difference = cell.nearest(images[:, None, :] - targets[None, :, :])
        length = np.linalg.norm(cell.to_cartesian(difference), axis=2)
        k, t = divmod(int(np.argmin(length)), length.shape[1])
        if length[group.identity].min() <= length[k, t] + 1e-6:
            k, t = group.identity, int(np.argmin(length[group.identity]))
        placed[row] = targets[t] + difference[k, t]
        turns[row] = group.rotations[k]
        distances[row] = length[k, t]
    return placed, turns, distances


def _pairs(
    first: Structure, second: Structure, moved: Array
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Atoms paired by label, where element and place fit; the rest by element and nearness."""
    pairs: list[tuple[int, int]] = []
    left_1 = []
    taken: set[int] = set()
    for i, label in enumerate(first.sites.label):
        j = second.sites.index.get(label)
        if j is not None and j not in taken and first.sites.element[i] == second.sites.element[j]:
            pairs.append((i, j))
            taken.add(j)
        else:
            left_1.append(i)
    pairs, swapped = _without_swaps(first, second, moved, pairs)
    left_1 += [i for i, _ in swapped]
    taken = {j for _, j in pairs}
    renamed = []
    for i in left_1:
        free = [
            j
            for j in range(len(second.sites))
            if j not in taken
            and second.sites.element[j] == first.sites.element[i]
            and second.sites.is_atom[j]
        ]
        if not free:
            continue
        distance = _distances(second, moved[i], second.sites.fract[free])
        nearest = int(np.argmin(distance))
        if distance[nearest] <= RENAMED_WITHIN:
            j = free[nearest]
            pairs.append((i, j))
            taken.add(j)
            if first.sites.label[i] != second.sites.label[j]:
                renamed.append((i, j))
    return sorted(pairs), renamed


def _without_swaps(
    first: Structure, second: Structure, moved: Array, pairs: list[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs whose labels were exchanged lie far apart while another atom of the element lies on the place."""
    kept, swapped = [], []
    for i, j in pairs:
        if np.isfinite(moved[i]).all() and _distances(second, moved[i], second.sites.fract[[j]])[0] > 1.0:
            others = [
                k for k in range(len(second.sites)) if second.sites.element[k] == first.sites.element[i]
            ]
            if _distances(second, moved[i], second.sites.fract[others]).min() <= RENAMED_WITHIN:
                swapped.append((i, j))
                continue
        kept.append((i, j))
    return kept, swapped


def _distances(second: Structure, point: Array, targets: Array) -> Array:
    """Å from the nearest symmetry image of a point to each target."""
    images = second.space_group.rotations @ point + second.space_group.translations
    difference = second.cell.nearest(images[:, None, :] - targets[None, :, :])
    return np.linalg.norm(second.cell.to_cartesian(difference), axis=2).min(axis=0)


def _atom_changes(
    first: Structure, second: Structure, moved: Array, turned: Array, rows_1: list[int], rows_2: list[int]
) -> list[AtomChange]:
    one, two = first.sites, second.sites
    delta = second.cell.nearest(two.fract[rows_2] - moved[rows_1])
    shift = np.linalg.norm(second.cell.to_cartesian(delta), axis=1)
    turns = turned[rows_1]
    # s.u. on turned axes are those of sums of coordinates, which are correlated on oblique axes.
    own = one.fract_su[rows_1]
    covariance = np.einsum("ni,nj,ij->nij", own, own, first.cell.correlation_of_coordinates)
    su_on_axes = np.sqrt(np.maximum(np.einsum("nij,njk,nik->ni", turns, covariance, turns), 0))
    position = _largest_in_su(delta, su_on_axes, two.fract_su[rows_2])
    tensors, su_1 = _turned_tensors(first, second, turned)
    su_2 = six_components(two.u_cif_su[rows_2])
    difference = six_components(two.u_cif[rows_2]) - six_components(tensors[rows_1])
    uij = _largest_in_su(difference, su_1[rows_1], su_2)
    # A file may list tensors alone.
    swelling = second.u_equivalent[rows_2] - first.u_equivalent[rows_1]
    changes = []
    for place, (i, j) in enumerate(zip(rows_1, rows_2, strict=True)):
        kinds = (bool(np.isfinite(one.u_cif[i]).all()), bool(np.isfinite(two.u_cif[j]).all()))
        if all(kinds):
            change: float | None = float(np.abs(difference[place]).max())
            in_su = uij[place]
        else:
            known = np.isfinite(swelling[place])
            change = float(abs(swelling[place])) if known else None
            in_su = _in_su(swelling[place], one.u_iso_su[i], two.u_iso_su[j]) if known else None
        changes.append(
            AtomChange(
                one.label[i],
                two.label[j],
                float(shift[place]),
                position[place],
                change,
                in_su,
                (float(one.occupancy[i]), float(two.occupancy[j])),
                (int(one.group[i]), int(two.group[j])),
                _in_su(one.occupancy[i] - two.occupancy[j], one.occupancy_su[i], two.occupancy_su[j]),
                kinds,
            )
        )
    return changes


def _in_su(change: float, first: float, second: float) -> float | None:
    """|Δ| over the s.u. of the difference of two independent numbers; None where neither has one."""
    su = float(np.hypot(first, second))
    return abs(float(change)) / su if su > 0 else None


def _turned_tensors(first: Structure, second: Structure, turned: Array) -> tuple[Array, Array]:
    """U(ij) (n, 3, 3) of the first structure on the axes of the second, and s.u. (n, 6) of them.

    With the lengths of the reciprocal axes put in, tensors transform like products of coordinates. Their elements count as
    independent.
    """
    lengths_1, lengths_2 = first.cell.reciprocal_lengths, second.cell.reciprocal_lengths
    turns = turned * lengths_1 / lengths_2[:, None]
    tensors = turns @ first.sites.u_cif @ np.swapaxes(turns, 1, 2)
    units = symmetric(np.eye(6))
    weights = np.stack([six_components(turns @ unit @ np.swapaxes(turns, 1, 2)) for unit in units], axis=-1)
    su = six_components(first.sites.u_cif_su)
    return tensors, np.sqrt(np.einsum("nij,nj->ni", weights**2, su**2))


def _largest_in_su(difference: Array, su_1: Array, su_2: Array) -> list[float | None]:
    spread = np.sqrt(su_1**2 + su_2**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(spread > 0, np.abs(difference) / spread, np.nan)
    return [float(np.nanmax(row)) if np.isfinite(row).any() else None for row in ratio]
