"""Lab on a hub does not ask whether it has to be rebuilt."""

from __future__ import annotations

from typing import Any

import pytest
from qcrbox_extension.front_end import skip_build_check


@pytest.mark.parametrize("before", [{}, {"page_config_data": {"buildCheck": True, "token": "t"}}])
def test_on_a_hub_lab_does_not_ask(before: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    skip_build_check(before)
    assert before["page_config_data"]["buildCheck"] is False


def test_elsewhere_labs_setting_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    settings: dict[str, Any] = {}
    skip_build_check(settings)
    assert settings == {}
