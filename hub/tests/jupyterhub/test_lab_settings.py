"""Lab's own settings that people start with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jupyterlab_server.settings_utils import get_settings
from qcrbox_hub.platform import paths

SCHEMAS = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"


def test_tab_waits_for_a_kernel_on_a_busy_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lab gives up after a second and shows nothing, just when a whole class starts."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(paths.JUPYTER_CONFIG))
    completer = "@jupyterlab/completer-extension:manager"
    found, _ = get_settings(str(tmp_path), str(SCHEMAS), str(tmp_path), schema_name=completer)
    assert found["schema"]["properties"]["providerTimeout"]["default"] == 3000
