"""The addresses of the administration pages."""

from __future__ import annotations

from typing import Any

from qcrbox_hub.admin.applications import Application, Applications
from qcrbox_hub.admin.audit import Audit
from qcrbox_hub.admin.calculations import Calculation, Calculations
from qcrbox_hub.admin.groups import Group, Groups
from qcrbox_hub.admin.invitations import Invitations
from qcrbox_hub.admin.launchers import Launchers
from qcrbox_hub.admin.logs import Logs
from qcrbox_hub.admin.overview import Overview
from qcrbox_hub.admin.page import ROOT, STATIC, AdminPage, Static
from qcrbox_hub.admin.people import People, Person
from qcrbox_hub.admin.quotas import Quotas
from qcrbox_hub.admin.rest import as_rest
from qcrbox_hub.admin.site import Site
from qcrbox_hub.admin.storage import Files, Holders, Storage

PAGES: tuple[tuple[str, type[AdminPage]], ...] = (
    (r"/?", Overview),
    (r"/people", People),
    (r"/people/([^/]+)", Person),
    (r"/groups", Groups),
    (r"/groups/([^/]+)", Group),
    (r"/invitations", Invitations),
    (r"/calculations", Calculations),
    (r"/calculations/([0-9A-Za-z_-]+)", Calculation),
    (r"/applications", Applications),
    (r"/applications/([0-9]{1,9})", Application),
    (r"/launchers", Launchers),
    (r"/storage", Storage),
    (r"/storage/holders", Holders),
    (r"/storage/files", Files),
    (r"/quotas", Quotas),
    (r"/audit", Audit),
    (r"/logs", Logs),
    (r"/site", Site),
)


def administration_pages() -> list[tuple[Any, ...]]:
    """For the hub: each with its address below /hub."""
    pages: list[tuple[Any, ...]] = [(rf"/{ROOT}{path}", page) for path, page in PAGES]
    pages += [(rf"/api/{ROOT}{path}", as_rest(page)) for path, page in PAGES]
    return [*pages, (rf"/{ROOT}/static/(.*)", Static, {"path": str(STATIC)})]
