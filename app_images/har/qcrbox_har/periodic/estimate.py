"""What a refinement with periodic densities will cost, before it begins."""

from __future__ import annotations

import numpy as np

from qcrbox_har import experience
from qcrbox_har.estimate import Cost, memory_limit
from qcrbox_har.loop_state import Progress
from qcrbox_har.periodic import crystal
from qcrbox_har.periodic.program import GpawProgram
from qcrbox_har.processes import Child

_HARTREE_EV, _BOHR_A = 27.211386245988, 0.529177210903
# Self-consistent iterations of all rounds together, and rounds.
_ITERATIONS, _ROUNDS = 45, 3
# Processor seconds of an iteration at a k point: for each band and point of its Fourier transforms (times the logarithm), for each
# pair of bands and point, and at all k points together; of the integration in a round for an atom of the cell. Measured with
# LiH, NH4Cl, NaCl and urea (6 to 16 atoms, 4 to 10 k points), whose iterations they give to 25 %. GPAW has one thread, so the speed of
# matrix products on all processors says nothing about it.
_TRANSFORM_S, _PAIR_S, _ITERATION_S, _ATOM_S = 9e-9, 1e-9, 0.05, 0.8
_START_S = 12.0  # libraries and data in three processes
_BASE_BYTES = 600_000_000


def estimate(state: Progress, gpaw: GpawProgram, quantum: Child) -> Cost:
    """Cost of refining to convergence. Raises UserInputError for elements that GPAW has no data for."""
    cell, method = state.plan.molecules[0], state.method
    assert method.cutoff_ev is not None
    valence = gpaw.setups(cell.symbols, crystal.FUNCTIONALS[method.functional])
    electrons = sum(valence[symbol] for symbol in cell.symbols)
    spins = 1 if cell.multiplicity == 1 else 2
    # As GPAW has it: half of the electrons and some empty ones.
    bands = int(np.ceil(1.2 * electrons / 2)) + 4
    points = grid_points(state.structure.cell.volume, method.cutoff_ev)
    mesh = crystal.kpoints(state.structure, conducts=crystal.is_metallic(cell.symbols))
    kpoints = crystal.irreducible(state.structure, mesh) * spins
    seconds = _START_S + _ITERATIONS * iteration_seconds(bands, points, kpoints)
    seconds += _ROUNDS * len(cell.symbols) * _ATOM_S
    seconds *= quantum.call("qcrbox_har.child:slowness")
    factor, runs = experience.factor(method.level)
    waves = points // 12
    return Cost(
        float(seconds * factor),
        int(_BASE_BYTES + kpoints * bands * waves * 16 * 3),
        waves,
        memory_limit(),
        model_seconds=float(seconds),
        runs=runs,
        kind=method.level,
        size=f"{len(cell.symbols)} atoms with {electrons} valence electrons in the unit cell, {kpoints} k points and {waves} plane waves",
    )


def iteration_seconds(bands: int, points: int, kpoints: int) -> float:
    """Processor seconds of a self-consistent iteration. points: of the grid of the cell; kpoints: irreducible, of all spins."""
    at_each = _TRANSFORM_S * bands * points * np.log2(points) + _PAIR_S * bands**2 * points
    return float(kpoints * at_each + _ITERATION_S)


def grid_points(volume_a3: float, cutoff_ev: float) -> int:
    """Points of the grid on which GPAW keeps a density of plane waves to this energy."""
    spacing = np.pi / np.sqrt(4 * cutoff_ev / _HARTREE_EV) * _BOHR_A
    return int(np.ceil(volume_a3 / spacing**3))
