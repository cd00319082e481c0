"""What a refinement will cost, before it begins: time and memory from the size of the basis, on this machine as it is, and
from what earlier refinements took.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import UserInputError

from qcrbox_har import experience
from qcrbox_har.loop_state import Progress
from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.processes import Child

# Self-consistent iterations of all rounds together, from a first density to the last restart; and rounds.
_ITERATIONS = {False: 21, True: 33}
_ROUNDS = {False: 4, True: 6}
# Part of the speed of a matrix product that each step reaches: fitted to urea, alanine and thpp with PySCF 2.14.
_EXCHANGE, _GRID, _DENSITY, _FITTING = 0.75, 0.75, 0.6, 0.9
# Operations for an element of the three-centre integrals, made once a round, and of the Coulomb matrix of an iteration.
_INTEGRAL, _COULOMB = 600.0, 45.0
# Points of the coarse grid of the iterations, and evaluations of the fine one in a round.
_COARSE, _FINE = 0.23, 1.3
_START_S = 9.0  # importing libraries in two processes, reading, the first refinement, the least squares of the rounds
_BASE_BYTES = 350_000_000
_FITTED_BYTES = 4_000_000_000  # PySCF keeps larger tensors on disk


@dataclass
class Cost:
    """seconds and memory_bytes of the whole refinement; basis_functions of the largest molecule.

    model_seconds: before the experience of `runs` earlier refinements was taken into account; kind: of which ones.
    """

    seconds: float
    memory_bytes: int
    basis_functions: int
    memory_limit_bytes: int
    model_seconds: float = 0.0
    runs: int = 0
    kind: str = ""

    def __str__(self) -> str:
        return (
            f"about {_shown(self.seconds)} and {self.memory_bytes / 1e9:.1f} GB of memory; "
            f"{self.basis_functions} basis functions in the largest molecule{self._source}"
        )

    @property
    def _source(self) -> str:
        return f"; the time from {_counted(self.runs)} on this machine" if self.runs else ""


def estimate(
    state: Progress, inputs: list[MoleculeInput], quantum: Child, *, crystal_field: bool, reflections: int
) -> Cost:
    """Cost of refining all molecules to convergence. reflections: rows of the table."""
    sizes = [quantum.call("qcrbox_har.quantum.task:size", given, state.method) for given in inputs]
    # What does not depend on matrix products was fitted on a machine that did nothing else. Loading the libraries and the
    # sizes have told how much of a processor there is; several threads together would tell something else.
    slowness = quantum.call("qcrbox_har.child:slowness")
    flops = quantum.call("qcrbox_har.quantum.task:speed")
    seconds, most, largest = _START_S * slowness, 0, 0
    rounds = _ROUNDS[crystal_field]
    for given, size in zip(inputs, sizes, strict=True):
        n, auxiliary, occupied = size["basis"], size["auxiliary"], size["occupied"]
        tensor = auxiliary * n * n
        work = _iteration_flops(state.method, n, auxiliary, occupied, _COARSE * size["scf_points"])
        seconds += _ITERATIONS[crystal_field] * work / flops
        seconds += rounds * _round_flops(state.method, n, auxiliary, size) / flops
        # A transform costs about 3e-7 s a point and atom, a factor of the table 1e-6 s to write and read.
        seconds += slowness * rounds * len(given.symbols) * (size["points"] * 3e-7 + reflections * 2e-6)
        memory = min(tensor * 4, _FITTED_BYTES) + size["points"] * len(given.symbols) * 12 + 40 * n * n * 8
        most, largest = max(most, memory), max(largest, n)
    kind = f"{state.method.level}{', field' if crystal_field else ''}"
    factor, runs = experience.factor(kind)
    return Cost(
        seconds * factor,
        _BASE_BYTES + most,
        largest,
        memory_limit(),
        model_seconds=seconds,
        runs=runs,
        kind=kind,
    )


def _iteration_flops(method: Method, n: int, auxiliary: int, occupied: int, points: float) -> float:
    """One iteration: exchange and Coulomb by density fitting, exchange-correlation on the coarse grid."""
    exchange = 4.0 * auxiliary * n * n * occupied / _EXCHANGE if method.has_exact_exchange else 0.0
    return exchange + _COULOMB * auxiliary * n * n + _grid_flops(method, n, points)


def _grid_flops(method: Method, n: int, points: float) -> float:
    return 0.0 if method.is_hf else 6.0 * points * n * min(n, 350) / _GRID


def _round_flops(method: Method, n: int, auxiliary: int, size: dict[str, int]) -> float:
    """What a round costs beside its iterations: fitted integrals, the fine grid, the density for the partition."""
    integrals = n * n / 2 * auxiliary * (_INTEGRAL + auxiliary / _FITTING)
    fine = _FINE * _grid_flops(method, n, size["scf_points"])
    return integrals + fine + 4 * size["points"] * n * n / _DENSITY


def refuse_beyond(cost: Cost, most_hours: float) -> None:
    """Raises UserInputError when the memory or the time allowed would not do."""
    ways = "Choose a smaller basis set, a functional without exact exchange such as pbe, or keep heavy atoms spherical."
    if cost.memory_bytes > cost.memory_limit_bytes:
        raise UserInputError(
            f"this refinement needs about {cost.memory_bytes / 1e9:.1f} GB of memory, and there are "
            f"{cost.memory_limit_bytes / 1e9:.1f} GB.",
            why=f"The largest molecule has {cost.basis_functions} basis functions.",
            next=ways,
        )
    if cost.seconds > most_hours * 3600:
        raise UserInputError(
            f"this refinement would take about {_shown(cost.seconds)}, more than the {most_hours:g} h allowed.",
            where="most_hours",
            why=f"The largest molecule has {cost.basis_functions} basis functions.",
            next=f"{ways} Or allow more: most_hours={2 * cost.seconds / 3600:.0f}.",
        )


def memory_limit() -> int:
    """Bytes this process may use: of its container, else what the machine has."""
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 1 << 60:
            return int(text)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _counted(runs: int) -> str:
    return "one earlier run" if runs == 1 else f"{runs} earlier runs"


def _shown(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
