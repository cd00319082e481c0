"""Slow and plain versions of what the wavefunction process does: runs in the process with pyscf."""

from __future__ import annotations

import os
import signal

import numpy as np
from pyscf.data.nist import BOHR
from qcrbox_har.quantum import density, partition, scf


def direct(molecule, method, fractional, hkl):
    """Form factors by transform and by summing over every grid point, (n, k) each."""
    found = scf.run(molecule, method)
    identity = np.eye(3, dtype=int)
    wanted = [density.Wanted(atom, identity) for atom in range(len(molecule.symbols))]
    settings = density.Settings("hirshfeld", method.basis, 1)
    factors, _ = density.atomic_densities(density.of_wavefunction(found), settings, wanted, fractional, hkl)
    points, weights = density.integration_grid(found.molecule, 1)
    rho = density.density_at(found.molecule, found.total_density, points)
    share = partition.shares("hirshfeld", found.molecule, method.basis, points, weights, rho)
    plain = []
    for atom, centre in enumerate(found.molecule.atom_coords()):
        x = (points - centre) * BOHR @ fractional.T
        plain.append(np.exp(2j * np.pi * hkl @ x.T) @ (share[atom] * weights * rho))
    return factors, np.array(plain)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def write_molden(molecule, method, path: str, turn) -> None:
    """The wavefunction of a turned and moved copy of a molecule, its atoms in reverse order, as a .molden file."""
    from pyscf.tools import molden

    moved = (molecule.positions @ np.asarray(turn).T + [1.0, -2.0, 0.5])[::-1]
    found = scf.run(type(molecule)(molecule.symbols[::-1], moved), method)
    field = scf.mean_field(found.molecule, method)
    field.kernel(dm0=found.total_density)
    molden.from_scf(field, path)
