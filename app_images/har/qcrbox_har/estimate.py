"""What a refinement will cost, before it begins: time and memory from the size of the basis, on this machine as it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import UserInputError

from qcrbox_har.loop_state import Progress
from qcrbox_har.method import Method, MoleculeInput
from qcrbox_har.processes import Child

# Self-consistent iterations of all rounds together, from a first density to the last restart; and rounds.
_ITERATIONS = {False: 21, True: 33}
_ROUNDS = {False: 4, True: 6}
# Part of the speed of a matrix product that each step reaches: fitted to urea, alanine and thpp with PySCF 2.14.
_EXCHANGE, _GRID, _INTEGRALS = 0.4, 0.35, 0.02
_START_S = 6.0  # importing libraries in two processes, reading, the first refinement
_BASE_BYTES = 350_000_000
_FITTED_BYTES = 4_000_000_000  # PySCF keeps larger tensors on disk


@dataclass
class Cost:
    """seconds and memory_bytes of the whole refinement; basis_functions of the largest molecule."""

    seconds: float
    memory_bytes: int
    basis_functions: int
    memory_limit_bytes: int

    def __str__(self) -> str:
        return (
            f"about {_shown(self.seconds)} and {self.memory_bytes / 1e9:.1f} GB of memory; "
            f"{self.basis_functions} basis functions in the largest molecule"
        )


def estimate(
    state: Progress, inputs: list[MoleculeInput], quantum: Child, *, crystal_field: bool, reflections: int
) -> Cost:
    """Cost of refining all molecules to convergence. reflections: rows of the table."""
    flops = quantum.call("qcrbox_har.quantum.task:speed")
    # What does not depend on matrix products was fitted on a machine that did nothing else.
    slowness = quantum.call("qcrbox_har.quantum.task:slowness")
    seconds, most, largest = _START_S * slowness, 0, 0
    rounds = _ROUNDS[crystal_field]
    for given in inputs:
        size = quantum.call("qcrbox_har.quantum.task:size", given, state.method)
        n, auxiliary, occupied = size["basis"], size["auxiliary"], size["occupied"]
        tensor = auxiliary * n * n
        work = _iteration_flops(state.method, n, auxiliary, occupied, size["scf_points"])
        seconds += _ITERATIONS[crystal_field] * work / flops
        seconds += rounds * (60 * tensor / _INTEGRALS / 1e3 + 4 * size["points"] * n * n / _GRID) / flops
        # A transform costs about 3e-7 s a point and atom, a factor of the table 1e-6 s to write and read.
        seconds += slowness * rounds * len(given.symbols) * (size["points"] * 3e-7 + reflections * 2e-6)
        memory = min(tensor * 4, _FITTED_BYTES) + size["points"] * len(given.symbols) * 12 + 40 * n * n * 8
        most, largest = max(most, memory), max(largest, n)
    return Cost(seconds, _BASE_BYTES + most, largest, memory_limit())


def _iteration_flops(method: Method, n: int, auxiliary: int, occupied: int, points: int) -> float:
    """One iteration: exchange and Coulomb by density fitting, exchange-correlation on the grid."""
    exchange = 4.0 * auxiliary * n * n * occupied / _EXCHANGE if method.has_exact_exchange else 0.0
    coulomb = 4.0 * auxiliary * n * n / _EXCHANGE * 8
    grid = 0.0 if method.is_hf else 6.0 * points * n * min(n, 350) / _GRID
    return exchange + coulomb + grid


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


def _shown(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
