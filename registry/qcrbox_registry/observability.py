"""Structured logs with one correlation id from the notebook's call to the agent's log, and Prometheus metrics."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_correlation: ContextVar[str] = ContextVar("qcrbox_correlation_id", default="")
# Never in a log, whatever a caller hands over.
_SECRET_WORDS = ("token", "secret", "password", "seed", "authorization", "cookie")


# ---------------------------------------------------------------- logs


def set_up_logging(
    level: str = "info", *, stream: IO[str] | None = None, as_json: bool | None = None
) -> None:
    """One line per event on `stream` (default stderr): JSON, or coloured text on a terminal.

    The standard library's loggers (uvicorn, SQLAlchemy) go the same way.
    """
    out = stream or sys.stderr
    as_json = not out.isatty() if as_json is None else as_json
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_correlation,
        _hide_secrets,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer()]
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


@contextmanager
def correlation(identifier: str):
    """Every log line inside carries this correlation id."""
    before = _correlation.set(identifier)
    try:
        yield
    finally:
        _correlation.reset(before)


def correlation_id() -> str:
    """The correlation id of what is going on, "" outside of any."""
    return _correlation.get()


def _add_correlation(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    identifier = _correlation.get()
    if identifier:
        event.setdefault("correlation_id", identifier)
    return event


def _hide_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    for name in event:
        if any(word in name.lower() for word in _SECRET_WORDS):
            event[name] = "…"
    return event


# ---------------------------------------------------------------- metrics


class Metrics:
    """The registry's metrics: what requests count themselves, and what is read from the scheduler when asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "qcrbox_requests", "REST requests", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "qcrbox_request_seconds",
            "Time to answer a REST request, s",
            ["method", "route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.bytes_in = Counter("qcrbox_file_bytes_in", "Bytes of files stored", registry=self.registry)
        self.bytes_out = Counter("qcrbox_file_bytes_out", "Bytes of files given out", registry=self.registry)

    def watch_scheduler(self, status: Any) -> None:
        """`status`: `Scheduler.status`; called at each scrape."""
        self.registry.register(SchedulerCollector(status))

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class SchedulerCollector(Collector):
    def __init__(self, status: Any) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        now = self._status()
        yield _gauge(
            "qcrbox_calculations_waiting",
            "Calculations that wait",
            now["waiting_by_application"],
            "application",
        )
        running = GaugeMetricFamily("qcrbox_calculations_running", "Calculations that are with an agent")
        running.add_metric([], now["running"])
        yield running
        states: dict[tuple[str, str], int] = {}
        for agent in now["agents"]:
            key = (agent["application"], agent["state"])
            states[key] = states.get(key, 0) + 1
        agents = GaugeMetricFamily("qcrbox_agents", "Agents", labels=["application", "state"])
        for (application, state), count in states.items():
            agents.add_metric([application, state], count)
        yield agents
        free = {one["launcher"]: one["free"] for one in now["launchers"]}
        yield _gauge("qcrbox_launcher_free", "Agents a launcher would still start", free, "launcher")
        answers = {one["launcher"]: int(one["answers"]) for one in now["launchers"]}
        yield _gauge("qcrbox_launcher_up", "1 when the launcher answers", answers, "launcher")
        nats = GaugeMetricFamily("qcrbox_nats_up", "1 when NATS is connected")
        nats.add_metric([], int(now["nats"]))
        yield nats
        for name, value in now["counters"].items():
            counted = CounterMetricFamily(
                f"qcrbox_scheduler_{name}", f"{name.replace('_', ' ')} since the start"
            )
            counted.add_metric([], value)
            yield counted


def _gauge(name: str, text: str, values: Mapping[str, float], label: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
