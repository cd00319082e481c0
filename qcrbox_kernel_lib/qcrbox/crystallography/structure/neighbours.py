"""Pairs of points within a distance, by a grid of cubic bins: linear in the number of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def pairs_within(first: Array, second: Array, cutoff: float) -> tuple[Indices, Indices, Array]:
    """Indices i, j and distances of all pairs first[i], second[j] not farther apart than `cutoff`.

    first (n, 3) and second (m, 3) in Å. A point is paired with itself when it is in both.
    """
    if not len(first) or not len(second):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    origin = np.minimum(first.min(axis=0), second.min(axis=0)) - cutoff
    extent = np.maximum(first.max(axis=0), second.max(axis=0)) + cutoff - origin
    counts = np.floor(extent / cutoff).astype(np.int64) + 2
    place = np.floor((second - origin) / cutoff).astype(np.int64)
    number = _bin_number(place, counts)
    order = np.argsort(number, kind="stable")
    ordered = number[order]
    home = np.floor((first - origin) / cutoff).astype(np.int64)
    found_i, found_j, found_d = [], [], []
    # Three bins along the last axis are neighbours in the numbering, so nine stretches cover all 27.
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            low = home + np.array([dx, dy, -1])
            start = np.searchsorted(ordered, _bin_number(low, counts), "left")
            stop = np.searchsorted(ordered, _bin_number(low + np.array([0, 0, 2]), counts), "right")
            i, position = _expand(start, stop)
            j = order[position]
            distance = np.linalg.norm(first[i] - second[j], axis=1)
            near = distance <= cutoff
            found_i.append(i[near])
            found_j.append(j[near])
            found_d.append(distance[near])
    return np.concatenate(found_i), np.concatenate(found_j), np.concatenate(found_d)


def _bin_number(place: Indices, counts: Indices) -> Indices:
    return (place[:, 0] * counts[1] + place[:, 1]) * counts[2] + place[:, 2]


def _expand(start: Indices, stop: Indices) -> tuple[Indices, Indices]:
    """Owners and positions of the stretches start[i] ... stop[i] - 1, one after the other."""
    lengths = np.maximum(stop - start, 0)
    owner = np.repeat(np.arange(len(start)), lengths)
    offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return owner, np.repeat(start, lengths) + offset
