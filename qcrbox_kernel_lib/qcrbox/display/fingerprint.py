"""The fingerprint of a surface: d(e) against d(i)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qcrbox.analysis.density.surface import Surface
from qcrbox.widgets.chart import Picture

_RANGE = (0.4, 3.0)  # Å, the usual axes
_BINS = 260  # of 0.01 Å
_PARTS = 4  # parts of a triangle's sides: its corners alone would leave most of the fine bins empty


def fingerprint_picture(surface: Surface) -> Picture:
    """d(e) against d(i) in Å by share of the surface's area (Spackman & McKinnon, CrystEngComm 4 (2002) 378).

    Raises UserInputError when the surface has no properties di and de.
    """
    di, de = (surface.values_of(name)[surface.faces] @ _parts(_PARTS).T for name in ("di", "de"))
    areas = np.repeat(surface.face_areas / _PARTS**2, _PARTS**2)
    counts, edges, _ = np.histogram2d(
        di.ravel(), de.ravel(), bins=_BINS, range=(_RANGE, _RANGE), weights=areas
    )
    # Start-up time: matplotlib is loaded when the first figure is drawn.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 3.8), layout="constrained")
    axes = figure.subplots()
    share = np.where(counts > 0, 100 * counts / surface.area, np.nan)
    picture = axes.pcolormesh(edges, edges, share.T, cmap="viridis", rasterized=True)
    figure.colorbar(picture, ax=axes, label="share of the surface / %")
    axes.set(xlabel="$d_i$ / Å", ylabel="$d_e$ / Å", title="Fingerprint", aspect="equal")
    closest = float(np.min(surface.values_of("di") + surface.values_of("de")))
    return Picture(
        figure,
        f"Fingerprint of {surface.area:.1f} Å² of surface; closest contact di + de = {closest:.2f} Å.",
    )


def _parts(k: int) -> NDArray[np.float64]:
    """(k², 3) centres of the k² equal parts of a triangle, as shares of its corners."""
    upward = [((i + 1 / 3) / k, (j + 1 / 3) / k) for i in range(k) for j in range(k - i)]
    downward = [((i + 2 / 3) / k, (j + 2 / 3) / k) for i in range(k - 1) for j in range(k - 1 - i)]
    return np.array([(a, b, 1 - a - b) for a, b in upward + downward])
