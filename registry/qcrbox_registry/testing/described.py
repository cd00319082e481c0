"""The OpenAPI description of the whole interface, for tests that go through all of its routes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from qcrbox_registry.app import create_app
from qcrbox_registry.settings import Settings


@cache
def openapi() -> dict[str, Any]:
    """The answer of `GET /openapi.json`, made once a process: it takes a second, and several test files need it."""
    return create_app(Settings(data=Path("unused"), auth="none")).openapi()
