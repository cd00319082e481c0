"""Quality indicators of diffraction data and model: a finite list, each with its meaning.

Every indicator is a name, a value, a unit, and the sentence that explains it; values that the file does not
allow to compute are None with the reason. There is no overall score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from qcrbox.analysis.convergence import without_cycles
from qcrbox.cif.document import Block
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.radiation import ELECTRON, NEUTRON, density_unit_of, read_radiation
from qcrbox.crystallography.reflections import (
    MergingStatistics,
    Reflections,
    Wilson,
    find_reflections,
    merging_statistics,
    wilson,
)
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.reading import read_cell, read_space_group


@dataclass(frozen=True)
class Indicator:
    """One indicator; `value` is None when it cannot be computed, `note` then gives the reason."""

    name: str
    value: float | int | None
    unit: str
    meaning: str
    note: str = ""


@dataclass(frozen=True)
class Quality:
    """All indicators of a block, and the table by resolution shells (empty without unmerged data)."""

    block: str
    source: str
    indicators: list[Indicator]
    shells: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> float | int | None:
        """The value of an indicator by name. Raises KeyError for an unknown one."""
        for indicator in self.indicators:
            if indicator.name == name:
                return indicator.value
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """The indicators and shells as plain data for JSON."""
        return asdict(self)


_FROM_DATA: tuple[tuple[str, str, str, Callable[[MergingStatistics], float | int | None]], ...] = (
    (
        "observations",
        "",
        "Reflections used, absences and those without s.u. left out",
        lambda m: m.observations,
    ),
    ("unique", "", "Unique reflections after merging equivalents", lambda m: m.unique),
    ("d_min", "Å", "Highest resolution reached", lambda m: m.d_min),
    (
        "completeness",
        "",
        "Share of the unique reflections possible to d_min that were measured",
        lambda m: m.completeness,
    ),
    ("redundancy", "", "Mean number of observations of a unique reflection", lambda m: m.redundancy),
    ("r_int", "", "R(int): spread of equivalents, Σ|Fo²-<Fo²>|/ΣFo²", lambda m: m.r_int),
    ("r_sigma", "", "R(sigma): Σσ(Fo²)/ΣFo² of the merged data", lambda m: m.r_sigma),
    ("mean_i_over_sigma", "", "Mean I/σ(I) of the merged data", lambda m: m.mean_i_over_sigma),
    ("absences", "", "Observations of systematically absent reflections", lambda m: m.absences),
    (
        "absent_above_3_sigma",
        "",
        "Absent reflections with I > 3σ: a wrong space group, or multiple diffraction",
        lambda m: m.absent_above_3_sigma,
    ),
)
_FROM_WILSON: tuple[tuple[str, str, str, Callable[[Wilson], float]], ...] = (
    ("wilson_b", "Å²", "Overall B of the Wilson plot", lambda w: w.b),
    (
        "mean_e2_1",
        "",
        "<|E²-1|>: 0.968 for centrosymmetric, 0.736 for non-centrosymmetric structures; lower with twinning",
        lambda w: w.mean_e2_1,
    ),
)
# A unit that follows from the radiation.
_OF_DENSITY = "density"
_FROM_CIF: tuple[tuple[str, str, str, str], ...] = (
    ("r1_gt", "_refine_ls_R_factor_gt", "", "R1 of reflections above 2σ, as the file states"),
    ("wr2_ref", "_refine_ls_wR_factor_ref", "", "wR2 of all data, as the file states"),
    ("goof", "_refine_ls_goodness_of_fit_ref", "", "Goodness of fit, 1 with right weights and model"),
    ("shift_su_max", "_refine_ls_shift/su_max", "", "Largest last shift in s.u.; converged below 0.01"),
    ("residual_max", "_refine_diff_density_max", _OF_DENSITY, "Highest residual density"),
    ("residual_min", "_refine_diff_density_min", _OF_DENSITY, "Deepest residual density"),
    ("flack", "_refine_ls_abs_structure_Flack", "", "Flack parameter: 0 right, 1 inverted"),
)
NAMES = (
    *(entry[0] for table in (_FROM_DATA, _FROM_WILSON, _FROM_CIF) for entry in table),
    "data_to_parameter_ratio",
)


def quality_indicators(block: Block, *, shells: int = 10) -> Quality:
    """Every indicator of `NAMES`, from the reflections and the statements of a block.

    Raises MissingItemsError only when the cell is missing while there are reflections.
    """
    notes: list[str] = []
    statistics, why_not, source = _merge(block, shells, notes)
    statement = "" if statistics else why_not
    indicators = [
        Indicator(name, take(statistics) if statistics else None, unit, meaning, statement)
        for name, unit, meaning, take in _FROM_DATA
    ]
    plot, why_no_plot = _wilson(block, statistics, why_not)
    indicators += [
        Indicator(name, take(plot) if plot else None, unit, meaning, "" if plot else why_no_plot)
        for name, unit, meaning, take in _FROM_WILSON
    ]
    for name, tag, unit, meaning in _FROM_CIF:
        number = block.number(tag)
        unit = density_unit_of(block) if unit == _OF_DENSITY else unit
        remark = "" if number else f"{tag} is not given."
        if number and name == "shift_su_max" and without_cycles(block):
            remark = "Not refined (0 cycles): what a cycle would shift."
        indicators.append(Indicator(name, None if number is None else number.value, unit, meaning, remark))
    indicators.append(_data_to_parameters(block))
    table = [asdict(shell) for shell in statistics.shells] if statistics else []
    return Quality(block.name, source, indicators, table, notes)


def _merge(block: Block, shells: int, notes: list[str]) -> tuple[MergingStatistics | None, str, str]:
    try:
        reflections: Reflections = find_reflections(block)
    except QcError as error:
        return None, error.message, ""
    cell = read_cell(block)
    group: SpaceGroup = read_space_group(block, cell)
    notes += [*reflections.notes, *group.contradictions, *group.notes]
    try:
        statistics = merging_statistics(reflections, cell, group, shells=shells)
    except QcError as error:
        return None, error.message, reflections.source
    notes += statistics.notes
    return statistics, "", reflections.source


def _wilson(block: Block, statistics: MergingStatistics | None, why_not: str) -> tuple[Wilson | None, str]:
    if statistics is None:
        return None, why_not
    probe = read_radiation(block).probe
    if probe in (NEUTRON, ELECTRON):
        return None, f"The expectation is that of X-rays; these are {probe} data."
    counts = parse_formula(block.text("_chemical_formula_sum") or "")
    z = block.number("_cell_formula_units_Z")
    if not counts or z is None:
        return None, "The sum formula and Z are needed, and are not both given."
    cell = read_cell(block)
    content = {element: count * z.value for element, count in counts.items()}
    try:
        return wilson(statistics.merged, cell, read_space_group(block, cell), content), ""
    except QcError as error:
        return None, error.message


def _data_to_parameters(block: Block) -> Indicator:
    meaning = "Unique reflections for each refined parameter; below 8 the model is little determined"
    data, parameters = block.number("_refine_ls_number_reflns"), block.number("_refine_ls_number_parameters")
    if data is None or parameters is None or not np.isfinite(parameters.value) or parameters.value <= 0:
        return Indicator(
            "data_to_parameter_ratio",
            None,
            "",
            meaning,
            "The numbers of data and parameters are not both given.",
        )
    return Indicator("data_to_parameter_ratio", data.value / parameters.value, "", meaning)
