"""Self-consistent fields with pyscf: from scratch, or from the density of a neighbouring geometry."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from pyscf import dft, gto, lib, scf
from pyscf.data.nist import BOHR
from qcrbox.contract.errors import CalculationFailed, UserInputError

from qcrbox_har.method import Charges, Method, MoleculeInput
from qcrbox_har.quantum.grids import TwoGrids
from qcrbox_har.quantum.products import Fitting, numpy_products

Array = NDArray[np.float64]
OnIteration = Callable[[int, float, float], None]

# Hydrogen atoms move by some hundredths of an Å between two rounds; beyond that the old density is no help.
_FARTHEST_RESTART = 0.5
# Of the exchange-correlation grid in the first iterations.
_COARSE_GRID = 0


@dataclass
class Wavefunction:
    """A converged field: density matrices (2, n, n) alpha and beta, orbitals and what it cost."""

    molecule: gto.Mole
    density: Array
    energy: float
    iterations: int
    converged: bool
    seconds: float
    restarted: bool

    @property
    def total_density(self) -> Array:
        """Density matrix of both spins, (n, n) in the atomic-orbital basis."""
        return self.density[0] + self.density[1]


def build_molecule(molecule: MoleculeInput, method: Method) -> gto.Mole:
    """Raises UserInputError for a charge and multiplicity that do not fit, or an element beyond the basis set."""
    made = gto.Mole()
    made.atom = [(s, tuple(p)) for s, p in zip(molecule.symbols, molecule.positions, strict=True)]
    made.unit, made.verbose = "Angstrom", 0
    made.charge, made.spin = molecule.charge, molecule.multiplicity - 1
    made.basis, made.ecp = basis_of(molecule.symbols, method.basis), {}
    electrons = sum(gto.charge(s) for s in molecule.symbols) - molecule.charge
    if electrons < made.spin or (electrons - made.spin) % 2:
        raise UserInputError(
            f"{molecule.formula} with charge {molecule.charge:+d} has {electrons} electrons, which cannot have "
            f"multiplicity {molecule.multiplicity}.",
            where="charges" if molecule.multiplicity == 1 else "multiplicities",
            next="Give its charge or its multiplicity, for example multiplicities='1: 2' for one unpaired electron.",
        )
    made.build(parse_arg=False, dump_input=False)
    return made


def basis_of(symbols: list[str], name: str) -> dict[str, list]:
    """All-electron basis of each element. Raises UserInputError when the set lacks one or replaces cores by a potential."""
    found = {}
    for element in sorted(set(symbols)):
        try:
            if _has_core_potential(element, name):
                raise KeyError
            found[element] = gto.basis.load(name, element)
        except Exception as problem:
            raise UserInputError(
                f"the basis set {name} has no all-electron functions for {element}.",
                where="basis",
                why="An effective core potential takes the core electrons out of the density, and they scatter.",
                next="Choose x2c-SVPall or x2c-TZVPall with relativistic=True, or keep the element spherical: "
                f'spherical="{element}".',
            ) from problem
    return found


def _has_core_potential(element: str, name: str) -> bool:
    return (
        name.lower().replace("-", "").startswith(("def2", "madef2", "lanl", "stuttgart", "crenbl"))
        and gto.charge(element) > 36
    )


def mean_field(molecule: gto.Mole, method: Method, surroundings: Charges | None = None):
    """A pyscf object ready to run: density fitting, grids, X2C, charges around."""
    restricted = molecule.spin == 0
    if method.is_hf:
        field = scf.RHF(molecule) if restricted else scf.UHF(molecule)
    else:
        field = dft.RKS(molecule) if restricted else dft.UKS(molecule)
        try:
            field.xc = method.functional
            field._numint.libxc.xc_type(method.functional)
        except Exception as problem:
            raise UserInputError(
                f"there is no density functional {method.functional!r}.",
                where="functional",
                next="For example hf, b3lyp, pbe, pbe0, blyp, r2scan, wb97x.",
            ) from problem
        field.grids.level = method.grid_level
        field.small_rho_cutoff = 1e-7
    if method.relativistic:
        field = field.x2c1e()
    field = field.density_fit()
    if surroundings is not None and len(surroundings.positions):
        from pyscf.qmmm import itrf  # with it come gradients and coupled clusters: a second of start-up

        positions, charges = as_point_charges(surroundings)
        field = itrf.mm_charge(field, positions, charges, unit="Angstrom")
    field.conv_tol = method.conv_tol
    field.conv_tol_grad = max(3e-5, method.conv_tol**0.5)
    field.max_cycle = 100
    # One more iteration after convergence would change nothing that form factors show.
    field.conv_check = False
    return field


def as_point_charges(surroundings: Charges, separation: float = 0.01) -> tuple[Array, Array]:
    """Dipoles written as pairs of charges `separation` Å apart: what a program for point charges understands."""
    strength = np.linalg.norm(surroundings.dipoles, axis=1)
    rows = strength > 1e-6
    unit = surroundings.dipoles[rows] / strength[rows, None]
    centre, q = surroundings.positions[rows], strength[rows] / separation
    positions = np.concatenate(
        [surroundings.positions, centre + unit * separation / 2, centre - unit * separation / 2]
    )
    return positions, np.concatenate([surroundings.charges, q, -q])


def run(
    molecule: MoleculeInput,
    method: Method,
    previous: Wavefunction | None = None,
    on_iteration: OnIteration | None = None,
) -> Wavefunction:
    """The field of a molecule. previous: of the same atoms in a nearby geometry, to begin with.

    Raises CalculationFailed when it does not converge, after a second try with damped orbital rotations.
    """
    started = time.perf_counter()
    built = build_molecule(molecule, method)
    field = mean_field(built, method, molecule.surroundings)
    field.with_df = Fitting(built, auxbasis=field.with_df.auxbasis)
    carried = carried_over(previous, built)
    guess = with_orbitals(_start(field, carried), built)
    iterations = 0

    def watch(state: dict) -> None:
        nonlocal iterations
        iterations += 1
        if on_iteration is not None:
            on_iteration(iterations, float(state["e_tot"]), float(state["norm_gorb"]))

    field.callback = watch
    with numpy_products():
        if method.is_hf or method.grid_level <= _COARSE_GRID:
            field.kernel(dm0=guess)
        elif carried is None:
            _on_two_grids(field, _on_coarse_grid(field, guess), is_near=False)
        else:
            _on_two_grids(field, guess, is_near=True)
        if not field.converged:
            field = _second_try(field, watch)
    energy = float(field.e_tot) + _dispersion(field, method)
    return Wavefunction(
        built,
        _both_spins(field.make_rdm1()),
        energy,
        iterations,
        bool(field.converged),
        time.perf_counter() - started,
        carried is not None,
    )


def _start(field, carried: Array | None) -> Array:
    """Density matrix to begin with: the one carried over, else superposed atoms."""
    if carried is None:
        return np.asarray(field.get_init_guess(key=field.init_guess))
    return _shaped(carried, field.mol)


def with_orbitals(density: Array, molecule: gto.Mole) -> Array:
    """The same matrix with its natural orbitals attached: exchange costs as much as it has orbitals, not basis functions.

    density: (n, n), or (2, n, n) for both spins. A matrix with negative occupations is returned as it is.
    """
    overlap = molecule.intor_symmetric("int1e_ovlp")
    root, inverse = _power(overlap, 0.5), _power(overlap, -0.5)
    matrices = density if density.ndim == 3 else density[None]
    orbitals, occupations = [], []
    for matrix in matrices:
        values, vectors = scipy.linalg.eigh(root @ matrix @ root)
        if values.min() < -1e-6:
            return density
        orbitals.append(inverse @ vectors)
        # PySCF takes the orbitals with positive occupations.
        occupations.append(np.where(values > 1e-8, values, 0.0))
    if density.ndim == 2:
        return lib.tag_array(density, mo_coeff=orbitals[0], mo_occ=occupations[0])
    return lib.tag_array(density, mo_coeff=np.array(orbitals), mo_occ=np.array(occupations))


def _on_coarse_grid(field, guess: Array) -> Array:
    """Most of the way on a grid of a quarter of the points; the iterations that count follow on the wanted one."""
    level, tolerances = field.grids.level, (field.conv_tol, field.conv_tol_grad)
    field.grids.level, field.conv_tol, field.conv_tol_grad = _COARSE_GRID, 1e-4, 1e-2
    field.kernel(dm0=guess)
    field.grids.reset(field.mol)
    field.grids.level = level
    field.conv_tol, field.conv_tol_grad = tolerances
    return field.make_rdm1()


def _on_two_grids(field, guess: Array, *, is_near: bool) -> None:
    """Iterations on the coarse grid, with its error corrected at the guess.

    is_near: the guess is the density of a neighbouring geometry. Otherwise the error is taken anew at the density that the
    iterations lead to, and they go on from there.
    """
    own = field._numint
    # Leaving out points of low density pays where the fine grid is used again and again.
    field.small_rho_cutoff = 0
    field._numint = both = TwoGrids(field.mol, _COARSE_GRID)
    field.kernel(dm0=guess)
    if field.converged and not is_near:
        both.renew()
        field.kernel(dm0=field.make_rdm1())
    field._numint = own


def _second_try(field, watch):
    """Level shift first; then second-order steps, which converge nearly always but cost more."""
    field.level_shift, field.diis_space = 0.3, 12
    field.kernel(dm0=field.make_rdm1())
    if not field.converged:
        field.level_shift = 0
        newton = field.newton()
        newton.callback, newton.max_cycle = watch, 50
        newton.kernel(dm0=field.make_rdm1())
        field = newton
    if not field.converged:
        raise CalculationFailed(
            f"the wavefunction of {field.mol.natm} atoms did not converge.",
            why="Charge or multiplicity may be wrong, or two atoms are too close.",
            next="Check them in the log; another functional or basis set can help.",
            reason="SCF not converged",
        )
    return field


def _dispersion(field, method: Method) -> float:
    """Only when asked for: it moves the energy, never the density."""
    if method.dispersion == "off":
        return 0.0
    return float(field.get_dispersion(disp=method.dispersion))


def _both_spins(density: Array) -> Array:
    density = np.asarray(density)
    return np.stack([density / 2, density / 2]) if density.ndim == 2 else density


def _shaped(density: Array, molecule: gto.Mole) -> Array:
    return density[0] + density[1] if molecule.spin == 0 else density


def carried_over(previous: Wavefunction | None, molecule: gto.Mole) -> Array | None:
    """The occupied orbitals of the old geometry, made orthonormal again in the overlap of the new one: C (Cᵀ S' C)^-½.

    Atomic orbitals move along with their atoms. Keeps trace and idempotency, and lies three times nearer to the new
    density than the orthonormalised basis of the old one does. None when atoms, basis or spin are others, or one atom
    has moved far.
    """
    if previous is None:
        return None
    old = previous.molecule
    same = (
        old.natm == molecule.natm
        and old.nao == molecule.nao
        and old.nelec == molecule.nelec
        and (old.atom_charges() == molecule.atom_charges()).all()
    )
    if not same:
        return None
    moved = np.linalg.norm(old.atom_coords() - molecule.atom_coords(), axis=1).max() * BOHR
    if moved > _FARTHEST_RESTART:
        return None
    before, overlap = old.intor_symmetric("int1e_ovlp"), molecule.intor_symmetric("int1e_ovlp")
    root, inverse = _power(before, 0.5), _power(before, -0.5)
    carried = []
    for matrix in previous.density:
        values, vectors = scipy.linalg.eigh(root @ matrix @ root)
        orbitals = inverse @ vectors[:, values > 0.5]
        if orbitals.shape[1]:
            orbitals = orbitals @ _power(orbitals.T @ overlap @ orbitals, -0.5)
        carried.append(orbitals @ orbitals.T)
    return np.stack(carried)


def _power(matrix: Array, exponent: float) -> Array:
    values, vectors = scipy.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T
