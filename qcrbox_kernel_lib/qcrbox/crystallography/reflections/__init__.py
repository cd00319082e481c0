"""Reflections: reading, merging statistics, agreement with a model, Wilson statistics."""

from qcrbox.crystallography.reflections.agreement import Agreement, agreement, shelx_weights
from qcrbox.crystallography.reflections.data import Reflections, su_of_square
from qcrbox.crystallography.reflections.from_cif import (
    EXCLUDED,
    embedded_hkl_text,
    find_reflections,
    has_reflections,
    mixed_measurements,
    satellites,
)
from qcrbox.crystallography.reflections.hklf import read_hkl, write_hkl
from qcrbox.crystallography.reflections.merging import (
    Merged,
    MergingStatistics,
    Shell,
    centric,
    merging_statistics,
    systematically_absent,
    unique_reflections,
)
from qcrbox.crystallography.reflections.wilson import Wilson, wilson

__all__ = [
    "EXCLUDED",
    "Agreement",
    "Merged",
    "MergingStatistics",
    "Reflections",
    "Shell",
    "Wilson",
    "agreement",
    "centric",
    "embedded_hkl_text",
    "find_reflections",
    "has_reflections",
    "merging_statistics",
    "mixed_measurements",
    "read_hkl",
    "satellites",
    "shelx_weights",
    "su_of_square",
    "systematically_absent",
    "unique_reflections",
    "wilson",
    "write_hkl",
]
