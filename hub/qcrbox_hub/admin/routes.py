"""The addresses of the administration pages."""

from __future__ import annotations

from typing import Any

from qcrbox_hub.admin.overview import Overview
from qcrbox_hub.admin.page import ROOT, STATIC, AdminPage, Static
from qcrbox_hub.admin.people import People, Person

PAGES: tuple[tuple[str, type[AdminPage]], ...] = (
    (r"/?", Overview),
    (r"/people", People),
    (r"/people/([^/]+)", Person),
)


def administration_pages() -> list[tuple[Any, ...]]:
    """For the hub: each with its address below /hub."""
    pages: list[tuple[Any, ...]] = [(rf"/{ROOT}{path}", page) for path, page in PAGES]
    return [*pages, (rf"/{ROOT}/static/(.*)", Static, {"path": str(STATIC)})]
