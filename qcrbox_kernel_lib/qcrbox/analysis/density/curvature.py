"""Curvature of a triangulated surface: shape index and curvedness.

Koenderink, Solid Shape (1990); on Hirshfeld surfaces McKinnon, Spackman & Mitchell, Acta Cryst. B60 (2004) 627.
A paraboloid is fitted to the neighbourhood of each vertex; its second derivatives are the curvatures there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
_RINGS = 2  # neighbours of neighbours: one ring would measure the noise of the vertices
_FLATTEST = 1e-6  # Å⁻¹; what is flatter has no logarithm worth giving


def curvature(vertices: Array, faces: Indices) -> tuple[Array, Array]:
    """Principal curvatures (n,), (n,) in Å⁻¹, the larger first; a sphere of radius r has 1/r and 1/r.

    vertices (n, 3) in Å, faces (m, 3) anticlockwise seen from outside. Bumps are positive, hollows negative.
    """
    normals = vertex_normals(vertices, faces)
    across, along = _tangents(normals)
    centre, other = _neighbourhoods(faces, len(vertices))
    away = vertices[other] - vertices[centre]
    u = np.einsum("ij,ij->i", away, across[centre])
    v = np.einsum("ij,ij->i", away, along[centre])
    height = -np.einsum("ij,ij->i", away, normals[centre])
    terms = np.stack([u, v, u * u / 2, u * v, v * v / 2], axis=1)
    products = np.zeros((len(vertices), 5, 5))
    right = np.zeros((len(vertices), 5))
    np.add.at(products, centre, terms[:, :, None] * terms[:, None, :])
    np.add.at(right, centre, terms * height[:, None])
    # A vertex with too few neighbours would have no solution.
    products += 1e-12 * np.eye(5)
    slope_u, slope_v, a, b, c = np.linalg.solve(products, right[:, :, None])[..., 0].T
    return _principal(slope_u, slope_v, a, b, c)


def _principal(p: Array, q: Array, a: Array, b: Array, c: Array) -> tuple[Array, Array]:
    """Of the graph z(u, v) with slopes p, q and second derivatives a, b, c: do Carmo (1976), section 3.3."""
    square = 1 + p * p + q * q
    gauss = (a * c - b * b) / square**2
    mean = ((1 + q * q) * a - 2 * p * q * b + (1 + p * p) * c) / (2 * square**1.5)
    apart = np.sqrt(np.maximum(mean**2 - gauss, 0))
    return mean + apart, mean - apart


def shape_index(first: Array, second: Array) -> Array:
    """2/π arctan((κ1 + κ2) / (κ1 − κ2)): −1 a hollow, 0 a saddle, 1 a bump."""
    return 2 / np.pi * np.arctan2(first + second, np.abs(first - second))


def curvedness(first: Array, second: Array) -> Array:
    """2/π ln √((κ1² + κ2²)/2): low where it is flat, high at edges."""
    size = np.sqrt((first**2 + second**2) / 2)
    return 2 / np.pi * np.log(np.maximum(size, _FLATTEST))


def vertex_normals(vertices: Array, faces: Indices) -> Array:
    """(n, 3) unit vectors outwards, weighted by the areas of the triangles."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(total, faces[:, k], across)
    return total / np.maximum(np.linalg.norm(total, axis=1), 1e-12)[:, None]


def _tangents(normals: Array) -> tuple[Array, Array]:
    """Two unit vectors (n, 3) each, at right angles to the normals and to each other."""
    least = np.argmin(np.abs(normals), axis=1)
    across = np.cross(normals, np.eye(3)[least])
    across /= np.linalg.norm(across, axis=1)[:, None]
    return across, np.cross(normals, across)


def _neighbourhoods(faces: Indices, count: int) -> tuple[Indices, Indices]:
    """Pairs (centre, other) of vertices at most `_RINGS` edges apart, a vertex and itself left out."""
    edges = np.concatenate([faces[:, [i, j]] for i in range(3) for j in range(3) if i != j])
    first = np.unique(edges[:, 0] * count + edges[:, 1])
    pairs = first
    for _ in range(_RINGS - 1):
        pairs = np.union1d(pairs, _one_more(pairs, first, count))
    centre, other = np.divmod(pairs, count)
    apart = centre != other
    return centre[apart], other[apart]


def _one_more(pairs: Indices, edges: Indices, count: int) -> Indices:
    start = np.searchsorted(edges // count, np.arange(count + 1))
    centre, other = np.divmod(pairs, count)
    sizes = start[other + 1] - start[other]
    offset = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    reached = edges[np.repeat(start[other], sizes) + offset] % count
    return np.unique(np.repeat(centre, sizes) * count + reached)
