"""What a form of limits means, and which of them are sent to the registry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.admin.limits import QUOTAS, own_limits, read_limits, set_limits

NONE = {quota.key: None for quota in QUOTAS}


def form(**fields: str) -> Callable[[str], str]:
    return lambda name: fields.get(name, "")


def test_empty_field_means_the_default() -> None:
    assert read_limits(form()) == NONE
    assert read_limits(form(limit_gib="2.5", limit_running="0")) == {**NONE, "gib": 2.5, "running": 0.0}


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "-inf", "1e400", "two", "1,5", "0x10", "1 000", "٣x"])
def test_what_is_no_limit_is_refused_with_its_title(text: str) -> None:
    with pytest.raises(UserInputError) as refused:
        read_limits(form(limit_cpu_hours=text))
    assert refused.value.where == "CPU hours a month"
    assert text in refused.value.what


class Registry:
    """Answers with the limits that are set, and notes what is sent."""

    def __init__(self, **now: float) -> None:
        self.now, self.asked, self.sent = now, [], []  # type: ignore[var-annotated]

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        self.asked.append((path, query))
        return {"quotas": [{"quota": quota, "limit": limit} for quota, limit in self.now.items()]}

    async def call(self, method: str, path: str, body: Any) -> None:
        self.sent.append((method, path, body))


def test_limits_of_one_subject_alone_are_asked_for() -> None:
    registry: Any = Registry(gib=1.0)
    assert asyncio.run(own_limits(registry, "person", "ada")) == {"gib": 1.0}
    assert registry.asked == [("/api/quotas", {"subject": "person", "name": "ada"})]


def test_only_what_differs_is_sent() -> None:
    registry: Any = Registry(gib=1.0, running=2.0, sessions=3.0)
    wanted = {**NONE, "gib": 1.0, "running": 5.0, "queued": 7.0}
    said = asyncio.run(set_limits(registry, "group", "physics", wanted))
    assert {(body["quota"], body["limit"]) for _, _, body in registry.sent} == {
        ("running", 5.0),
        ("queued", 7.0),
        ("sessions", None),
    }
    assert {(method, path, body["subject"], body["name"]) for method, path, body in registry.sent} == {
        ("PUT", "/api/quotas", "group", "physics")
    }
    assert said == "Changed: Running calculations, Waiting calculations, Open sessions."


def test_nothing_to_change_sends_nothing() -> None:
    registry: Any = Registry(gib=1.0)
    assert asyncio.run(set_limits(registry, "person", "ada", {**NONE, "gib": 1.0})) == "No limit was changed."
    assert registry.sent == []


def test_limit_of_nought_is_a_limit() -> None:
    registry: Any = Registry()
    asyncio.run(set_limits(registry, "person", "ada", {**NONE, "sessions": 0.0}))
    assert registry.sent[0][2]["limit"] == 0.0
