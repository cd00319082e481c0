"""Measurements in a picture: values with s.u. and their description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcrbox.crystallography.structure import geometry as measures

if TYPE_CHECKING:
    from qcrbox.widgets.structure_view.scene import Scene


@dataclass(frozen=True)
class Measurement:
    """A distance, angle, torsion or plane: description, value with s.u., unit, details."""

    kind: str
    atoms: tuple[int, ...]
    text: str
    unit: str
    details: str = ""

    @property
    def sentence(self) -> str:
        """The measurement as one sentence."""
        return f"{self.kind} {self.value}" + (f": {self.details}" if self.details else "")

    @property
    def value(self) -> str:
        """The value with its s.u. and unit."""
        # A degree sign stands close to its number, a unit a space away.
        return f"{self.text}{self.unit}" if self.unit == "°" else f"{self.text} {self.unit}"


def plane_of(scene: Scene, rows: list[int], other: list[int]) -> Measurement | None:
    """The plane of `rows` (three or more different atoms); with `other`, its angle to that plane first.

    None where the atoms lie on a line; such an `other` has no angle to anything.
    """
    places = scene.atoms.cartesian
    if len(set(rows)) != len(rows) or not measures.span_a_plane(places[rows]):
        return None
    images = [scene.image(row) for row in rows]
    rms = measures.least_squares_plane(places[rows]).rms
    apart = []
    # Three atoms lie in their plane, whatever they do.
    for place, row in enumerate(rows if len(rows) > 3 else []):
        number = measures.measure(scene.structure.images, measures.plane_deviation(place), images).numbers()[
            0
        ]
        apart.append(f"{scene.labels[row]} {number} Å".replace("-", "−"))
    details = ", ".join(apart)
    if measures.span_a_plane(places[other]):
        both = [*images, *(scene.image(row) for row in other)]
        angle = measures.measure(scene.structure.images, measures.plane_angle(len(rows)), both).numbers()[0]
        sentence = f"r.m.s. deviation {rms:.3f} Å" + (f", {details}" if details else "")
        return Measurement("angle to the plane before", tuple(rows), str(angle), "°", sentence)
    return Measurement("plane, r.m.s. deviation", tuple(rows), f"{rms:.3f}", "Å", details)
