"""The way of a refinement: metrics per cycle, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qcrbox.notebook import show

_LABELS = {"R1": "R1", "wR2": "wR2", "max_shift_su": "max shift/s.u.", "mean_shift_su": "mean shift/s.u."}
_CONVERGED = 0.001


class History:
    """Rows of metrics in order; `history["R1"]` is a column, `history[-1]` the last row."""

    def __init__(self, rows: list[dict[str, Any]], name: str = "") -> None:
        # `at` is when the message came, no metric.
        self.rows = [{key: value for key, value in row.items() if key != "at"} for row in rows]
        self.name = name

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def __getitem__(self, key: str | int) -> Any:
        if isinstance(key, int):
            return self.rows[key]
        if key not in self.columns:
            raise KeyError(f"{key!r}; there are: {', '.join(self.columns) or 'none'}")
        return [row.get(key) for row in self.rows]

    def first(self, metric: str) -> float | None:
        return next((row[metric] for row in self.rows if row.get(metric) is not None), None)

    def last(self, metric: str) -> float | None:
        return next((row[metric] for row in reversed(self.rows) if row.get(metric) is not None), None)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def table(self) -> show.Table:
        rows = [[row.get(name) for name in self.columns] for row in self.rows]
        return show.Table(self.columns, rows, title=f"History of {self.name}".rstrip(" of"))

    def plot(self) -> Any:
        """R values and shifts against the cycle: a matplotlib figure with two axes.

        R1 and wR2 on the left, the largest shift/s.u. (logarithmic, with the line of convergence) on the right.
        """
        from matplotlib.figure import Figure

        if not self.rows:
            raise ValueError("There is no history: the program reported no metrics.")
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        # A program may count its cycles anew after each change of the model: the order of the rows counts.
        cycles = [float(number) for number in range(1, len(self.rows) + 1)]
        left, right = figure.subplots(1, 2)
        for name, marker, colour in (("R1", "o", "#0072B2"), ("wR2", "s", "#D55E00")):
            self._line(left, cycles, name, marker, colour)
        left.set(xlabel="cycle", ylabel="R", title="Agreement")
        for name, marker, colour in (("max_shift_su", "^", "#009E73"), ("mean_shift_su", "v", "#CC79A7")):
            self._line(right, cycles, name, marker, colour)
        right.set(xlabel="cycle", ylabel="shift / s.u.", title="Convergence")
        if any(
            value and value > 0 for name in ("max_shift_su", "mean_shift_su") for value in self._column(name)
        ):
            right.set_yscale("log")
            right.axhline(_CONVERGED, ls=":", c="0.4", lw=1)
            right.annotate(f"converged < {_CONVERGED}", (0.98, _CONVERGED), xycoords=("axes fraction", "data"),
                           ha="right", va="bottom", fontsize=8, color="0.35")  # fmt: skip
        for axes in (left, right):
            if axes.lines:
                axes.legend(frameon=False)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.spines[["top", "right"]].set_visible(False)
        return Picture(figure, self.summary())

    def _column(self, name: str) -> list[float]:
        return [row[name] for row in self.rows if isinstance(row.get(name), (int, float))]

    def _line(self, axes: Any, cycles: list[float], name: str, marker: str, colour: str) -> None:
        points = [
            (c, row[name]) for c, row in zip(cycles, self.rows, strict=True) if row.get(name) is not None
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marker=marker, ms=4, lw=1.4, c=colour, label=_LABELS[name])

    def summary(self) -> str:
        """The plot in one sentence, for those who cannot see it."""
        parts = [f"{len(self.rows)} cycles"]
        for name in ("R1", "wR2", "max_shift_su"):
            first, last = self.first(name), self.last(name)
            if first is not None and last is not None:
                parts.append(f"{_LABELS[name]} from {first:.4g} to {last:.4g}")
        return ", ".join(parts) + "."

    def __repr__(self) -> str:
        return self.table().text() if self.rows else "<History: empty>"

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


class Picture:
    """A matplotlib figure that shows itself, with a sentence for readers without eyes. `.figure`, `.save(path)`."""

    def __init__(self, figure: Any, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def save(self, path: str, *, dpi: int = 300) -> str:
        self.figure.savefig(path, dpi=dpi)
        return path

    def _bytes(self, kind: str) -> bytes:
        import io

        out = io.BytesIO()
        self.figure.savefig(out, format=kind, dpi=110)
        return out.getvalue()

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        import base64

        data = base64.b64encode(self._bytes("png")).decode()
        picture = (
            f'<img alt="{show.escape(self.alt)}" src="data:image/png;base64,{data}" style="max-width:100%">'
        )
        return {"text/plain": repr(self), "image/png": data, "text/html": picture}
