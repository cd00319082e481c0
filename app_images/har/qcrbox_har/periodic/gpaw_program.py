"""A periodic self-consistent field with GPAW, under the Python that has it.

This file is run by path, not imported: it knows NumPy, ASE and GPAW and nothing of the product. Every line on stdin is a
request in JSON; answers are lines of JSON on the file descriptor given as the first argument, arrays go to a .npz file. It ends
with its parent: stdin ends, and the kernel kills it in the middle of an iteration.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback

import numpy as np

# Of the occupation numbers, eV. It changes nothing in an insulator and lets the iterations of a metal converge.
WIDTH_EV = 0.05
# A free atom has less than 1e-7 e/bohr³ farther away.
FREE_BOHR = 15.0


class Crystal:
    """One crystal, whose wavefunctions are kept for the next geometry."""

    def __init__(self) -> None:
        self._calculator = None
        self._settings: dict = {}

    def run(self, request: dict, watch) -> dict:
        """Self-consistent density of a crystal, written to request["file"].

        cell (3, 3): axes in Å; symbols; fractional (n, 3); cutoff_ev; kpoints (3,); functional; unpaired: electrons in the cell;
        tolerance: of the density, electrons for each valence electron. watch: called with iteration and energy in hartree.
        """
        # Optional: only the Python that runs this file has GPAW.
        from ase import Atoms

        begun = time.perf_counter()
        atoms = Atoms(
            request["symbols"], cell=request["cell"], scaled_positions=request["fractional"], pbc=True
        )
        atoms.set_initial_magnetic_moments(_moments(atoms, request["unpaired"]))
        calculator = self._of(request)
        iterations = 0

        def observe() -> None:
            nonlocal iterations
            iterations += 1
            watch(iterations, _energy(calculator))

        calculator.observers = []
        calculator.attach(observe, 1)
        calculator.get_potential_energy(atoms)
        _write(calculator, request["file"])
        return {
            "energy": _energy(calculator),
            "iterations": iterations,
            "seconds": time.perf_counter() - begun,
            "processor_seconds": time.process_time(),
            "bands": int(calculator.get_number_of_bands()),
            "kpoints": len(calculator.get_ibz_k_points()),
            "partly_filled": _partly_filled(calculator),
            "valence": float(calculator.get_number_of_electrons()),
        }

    def _of(self, request: dict):
        """The calculator of the last geometry where the settings are the same."""
        settings = {
            k: request[k] for k in ("cell", "symbols", "cutoff_ev", "kpoints", "functional", "unpaired")
        }
        if self._calculator is None or settings != self._settings:
            self._calculator, self._settings = _calculator(request), settings
        elif self._calculator.scf is not None:
            # `set(convergence=...)` would throw the wavefunctions away. What has converged to more is not converged to less.
            self._calculator.scf.criteria["density"].tol = request["tolerance"]
            self._calculator.scf.reset()
            self._calculator.results.clear()
        return self._calculator


def setups(request: dict) -> dict[str, int]:
    """Valence electrons by element, of those elements that GPAW has data for."""
    # Optional: only the Python that runs this file has GPAW.
    from gpaw.setup_data import SetupData

    found = {}
    for symbol in request["symbols"]:
        try:
            found[symbol] = int(SetupData(symbol, request["functional"]).Nv)
        except FileNotFoundError:
            continue
    return found


def _calculator(request: dict):
    # Optional: only the Python that runs this file has GPAW.
    from gpaw import GPAW, PW, FermiDirac

    unpaired = request["unpaired"]
    return GPAW(
        mode=PW(request["cutoff_ev"]),
        xc=request["functional"],
        kpts={"size": request["kpoints"], "gamma": True},
        occupations=FermiDirac(WIDTH_EV, fixmagmom=bool(unpaired)),
        spinpol=bool(unpaired),
        symmetry={"symmorphic": False},
        convergence={"density": request["tolerance"], "energy": 1e-3, "eigenstates": 1e-4},
        maxiter=200,
        txt=None,
    )


def _moments(atoms, unpaired: int) -> np.ndarray:
    """Where unpaired electrons are at first: on transition metals and lanthanoids, else on all atoms alike."""
    numbers = atoms.numbers
    magnetic = (
        ((numbers > 20) & (numbers < 30))
        | ((numbers > 38) & (numbers < 48))
        | ((numbers > 56) & (numbers < 80))
    )
    where = magnetic if magnetic.any() else np.ones(len(numbers), dtype=bool)
    return np.where(where, unpaired / where.sum(), 0.0)


def _partly_filled(calculator) -> float:
    """How far the band that is least full or empty is from either, at most 0.5; next to 0 in an insulator."""
    shares = [kpt.f_n / kpt.weight for kpt in calculator.wfs.kpt_u]
    return float(max(np.minimum(share, 1 - share).max() for share in shares))


def _energy(calculator) -> float:
    """Hartree, of all electrons."""
    return float(calculator.hamiltonian.e_total_free + calculator.setups.Eref)


def _write(calculator, path: str) -> None:
    """The density as a smooth part on a grid of the cell and, around every nucleus, radial functions of real harmonics.

    smooth (spins, a, b, c): e/bohr³. Of each atom: radii_* (r,) in bohr, sphere_* (spins, L, r): what is to be added to the
    smooth part, the coefficients of the real spherical harmonics in e/bohr³, L = l² + l + m; 0 beyond the last radius.
    free_radii_* (r,), free_* (1, 1, r): likewise, all of the free atom of the atomic data.
    """
    density = calculator.density
    content = {"smooth": density.gd.collect(density.nt_sG)}
    for atom, setup in enumerate(calculator.setups):
        radii, sphere = _sphere(setup, density.D_asp[atom])
        content[f"radii_{atom}"], content[f"sphere_{atom}"] = radii, sphere
        content[f"free_radii_{atom}"], content[f"free_{atom}"] = _free(setup)
    with open(path + ".part", "wb") as file:
        np.savez(file, **content)
    os.replace(path + ".part", path)


def _sphere(setup, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density of the partial waves less that of the smooth ones, with the cores."""
    # Optional: only the Python that runs this file has GPAW.
    from gpaw.gaunt import gaunt
    from gpaw.utilities import unpack2

    data = setup.data
    end = setup.rgd.ceil(2 * max(setup.rcut_j))
    momenta = setup.l_j
    first = np.concatenate([[0], np.cumsum([2 * momentum + 1 for momentum in momenta])])
    coupling = gaunt(max(momenta))
    sphere = np.zeros((len(packed), (2 * max(momenta) + 1) ** 2, end))
    for spin, matrix in enumerate(unpack2(row) for row in packed):
        for i, li in enumerate(momenta):
            for j, lj in enumerate(momenta):
                block = matrix[first[i] : first[i + 1], first[j] : first[j + 1]]
                angular = coupling[li**2 : (li + 1) ** 2, lj**2 : (lj + 1) ** 2, : sphere.shape[1]]
                radial = data.phi_jg[i] * data.phi_jg[j] - data.phit_jg[i] * data.phit_jg[j]
                sphere[spin] += np.outer(np.einsum("ab,abL->L", block, angular), radial[:end])
        sphere[spin, 0] += (data.nc_g - data.nct_g)[:end] / len(packed)
    return setup.rgd.r_g[:end], sphere


def _free(setup) -> tuple[np.ndarray, np.ndarray]:
    """Density of the spherical atom without spin that the atomic data were made of: core and occupied partial waves."""
    data = setup.data
    shells = sum(f * wave**2 for f, wave in zip(data.f_j, data.phi_jg, strict=True))
    total = data.nc_g + shells / np.sqrt(4 * np.pi)
    end = setup.rgd.ceil(FREE_BOHR)
    return setup.rgd.r_g[:end], total[None, None, :end]


def _end_with_parent(parent: int) -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Serve requests until stdin ends."""
    answers = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    _end_with_parent(int(sys.argv[2]))

    def answer(**values) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    def watch(iteration: int, energy: float) -> None:
        answer(kind="progress", iteration=iteration, energy=energy)

    crystal = Crystal()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            found = setups(request) if request["kind"] == "setups" else crystal.run(request, watch)
        except Exception as error:  # noqa: BLE001 - whatever GPAW raises is the answer
            traceback.print_exc()
            answer(kind="error", name=type(error).__name__, text=str(error))
        else:
            answer(kind="value", value=found)


if __name__ == "__main__":
    main()
