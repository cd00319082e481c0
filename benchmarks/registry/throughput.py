"""No-op commands, submit to result, four agents or workers, beside Celery + Redis and Dask."""

from __future__ import annotations

from benchmarks.registry.peers import WORKERS, Celery, Dask
from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry


def measure(quick: bool) -> list[Row]:
    count, repeats = (2_000, 3) if quick else (10_000, 5)
    rows = []
    for durability, safe, fsync in (("A", False, "everysec"), ("B", True, "always")):
        ours, celery, dask = [], [], []
        registry = Registry(power_loss_safe=safe).start()
        queue = Celery(fsync)
        cluster = Dask()
        try:
            registry.set_warm(WORKERS)
            registry.run(200)
            for _ in range(repeats):
                ours.append(count / registry.run(count))
                celery.append(count / queue.run(count))
                if durability == "A":
                    dask.append(count / cluster.run(count))
        finally:
            cluster.close()
            queue.close()
            registry.close()
        goal = "≥ 1.0" if durability == "A" else "≥ 0.7"
        name = f"no-op commands, {count}, {WORKERS} agents"
        rows.append(Row(name, "1/s", ours, f"Celery + Redis, appendfsync {fsync}", celery, durability, goal))
        if dask:
            rows.append(Row(name, "1/s", ours, "Dask distributed (not durable)", dask, durability, "≥ 1.0"))
    return rows
