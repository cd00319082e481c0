"""The base of the models, and times on the wire."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Base of the models: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


def iso(at: float | None) -> str | None:
    """Unix seconds as ISO-8601 text in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
