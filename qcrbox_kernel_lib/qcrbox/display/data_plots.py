"""Plots of the data alone: distribution of intensities, parity classes, layers of the reciprocal lattice."""

from __future__ import annotations

import re
from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.reflections import find_reflections, unique_reflections
from qcrbox.crystallography.reflections.wilson import normalised_squares
from qcrbox.crystallography.structure import Structure
from qcrbox.language import counted, minus
from qcrbox.widgets.chart import BLUE, GREY, ORANGE, Axis, Chart, Panel, Picture, Series

if TYPE_CHECKING:
    from qcrbox.display.plots import Plots

Array = NDArray[np.float64]
# ⟨|E²−1|⟩ of Wilson's distributions: Karle, Dewar & others; International Tables B 2.1.
CENTRIC, ACENTRIC = 0.968, 0.736
_SHELLS = 12
_FEWEST = 30  # unique reflections, as in a shell


def intensity_distribution(plots: Plots) -> Picture:
    """⟨|E²−1|⟩ in shells, and N(z) = share of reflections with E² below z, beside both theoretical cases."""
    structure, merged = plots.cif.structure, plots._merged
    if len(merged.hkl) < _FEWEST:
        raise UserInputError(
            f"{counted(len(merged.hkl), 'reflection')} are too few for a distribution of intensities."
        )
    square = normalised_squares(merged, structure.cell, structure.space_group, structure.cell_content)
    s = 1 / (2 * structure.cell.d_spacing(merged.hkl))
    parts = np.array_split(np.argsort(s), min(_SHELLS, max(1, len(s) // 30)))
    mean = [float(np.nanmean(np.abs(square[part] - 1))) for part in parts]
    whole = float(np.nanmean(np.abs(square - 1)))
    shells = Panel(
        Axis("sin θ/λ / Å⁻¹"),
        Axis("⟨|E²−1|⟩", low=0.4, high=max(1.2, *mean)),
        [Series([s[part].mean() for part in parts], mean, "shells", "both", BLUE, "o")],
        levels=[(CENTRIC, f"centrosymmetric {CENTRIC}"), (ACENTRIC, f"not {ACENTRIC}")],
    )
    z = np.linspace(0, 1, 21)
    shares = [float(np.mean(square <= x)) for x in z]
    below = Panel(
        Axis("z"),
        Axis("N(z) = share with E² ≤ z", low=0, high=1),
        [
            Series(z, shares, "observed", "both", BLUE, "o"),
            Series(z, _centric(z), "centrosymmetric", "line", ORANGE),
            Series(z, 1 - np.exp(-z), "not centrosymmetric", "line", GREY, dashed=True),
        ],
    )
    nearer = "a centrosymmetric" if abs(whole - CENTRIC) < abs(whole - ACENTRIC) else "a non-centrosymmetric"
    return Picture.of(
        Chart([shells, below]),
        f"⟨|E²−1|⟩ = {whole:.3f}, nearer to that of {nearer} structure ({CENTRIC} centrosymmetric, {ACENTRIC} not).",
    )


def _centric(z: Array) -> Array:
    return np.array([erf(sqrt(x / 2)) for x in z])


def parity(plots: Plots) -> Picture:
    """⟨I/σ⟩ of each parity class, measured systematic absences included."""
    found = find_reflections(plots.cif.block).as_f_squared()
    good = (found.sigma > 0) & np.isfinite(found.intensity)
    if not good.any():
        raise MissingItemsError(
            "No reflection has an intensity with its s.u.", items=["_diffrn_refln_intensity_u"]
        )
    ratio = found.intensity[good] / found.sigma[good]
    odd = found.hkl[good] % 2
    names, means, counts = [], [], []
    for number in range(8):
        wanted = np.array([number >> 2 & 1, number >> 1 & 1, number & 1])
        members = (odd == wanted).all(axis=1)
        names.append("".join("eo"[bit] for bit in wanted))
        counts.append(int(members.sum()))
        means.append(float(ratio[members].mean()) if members.any() else np.nan)
    labels = [f"{name}: {count} reflections" for name, count in zip(names, counts, strict=True)]
    at = np.arange(8)
    panel = Panel(
        Axis(
            "parity of h k l (e even, o odd)",
            low=-0.5,
            high=7.5,
            ticks=list(zip(at.tolist(), names, strict=True)),
        ),
        Axis("⟨I/σ⟩", low=0),
        [Series(at, means, "", "points", BLUE, "o", labels=labels)],
        title="Parity classes",
        levels=[(float(ratio.mean()), "all")],
    )
    weakest, strongest = names[int(np.nanargmin(means))], names[int(np.nanargmax(means))]
    return Picture.of(
        Chart([panel]),
        minus(
            f"⟨I/σ⟩ of the eight parity classes: {np.nanmin(means):.1f} ({weakest}) to {np.nanmax(means):.1f} "
            f"({strongest})."
        ),
    )


def layer(plots: Plots, name: str) -> Picture:
    """Observed reflections of a reciprocal-lattice layer at their positions in Å⁻¹, unmeasured ones as open circles."""
    axis, level = _layer_of(name)
    structure, merged = plots.cif.structure, plots._merged
    cell, group = structure.cell, structure.space_group
    known: dict[tuple[int, ...], tuple[float, float]] = {}
    for hkl, value, sigma in zip(merged.hkl, merged.intensity, merged.sigma, strict=True):
        for rotation in group.rotations:
            turned = hkl @ rotation
            for index in (turned, -turned):
                if index[axis] == level:
                    known[tuple(index.tolist())] = (float(value), float(sigma))
    if not known:
        raise MissingItemsError(f"No reflection of the layer {name} was measured.", items=["reflections"])
    hkl = np.array(list(known))
    values = np.array([value for value, _ in known.values()])
    places, frame = _flat(cell.fractionalisation, hkl, axis)
    size = np.sqrt(np.clip(values, 0, None))
    edges = np.quantile(size, [0, 0.5, 0.8, 0.95, 1.0])
    series = []
    for number, marker in ((0, "."), (1, "o"), (2, "s"), (3, "^")):
        low, high = edges[number], edges[number + 1]
        members = (size >= low) & ((size < high) if number < 3 else (size <= high))
        words = ("weak half", "to 80 %", "to 95 %", "strongest 5 %")[number]
        labels = [
            f"{' '.join(map(str, h))}: F² {v:.1f}"
            for h, v in zip(hkl[members].tolist(), values[members], strict=True)
        ]
        x, y = places[members].T
        series.append(
            Series(x, y, words, "points", (GREY, BLUE, BLUE, ORANGE)[number], marker, labels=labels)
        )
    missing = _missing(structure, hkl, axis, level, float(cell.d_spacing(merged.hkl).min()))
    if len(missing):
        x, y = (missing @ cell.fractionalisation @ frame.T).T
        names = [f"{' '.join(map(str, h))}: not measured" for h in missing.tolist()]
        series.append(Series(x, y, "not measured", "points", "#b3261e", "o", ring=True, labels=names))
    panel = Panel(Axis("Å⁻¹"), Axis("Å⁻¹"), series, title=f"Layer {name}", square=True)
    return Picture.of(
        Chart([panel]), f"Layer {name}: {len(hkl)} reflections measured, {len(missing)} within reach not."
    )


def _layer_of(name: str) -> tuple[int, int]:
    """`hk0` → (2, 0); `-2kl` → (0, −2)."""
    match = re.fullmatch(r"(h|-?\d+)(k|-?\d+)(l|-?\d+)", str(name).replace(" ", "").lower())
    fixed = [] if match is None else [n for n, part in enumerate(match.groups()) if part not in "hkl"]
    if match is None or len(fixed) != 1:
        raise UserInputError(
            f"{name!r} is no layer.", next="One index is a number: 'hk0', 'h1l' or '-2kl'.", parameter="name"
        )
    return fixed[0], int(match.groups()[fixed[0]])


def _flat(reciprocal: Array, hkl: NDArray[np.int64], axis: int) -> tuple[Array, Array]:
    """Positions (n, 2) of reflections in the plane of their layer, and its frame (2, 3)."""
    first, second = (reciprocal[n] for n in range(3) if n != axis)
    across = first / np.linalg.norm(first)
    up = second - (second @ across) * across
    frame = np.array([across, up / np.linalg.norm(up)])
    return hkl @ reciprocal @ frame.T, frame


def _missing(
    structure: object, measured: NDArray[np.int64], axis: int, level: int, d_min: float
) -> NDArray[np.int64]:
    assert isinstance(structure, Structure)
    possible = unique_reflections(structure.cell, structure.space_group, d_min)
    turned = np.concatenate([possible @ rotation for rotation in structure.space_group.rotations])
    both = np.unique(np.concatenate([turned, -turned]), axis=0)
    there = {tuple(row) for row in measured.tolist()}
    rows = [row for row in both[both[:, axis] == level].tolist() if tuple(row) not in there]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)
