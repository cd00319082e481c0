"""Peaks and holes of a density as a table."""

from __future__ import annotations

from qcrbox.analysis.density.peaks import Peak
from qcrbox.markup import Table


class Peaks(list[Peak]):
    """Peaks, then holes, each from the largest on; shown as a table."""

    def table(self) -> Table:
        """Name, height, fractional coordinates and the nearest atom of each."""
        rows = [
            (p.name, f"{p.height:+.2f}", f"{p.sigmas:+.1f}", *(f"{x:.4f}" for x in p.fract), p.words)
            for p in self
        ]
        unit = self[0].unit if self else "e Å⁻³"
        heads = ("peak", f"height / {unit}", "height / σ", "x", "y", "z", "where")
        return Table(heads, rows, title="Peaks and holes of the density")

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: object) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
