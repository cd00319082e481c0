"""Slow and plain versions of what the wavefunction process does: runs in the process with pyscf."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
from pyscf import dft, gto, lib
from pyscf import scf as pyscf_scf
from pyscf.data.nist import BOHR
from qcrbox_har.quantum import density, partition, products, scf, xcw
from qcrbox_har.quantum.grids import TwoGrids


def electrons_off(molecule, method, grid: int) -> float:
    """Sum of the electrons of the atoms, less the electrons of the molecule."""
    found = scf.run(molecule, method)
    settings = density.Settings("hirshfeld", method.basis, grid)
    source = density.of_wavefunction(found)
    _, result = density.atomic_densities(source, settings, [], np.eye(3), np.zeros((0, 3), dtype=int))
    return result.total_electrons - found.molecule.nelectron


def direct(molecule, method, fractional, hkl):
    """Form factors by transform and by summing over every point of a fine grid, (n, k) each."""
    found = scf.run(molecule, method)
    identity = np.eye(3, dtype=int)
    wanted = [density.Wanted(atom, identity) for atom in range(len(molecule.symbols))]
    settings = density.Settings("hirshfeld", method.basis, 4)
    factors, _ = density.atomic_densities(density.of_wavefunction(found), settings, wanted, fractional, hkl)
    points, weights = density.integration_grid(found.molecule, 4)
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


def write_plain_molden(molecule, basis: str, path: str, *, cartesian: bool = False, kind: str = "RHF"):
    """A field by PySCF alone as a .molden file. Returns its form factors (n, k) in a cubic cell of 6 Å, on a coarse grid."""
    from pyscf.tools import molden

    made = gto.M(
        atom=list(zip(molecule.symbols, molecule.positions, strict=True)),
        basis=basis,
        cart=cartesian,
        charge=molecule.charge,
        spin=molecule.multiplicity - 1,
        verbose=0,
    )
    field = getattr(pyscf_scf, kind)(made).run()
    molden.from_scf(field, path)
    both = np.asarray(field.make_rdm1())
    both = np.stack([both / 2, both / 2]) if both.ndim == 2 else both
    source = density.of_wavefunction(scf.Wavefunction(made, both, 0.0, 0, True, 0.0, False))
    wanted = [density.Wanted(atom, np.eye(3, dtype=int)) for atom in range(made.natm)]
    hkl = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 2), (5, -3, 2)])
    settings = density.Settings("hirshfeld", "sto-3g", 0)
    return density.atomic_densities(source, settings, wanted, np.eye(3) / 6, hkl)[0]


def _water_crystal(u: float = 0.0) -> xcw.Crystal:
    """One molecule in a cubic cell of 6 Å without symmetry; u: the same isotropic displacement of all atoms, Å²."""
    symmetry = xcw.Symmetry(np.eye(3)[None], np.zeros((1, 3)), 1.0)
    return xcw.Crystal(symmetry, np.eye(3) / 6, np.tile(np.eye(3) * u / 36, (3, 1, 1)))


def structure_factors(molecule, method, hkl, u):
    """F by the analytic transforms, and by a sum over a fine grid times the temperature factor."""
    found = scf.run(molecule, method)
    matrix = xcw.transforms(found.molecule, _water_crystal(u), hkl)
    measured = xcw.Measured(hkl, np.ones(len(hkl)), np.ones(len(hkl)), np.zeros(len(hkl), complex))
    analytic = xcw.Constraint(matrix, measured).f(found.total_density)
    points, weights = density.integration_grid(found.molecule, 3)
    rho = density.density_at(found.molecule, found.total_density, points)
    x = points * BOHR / 6
    plain = np.exp(2j * np.pi * hkl @ x.T) @ (weights * rho)
    return analytic, plain * np.exp(-2 * np.pi**2 * u * (hkl**2).sum(axis=1) / 36)


def slope_of_chi_squared(molecule, method, hkl, seed):
    """∂χ²/∂P along a random symmetric direction: by the operator, and by central differences."""
    rng = np.random.default_rng(seed)
    found = scf.run(molecule, method)
    matrix = xcw.transforms(found.molecule, _water_crystal(0.01), hkl)
    size = np.abs(matrix @ found.total_density[np.tril_indices(found.molecule.nao)])
    measured = xcw.Measured(
        hkl, 3 * size * rng.uniform(0.9, 1.1, len(hkl)), 0.1 + 0.01 * size, np.full(len(hkl), 0.1 + 0.2j)
    )
    constraint = xcw.Constraint(matrix, measured)
    direction = rng.normal(size=found.total_density.shape)
    direction += direction.T
    step = 1e-5
    up, down = (constraint.agreement(found.total_density + s * step * direction)[0] for s in (1, -1))
    return float((constraint.operator(found.total_density) * direction).sum()), (up - down) / (2 * step)


def fit_to_polarised(molecule, method, around, hkl, strengths):
    """Amplitudes of the molecule in a field, fitted by the molecule without it: plain energy, steps, dipole in the field."""
    polarised = scf.run(type(molecule)(molecule.symbols, molecule.positions, surroundings=around), method)
    field = scf.mean_field(polarised.molecule, method)
    dipole = field.dip_moment(polarised.molecule, polarised.total_density, verbose=0)
    crystal = _water_crystal(0.005)
    matrix = xcw.transforms(polarised.molecule, crystal, hkl)
    f = np.abs(matrix @ polarised.total_density[np.tril_indices(polarised.molecule.nao)])
    measured = xcw.Measured(hkl, 7 * f, 7 * (0.002 + 0.001 * f), np.zeros(len(hkl), complex))
    plain = gto.M(atom=polarised.molecule.atom, basis=method.basis, unit="Angstrom", verbose=0)
    energy = pyscf_scf.RHF(plain).run().e_tot
    steps = [xcw.begin(molecule, method, crystal, measured)]
    steps += [xcw.step(strength) for strength in strengths]
    return energy, steps, np.asarray(dipole)


def structure_factors_of_crystal(molecule, method, parts, hkl):
    """F of a crystal by the analytic transforms. parts: fields of xcw.Symmetry and xcw.Crystal."""
    rest = dict(parts)
    symmetry = xcw.Symmetry(*(rest.pop(name) for name in ("rotations", "translations", "share")))
    found = scf.run(molecule, method)
    matrix = xcw.transforms(found.molecule, xcw.Crystal(symmetry, **rest), hkl)
    return matrix @ found.total_density[np.tril_indices(found.molecule.nao)]


def grids(molecule, method):
    """Energy and density matrix: as the product runs it, and by PySCF on the fine and on the coarse grid."""
    product = scf.run(molecule, method)
    found = [{"energy": product.energy, "density": product.total_density}]
    for level in (method.grid_level, 0):
        field = scf.mean_field(scf.build_molecule(molecule, method), replace(method, grid_level=level))
        field.conv_tol, field.conv_tol_grad = 1e-11, 1e-6
        field.kernel()
        matrix = field.make_rdm1()
        found.append({"energy": field.e_tot, "density": matrix if matrix.ndim == 2 else matrix.sum(axis=0)})
    return found


def potentials(molecule, method):
    """Potentials on the fine grid at two densities; those of both grids, corrected at the first; that of the coarse one."""
    field = scf.mean_field(scf.build_molecule(molecule, method), method)
    first = field.get_init_guess()
    second = first * 1.02
    field.grids.build(with_non0tab=True)
    both, plain = TwoGrids(field.mol, 0), dft.numint.NumInt()
    exact = [plain.nr_rks(field.mol, field.grids, field.xc, matrix)[2] for matrix in (first, second)]
    both.nr_rks(field.mol, field.grids, field.xc, first)
    corrected, nearby = (both.nr_rks(field.mol, field.grids, field.xc, m)[2] for m in (first, second))
    coarse = plain.nr_rks(field.mol, both.coarse, field.xc, second)[2]
    return exact, corrected, nearby, coarse


def exchange_and_coulomb(molecule, method):
    """(J, K) by the product and by PySCF, of a density with its orbitals and of the same without."""
    built = scf.build_molecule(molecule, method)
    field = scf.mean_field(built, method)
    ours = products.Fitting(built, auxbasis=field.with_df.auxbasis)
    plain = np.asarray(field.get_init_guess())
    found = []
    for matrix in (scf.with_orbitals(plain, built), plain):
        found.append((ours.get_jk(matrix), field.with_df.get_jk(matrix)))
    return found


def products_by_both(seed: int):
    """alpha a b + beta c by NumPy's BLAS and by PySCF's, for shapes that are split by rows, by columns and not at all."""
    rng, found = np.random.default_rng(seed), []
    with lib.with_omp_threads(2):
        for rows, inner, columns in ((3, 4, 5), (900, 300, 700), (200, 600, 1100)):
            a, b, c = rng.random((rows, inner)), rng.random((columns, inner)).T, rng.random((rows, columns))
            for alpha, beta in ((1, 0), (-0.5, 1), (2.0, 0.25)):
                with products.numpy_products():
                    ours = lib.dot(a, b, alpha, c.copy(), beta), lib.ddot(a, b, alpha)
                theirs = lib.dot(a, b, alpha, c.copy(), beta), lib.ddot(a, b, alpha)
                found.append(max(float(np.abs(x - y).max()) for x, y in zip(ours, theirs, strict=True)))
    return found, lib.ddot is products.ddot


def convert(source: str, target: str) -> None:
    """A wavefunction file in another format, by its ending."""
    import warnings

    from iodata import dump_one, load_one

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dump_one(load_one(source), target, allow_changes=True)
