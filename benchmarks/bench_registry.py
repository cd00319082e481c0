"""The registry beside the queues and stores people would otherwise pick. `python benchmarks/bench_registry.py [--only PART]`

Parts: throughput, latency, status, files, restart, growth, fairness, stored, projects, large, crowd, idle. Ours and the peer take turns in one run;
medians of at least five (throughput: three when --quick), spread as the middle half. Class A: safe against the crash of
a process; B: also against a loss of power. Peers: Celery + Redis, Dask distributed, raw nats-py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.registry import (  # noqa: E402
    crowd,
    fairness,
    files,
    growth,
    idle,
    large,
    latency,
    projects,
    restart,
    stored,
    throughput,
)
from benchmarks.registry.rows import Row, table  # noqa: E402

PARTS: dict[str, Callable[[bool], list[Row]]] = {
    "throughput": throughput.measure,
    "latency": latency.measure_commands,
    "status": latency.measure_status,
    "files": files.measure,
    "restart": restart.measure,
    "growth": growth.measure,
    "fairness": fairness.measure,
    "stored": stored.measure,
    "projects": projects.measure,
    "large": large.measure,
    "crowd": crowd.measure,
    "idle": idle.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part only; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    given = parser.parse_args()
    rows: list[Row] = []
    for name in given.only or PARTS:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += PARTS[name](given.quick)
        print(table(rows[-20:]), file=sys.stderr, flush=True)
    if given.json:
        given.json.write_text(json.dumps([row.as_dict() for row in rows], indent=1) + "\n")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
