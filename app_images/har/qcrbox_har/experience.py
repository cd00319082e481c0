"""What earlier refinements on this machine took beside their estimates, so that the next estimate is nearer.

Kept in a small file in the cache folder of the account that runs the program ($XDG_CACHE_HOME, else ~/.cache). Without
the file, or where it cannot be read or written, estimates are those of the model alone.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from pathlib import Path

_MOST_RUNS = 20
# A run that took this many times longer or shorter was disturbed, or was another machine's; it says nothing.
_MOST_OFF = 20.0


def path() -> Path:
    """Where the runs are kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "qcrbox" / "har_runs.json"


def factor(kind: str) -> tuple[float, int]:
    """By how much to multiply an estimate, and from how many runs that is known.

    kind: what makes runs alike, such as a method; runs of other kinds count where there are none. The median of few runs
    is drawn towards 1.
    """
    runs = _read()
    alike = [ratio for name, ratio in runs if name == kind] or [ratio for _, ratio in runs]
    if not alike:
        return 1.0, 0
    median = statistics.median(math.log(ratio) for ratio in alike)
    return math.exp(median * len(alike) / (len(alike) + 0.5)), len(alike)


def add(kind: str, estimated_s: float, took_s: float) -> None:
    """Note a finished run. estimated_s: by the model alone, s; took_s: wall clock, s."""
    if estimated_s <= 0 or took_s <= 0:
        return
    ratio = took_s / estimated_s
    if not 1 / _MOST_OFF < ratio < _MOST_OFF:
        return
    runs = [*_read(), (kind, ratio)][-_MOST_RUNS:]
    file = path()
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(runs), encoding="utf-8")
        partial.replace(file)
    except OSError:
        # A read-only home: estimates stay those of the model.
        return


def _read() -> list[tuple[str, float]]:
    try:
        content = json.loads(path().read_text("utf-8"))
        runs = [(str(kind), float(ratio)) for kind, ratio in content]
    except (OSError, ValueError, TypeError):
        return []
    return [(kind, ratio) for kind, ratio in runs if 1 / _MOST_OFF < ratio < _MOST_OFF]
