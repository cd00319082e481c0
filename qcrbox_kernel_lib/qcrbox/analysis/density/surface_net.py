"""A closed mesh where values on a grid change their sign (naive surface nets, Gibson 1998).

One vertex in each cube of the grid that the surface crosses, in the mean of the crossings of its edges; one
quadrilateral for each edge of the grid that is crossed. It has no ambiguous cases and every edge has two faces.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def surface_net(values: Array) -> tuple[Array, NDArray[np.int64]]:
    """Vertices (n, 3) in units of the grid and triangles (m, 3) where `values` (nx, ny, nz) is 0.

    Triangles run anticlockwise when seen from where the values are negative. The surface is open where it
    leaves the grid.
    """
    inside = values > 0
    cubes = tuple(size - 1 for size in values.shape)
    sums, counts = np.zeros((*cubes, 3)), np.zeros(cubes)
    for axis, (j, k) in itertools.product(range(3), itertools.product((0, 1), (0, 1))):
        _cross(values, inside, axis, (j, k), sums, counts)
    crossed = counts > 0
    number = np.full(cubes, -1, dtype=np.int64)
    number[crossed] = np.arange(int(crossed.sum()))
    vertices = sums[crossed] / counts[crossed][:, None] + np.argwhere(crossed)
    return vertices, np.concatenate([_faces(inside, axis, number) for axis in range(3)])


def _cross(
    values: Array, inside: NDArray[np.bool_], axis: int, at: tuple[int, int], sums: Array, counts: Array
) -> None:
    """Add where one of the four edges along `axis` is crossed, for every cube."""
    others = [other for other in range(3) if other != axis]
    low = [slice(None, -1)] * 3
    for other, offset in zip(others, at, strict=True):
        low[other] = slice(offset, values.shape[other] - 1 + offset)
    high = list(low)
    high[axis] = slice(1, None)
    first, second = values[tuple(low)], values[tuple(high)]
    crossed = inside[tuple(low)] != inside[tuple(high)]
    counts += crossed
    share = first[crossed] / (first[crossed] - second[crossed])
    sums[..., axis][crossed] += share
    for other, offset in zip(others, at, strict=True):
        sums[..., other][crossed] += offset


def _faces(inside: NDArray[np.bool_], axis: int, number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two triangles around every crossed edge of the grid along `axis` that has four cubes around it."""
    # Cyclic order keeps the sense of rotation the same for the three axes.
    j, k = (axis + 1) % 3, (axis + 2) % 3
    low: list[slice] = [slice(None)] * 3
    low[axis], low[j], low[k] = slice(None, -1), slice(1, -1), slice(1, -1)
    high = list(low)
    high[axis] = slice(1, None)
    leaving = inside[tuple(low)] & ~inside[tuple(high)]
    entering = ~inside[tuple(low)] & inside[tuple(high)]
    found = []
    for mask, order in ((leaving, (0, 1, 2, 3)), (entering, (3, 2, 1, 0))):
        edge = np.argwhere(mask)
        edge[:, j] += 1
        edge[:, k] += 1
        corners = []
        for dj, dk in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            cube = edge.copy()
            cube[:, j] += dj
            cube[:, k] += dk
            corners.append(number[tuple(cube.T)])
        a, b, c, d = (corners[index] for index in order)
        found += [np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]
    return np.concatenate(found)


def subdivided(
    vertices: Array, faces: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Each triangle as four, with new vertices in the middles of its edges.

    vertices (n, 3), faces (m, 3). Returns vertices (n + k, 3), the old ones first, faces (4 m, 3) with the same
    sense of rotation, and the ends (k, 2) of the edges in whose middles the new vertices lie.
    """
    sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, number = np.unique(sides, axis=0, return_inverse=True)
    ab, bc, ca = (number.reshape(-1, 3) + len(vertices)).T
    a, b, c = faces.T
    corners = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    finer = np.concatenate([np.stack(corner, axis=1) for corner in corners])
    return np.concatenate([vertices, vertices[edges].mean(axis=1)]), finer, edges
