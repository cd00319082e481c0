"""Equivalent reflections become one, as SHELXL merges them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from cctbx import miller
from cctbx.array_family import flex

from qcrbox_refine.indices import to_array


@dataclass
class Merged:
    """array: unique intensities; redundancies (n,); batches (n,) or None; r_int: None without equivalents.

    rows: set when nothing was merged, and then the measured rows are the observations.
    """

    array: miller.array
    redundancies: np.ndarray
    r_int: float | None
    batches: np.ndarray | None = None
    rows: int | None = None


def merge(measured: miller.array, merg: int | None, batches: np.ndarray | None = None) -> Merged:
    """merg: n of MERG. 0 and 1 merge nothing, 2 (None too) merges equivalents, 3 and 4 Friedel mates as well.

    batches: (n,) numbers of batches with scale factors of their own, which are merged each for itself.
    """
    if merg in (0, 1):
        return Merged(measured, np.ones(measured.size(), int), None, batches, measured.size())
    if merg is not None and merg >= 3 and measured.anomalous_flag():
        measured = measured.as_non_anomalous_array()
    if batches is None:
        return _merge_one(measured)
    parts = [
        (number, _merge_one(measured.select(flex.bool(batches == number)))) for number in np.unique(batches)
    ]
    array = parts[0][1].array
    for _, part in parts[1:]:
        array = array.concatenate(part.array, assert_is_similar_symmetry=False)
    numbers = np.concatenate([np.full(part.array.size(), number) for number, part in parts])
    return Merged(
        array,
        np.concatenate([part.redundancies for _, part in parts]),
        _r_int_of(measured, parts, batches),
        numbers,
    )


def _r_int_of(measured: miller.array, parts: list[tuple[int, Merged]], batches: np.ndarray) -> float | None:
    """Σ|Fo² - <Fo²>| / Σ Fo² over the reflections with equivalents of all batches, each batch with its own means."""
    above = below = 0.0
    for number, part in parts:
        if part.r_int is not None:
            repeated = _sum_of_repeated(measured.select(flex.bool(batches == number)))
            above, below = above + part.r_int * repeated, below + repeated
    return above / below if below > 0 else None


def _sum_of_repeated(measured: miller.array) -> float:
    """Σ Fo² of the reflections that have equivalents: the denominator of R(int)."""
    keys = to_array(measured.map_to_asu().indices())
    _, group, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return float(measured.data().as_numpy_array()[counts[group.reshape(-1)] > 1].sum())


def _merge_one(measured: miller.array) -> Merged:
    """Weights Fo²/σ (3/σ below 3σ), and the larger of the two estimates of σ: SHELXL's way."""
    found = measured.merge_equivalents(algorithm="shelx")
    array = found.array()
    return Merged(
        array,
        found.redundancies().data().as_numpy_array(),
        found.r_int() if measured.size() > array.size() else None,
    )


def independent_of_mates(unique: miller.array) -> int:
    """Observations when Friedel mates count once: of each pair of mates the more numerous side.

    For merged data this is the number of reflections unique in the Laue group, which SHELXL's s.u. refer to.
    """
    if not unique.anomalous_flag():
        return unique.size()
    own = to_array(unique.set().map_to_asu().indices())
    laue = to_array(unique.set().as_non_anomalous_set().map_to_asu().indices())
    both, counts = np.unique(np.hstack([laue, own]), axis=0, return_counts=True)
    _, group = np.unique(both[:, :3], axis=0, return_inverse=True)
    largest = np.zeros(group.max(initial=-1) + 1, int)
    np.maximum.at(largest, group.reshape(-1), counts)
    return int(largest.sum())
