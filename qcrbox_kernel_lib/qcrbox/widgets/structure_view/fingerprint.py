"""Data of a fingerprint and its link to the surface, for the browser."""

from __future__ import annotations

from typing import Any

import numpy as np

from qcrbox.analysis.density.hirshfeld import HirshfeldSurface


def packed_fingerprint(surface: HirshfeldSurface) -> dict[str, Any]:
    """Per vertex f4 di, de, areas and each property, u2 pair of elements and u2 pair of atoms, with their names."""
    shares = surface.shares
    order = {name: number for number, name in enumerate(shares)}
    several = np.stack([surface.inside, surface.outside], axis=1)
    touches, touch = np.unique(several, axis=0, return_inverse=True)
    touch = touch.reshape(-1)
    first = np.zeros(len(touches), dtype=np.int64)
    first[touch[::-1]] = np.arange(len(touch))[::-1]
    return {
        "di": _bytes(surface.properties["di"], "<f4"),
        "de": _bytes(surface.properties["de"], "<f4"),
        "areas": _bytes(surface.vertex_areas, "<f4"),
        "pair": _bytes([order[name] for name in surface.pairs], "<u2"),
        "pairs": [[name, share] for name, share in shares.items()],
        "touch": _bytes(touch, "<u2"),
        "touches": [surface.named(int(vertex)) for vertex in first],
        "properties": {name: _property(surface, name) for name in surface.properties},
        "note": surface.hydrogens,
        "neighbours": [
            f"{number}: {neighbour.share:.1f} %, {neighbour.contact}"
            for number, neighbour in enumerate(surface.neighbours, 1)
        ],
    }


def _property(surface: HirshfeldSurface, name: str) -> dict[str, Any]:
    low, high, unit = surface.scale_of(name)
    return {"values": _bytes(surface.properties[name], "<f4"), "low": low, "high": high, "unit": unit}


def _bytes(array: Any, dtype: str) -> bytes:
    return np.ascontiguousarray(array, dtype=dtype).tobytes()
