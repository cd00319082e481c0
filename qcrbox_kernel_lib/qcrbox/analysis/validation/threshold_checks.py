"""Checks of single figures of a refinement against limits: one row of a table for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qcrbox.analysis.convergence import without_cycles
from qcrbox.analysis.validation.alerts import Alert
from qcrbox.cif.document import Block
from qcrbox.crystallography.radiation import ELECTRON, NEUTRON, read_radiation
from qcrbox.crystallography.structure.elements import atomic_number
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import minus

_INFINITE = math.inf
# Value to compare with the limits and value to print; None when the file does not state what it needs.
Measure = Callable[[Block, Structure], tuple[float, float] | None]


@dataclass(frozen=True)
class Threshold:
    """A figure with its limits: outside [low, high] it is an alert of this level, the worst level first."""

    test: str
    kind: int
    like: str
    measure: Measure
    limits: tuple[tuple[float, float, str], ...]
    text: str
    advice: str = ""

    def alert(self, block: Block, structure: Structure) -> Alert | None:
        """The alert of a block; None when the figure is within its limits or unknown."""
        found = self.measure(block, structure)
        if found is None:
            return None
        value, shown = found
        level = next((level for low, high, level in self.limits if not low <= value <= high), None)
        if level is None:
            return None
        return Alert(
            self.test, level, self.kind, minus(self.text.format(shown)), advice=self.advice, like=self.like
        )


def refinement_results(block: Block, structure: Structure) -> Iterator[Alert]:
    """R factors, goodness of fit, shifts, residual density, data per parameter, resolution, completeness."""
    alerts = (threshold.alert(block, structure) for threshold in THRESHOLDS)
    return (alert for alert in alerts if alert is not None)


def _above(*limits: tuple[float, str]) -> tuple[tuple[float, float, str], ...]:
    return tuple((-_INFINITE, limit, level) for limit, level in limits)


def _below(*limits: tuple[float, str]) -> tuple[tuple[float, float, str], ...]:
    return tuple((limit, _INFINITE, level) for limit, level in limits)


def _number(block: Block, tag: str) -> float | None:
    number = block.number(tag)
    return None if number is None else number.value


def _item(tag: str) -> Measure:
    def measure(block: Block, structure: Structure) -> tuple[float, float] | None:
        value = _number(block, tag)
        return None if value is None else (value, value)

    return measure


def _largest_shift(block: Block, structure: Structure) -> tuple[float, float] | None:
    shift = _number(block, "_refine_ls_shift/su_max")
    return None if shift is None or without_cycles(block) else (abs(shift), abs(shift))


def _pending_shift(block: Block, structure: Structure) -> tuple[float, float] | None:
    shift = _number(block, "_refine_ls_shift/su_max")
    return (abs(shift), abs(shift)) if shift is not None and without_cycles(block) else None


def _residual(tag: str) -> Measure:
    """|Δρ| in units of what is usual beside the heaviest atom, where truncation and absorption leave density.

    Of X-ray data alone: maps of neutrons and electrons have other units, and no usual values.
    """

    def measure(block: Block, structure: Structure) -> tuple[float, float] | None:
        density = _number(block, tag)
        if density is None or read_radiation(block).probe in (NEUTRON, ELECTRON):
            return None
        heaviest = max((atomic_number(element) for element in structure.cell_content), default=6)
        return abs(density) / max(0.75, 0.04 * heaviest), density

    return measure


def _data_per_parameter(block: Block, structure: Structure) -> tuple[float, float] | None:
    """Reflections per parameter in units of the recommended number."""
    data, parameters = (
        _number(block, tag) for tag in ("_refine_ls_number_reflns", "_refine_ls_number_parameters")
    )
    if not data or not parameters:
        return None
    ratio = data / parameters
    return ratio / (10 if structure.space_group.centrosymmetric else 8), ratio


def _resolution(block: Block, structure: Structure) -> tuple[float, float] | None:
    """sin θ/λ in Å⁻¹ at the largest θ of the data."""
    theta, wavelength = (
        _number(block, tag) for tag in ("_diffrn_reflns_theta_max", "_diffrn_radiation_wavelength")
    )
    if not theta or not wavelength:
        return None
    reach = math.sin(math.radians(theta)) / wavelength
    return reach, reach


_DENSITY_LIMITS = _above((2.5, "B"), (1.0, "C"))
THRESHOLDS = (
    Threshold(
        "CONVERGENCE",
        2,
        "PLAT080",
        _largest_shift,
        _above((0.2, "A"), (0.1, "B"), (0.05, "C")),
        "Largest shift/s.u. is {:.3f}: not converged.",
    ),
    Threshold(
        "NOT_REFINED",
        4,
        "",
        _pending_shift,
        _above((-1.0, "G")),
        "Not refined (0 cycles): a cycle would shift the model by up to {:.3f} s.u.",
        advice="Refine it before it is published.",
    ),
    Threshold(
        "R1",
        3,
        "PLAT082",
        _item("_refine_ls_R_factor_gt"),
        _above((0.2, "A"), (0.15, "B"), (0.1, "C")),
        "R1 is {:.4f}.",
    ),
    Threshold(
        "WR2",
        3,
        "PLAT084",
        _item("_refine_ls_wR_factor_ref"),
        _above((0.45, "A"), (0.35, "B"), (0.25, "C")),
        "wR2 is {:.4f}.",
    ),
    Threshold(
        "GOODNESS_OF_FIT",
        2,
        "PLAT087",
        _item("_refine_ls_goodness_of_fit_ref"),
        ((0.4, 2.0, "B"), (0.8, 1.2, "C")),
        "The goodness of fit is {:.3f}.",
        advice="Check weights and model.",
    ),
    Threshold(
        "RESIDUAL_DENSITY",
        2,
        "PLAT097",
        _residual("_refine_diff_density_max"),
        _DENSITY_LIMITS,
        "The highest residual density is {:.2f} e/Å³.",
    ),
    Threshold(
        "RESIDUAL_DENSITY",
        2,
        "PLAT097",
        _residual("_refine_diff_density_min"),
        _DENSITY_LIMITS,
        "The deepest residual density is {:.2f} e/Å³.",
    ),
    Threshold(
        "DATA_PARAMETERS",
        3,
        "PLAT088",
        _data_per_parameter,
        _below((0.6, "B"), (1.0, "C")),
        "There are {:.1f} reflections for each parameter.",
    ),
    Threshold(
        "RESOLUTION",
        3,
        "THETM01",
        _resolution,
        _below((0.5, "A"), (0.55, "B"), (0.575, "C")),
        "sin θ/λ reaches {:.3f} 1/Å only.",
    ),
    Threshold(
        "COMPLETENESS",
        3,
        "PLAT029",
        _item("_diffrn_measured_fraction_theta_full"),
        _below((0.9, "A"), (0.95, "B"), (0.98, "C")),
        "{:.1%} of the reflections to θ(full) were measured.",
    ),
)
