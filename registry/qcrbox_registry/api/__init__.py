"""The REST edge: one file per resource. A handler parses, asks for the right, calls the core, answers."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """Every router, in the order of the OpenAPI page."""
    from qcrbox_registry.api import (
        applications,
        calculations,
        data_files,
        datasets,
        display,
        docs,
        events,
        internal,
        lineage,
        orphaned_data,
        search,
        sessions,
        shares,
        site,
        trash,
        uploads,
    )

    return [
        applications.router,
        calculations.router,
        datasets.router,
        data_files.router,
        trash.router,
        uploads.router,
        shares.router,
        search.router,
        lineage.router,
        sessions.router,
        display.router,
        events.router,
        site.router,
        orphaned_data.router,
        site.bare,
        docs.router,
        internal.router,
    ]
