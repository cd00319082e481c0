"""JupyterHub starts without what only its help needs."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
from qcrbox_hub.jupyterhub.serve import quick_jupyterhub
from traitlets.config import Config


def test_installed_authenticators_spawners_and_proxies_are_not_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(EntryPoint, "load", lambda each: loaded.append(each.value))
    application = quick_jupyterhub()
    made = application(config=Config(JupyterHub={"ip": "127.0.0.9"}))
    assert made.classes == [application]
    assert loaded == []
    assert made.ip == "127.0.0.9", "configuration for JupyterHub is taken"
    assert made.log.name == "JupyterHub"
