"""A triangulated surface around a molecule with properties on its vertices."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError

Array = NDArray[np.float64]
# Fixed, so that two surfaces can be compared; printed beside every picture. McKinnon, Jayatilaka & Spackman (2007).
RANGES = {
    "dnorm": (-0.5, 1.5, ""),
    "di": (0.7, 2.6, "Å"),
    "de": (0.7, 2.6, "Å"),
    "shape_index": (-1.0, 1.0, ""),
    "curvedness": (-4.0, 0.4, ""),
}


@dataclass(frozen=True)
class Surface:
    """vertices (n, 3) in Å on the crystal's Cartesian axes, faces (m, 3), properties name → (n,)."""

    vertices: Array
    faces: NDArray[np.int64]
    properties: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | bytes) -> Surface:
        """From {"vertices": […], "faces": […], "dnorm": […], "di": […], "de": […]}; flat lists are folded by threes."""
        try:
            payload = json.loads(text)
            vertices = np.asarray(payload["vertices"], dtype=float).reshape(-1, 3)
            faces = np.asarray(payload["faces"], dtype=np.int64).reshape(-1, 3)
            per_vertex = {
                name: np.asarray(values, dtype=float)
                for name, values in payload.items()
                if name not in ("vertices", "faces")
                and isinstance(values, list)
                and len(values) == len(vertices)
            }
        except (KeyError, ValueError, TypeError) as error:
            raise UserInputError(
                "This is not a surface: vertices and faces are needed.", why=str(error)
            ) from None
        if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise UserInputError("This surface names vertices that it has not got.")
        return cls(vertices, faces, per_vertex)

    @property
    def face_areas(self) -> Array:
        """(m,) Å²."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2

    @property
    def area(self) -> float:
        """Area in Å²."""
        return float(self.face_areas.sum())

    @property
    def volume(self) -> float:
        """Å³ inside the closed surface (divergence theorem)."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return abs(float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6)

    def values_of(self, name: str) -> Array:
        """(n,) values of a property. Raises UserInputError naming the properties there are."""
        if name not in self.properties:
            raise UserInputError(
                f"The surface has no property {name!r}.",
                next=f"It has: {', '.join(self.properties) or 'none'}.",
            )
        return self.properties[name]

    def scale_of(self, name: str) -> tuple[float, float, str]:
        """Lower end, upper end and unit of the colours of a property."""
        values = self.values_of(name)
        if name in RANGES:
            return RANGES[name]
        low, high = np.percentile(values, (1, 99)).tolist() if len(values) else (0.0, 1.0)
        return (low, high, "") if low < high else (low - 0.5, low + 0.5, "")

    def __repr__(self) -> str:
        return (
            f"<Surface: {len(self.vertices)} vertices, {self.area:.1f} Å², {self.volume:.1f} Å³; "
            f"{', '.join(self.properties) or 'no properties'}>"
        )
