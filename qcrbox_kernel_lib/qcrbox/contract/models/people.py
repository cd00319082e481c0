"""The person that asks, and rights given to others."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from qcrbox.contract.models.base import Model


class Me(Model):
    """The person that asks: groups, roles and quotas."""

    name: str
    groups: list[str]
    roles: dict[str, list[str]]  # role -> groups, or ["*"]
    home_group: str | None = None
    quotas: list[dict[str, Any]] = Field(default_factory=list)


class Share(Model):
    """A right that was given to a person or group."""

    id: str
    kind: str
    object_id: str
    person: str | None = None
    group: str | None = None
    mode: Literal["read", "write", "view"]
    by: str
    at: str
    expires_at: str | None = None
