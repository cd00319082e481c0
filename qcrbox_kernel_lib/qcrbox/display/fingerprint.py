"""The fingerprint of a surface: d(e) against d(i)."""

from __future__ import annotations

import numpy as np

from qcrbox.analysis.density.surface import Surface
from qcrbox.widgets.chart import Picture

_RANGE = (0.4, 3.0)  # Å, the usual axes
_BINS = 100


def fingerprint_picture(surface: Surface) -> Picture:
    """d(e) against d(i) in Å by share of the surface's area (Spackman & McKinnon, CrystEngComm 4 (2002) 378).

    Raises UserInputError when the surface has no properties di and de.
    """
    di, de = (surface.values_of(name)[surface.faces].mean(axis=1) for name in ("di", "de"))
    counts, edges, _ = np.histogram2d(di, de, bins=_BINS, range=(_RANGE, _RANGE), weights=surface.face_areas)
    # Start-up time: matplotlib is loaded when the first figure is drawn.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 3.8), layout="constrained")
    axes = figure.subplots()
    share = np.where(counts > 0, 100 * counts / surface.area, np.nan)
    picture = axes.pcolormesh(edges, edges, share.T, cmap="viridis", rasterized=True)
    figure.colorbar(picture, ax=axes, label="share of the surface / %")
    axes.set(xlabel="$d_i$ / Å", ylabel="$d_e$ / Å", title="Fingerprint", aspect="equal")
    closest = float(np.min(di + de))
    return Picture(
        figure,
        f"Fingerprint of {surface.area:.1f} Å² of surface; closest contact di + de = {closest:.2f} Å.",
    )
