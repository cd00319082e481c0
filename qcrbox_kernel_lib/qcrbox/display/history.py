"""History of a refinement: metrics per cycle, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qcrbox.language import counted
from qcrbox.markup import Table
from qcrbox.widgets.chart import BLUE, GREEN, ORANGE, PURPLE, Axis, Chart, Panel, Picture, Series

_LABELS = {"R1": "R1", "wR2": "wR2", "max_shift_su": "max shift/s.u.", "mean_shift_su": "mean shift/s.u."}
# What `refine` calls converged; analysis/quality.py says the same.
_CONVERGED = 0.01


class History:
    """Rows of metrics in order; `history["R1"]` is a column, `history[-1]` the last row."""

    def __init__(self, rows: list[dict[str, Any]], name: str = "") -> None:
        # `at` is the time of the message, not a metric.
        self.rows = [{key: value for key, value in row.items() if key != "at"} for row in rows]
        self.name = name

    @property
    def columns(self) -> list[str]:
        """Names of the metrics in order of appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def __contains__(self, metric: object) -> bool:
        return metric in self.columns

    def __getitem__(self, key: str | int | slice) -> Any:
        if isinstance(key, (int, slice)):
            return self.rows[key]
        if key not in self.columns:
            raise KeyError(f"{key!r}; there are: {', '.join(self.columns) or 'none'}")
        return [row.get(key) for row in self.rows]

    def first(self, metric: str) -> float | None:
        """The first value of a metric; None when there is none."""
        return next((row[metric] for row in self.rows if row.get(metric) is not None), None)

    def last(self, metric: str) -> float | None:
        """The last value of a metric; None when there is none."""
        return next((row[metric] for row in reversed(self.rows) if row.get(metric) is not None), None)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def table(self) -> Table:
        """One row per cycle."""
        rows = [[row.get(name) for name in self.columns] for row in self.rows]
        return Table(self.columns, rows, title=f"History of {self.name}" if self.name else "History")

    def plot(self) -> Picture:
        """R values and shifts against the cycle, to read with the pointer.

        R1 and wR2, then the largest and mean shift/s.u. (logarithmic, with the line of convergence), then S where it
        was reported. Raises ValueError when the program reported no metrics.
        """
        if not self.rows:
            raise ValueError("There is no history: the program reported no metrics.")
        agreement = [
            self._series(name, marker, colour)
            for name, marker, colour in (("R1", "o", BLUE), ("wR2", "s", ORANGE))
        ]
        shifts = [
            self._series(name, marker, colour)
            for name, marker, colour in (("max_shift_su", "^", GREEN), ("mean_shift_su", "v", PURPLE))
            if self._column(name)
        ]
        level = [(_CONVERGED, f"converged < {_CONVERGED}")] if shifts else []
        panels = [
            Panel(Axis("cycle"), Axis("R", low=0), agreement, title="Agreement"),
            Panel(
                Axis("cycle"),
                Axis("shift / s.u.", log=bool(level)),
                shifts,
                title="Convergence",
                levels=level,
            ),
        ]
        if self._column("S"):
            goodness = [self._series("S", "s", BLUE)]
            panels.append(
                Panel(Axis("cycle"), Axis("S"), goodness, title="Goodness of fit", levels=[(1.0, "1")])
            )
        return Picture.of(Chart(panels), self.summary())

    def _series(self, name: str, marker: str, colour: str) -> Any:
        """One metric against the row number: programs may restart their cycle count when the model changes."""
        points = [
            (number, row[name])
            for number, row in enumerate(self.rows, 1)
            if isinstance(row.get(name), (int, float))
        ]
        x, y = zip(*points, strict=True) if points else ((), ())
        return Series(x, y, _LABELS.get(name, name), "both", colour, marker)

    def _column(self, name: str) -> list[float]:
        return [row[name] for row in self.rows if isinstance(row.get(name), (int, float))]

    def summary(self) -> str:
        """The plot as a sentence for screen readers."""
        parts = [counted(len(self.rows), "cycle")]
        for name in ("R1", "wR2", "max_shift_su"):
            first, last = self.first(name), self.last(name)
            if first is not None and last is not None:
                parts.append(f"{_LABELS[name]} from {first:.4g} to {last:.4g}")
        return ", ".join(parts) + "."

    def __repr__(self) -> str:
        return self.table().text() if self.rows else "<History: empty>"

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
