"""Every route of the registry, in the order of the OpenAPI page."""

from __future__ import annotations

from fastapi import APIRouter

from qcrbox_registry.api import (
    applications,
    audit,
    calculations,
    data_files,
    datasets,
    display,
    docs,
    events,
    figures,
    hub,
    internal,
    launchers,
    lineage,
    orphaned_data,
    projects,
    search,
    sessions,
    shares,
    site,
    trash,
    uploads,
)

ROUTERS: tuple[APIRouter, ...] = (
    applications.router,
    calculations.router,
    datasets.router,
    data_files.router,
    trash.router,
    uploads.router,
    shares.router,
    search.router,
    lineage.router,
    projects.router,
    sessions.router,
    display.router,
    events.router,
    site.router,
    launchers.router,
    figures.router,
    audit.router,
    orphaned_data.router,
    site.bare,
    docs.router,
    internal.router,
    hub.router,
)
