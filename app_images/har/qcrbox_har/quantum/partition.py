"""Sharing a molecular density among its atoms.

Every scheme gives each atom a share of each grid point, shares adding up to 1. Hirshfeld: Theor. Chim. Acta 44
(1977) 129; iterative Hirshfeld: Bultinck et al., J. Chem. Phys. 126 (2007) 144111; minimal basis iterative
stockholder (MBIS): Verstraelen et al., J. Chem. Theory Comput. 12 (2016) 3894; Becke: J. Chem. Phys. 88 (1988)
2547.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyscf import gto
from pyscf.data import radii as atomic_radii
from qcrbox.contract.errors import CalculationFailed

from qcrbox_har.quantum.atoms import free_atom, symbols_of

Array = NDArray[np.float64]
SCHEMES = ("hirshfeld", "iterative-hirshfeld", "mbis", "becke")
_MOST_ROUNDS = 200
_POINTS_AT_ONCE = 40_000


@dataclass(frozen=True)
class Stretch:
    """Some of the points. share (n, m): of each atom at each of them; free (m,): density of all free atoms, e/bohr³, of
    which the share of an atom is that free atom. None for schemes that do not share by free atoms.
    """

    part: slice
    share: Array
    free: Array | None = None


def blocks(
    scheme: str, molecule: gto.Mole, basis: str, points: Array, weights: Array, density: Array
) -> Iterator[Stretch]:
    """`shares` in stretches of the points, so that memory does not grow with atoms times points.

    The iterative schemes need all points at once and come in one stretch.
    """
    if scheme not in ("hirshfeld", "becke"):
        yield Stretch(slice(None), shares(scheme, molecule, basis, points, weights, density))
        return
    for start in range(0, len(points), _POINTS_AT_ONCE):
        part = slice(start, start + _POINTS_AT_ONCE)
        if scheme == "hirshfeld":
            atoms = _free_atoms(molecule, basis, points[part])
            yield Stretch(part, _normalised(atoms), atoms.sum(axis=0))
        else:
            yield Stretch(part, shares(scheme, molecule, basis, points[part], weights[part], density[part]))


def shares(
    scheme: str, molecule: gto.Mole, basis: str, points: Array, weights: Array, density: Array
) -> Array:
    """Share of each atom at each point, (n, m).

    points (m, 3) bohr, weights (m,) of the integration, density (m,) e/bohr³.
    """
    if scheme == "hirshfeld":
        return _normalised(_free_atoms(molecule, basis, points))
    distances = _distances(molecule, points)
    symbols = symbols_of(molecule)
    if scheme == "iterative-hirshfeld":
        return _iterative_hirshfeld(molecule, symbols, basis, distances, weights, density)
    if scheme == "mbis":
        return _mbis(molecule, distances, weights, density)
    return _becke(molecule, symbols, distances)


def _free_atoms(molecule: gto.Mole, basis: str, points: Array) -> Array:
    """Density (n, m) of each free atom, e/bohr³."""
    pairs = zip(symbols_of(molecule), _distances(molecule, points), strict=True)
    return np.array([free_atom(symbol, 0, basis)(r) for symbol, r in pairs])


def _distances(molecule: gto.Mole, points: Array) -> Array:
    return np.array([np.linalg.norm(points - centre, axis=1) for centre in molecule.atom_coords()])


def _normalised(parts: Array) -> Array:
    total = parts.sum(axis=0)
    # Far from every atom all parts vanish; such points carry no density either.
    np.maximum(total, 1e-300, out=total)
    return parts / total


def _iterative_hirshfeld(molecule, symbols, basis, distances, weights, density) -> Array:
    """Pro-atoms between the two integer ions around the charge that the partition itself gives."""
    charges = np.zeros(len(symbols))
    for _ in range(_MOST_ROUNDS):
        parts = np.array(
            [
                _between_ions(symbol, charge, basis, r)
                for symbol, charge, r in zip(symbols, charges, distances, strict=True)
            ]
        )
        share = _normalised(parts)
        new = molecule.atom_charges() - share @ (weights * density)
        if np.abs(new - charges).max() < 1e-4:
            return share
        charges = new
    raise CalculationFailed(
        "the iterative Hirshfeld partition did not converge.", next="Choose hirshfeld or mbis."
    )


def _between_ions(symbol: str, charge: float, basis: str, r: Array) -> Array:
    low = int(np.floor(charge))
    fraction = charge - low
    # A charge beyond the last ion the element can have stays with that ion.
    low = min(max(low, -3), gto.charge(symbol))
    return (1 - fraction) * free_atom(symbol, low, basis)(r) + fraction * free_atom(symbol, low + 1, basis)(r)


def _mbis(molecule: gto.Mole, distances: Array, weights: Array, density: Array) -> Array:
    """One exponential function for each shell of each atom, populations and widths self-consistent."""
    owner, population, width = _mbis_start(molecule)
    weighted = weights * density
    for _ in range(_MOST_ROUNDS * 5):
        terms = (
            population[:, None]
            / (8 * np.pi * width[:, None] ** 3)
            * np.exp(-distances[owner] / width[:, None])
        )
        ratio = weighted / np.maximum(terms.sum(axis=0), 1e-300)
        part = terms * ratio
        new = part.sum(axis=1)
        width = (part * distances[owner]).sum(axis=1) / (3 * np.maximum(new, 1e-12))
        moved = np.abs(new - population).max()
        population = np.maximum(new, 1e-12)
        if moved < 1e-5:
            break
    else:
        raise CalculationFailed("the MBIS partition did not converge.", next="Choose hirshfeld.")
    parts = np.zeros_like(distances)
    np.add.at(
        parts,
        owner,
        population[:, None] / (8 * np.pi * width[:, None] ** 3) * np.exp(-distances[owner] / width[:, None]),
    )
    return _normalised(parts)


_NOBLE = (0, 2, 10, 18, 36, 54, 86)


def _mbis_start(molecule: gto.Mole) -> tuple[NDArray[np.int64], Array, Array]:
    """Owner, population and width (bohr) of each shell, as in the paper: widths from 1/(2Z) up to 1/2."""
    owner, population, width = [], [], []
    for atom, z in enumerate(molecule.atom_charges().tolist()):
        fills = [min(z, high) - low for low, high in zip(_NOBLE, (*_NOBLE[1:], 118), strict=True) if z > low]
        count = len(fills)
        for shell, electrons in enumerate(fills):
            owner.append(atom)
            population.append(float(electrons))
            width.append(0.5 if count == 1 else 1 / (2 * z ** (1 - shell / (count - 1))))
    return np.array(owner), np.array(population), np.array(width)


def _becke(molecule: gto.Mole, symbols: list[str], distances: Array) -> Array:
    """Becke's fuzzy cells with three smoothing steps; boundaries shifted by Bragg-Slater radii."""
    centres = molecule.atom_coords()
    separation = np.linalg.norm(centres[:, None] - centres, axis=2)
    radius = np.array([atomic_radii.BRAGG[gto.charge(s)] for s in symbols])
    cells = np.ones_like(distances)
    for i in range(len(symbols)):
        for j in range(i):
            mu = (distances[i] - distances[j]) / separation[i, j]
            chi = radius[i] / radius[j]
            u = (chi - 1) / (chi + 1)
            shift = np.clip(u / (u * u - 1), -0.5, 0.5)
            nu = mu + shift * (1 - mu * mu)
            for _ in range(3):
                nu = 1.5 * nu - 0.5 * nu**3
            cells[i] *= 0.5 * (1 - nu)
            cells[j] *= 0.5 * (1 + nu)
    return _normalised(cells)
