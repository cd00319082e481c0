"""Gaussian cube files: values on a grid in space, such as orbitals and densities of quantum chemistry programs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.grid_values import GridValues
from qcrbox.analysis.density.maps import Box
from qcrbox.contract.errors import UserInputError
from qcrbox.language import minus

Array = NDArray[np.float64]
BOHR = 0.529177210903  # Å
_MOST_POINTS = 50_000_000


@dataclass(frozen=True)
class Cube(GridValues):
    """`values` (nx, ny, nz) in the file's own unit; `origin` (3,) and `steps` (3, 3) rows, Å; atoms as in the file.

    A cube file does not state its unit; it is e/bohr³ for a density. `per_cubic_angstrom()` converts that.
    orbital: the values are the amplitudes of an orbital, as the number of atoms below 0 says.
    """

    values: Array
    origin: Array
    steps: Array
    numbers: NDArray[np.int64]
    places: Array
    title: str = ""
    kind: str = "cube"
    orbital: bool = False

    @property
    def unit(self) -> str:
        """Of the values, as far as it is known."""
        return {"orbital": "bohr⁻³ᐟ²", "density": "e Å⁻³"}.get(self.kind, "")

    @property
    def integral(self) -> float:
        """Sum of the values times the volume of a point, in Å³."""
        return float(self.values.sum() * abs(np.linalg.det(self.steps)))

    def per_cubic_angstrom(self) -> Cube:
        """The same, from e/bohr³ to e/Å³; as it is where that was done before.

        Raises UserInputError for an orbital, which is no density.
        """
        if self.kind == "density":
            return self
        if self.orbital:
            raise UserInputError(
                "This cube holds an orbital, and amplitudes are no density.",
                why="Its number of atoms is negative, as Gaussian writes orbitals.",
                next="Draw it as it is: view.show_density(cube.to_draw()).",
            )
        return Cube(
            self.values / BOHR**3, self.origin, self.steps, self.numbers, self.places, self.title, "density"
        )

    def to_draw(self) -> Cube:
        """A density from e/bohr³ to e/Å³; an orbital as it is, of kind "orbital"."""
        return replace(self, kind="orbital") if self.orbital else self.per_cubic_angstrom()

    def at_cartesian(self, places: Array) -> Array:
        """Values at places (n, 3) in Å, interpolated linearly; 0 outside the grid."""
        place = (np.asarray(places, dtype=float) - self.origin) @ np.linalg.inv(self.steps)
        most = np.array(self.values.shape) - 1
        inside = ((place >= 0) & (place <= most)).all(axis=1)
        low = np.clip(np.floor(place).astype(int), 0, np.maximum(most - 1, 0))
        share = place - low
        total = np.zeros(len(place))
        for corner in np.ndindex(2, 2, 2):
            index = np.minimum(low + corner, most)
            weight = np.prod(np.where(np.array(corner) == 1, share, 1 - share), axis=1)
            total += weight * self.values[tuple(index.T)]
        return np.where(inside, total, 0.0)

    @property
    def box(self) -> Box:
        """As the structure view draws it."""
        return Box(self.values.astype(np.float32), self.origin, self.steps)

    def __repr__(self) -> str:
        nx, ny, nz = self.values.shape
        return (
            f"<Cube {self.title!r}: {minus(f'{self.maximum:+.3g} … {self.minimum:+.3g}')}, σ {self.sigma:.3g}, "
            f"grid {nx} × {ny} × {nz}, {len(self.numbers)} atoms>"
        )


def read_cube(source: str | Path | bytes) -> Cube:
    """A cube file by path, or its bytes. Raises UserInputError when it is none, is cut short or holds several grids."""
    raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    lines = raw.decode("utf-8", errors="replace").splitlines()
    try:
        return _parsed(lines)
    except (ValueError, IndexError) as error:
        raise UserInputError("This is not a readable cube file.", why=str(error)) from None


def _parsed(lines: list[str]) -> Cube:
    head = lines[2].split()
    atoms = int(head[0])
    if len(head) > 4 and int(head[4]) != 1:
        raise UserInputError(f"The cube holds {head[4]} values per point; one can be shown.")
    shape, origin, steps, unit = _grid(head, [line.split() for line in lines[3:6]])
    begin = 6 + abs(atoms)
    rows = [line.split() for line in lines[6:begin]]
    if atoms < 0:  # a line that names the orbitals
        orbitals = lines[begin].split()
        if int(orbitals[0]) != 1:
            raise UserInputError(f"The cube holds {orbitals[0]} orbitals; write one file for each.")
        begin += 1
    return Cube(
        _values(lines[begin:], shape),
        unit * origin,
        unit * steps,
        np.array([int(row[0]) for row in rows], dtype=np.int64),
        unit * np.array([row[2:5] for row in rows], dtype=float).reshape(-1, 3),
        " – ".join(line.strip() for line in lines[:2] if line.strip()),
        orbital=atoms < 0,
    )


def _grid(head: list[str], grid: list[list[str]]) -> tuple[tuple[int, ...], Array, Array, float]:
    """Numbers of points, origin (3,) and steps (3, 3) in the unit of the file, and that unit in Å."""
    counts = [int(row[0]) for row in grid]
    # A negative number of points means lengths in Å (manual of Gaussian).
    if len({n < 0 for n in counts}) > 1:
        raise ValueError("its numbers of points have different signs, so the unit of length is not certain")
    origin = np.array(head[1:4], dtype=float)
    steps = np.array([row[1:4] for row in grid], dtype=float)
    if origin.shape != (3,) or steps.shape != (3, 3):
        raise ValueError("its origin and its three steps need three numbers each")
    lengths = np.linalg.norm(steps, axis=1)
    if not lengths.all() or abs(np.linalg.det(steps)) < 1e-12 * np.prod(lengths):
        raise ValueError("its three steps do not span a space")
    shape = tuple(abs(n) for n in counts)
    if not 0 < np.prod(shape, dtype=float) <= _MOST_POINTS:
        raise UserInputError(f"A grid of {' × '.join(map(str, shape))} points cannot be shown.")
    return shape, origin, steps, 1.0 if counts[0] < 0 else BOHR


def _values(lines: list[str], shape: tuple[int, ...]) -> Array:
    values = np.array(" ".join(lines).replace("D", "E").split(), dtype=float)
    if len(values) != np.prod(shape):
        raise ValueError(f"{len(values):,} values for {int(np.prod(shape)):,} points")
    if not np.isfinite(values).all():
        raise ValueError("some values are not numbers")
    return values.reshape(shape)
