"""Metrics for Prometheus: scheduler, database, event streams, files."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from qcrbox_registry.services.context import Context


async def page(context: Context) -> bytes:
    """The page in the text format of Prometheus."""
    collected = list(_metrics(context))
    if context.bus.is_connected:
        pending = await context.bus.pending()
        waiting = GaugeMetricFamily(
            "qcrbox_stream_messages", "Messages that wait in a JetStream stream.", labels=["stream"]
        )
        for name, count in pending.items():
            waiting.add_metric([name], count)
        collected.append(waiting)
        stored = await context.objects.usage()
        collected.append(GaugeMetricFamily("qcrbox_files_bytes", "Bytes of stored file contents.", stored))
    free = shutil.disk_usage(context.settings.data).free
    collected.append(GaugeMetricFamily("qcrbox_disk_free_bytes", "Free on the data folder's disk.", free))
    registry = CollectorRegistry()
    registry.register(_Collected(collected))
    return generate_latest(registry)


class _Collected:
    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


def _metrics(context: Context) -> list[Metric]:
    status = context.scheduler.status()
    found: list[Metric] = [
        GaugeMetricFamily("qcrbox_up_seconds", "Time since the start.", time.time() - context.started_at),
        GaugeMetricFamily("qcrbox_waiting", "Calculations that wait.", status["waiting"]),
        GaugeMetricFamily("qcrbox_running", "Calculations with an agent.", status["running"]),
        GaugeMetricFamily("qcrbox_listeners", "Open event streams.", context.hub.listening),
        GaugeMetricFamily("qcrbox_writer_queue", "Changes that wait for the database.", context.db.waiting),
        GaugeMetricFamily("qcrbox_resident_bytes", "Memory of this process.", _resident_bytes()),
        CounterMetricFamily("qcrbox_commits", "Transactions written.", context.db.commits),
        CounterMetricFamily(
            "qcrbox_changes", "Changes written, many to a transaction.", context.db.functions
        ),
        CounterMetricFamily("qcrbox_events", "Events published.", context.hub.published),
        GaugeMetricFamily("qcrbox_nats_connected", "1 when NATS is connected.", int(bool(status["nats"]))),
    ]
    waiting = GaugeMetricFamily(
        "qcrbox_waiting_by_application", "Calculations that wait.", labels=["application"]
    )
    for name, count in status["waiting_by_application"].items():
        waiting.add_metric([name], count)
    agents = GaugeMetricFamily("qcrbox_agents", "Agents.", labels=["application", "state"])
    for (name, state), count in Counter((a["application"], a["state"]) for a in status["agents"]).items():
        agents.add_metric([name, state], count)
    launchers = GaugeMetricFamily(
        "qcrbox_launcher_answers", "1 when a launcher answers.", labels=["launcher"]
    )
    for launcher in status["launchers"]:
        launchers.add_metric([launcher["launcher"]], int(launcher["answers"]))
    for name, count in status["counters"].items():
        found.append(
            CounterMetricFamily(f"qcrbox_{name}", f"Since the start: {name.replace('_', ' ')}.", count)
        )
    return [*found, waiting, agents, launchers]


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
