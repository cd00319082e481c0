"""One row per measurement: ours, the peer's, their ratio and the goal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field


@dataclass
class Row:
    what: str
    unit: str
    ours: list[float]
    peer_name: str = ""
    peer: list[float] = field(default_factory=list)
    durability: str = ""
    goal: str = ""
    more_is_better: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's, of the medians; above 1 is better for us when more is better."""
        if not self.peer or not statistics.median(self.peer):
            return None
        return statistics.median(self.ours) / statistics.median(self.peer)

    def as_dict(self) -> dict:
        middle = {"ours_median": statistics.median(self.ours) if self.ours else None, "ratio": self.ratio}
        return asdict(self) | middle


def shown(values: Sequence[float]) -> str:
    """Median and middle half."""
    if not values:
        return ""
    middle = statistics.median(values)
    if len(values) < 4:
        return f"{_short(middle)} ({_short(min(values))}–{_short(max(values))})"
    low, _, high = statistics.quantiles(values, n=4)
    return f"{_short(middle)} ({_short(low)}–{_short(high)})"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Sequence[Row]) -> str:
    lines = [
        "| measured | class | unit | ours | peer | peer's | ratio | goal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        note = f" {row.note}" if row.note else ""
        lines.append(
            f"| {row.what}{note} | {row.durability} | {row.unit} | {shown(row.ours)} | {row.peer_name} "
            f"| {shown(row.peer)} | {ratio} | {row.goal} |"
        )
    return "\n".join(lines)
