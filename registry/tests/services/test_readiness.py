"""Readiness: what is missing, since when, and what is only noted."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from qcrbox_registry.services import readiness as module
from qcrbox_registry.services.readiness import ReadinessService


@pytest.fixture
def service(context):
    context.bus.is_connected = True
    return ReadinessService(context)


async def test_a_whole_registry_is_ready(service):
    ready, report = await service.report()
    assert ready
    assert (report["status"], report["missing"], report["since"]) == ("ready", {}, {})


@pytest.mark.parametrize("part", ["nats", "scheduler", "launcher", "disk", "database"])
async def test_each_part_that_is_missing_is_named(context, service, monkeypatch, part):
    if part == "nats":
        context.bus.is_connected = False
    elif part == "scheduler":
        context.scheduler.is_ready = False
    elif part == "launcher":
        context.scheduler.launchers = [{"launcher": "lab-pc", "answers": False}]
    elif part == "disk":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 * 1024**2))
    else:
        context.faults["database"] = "page 7 is damaged"
    ready, report = await service.report()
    assert not ready
    words = {
        "nats": "(NATS) is not connected",
        "scheduler": "has not finished its recovery",
        "launcher": "No launcher answers (lab-pc)",
        "disk": "Only 100 MiB are free",
        "database": "page 7 is damaged",
    }
    assert list(report["missing"]) == [part]
    assert words[part] in report["missing"][part]


async def test_a_database_that_does_not_answer_is_the_answer(context, service, monkeypatch):
    async def broken(_):
        raise OSError("disk I/O error")

    monkeypatch.setattr(context.db, "read", broken)
    assert (await service.report())[1]["missing"]["database"] == "disk I/O error"


@pytest.mark.parametrize(
    ("launchers", "expected", "ready"),
    [
        ([], False, True),
        ([], True, False),
        ([{"launcher": "a", "answers": True}, {"launcher": "b", "answers": False}], True, True),
    ],
    ids=["none and none expected", "expected", "one answers"],
)
async def test_one_launcher_that_answers_is_enough(context, service, launchers, expected, ready):
    context.scheduler.launchers, context.settings.launcher = launchers, expected
    assert (await service.report())[0] is ready


async def test_a_fault_keeps_its_date_until_it_is_over(context, service, monkeypatch):
    moments = iter(float(second) for second in range(100, 200))
    monkeypatch.setattr(module.time, "time", lambda: next(moments))
    context.faults["application x"] = "no such folder"
    first = (await service.report())[1]
    second = (await service.report())[1]
    assert first["notes"] == {"application x": "no such folder"}
    assert first["since"] == second["since"]
    context.faults.clear()
    assert (await service.report())[1]["since"] == {}
    context.faults["application x"] = "no such folder"
    assert (await service.report())[1]["since"] != first["since"]
