"""The structure as SVG, without a browser: the same scene, projected, sorted by depth and drawn as ORTEP would.

An ellipsoid with semi-axes as columns of M is outlined, seen along z, by the ellipse of the upper left 2x2
block of M Mᵀ. Its three principal ellipses are drawn on the half that faces the eye, one octant is cut out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qcrbox.markup import escape
from qcrbox.widgets.structure_view import palettes
from qcrbox.widgets.structure_view.scene import CUBE, ELLIPSOID, Scene

Array = NDArray[np.float64]

_BOND_RADIUS = 0.075  # Å
_RICH = 400  # atoms up to which principal ellipses are drawn
_PLAIN = 1200  # atoms up to which each is an ellipse with an outline; beyond, dots on thin bonds
_INK = "#222222"  # on the colours of atoms and bonds
_AXIS_COLOURS = {"a": "#b3261e", "b": "#1b7f3b", "c": "#1f4fb5"}


@dataclass(frozen=True)
class Paper:
    """Colours of the ground, of lines on it and of texts."""

    ground: str = "#ffffff"
    line: str = _INK
    text: str = "#111111"


LIGHT, DARK = Paper(), Paper("#1e1e1e", "#c8c8c8", "#eeeeee")


@dataclass(frozen=True)
class Camera:
    """Rotation (3, 3) from scene to screen (rows right, up, towards).

    across: Å from the left to the right edge of the picture, None = so that everything fits; shift: Å.
    """

    rotation: Array
    across: float | None = None
    shift: tuple[float, float] = (0.0, 0.0)


def svg(
    scene: Scene, camera: Camera | None = None, *, width: int = 760, height: int = 520, paper: Paper = LIGHT
) -> str:
    """The scene as an SVG document of the given size in px, with a title and description for readers."""
    camera = camera or Camera(scene.directions[scene.options.along])
    drawing = _Drawing(scene, camera, (width, height), paper)
    body = "".join(drawing.elements())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img"><title>{escape(scene.structure.formula or scene.structure.name or "Structure")}</title>'
        f'<desc>{escape(scene.summary())}</desc><rect width="100%" height="100%" fill="{paper.ground}"/>'
        f'<g stroke-linejoin="round" stroke-linecap="round">{body}</g></svg>'
    )


class _Drawing:
    def __init__(self, scene: Scene, camera: Camera, size: tuple[int, int], paper: Paper) -> None:
        self.scene, self.size, self.paper = scene, size, paper
        self.points = scene.positions @ camera.rotation.T
        self.matrices = camera.rotation @ scene.matrices
        self.rotation = camera.rotation
        self.pixels, self.shift = self._fit(*size)
        if camera.across:
            self.pixels, self.shift = size[0] / camera.across, camera.shift
        self.rich = len(scene) <= _RICH
        self.pies = {greater: (lesser, share) for greater, lesser, share in scene.shared}

    def _fit(self, width: int, height: int) -> tuple[float, tuple[float, float]]:
        """Pixels per Å and shift in Å so that everything shown just fits, in the middle."""
        points = self.points
        if self.scene.options.cell:
            points = np.vstack([points, self.scene.cell_edges.reshape(-1, 3) @ self.rotation.T])
        if not len(points):
            return 40.0, (0.0, 0.0)
        low, high = points[:, :2].min(axis=0) - 0.8, points[:, :2].max(axis=0) + 0.8
        pixels = min(width / (high - low)[0], height / (high - low)[1], 110.0)
        x, y = -(low + high) / 2
        return float(pixels), (float(x), float(y))

    def xy(self, points: Array) -> Array:
        """Screen coordinates in px of points (…, 3) in Å."""
        x = self.size[0] / 2 + (points[..., 0] + self.shift[0]) * self.pixels
        y = self.size[1] / 2 - (points[..., 1] + self.shift[1]) * self.pixels
        return np.stack([x, y], axis=-1)

    def elements(self) -> list[str]:
        items: list[tuple[float, str]] = []
        if self.scene.options.cell:
            items += self._cell()
        if len(self.scene) > _PLAIN:
            items.sort(key=lambda item: item[0])
            return [*(text for _, text in items), *self._dots(), *self._cell_names()]
        items += self._bonds()
        items += self._contacts()
        items += [(float(self.points[row, 2]), self._atom(row)) for row in range(len(self.scene))]
        items.sort(key=lambda item: item[0])
        return [*(text for _, text in items), *self._labels(), *self._cell_names()]

    # ------------------------------------------------------------ atoms

    def _atom(self, row: int) -> str:
        kind = self.scene.kinds[row]
        colour = self.scene.colours[row]
        if kind == CUBE:
            return self._cube(row)
        m = self.matrices[row]
        (x, y), outline = self.xy(self.points[row]), m[:2] @ m[:2].T
        values, vectors = np.linalg.eigh(outline)
        rx, ry = np.sqrt(np.maximum(values, 1e-8))[::-1] * self.pixels
        turn = -math.degrees(math.atan2(vectors[1, 1], vectors[0, 1]))
        hollow = bool(self.scene.hollow[row])
        fill = self.paper.ground if hollow else colour
        edge = self._on_ground(colour) if hollow else _INK
        dash = ' stroke-dasharray="3 2"' if hollow else ""
        body = (
            f'<ellipse cx="{x:.2f}" cy="{y:.2f}" rx="{rx:.2f}" ry="{ry:.2f}" transform="rotate({turn:.2f} {x:.2f} {y:.2f})" '
            f'fill="{fill}" stroke="{edge}" stroke-width="{1.1 if rx > 4 else 0.7}"{dash}/>'
        )
        if row in self.pies:
            lesser, share = self.pies[row]
            body += self._sector(row, m, share, self.scene.colours[lesser])
        if self.rich and kind == ELLIPSOID and self.scene.options.style != "plain":
            body += self._principal(row, m, edge, cut=self.scene.options.style == "octants" and not hollow)
        return f"<g><title>{escape(self.scene.labels[row])}</title>{body}</g>"

    def _on_ground(self, colour: str) -> str:
        """A shade of the colour that stands out from the ground."""
        return _lighter(colour) if self.paper == DARK else _darker(colour)

    def _sector(self, row: int, m: Array, share: float, colour: str) -> str:
        """The part of the outline that stands for the other atom of the site, clockwise from the top."""
        angles = 2 * math.pi * np.linspace(0, share, max(3, round(60 * share)))
        unit = np.stack([np.sin(angles), np.cos(angles)])
        outline = m[:2] @ m[:2].T + 1e-10 * np.eye(2)
        radius = 1 / np.sqrt(np.einsum("ik,ij,jk->k", unit, np.linalg.inv(outline), unit))
        edge = np.zeros((len(angles) + 1, 3))
        edge[1:, :2] = (unit * radius).T
        return f'<path d="{self._path(edge + self.points[row])}Z" fill="{colour}" stroke="{_INK}" stroke-width="0.7"/>'

    def _principal(self, row: int, m: Array, ink: str, *, cut: bool) -> str:
        centre = self.points[row]
        # Axes turned to the front half: the octant that is cut out is the one that faces the eye.
        front = m * np.where(m[2] < 0, -1.0, 1.0)
        parts = []
        if cut:
            outline = np.vstack([_arc(front, 0, 1), _arc(front, 1, 2), _arc(front, 2, 0)]) + centre
            parts.append(
                f'<path d="{self._path(outline)}Z" fill="#ffffff" fill-opacity="0.55" stroke="none"/>'
            )
            for i, j in ((0, 1), (1, 2), (2, 0)):
                for share in (0.25, 0.5, 0.75):
                    line = np.array([share * front[:, i], share * front[:, i]]) + centre
                    line[1] += math.sqrt(max(0.0, 1 - share**2)) * front[:, j]
                    parts.append(self._line(line, ink, 0.5))
            parts += [self._line(np.array([centre, centre + front[:, i]]), ink, 0.8) for i in range(3)]
        for i, j in ((0, 1), (1, 2), (2, 0)):
            turn = math.atan2(front[2, j], front[2, i])  # the half circle around the point nearest the eye
            angles = turn + np.linspace(-math.pi / 2, math.pi / 2, 25)
            ring = np.cos(angles)[:, None] * front[:, i] + np.sin(angles)[:, None] * front[:, j] + centre
            parts.append(f'<path d="{self._path(ring)}" fill="none" stroke="{ink}" stroke-width="0.9"/>')
        return "".join(parts)

    def _cube(self, row: int) -> str:
        half = float(self.scene.fixed_radius[row])
        faces = []
        for axis in range(3):
            for side in (-1.0, 1.0):
                normal = side * self.rotation[:, axis]
                if normal[2] <= 0:
                    continue
                u, v = self.rotation[:, (axis + 1) % 3] * half, self.rotation[:, (axis + 2) % 3] * half
                corners = np.array([u + v, u - v, -u - v, -u + v]) + normal * half + self.points[row]
                shade = "#d41414" if normal[2] > 0.7 else "#a80f0f"
                faces.append(
                    f'<path d="{self._path(corners)}Z" fill="{shade}" stroke="{_INK}" stroke-width="0.8"/>'
                )
        label = escape(self.scene.labels[row])
        return f"<g><title>{label}: displacement tensor not positive definite</title>{''.join(faces)}</g>"

    def _dots(self) -> list[str]:
        """Many atoms: one path for all bonds, a circle for each atom, back to front."""
        ends = self.xy(self.points[self.scene.bonds]).round(1)
        path = "".join(f"M{a} {b}L{c} {d}" for (a, b), (c, d) in ends.tolist())
        width = max(0.5, 2 * _BOND_RADIUS * self.pixels)
        texts = [f'<path d="{path}" fill="none" stroke="#9a9a9a" stroke-width="{width:.2f}"/>']
        places = self.xy(self.points).round(1)
        radii = (np.sqrt((self.matrices[:, :2] ** 2).sum(axis=2)).max(axis=1) * self.pixels).round(2)
        colours = self.scene.colours
        for row in np.argsort(self.points[:, 2]).tolist():
            x, y = places[row]
            texts.append(f'<circle cx="{x}" cy="{y}" r="{radii[row]}" fill="{colours[row]}"/>')
        return texts

    # ------------------------------------------------------------ bonds, contacts, cell

    def _bonds(self) -> list[tuple[float, str]]:
        if not len(self.scene.bonds):
            return []
        width = 2 * _BOND_RADIUS * self.pixels
        items = []
        colours, hollow = self.scene.colours, self.scene.hollow
        surface = self._surface_points()
        for number, (i, j) in enumerate(self.scene.bonds.tolist()):
            middle = (self.points[i] + self.points[j]) / 2
            thin = hollow[i] or hollow[j]
            for near, row in ((surface[number, 0], i), (surface[number, 1], j)):
                line = np.array([near, middle])
                edge, fill = (self.paper.line, self.paper.ground) if thin else (_INK, _lighter(colours[row]))
                text = self._line(line, edge, width + 1.2, cap="butt")
                text += self._line(line, fill, width, cap="butt")
                # From the surface on: towards the eye it lies over its atom, away from it, under.
                items.append((float(line[:, 2].mean()), text))
        return items

    def _surface_points(self) -> Array:
        """(m, 2, 3) where each bond leaves the ellipsoids at its ends, a little inside."""
        i, j = self.scene.bonds.T
        along = self.points[j] - self.points[i]
        unit = along / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
        ends = []
        for rows, direction in ((i, unit), (j, -unit)):
            m = self.matrices[rows]
            lengths2 = np.maximum((m**2).sum(axis=1), 1e-8)  # squared semi-axes
            shares = np.einsum("mki,mk->mi", m, direction) ** 2 / lengths2**2
            radius = 0.9 / np.sqrt(np.maximum(shares.sum(axis=1), 1e-8))
            radius = np.minimum(radius, 0.45 * np.linalg.norm(along, axis=1))
            ends.append(self.points[rows] + radius[:, None] * direction)
        return np.stack(ends, axis=1)

    def _contacts(self) -> list[tuple[float, str]]:
        items = []
        for i, j in self.scene.dashed_lines.tolist():
            line = np.array([self.points[i], self.points[j]])
            items.append((float(line[:, 2].mean()), self._line(line, "#3a6ea5", 1.4, dash="2 4")))
        return items

    def _cell(self) -> list[tuple[float, str]]:
        items = []
        for number, edge in enumerate(self.scene.cell_edges @ self.rotation.T):
            colour = list(_AXIS_COLOURS.values())[number] if number < 3 else "#777777"
            items.append((float(edge[:, 2].mean()), self._line(edge, colour, 1.2)))
        return items

    def _cell_names(self) -> list[str]:
        if not self.scene.options.cell:
            return []
        names = []
        for number, (name, colour) in enumerate(_AXIS_COLOURS.items()):
            start, end = self.scene.cell_edges[number] @ self.rotation.T
            x, y = self.xy(end + 0.04 * (end - start))
            names.append(self._text(x, y, name, colour, italic=True))
        x, y = self.xy(self.scene.cell_edges[0, 0] @ self.rotation.T)
        return [*names, self._text(x - 9, y + 9, "0", self.paper.line)]

    # ------------------------------------------------------------ labels

    def _labels(self) -> list[str]:
        """Each label in the first of eight places around its atom where it covers nothing; front atoms first."""
        if not self.scene.labelled.any():
            return []
        centres = self.xy(self.points)
        radii = np.sqrt((self.matrices[:, :2] ** 2).sum(axis=2)).max(axis=1) * self.pixels
        taken = [
            (x - r, y - r, x + r, y + r)
            for (x, y), r in zip(centres.tolist(), (radii * 0.8).tolist(), strict=True)
        ]
        texts = []
        for row in np.argsort(-self.points[:, 2]):
            if not self.scene.labelled[row]:
                continue
            text = self.scene.labels[row]
            box = _free_place(centres[row], radii[row], 6.6 * len(text), 11.0, taken, int(row))
            if box is not None:
                taken.append(box)
                texts.append(self._text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, text, self.paper.text))
        return texts

    def _text(self, x: float, y: float, text: str, colour: str, *, italic: bool = False) -> str:
        style = ' font-style="italic"' if italic else ""
        return (
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" dominant-baseline="central" font-family="sans-serif" '
            f'font-size="12" fill="{colour}" stroke="{self.paper.ground}" stroke-width="2.4" paint-order="stroke"{style}>'
            f"{escape(text)}</text>"
        )

    # ------------------------------------------------------------ primitives

    def _path(self, points: Array) -> str:
        pairs = [f"{x:.2f} {y:.2f}" for x, y in self.xy(points).tolist()]
        return "M" + "L".join(pairs)

    def _line(self, points: Array, colour: str, width: float, *, dash: str = "", cap: str = "round") -> str:
        (x1, y1), (x2, y2) = self.xy(points).tolist()
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return (
            f'<path d="M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}" stroke="{colour}" stroke-width="{width:.2f}" '
            f'stroke-linecap="{cap}" fill="none"{dashed}/>'
        )


def _arc(m: Array, i: int, j: int) -> Array:
    """A quarter of the principal ellipse from axis i to axis j."""
    angles = np.linspace(0, math.pi / 2, 9)
    return np.cos(angles)[:, None] * m[:, i] + np.sin(angles)[:, None] * m[:, j]


def _free_place(
    centre: Array, radius: float, width: float, height: float, taken: Sequence[tuple[float, ...]], own: int
) -> tuple[float, float, float, float] | None:
    for angle in (45, -45, 135, -135, 0, 180, 90, -90):
        dx, dy = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
        x = centre[0] + dx * (radius + 3 + width / 2)
        y = centre[1] + dy * (radius + 3 + height / 2)
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        if not any(_overlap(box, other) for place, other in enumerate(taken) if place != own):
            return box
    return None


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _darker(colour: str, factor: float = 0.62) -> str:
    return "#" + "".join(f"{int(part * factor):02x}" for part in palettes.rgb(colour))


def _lighter(colour: str, share: float = 0.25) -> str:
    return "#" + "".join(f"{int(part + (255 - part) * share):02x}" for part in palettes.rgb(colour))
