"""Bases of parameters: what site symmetry, shared sites, fixed values and free variables leave free."""

from __future__ import annotations

import numpy as np
from scitbx.array_family import flex

from qcrbox_refine.parameter_blocks import Tie


def restricted(basis: np.ndarray, held: list[int], ties: list[Tie]) -> tuple[np.ndarray, np.ndarray]:
    """A basis that leaves components `held` in place, and what each tie does to the components.

    basis: (components, k), from site symmetry. Solved by the pseudo-inverse, so that held and tied components agree
    with the symmetry as far as they can.
    """
    rows = [*held, *(tie.component for tie in ties)]
    if not rows:
        return basis, np.zeros((len(basis), 0))
    conditions = basis[rows]
    inverse = np.linalg.pinv(conditions)
    tie_basis = basis @ inverse[:, len(held) :] * [tie.factor for tie in ties]
    untouched = [k for k in range(basis.shape[1]) if not np.abs(conditions[:, k]).any()]
    _, values, vectors = np.linalg.svd(conditions)
    rank = int((values > 1e-9).sum())
    if len(untouched) == basis.shape[1] - rank:
        return basis[:, untouched], tie_basis
    return basis @ vectors[rank:].T, tie_basis


def common_basis(bases: list[np.ndarray]) -> np.ndarray:
    """A basis of what all of these allow; the first one where they are equal."""
    basis = bases[0]
    for other in bases[1:]:
        if basis.shape == other.shape and np.allclose(basis, other):
            continue
        projection = other @ np.linalg.pinv(other)
        outside = (np.eye(len(basis)) - projection) @ basis
        _, values, vectors = np.linalg.svd(outside)
        rank = int((values > 1e-9).sum())
        basis = basis @ vectors[rank:].T
    return basis


def basis_of(matrix: flex.double, components: int) -> np.ndarray:
    """A gradient-sum matrix of cctbx (independent, components) as a basis (components, independent)."""
    return np.array(matrix).reshape(-1, components).T
