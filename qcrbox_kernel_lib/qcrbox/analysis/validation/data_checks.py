"""Checks of the reflections, where the file holds them."""

from __future__ import annotations

from collections.abc import Iterator

from qcrbox.analysis.validation.alerts import Alert
from qcrbox.cif.document import Block
from qcrbox.crystallography.reflections import find_reflections, merging_statistics
from qcrbox.crystallography.structure.structure import Structure


def merging(block: Block, structure: Structure) -> Iterator[Alert]:
    """R(int), absences and completeness of the data. Raises QcError where there are none."""
    statistics = merging_statistics(find_reflections(block), structure.cell, structure.space_group)
    if statistics.r_int is not None and statistics.r_int > 0.12:
        level = "B" if statistics.r_int > 0.2 else "C"
        yield Alert("R_INT", level, 3, f"R(int) is {statistics.r_int:.3f}.", like="PLAT020")
    if statistics.absent_above_3_sigma:
        share = statistics.absent_above_3_sigma / max(statistics.absences, 1)
        if share > 0.1:
            yield Alert(
                "ABSENCES",
                "B",
                2,
                f"{statistics.absent_above_3_sigma} of {statistics.absences} systematically absent reflections are above 3σ.",
                advice="Check the space group.",
            )
    if statistics.completeness < 0.95:
        yield Alert(
            "DATA_COMPLETENESS",
            "C",
            3,
            f"The embedded data are {statistics.completeness:.1%} complete to {statistics.d_min:.2f} Å.",
            like="PLAT029",
        )
    if statistics.mean_i_over_sigma is not None and statistics.mean_i_over_sigma < 5:
        yield Alert(
            "WEAK_DATA", "C", 3, f"The mean I/σ(I) is {statistics.mean_i_over_sigma:.1f}.", like="PLAT026"
        )
