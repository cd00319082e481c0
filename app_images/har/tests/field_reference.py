"""Properties of density matrices and densities: runs in the process with pyscf."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from pyscf import gto
from pyscf.data.nist import BOHR
from qcrbox_har.method import Charges
from qcrbox_har.quantum import density, scf, task, xtb


def carried(molecule, moved, method) -> dict[str, float]:
    """A density taken to a neighbouring geometry: electrons, how far from idempotent, distances from the converged one."""
    old = scf.run(molecule, method)
    built = scf.build_molecule(moved, method)
    overlap = built.intor_symmetric("int1e_ovlp")
    matrices = scf.carried_over(old, built)
    exact = scf.run(moved, method)
    before = old.molecule.intor_symmetric("int1e_ovlp")
    turn = scipy.linalg.sqrtm(np.linalg.inv(overlap)).real @ scipy.linalg.sqrtm(before).real
    orthonormalised = turn @ old.total_density @ turn.T
    return {
        "electrons": float(sum(np.trace(matrix @ overlap) for matrix in matrices)),
        "idempotency": float(max(np.abs(m @ overlap @ m - m).max() for m in matrices)),
        "off": float(np.abs(matrices.sum(axis=0) - exact.total_density).max()),
        "orthonormalised_off": float(np.abs(orthonormalised - exact.total_density).max()),
    }


def is_carried(molecule, other, method) -> bool:
    return scf.carried_over(scf.run(molecule, method), scf.build_molecule(other, method)) is not None


def orbitals_of(molecule, method) -> dict[str, float]:
    """A matrix with its natural orbitals attached, beside what they add up to."""
    found = scf.run(molecule, method)
    tagged = scf.with_orbitals(found.total_density, found.molecule)
    again = (tagged.mo_coeff * tagged.mo_occ) @ tagged.mo_coeff.T
    overlap = found.molecule.intor_symmetric("int1e_ovlp")
    return {
        "off": float(np.abs(again - found.total_density).max()),
        "occupied": int((tagged.mo_occ > 0).sum()),
        "norm": float(
            np.abs(tagged.mo_coeff.T @ overlap @ tagged.mo_coeff - np.eye(found.molecule.nao)).max()
        ),
    }


def without_orbitals(molecule, method) -> bool:
    """Whether a matrix with a negative occupation comes back as it is."""
    built = scf.build_molecule(molecule, method)
    matrix = -np.eye(built.nao)
    return scf.with_orbitals(matrix, built) is matrix


def point_charges(positions, charges, dipoles):
    """Positions and charges that stand for charges and dipoles."""
    return scf.as_point_charges(Charges(np.array(positions), np.array(charges), np.array(dipoles)))


def hydrogen_1s(r) -> np.ndarray:
    """Density at distances r in bohr of one electron in a single Gaussian of exponent 0.5."""
    molecule = gto.M(atom="H 0 0 0", basis={"H": [[0, [0.5, 1.0]]]}, spin=1, verbose=0)
    points = np.outer(r, [0.6, 0.0, 0.8])
    return density.density_at(molecule, np.ones((1, 1)), points)


def signed_density(points) -> tuple[np.ndarray, np.ndarray]:
    """A matrix with positive and negative eigenvalues by its orbitals and by the plain double sum."""
    molecule = gto.M(atom="H 0 0 0; F 0 0 0.92", basis="sto-3g", verbose=0)
    matrix = np.random.default_rng(5).normal(size=(molecule.nao, molecule.nao))
    matrix += matrix.T
    values = molecule.eval_gto("GTOval_sph", points)
    return density.density_at(molecule, matrix, points, block=7), np.einsum(
        "pi,ij,pj->p", values, matrix, values
    )


def deformation(molecule, method, number: int) -> dict[str, float]:
    """Integral of the deformation density over the grid, and its value between two atoms and behind the second."""
    task._kept[number] = scf.run(molecule, method)
    points, weights = density.integration_grid(task._kept[number].molecule, 3)
    values = task.deformation_density(number, method.basis, points * BOHR) * BOHR**3
    middle = molecule.positions[:2].mean(axis=0)
    return {
        "integral": float(weights @ values),
        "middle": float(task.deformation_density(number, method.basis, middle[None])[0]),
    }


def distances(molecule, pairs) -> np.ndarray:
    return xtb.hydrogen_distances(molecule, pairs)
