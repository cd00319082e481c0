"""Every route of the registry, in the order of the OpenAPI page."""

from __future__ import annotations

from fastapi import APIRouter

from qcrbox_registry.api import (
    applications,
    audit,
    calculations,
    courses,
    data_files,
    datasets,
    display,
    docs,
    events,
    exercises,
    figures,
    hub,
    internal,
    lineage,
    orphaned_data,
    projects,
    search,
    sessions,
    shares,
    site,
    supervision,
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
    courses.router,
    exercises.router,
    supervision.router,
    site.router,
    figures.router,
    audit.router,
    orphaned_data.router,
    site.bare,
    docs.router,
    internal.router,
    hub.router,
)
