"""What a refinement will cost, before it begins: time and memory from the size of the basis, on this machine as it is, and
from what earlier refinements took.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import UserInputError

from qcrbox_har import experience
from qcrbox_har.loop_state import Progress
from qcrbox_har.method import COARSE_GRID_BYTES, UNPACKED_BYTES, Method, MoleculeInput
from qcrbox_har.processes import Child

# Self-consistent iterations of all rounds together, from a first density to the last restart; and rounds.
_ITERATIONS = {False: 18, True: 28}
_ROUNDS = {False: 4, True: 5}
# Part of the speed of a large matrix product that exchange and the fit of the integrals reach.
_EXCHANGE, _FITTING = 0.8, 0.9
# Operations for an element of the three-centre integrals, made once a round, and of the Coulomb matrix of an iteration.
_INTEGRAL, _COULOMB = 600.0, 45.0
# Operations for the value of a basis function at a point, and for that with its gradient.
_VALUE, _GRADIENT = 300.0, 600.0
# Points of the coarse grid of the iterations, and evaluations of the fine one in a round.
_COARSE, _FINE = 0.23, 1.3
# Importing libraries in three processes, reading, the first refinement; seconds of the transform for a point of an atom and
# of the least squares for a factor of the table, in each round.
_START_S, _TRANSFORM_S, _FACTOR_S = 4.0, 1e-7, 2e-6
_BASE_BYTES = 350_000_000
_FITTED_BYTES = 4_000_000_000  # PySCF keeps larger tensors on disk
# Points of the coarse grid that PySCF takes at once where their basis functions are not kept.
_POINTS_AT_ONCE = 67_200


@dataclass
class Cost:
    """seconds and memory_bytes of the whole refinement; basis_functions of the largest molecule.

    model_seconds: before the experience of `runs` earlier refinements was taken into account; kind: of which ones; size: what it
    follows from, in words.
    """

    seconds: float
    memory_bytes: int
    basis_functions: int
    memory_limit_bytes: int
    model_seconds: float = 0.0
    runs: int = 0
    kind: str = ""
    size: str = ""

    def __str__(self) -> str:
        return (
            f"about {_shown(self.seconds)} and {self.memory_bytes / 1e9:.1f} GB of memory; "
            f"{self.in_words}{self._source}"
        )

    @property
    def in_words(self) -> str:
        """What time and memory follow from."""
        return self.size or f"{self.basis_functions} basis functions in the largest molecule"

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
        seconds += _ITERATIONS[crystal_field] * _iteration_flops(state.method, size) / flops
        seconds += rounds * _round_flops(state.method, size) / flops
        points = size["points"] * _TRANSFORM_S + reflections * _FACTOR_S
        seconds += slowness * rounds * len(given.symbols) * points
        most, largest = max(most, _bytes(state.method, size, len(given.symbols))), max(largest, size["basis"])
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


def _iteration_flops(method: Method, size: dict[str, int]) -> float:
    """One iteration: exchange and Coulomb by density fitting, exchange-correlation on the coarse grid."""
    tensor = size["auxiliary"] * size["basis"] ** 2
    exchange = 3.0 * tensor * size["occupied"] / _EXCHANGE if method.has_exact_exchange else 0.0
    return exchange + _COULOMB * tensor + _grid_flops(method, size, _COARSE * size["scf_points"])


def _grid_flops(method: Method, size: dict[str, int], points: float) -> float:
    """Density, its gradient and the potential on a grid, from values of the basis functions that are there."""
    return 0.0 if method.is_hf else points * size["basis"] * (8.0 * size["occupied"] + 2.0 * size["basis"])


def _round_flops(method: Method, size: dict[str, int]) -> float:
    """What a round costs beside its iterations: fitted integrals, the fine grid, the density for the partition."""
    n, auxiliary = size["basis"], size["auxiliary"]
    integrals = n * n / 2 * auxiliary * (_INTEGRAL + auxiliary / _FITTING)
    evaluated = 0.0 if method.is_hf else _FINE * size["scf_points"] * n * _GRADIENT
    fine = evaluated + _FINE * _grid_flops(method, size, size["scf_points"])
    return integrals + fine + size["points"] * n * (_VALUE + 2.0 * size["occupied"])


def _bytes(method: Method, size: dict[str, int], atoms: int) -> float:
    """Integrals as they are kept and unpacked, basis functions on the coarse grid, points of the atoms."""
    n = size["basis"]
    tensor = 8.0 * size["auxiliary"] * n * n
    unpacked = tensor if tensor <= UNPACKED_BYTES else 0.0
    coarse = 32.0 * _COARSE * size["scf_points"] * n
    coarse = 0.0 if method.is_hf else min(coarse, max(COARSE_GRID_BYTES, 32.0 * _POINTS_AT_ONCE * n))
    return min(tensor / 2, _FITTED_BYTES) + unpacked + coarse + size["points"] * atoms * 12 + 40 * n * n * 8


def refuse_beyond(cost: Cost, most_hours: float) -> None:
    """Raises UserInputError when the memory or the time allowed would not do."""
    ways = "Choose a smaller basis set, a functional without exact exchange such as pbe, or keep heavy atoms spherical."
    if cost.memory_bytes > cost.memory_limit_bytes:
        raise UserInputError(
            f"this refinement needs about {cost.memory_bytes / 1e9:.1f} GB of memory, and there are "
            f"{cost.memory_limit_bytes / 1e9:.1f} GB.",
            why=f"There are {cost.in_words}.",
            next=ways,
        )
    if cost.seconds > most_hours * 3600:
        raise UserInputError(
            f"this refinement would take about {_shown(cost.seconds)}, more than the {most_hours:g} h allowed.",
            where="most_hours",
            why=f"There are {cost.in_words}.",
            next=f"{ways} Or allow more: most_hours={2 * cost.seconds / 3600:.0f}.",
        )


def memory_limit() -> int:
    """Bytes this process may use: the least that its control groups, its own limits and the machine allow."""
    own = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_AS)]
    known = [limit for limit in own if limit != resource.RLIM_INFINITY]
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *known, *group_limits()])


def group_limits(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Bytes that the control groups of this process allow, of version 1 and 2; each lies in others, whose limits hold as well."""
    found = []
    for line in _text(groups).splitlines():
        _, controllers, place = line.split(":", 2)
        if controllers == "":
            top, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        folder = top / place.strip("/")
        # Inside a container the place is often that outside: nothing is there, and the topmost folder is the container's.
        texts = [
            _text(above / name).strip() for above in (folder, *folder.parents) if above.is_relative_to(top)
        ]
        found += [int(text) for text in texts if text.isdigit() and int(text) < 1 << 60]
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _counted(runs: int) -> str:
    return "one earlier run" if runs == 1 else f"{runs} earlier runs"


def _shown(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
