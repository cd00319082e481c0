"""What the registry, NATS and the launcher use when nothing happens."""

from __future__ import annotations

import time

import psutil

from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry


def measure(quick: bool) -> list[Row]:
    registry = Registry(agents=1).start()
    try:
        registry.set_warm(1)
        time.sleep(5)
        processes = [psutil.Process(one.pid) for one in registry.processes]
        processes += [child for process in processes for child in process.children(recursive=True)]
        cpu, memory = [], []
        for _ in range(2 if quick else 5):
            before = sum(sum(process.cpu_times()[:2]) for process in processes)
            begun = time.monotonic()
            time.sleep(4)
            used = sum(sum(process.cpu_times()[:2]) for process in processes) - before
            cpu.append(100 * used / (time.monotonic() - begun))
            memory.append(sum(process.memory_full_info().uss for process in processes) / 2**20)
    finally:
        registry.close()
    who = "registry, NATS, launcher and one warm agent, idle"
    return [
        Row(who, "% of a CPU", cpu, goal="≤ 4 (2 % of 2)", more_is_better=False),
        Row(f"{who}: memory (USS)", "MiB", memory, goal="≤ 400", more_is_better=False),
    ]
