"""What StructureView sends to the browser: scenes, densities and surfaces as arrays of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.hirshfeld import HirshfeldSurface
from qcrbox.analysis.density.maps import DensityMap, around
from qcrbox.analysis.density.peaks import find_peaks
from qcrbox.analysis.density.surface import Surface
from qcrbox.crystallography.structure import probability_scale
from qcrbox.widgets.structure_view import palettes
from qcrbox.widgets.structure_view.fingerprint import packed_fingerprint
from qcrbox.widgets.structure_view.options import Options
from qcrbox.widgets.structure_view.scene import Scene


def packed_density(density: DensityMap | Cube, scene: Scene, level: float) -> dict[str, Any]:
    """The part of a map around the atoms shown: f4 values in `unit`, first point relative to the scene's centre."""
    box = density.box if isinstance(density, Cube) else around(density, scene.atoms.fract)
    return {
        "peaks": [] if isinstance(density, Cube) else _packed_peaks(density, scene),
        "kind": density.kind,
        "unit": density.unit,
        "values": _bytes(box.values, "<f4"),
        "shape": list(box.values.shape),
        "origin": (box.origin - scene.centre).tolist(),
        "steps": box.steps.ravel().tolist(),
        "sigma": density.sigma,
        "maximum": density.maximum,
        "minimum": density.minimum,
        "level": level,
    }


def _packed_peaks(density: DensityMap, scene: Scene) -> list[dict[str, Any]]:
    """Names, heights (in `unit`), fractional and Cartesian positions (Å, relative to the scene's centre) of peaks and holes."""
    return [
        {
            "name": peak.name,
            "fract": peak.fract.tolist(),
            "value": peak.height,
            "height": f"{peak.height:+.2f}".replace("-", "−"),
            "sigmas": f"{peak.sigmas:+.1f}".replace("-", "−"),
            "nearest": peak.words,
            "unit": density.unit,
            "place": (scene.structure.cell.to_cartesian(peak.fract) - scene.centre).tolist(),
        }
        for peak in find_peaks(density)
    ]


def packed_surface(
    surface: Surface, name: str, scene: Scene, neighbours: str | int = "none"
) -> dict[str, Any]:
    """A surface for the browser: f4 vertices relative to the scene's centre, u4 faces, f4 values of one property."""
    low, high, unit = surface.scale_of(name)
    bound = {}
    if isinstance(surface, HirshfeldSurface):
        bound["fingerprint"] = packed_fingerprint(surface) | {"neighbour": str(neighbours)}
    return {
        **bound,
        "vertices": _bytes(surface.vertices - scene.centre, "<f4"),
        "faces": _bytes(surface.faces, "<u4"),
        "values": _bytes(surface.properties[name], "<f4"),
        "name": name,
        "low": low,
        "high": high,
        "unit": unit,
        "area": surface.area,
    }


def packed(scene: Scene, title: str = "") -> dict[str, Any]:
    """A scene for the browser. Little-endian arrays: f4 positions and axes, u1 kinds, u4 bonds.

    `axes` are columns for a probability scale of 1, so that the slider needs no answer from here.
    """
    # Behind those that are there the others, "" for any: an atom may be given another element in the browser.
    elements = list(dict.fromkeys([*scene.atoms.element, *palettes.CPK, ""]))
    return {
        "title": title or scene.structure.formula or scene.structure.name,
        "summary": scene.summary(),
        "warnings": scene.warnings,
        "count": len(scene),
        **_atoms(scene, elements),
        "sites": _sites(scene),
        "frame": {
            "orthogonalisation": scene.structure.cell.orthogonalisation.ravel().tolist(),
            "centre": scene.centre.tolist(),
        },
        "elements": elements,
        "palettes": {
            name: [palettes.colour(element, name) for element in elements] for name in palettes.NAMES
        },
        "labels": scene.labels,
        "bonds": _bytes(scene.bonds, "<u4"),
        "contacts": _bytes(scene.dashed_lines, "<u4"),
        "cell_edges": _bytes(scene.cell_edges, "<f4"),
        "directions": {name: matrix.ravel().tolist() for name, matrix in scene.directions.items()},
        "extent": scene.extent,
        # For readers of the screen; a large structure asks for one when its atom is reached.
        "descriptions": [scene.description(row) for row in range(len(scene))] if len(scene) <= 400 else None,
        "disordered": bool((scene.structure.sites.group != 0).any()),
        "parts": _parts(scene),
        "scales": {str(percent): probability_scale(percent / 100) for percent in range(1, 100)},
        "options": _options(scene.options),
    }


def _atoms(scene: Scene, elements: list[str]) -> dict[str, Any]:
    index = {element: number for number, element in enumerate(elements)}
    # Column-major, as WebGL wants it: the three semi-axes one after the other.
    axes = np.swapaxes(scene.unit_matrices, 1, 2)
    return {
        "positions": _bytes(scene.positions, "<f4"),
        "axes": _bytes(axes, "<f4"),
        "fixed": _bytes(scene.fixed_radius, "<f4"),
        "kinds": _bytes(scene.kinds, "u1"),
        "hollow": _bytes(scene.hollow, "u1"),
        "shared": [list(pie) for pie in scene.shared],
        "hydrogen": _bytes(scene.hydrogen, "u1"),
        "element": _bytes([index[element] for element in scene.atoms.element], "u1"),
        "site": _bytes(scene.atoms.site, "<u4"),
    }


def _options(options: Options) -> dict[str, Any]:
    """Options as the browser has them; the box of "cell" and "molecules" stays here."""
    disorder = options.disorder if isinstance(options.disorder, str) else _chosen(options.disorder)
    names = ("radius", "grow", "labels", "cell", "style", "palette", "perspective", "hydrogens")
    more = ("hydrogen_bonds", "along", "height")
    sent = {name: getattr(options, name) for name in (*names, *more)}
    return {"ellipsoids": options.ellipsoids, "disorder": disorder, **sent}


def _sites(scene: Scene) -> list[dict[str, Any]]:
    """What edits of the model begin with: the atoms of the asymmetric unit."""
    sites = scene.structure.sites
    aniso = np.asarray(np.isfinite(sites.u_cif).reshape(len(sites.label), -1).all(axis=1))
    occupancy = np.nan_to_num(sites.occupancy, nan=1.0)
    return [
        {
            "label": label,
            "element": sites.element[k],
            "part": int(sites.group[k]),
            "assembly": "" if sites.assembly[k] in (".", "?") else sites.assembly[k],
            "occupancy": float(occupancy[k]),
            "aniso": bool(aniso[k]),
        }
        for k, label in enumerate(sites.label)
    ]


def _parts(scene: Scene) -> list[list[Any]]:
    """[assembly, group, label] of every disorder group that can be chosen."""
    sites = scene.structure.sites
    pairs = dict.fromkeys(
        (assembly, group)
        for assembly, group in zip(sites.assembly, sites.group.tolist(), strict=True)
        if group != 0
    )
    return [
        [assembly, group, f"part {assembly if assembly not in ('', '.') else ''} {group}".replace("  ", " ")]
        for assembly, group in sorted(pairs)
    ]


def _chosen(disorder: Mapping[str, int]) -> str:
    """As the browser's list names a chosen group."""
    return "\t".join(map(str, next(iter(disorder.items())))) if len(disorder) == 1 else "chosen"


def _bytes(array: Any, dtype: str) -> bytes:
    return np.ascontiguousarray(array, dtype=dtype).tobytes()
