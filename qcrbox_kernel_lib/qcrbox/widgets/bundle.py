"""The built JavaScript modules: one ES module per widget, inside the package, nothing from elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

NAMES = ("calculation_card", "chart", "copy_button", "lineage", "structure_view")
_STATIC = Path(__file__).parent / "static"


def path(name: str) -> Path:
    return _STATIC / f"{name}.js"


def available(name: str) -> bool:
    """True when the widget can be shown: it is built, and this kernel has anywidget."""
    return path(name).is_file() and importlib.util.find_spec("anywidget") is not None


def total_bytes() -> int:
    return sum(path(name).stat().st_size for name in NAMES if path(name).is_file())
