"""Cube files made for tests."""

from __future__ import annotations

import numpy as np
from qcrbox.analysis.density.cube import BOHR

STEP = 0.2  # bohr


def hydrogen_cube(count: int = 60, *, angstrom: bool = False, orbital: bool = False) -> str:
    """The exact density of a hydrogen atom in the middle of a grid, in e/bohr³."""
    scale = BOHR if angstrom else 1.0
    half = STEP * (count - 1) / 2
    axis = STEP * np.arange(count) - half
    r = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1), axis=-1)
    values = np.exp(-2 * r) / np.pi
    lines = ["hydrogen", "density", f"{-1 if orbital else 1} {-half * scale} {-half * scale} {-half * scale}"]
    for row in np.eye(3) * STEP * scale:
        lines.append(f"{-count if angstrom else count} {row[0]} {row[1]} {row[2]}")
    lines.append("1 1.0 0.0 0.0 0.0")
    if orbital:
        lines.append("1 1")
    lines += [" ".join(f"{value:.5E}" for value in line) for line in values.reshape(-1, 6)]
    return "\n".join(lines)
