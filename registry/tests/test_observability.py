from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from qcrbox_registry.observability import Metrics, correlation, set_up_logging


@pytest.fixture
def log_lines():
    """What was logged since, as parsed lines."""
    out = io.StringIO()
    root, handlers, level = logging.getLogger(), list(logging.getLogger().handlers), logging.getLogger().level
    set_up_logging("info", stream=out, as_json=True)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def test_every_line_inside_carries_the_correlation_id(log_lines):
    log = structlog.get_logger()
    with correlation("abc"):
        log.info("inside")
    log.info("outside")
    assert [line.get("correlation_id") for line in log_lines()] == ["abc", None]


def test_library_loggers_write_the_same_lines(log_lines):
    with correlation("abc"):
        logging.getLogger("uvicorn.error").warning("from a library")
    (line,) = log_lines()
    assert (line["event"], line["correlation_id"], line["level"]) == ("from a library", "abc", "warning")


def test_secrets_do_not_reach_the_log(log_lines):
    structlog.get_logger().info("start", enrolment_token="enrol.abc", agent="a")
    (line,) = log_lines()
    assert "enrol.abc" not in json.dumps(line)
    assert line["agent"] == "a"


def test_metrics_show_the_scheduler_as_it_is_when_asked():
    status = {
        "waiting_by_application": {"refine 1": 3},
        "running": 2,
        "agents": [
            {"application": "refine 1", "state": "busy"},
            {"application": "refine 1", "state": "busy"},
        ],
        "launchers": [{"launcher": "local", "free": 1, "answers": True}],
        "nats": True,
        "counters": {"assigned": 7},
    }
    metrics = Metrics()
    metrics.watch_scheduler(lambda: status)
    status["running"] = 5
    page = metrics.page().decode()
    assert 'qcrbox_calculations_waiting{application="refine 1"} 3.0' in page
    assert "qcrbox_calculations_running 5.0" in page
    assert 'qcrbox_agents{application="refine 1",state="busy"} 2.0' in page
    assert "qcrbox_scheduler_assigned_total 7.0" in page
