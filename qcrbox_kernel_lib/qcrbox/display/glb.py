"""An ORTEP picture as a binary glTF file (.glb), for 3D programs, slides and printing.

One sphere and one cylinder are stored once; every atom and bond is a node that stretches and turns them, so the
file stays small. Lengths are in Å.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qcrbox.crystallography.structure.adps import probability_scale
from qcrbox.crystallography.structure.atoms import Atoms

Array = NDArray[np.float64]
HYDROGEN_RADIUS = 0.12  # Å; hydrogen is drawn as a sphere of fixed size
BOND_RADIUS = 0.06
_NPD_SIDE = 0.3
# Colours of the usual convention, linear RGB; other elements are brown.
_COLOURS = {
    "H": (0.9, 0.9, 0.9),
    "D": (0.85, 0.9, 0.95),
    "C": (0.15, 0.15, 0.15),
    "N": (0.03, 0.08, 0.7),
    "O": (0.75, 0.01, 0.01),
    "F": (0.3, 0.75, 0.1),
    "Cl": (0.1, 0.65, 0.1),
    "Br": (0.35, 0.03, 0.02),
    "I": (0.2, 0.0, 0.3),
    "S": (0.8, 0.6, 0.02),
    "P": (0.8, 0.25, 0.0),
}
_OTHER = (0.4, 0.2, 0.1)
_BOND = (0.55, 0.55, 0.55)
_NPD = (0.9, 0.0, 0.0)


def ortep_glb(atoms: Atoms, probability: float = 0.5, name: str = "structure") -> bytes:
    """A scene of displacement ellipsoids that hold `probability` of the density, and bonds, as .glb bytes.

    Tensors that are not positive definite are red cubes; atoms without displacement parameters and hydrogen
    are small spheres. Raises ValueError unless 0 < probability < 1.
    """
    scale = probability_scale(probability)
    builder = _Builder(name)
    axes = atoms.principal_axes()
    for row in range(len(atoms)):
        element = atoms.element[row]
        label = f"{atoms.label[row]} {atoms.code[row]}".removesuffix(" .")
        if axes.npd[row]:
            builder.add(
                "cube", _NPD, np.eye(3) * _NPD_SIDE, atoms.cartesian[row], f"{label} not positive definite"
            )
            continue
        if element in ("H", "D") or not np.isfinite(axes.rms[row]).all():
            shape = np.eye(3) * HYDROGEN_RADIUS
        else:
            shape = (axes.axes[row] * (scale * axes.rms[row])[:, None]).T
        builder.add("sphere", _COLOURS.get(element, _OTHER), shape, atoms.cartesian[row], label)
    for first, second in atoms.bonds.tolist():
        start, end = atoms.cartesian[first], atoms.cartesian[second]
        builder.add(
            "cylinder",
            _BOND,
            _along(end - start),
            (start + end) / 2,
            f"{atoms.label[first]}-{atoms.label[second]}",
        )
    return builder.to_bytes()


def _along(direction: Array) -> Array:
    """Columns that turn a unit cylinder along z into a bond of this direction and length."""
    length = float(np.linalg.norm(direction))
    z = direction / length
    helper = np.array([1.0, 0, 0]) if abs(z[0]) < 0.9 else np.array([0, 1.0, 0])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x)
    return np.column_stack([x * BOND_RADIUS, np.cross(z, x) * BOND_RADIUS, z * length])


class _Builder:
    """Collects nodes; one mesh for each pair of shape and colour."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.binary = b""
        self._shapes: dict[str, dict[str, int]] = {}
        self._mesh_of: dict[tuple[str, tuple[float, float, float]], int] = {}

    def add(
        self, shape: str, colour: tuple[float, float, float], linear: Array, place: Array, name: str
    ) -> None:
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = linear, place
        # glTF stores matrices column by column.
        values = [round(float(value), 6) for value in matrix.T.ravel()]
        self.nodes.append({"name": name, "mesh": self._mesh(shape, colour), "matrix": values})

    def _mesh(self, shape: str, colour: tuple[float, float, float]) -> int:
        key = (shape, colour)
        if key not in self._mesh_of:
            self.materials.append(
                {
                    "pbrMetallicRoughness": {
                        "baseColorFactor": [*colour, 1.0],
                        "metallicFactor": 0.0,
                        "roughnessFactor": 0.5,
                    }
                }
            )
            geometry = self._geometry(shape)
            primitive = {
                "attributes": {"POSITION": geometry["POSITION"], "NORMAL": geometry["NORMAL"]},
                "indices": geometry["indices"],
                "material": len(self.materials) - 1,
            }
            self.meshes.append({"primitives": [primitive]})
            self._mesh_of[key] = len(self.meshes) - 1
        return self._mesh_of[key]

    def _geometry(self, shape: str) -> dict[str, int]:
        if shape not in self._shapes:
            points, normals, triangles = _SHAPES[shape]()
            self._shapes[shape] = {
                "POSITION": self._accessor(points.astype("<f4"), "VEC3", 34962, bounds=True),
                "NORMAL": self._accessor(normals.astype("<f4"), "VEC3", 34962),
                "indices": self._accessor(triangles.astype("<u2").ravel(), "SCALAR", 34963),
            }
        return self._shapes[shape]

    def _accessor(self, data: NDArray[Any], kind: str, target: int, bounds: bool = False) -> int:
        content = data.tobytes()
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content), "target": target}
        )
        self.binary += content + b"\0" * (-len(content) % 4)
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": 5126 if kind == "VEC3" else 5123,
            "count": len(data),
            "type": kind,
        }
        if bounds:
            accessor |= {"min": data.min(axis=0).tolist(), "max": data.max(axis=0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def to_bytes(self) -> bytes:
        root: dict[str, Any] = {"name": self.name}
        if self.nodes:
            root["children"] = list(range(len(self.nodes)))
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "QCrBox"},
            "scene": 0,
            "scenes": [{"nodes": [len(self.nodes)]}],
            "nodes": [*self.nodes, root],
        }
        if self.nodes:
            document |= {
                "meshes": self.meshes,
                "materials": self.materials,
                "accessors": self.accessors,
                "bufferViews": self.views,
                "buffers": [{"byteLength": len(self.binary)}],
            }
        text = json.dumps(document, separators=(",", ":")).encode()
        chunks = [(b"JSON", text + b" " * (-len(text) % 4))]
        if self.binary:
            chunks.append((b"BIN\0", self.binary))
        body = b"".join(struct.pack("<I", len(data)) + kind + data for kind, data in chunks)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


Shape = tuple[Array, Array, NDArray[np.int64]]


def _sphere(rings: int = 16, sectors: int = 24) -> Shape:
    theta = np.linspace(0, np.pi, rings + 1)[:, None]
    phi = np.linspace(0, 2 * np.pi, sectors + 1)[None, :]
    grid = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) * np.ones_like(phi)], axis=-1
    )
    points = grid.reshape(-1, 3)
    return points, points.copy(), _quads(rings, sectors)


def _cylinder(sectors: int = 16) -> Shape:
    """Open cylinder of radius 1 from z = -1/2 to 1/2; its ends are inside the atoms."""
    phi = np.linspace(0, 2 * np.pi, sectors + 1)
    round_ = np.column_stack([np.cos(phi), np.sin(phi), np.zeros_like(phi)])
    # Rows from top to bottom, so that the triangles face outwards as those of the sphere do.
    points = np.concatenate([round_ + np.array([0, 0, 0.5]), round_ - np.array([0, 0, 0.5])])
    return points, np.concatenate([round_, round_]), _quads(1, sectors)


def _quads(rows: int, columns: int) -> NDArray[np.int64]:
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    below = first + columns + 1
    return np.concatenate(
        [np.column_stack([first, below, first + 1]), np.column_stack([first + 1, below, below + 1])]
    )


def _cube() -> Shape:
    """Edge of length 1; every side has its own corners, for flat shading."""
    points: list[Array] = []
    normals: list[Array] = []
    triangles: list[tuple[int, ...]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            u, v = np.roll(normal, 1) * sign, np.roll(normal, 2)
            base = len(points)
            points += [0.5 * (normal + a * u + b * v) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            normals += [normal] * 4
            order = [(0, 1, 2), (0, 2, 3)]
            corner = np.cross(points[base + 1] - points[base], points[base + 2] - points[base])
            if corner @ normal < 0:
                order = [(0, 2, 1), (0, 3, 2)]
            triangles += [tuple(base + n for n in triangle) for triangle in order]
    return np.array(points), np.array(normals), np.array(triangles)


_SHAPES: dict[str, Callable[[], Shape]] = {"sphere": _sphere, "cylinder": _cylinder, "cube": _cube}
