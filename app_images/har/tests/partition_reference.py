"""Partitions, transforms and free atoms with known answers: runs in the process with pyscf."""

from __future__ import annotations

import numpy as np
from pyscf import gto
from pyscf.data.nist import BOHR
from qcrbox_har.quantum import atoms, external, fourier, partition


def shares_of(scheme: str, symbols: list[str], positions, points, basis: str = "sto-3g"):
    """Shares (n, m) of a sum of free atoms at points in bohr, with equal weights."""
    molecule = gto.M(
        atom=list(zip(symbols, positions, strict=True)), basis=basis, unit="Bohr", spin=None, verbose=0
    )
    density = sum(
        atoms.free_atom(s, 0, basis)(np.linalg.norm(points - np.array(p), axis=1))
        for s, p in zip(symbols, positions, strict=True)
    )
    return partition.shares(scheme, molecule, basis, points, np.ones(len(points)), density)


def electrons_of(scheme: str, symbols: list[str], positions, basis: str = "sto-3g"):
    """Electrons of each atom of a sum of free atoms, on an integration grid."""
    from qcrbox_har.quantum import density

    molecule = gto.M(
        atom=list(zip(symbols, positions, strict=True)), basis=basis, unit="Bohr", spin=None, verbose=0
    )
    points, weights = density.integration_grid(molecule, 2)
    rho = sum(
        atoms.free_atom(s, 0, basis)(np.linalg.norm(points - np.array(p), axis=1))
        for s, p in zip(symbols, positions, strict=True)
    )
    found = np.zeros(len(symbols))
    for stretch in partition.blocks(scheme, molecule, basis, points, weights, rho):
        found += stretch.share @ (weights[stretch.part] * rho[stretch.part])
    return found


def transform_of_gaussian(width: float, cell: float, hkl):
    """f of exp(-r²/2w²) normalised to 1.5 electrons, sampled on a regular grid, with some weights negative."""
    axis = np.arange(-8, 8.001, 0.25)
    x = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    charge = 1.5 * np.exp(-(x**2).sum(axis=1) / (2 * width**2)) / (2 * np.pi * width**2) ** 1.5 * 0.25**3
    # A pair of points that cancel must not change anything: grids have negative weights.
    x = np.concatenate([x, [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]])
    charge = np.concatenate([charge, [5.0, -5.0]])
    return fourier.form_factors(x / cell, charge, hkl)


def radial(element: str, charge: int, basis: str):
    """Electrons of a free atom by integrating over its radii, and its density at 1 bohr."""
    found = atoms.free_atom(element, charge, basis)
    r = atoms.radii()
    return float(np.trapezoid(4 * np.pi * r**2 * found(r), r)), float(found(np.array([1.0]))[0])


def scattering(element: str, basis: str, stol):
    """f (n,) of a free atom at sin θ/λ (n,) in Å⁻¹, by the integral of 4πr²ρ(r) sin(qr)/(qr) over its radii."""
    found = atoms.free_atom(element, 0, basis)
    r = np.geomspace(1e-4, 25, 4000)
    q = 4 * np.pi * np.asarray(stol) * BOHR
    waves = np.sinc(np.outer(q, r) / np.pi)
    return np.trapezoid(4 * np.pi * r**3 * found(r) * waves, np.log(r), axis=1)


def interpolated_scattering(element: str, basis: str, q):
    """f (n,) of a free atom at q (n,) in bohr⁻¹, as form factors of molecules are built on it."""
    return atoms.form_factor(element, 0, basis, int(np.ceil(np.max(q))) + 1)(np.asarray(q))


def configuration(element: str, charge: int):
    return atoms.configuration(element, charge)


def overlay(symbols, positions, wanted, target):
    return external.overlay(symbols, np.array(positions), wanted, np.array(target))


def image_indices(hkl, rotation):
    return fourier.image_indices(hkl, rotation)
