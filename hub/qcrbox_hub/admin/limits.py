"""Limits of persons, groups and defaults: what a form sends, as changes for the registry."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from qcrbox.contract.errors import UserInputError

from qcrbox_hub.accounts.registry import RegistryClient


@dataclass(frozen=True)
class Quota:
    """A quota, with its title and unit for people."""

    key: str
    title: str


QUOTAS = (
    Quota("gib", "Storage, GiB"),
    Quota("running", "Running calculations"),
    Quota("queued", "Waiting calculations"),
    Quota("sessions", "Open sessions"),
    Quota("cpu_hours", "CPU hours a month"),
)


def read_limits(field: Callable[[str], str]) -> dict[str, float | None]:
    """The limits of a form, "" as None. Raises UserInputError for what is no number."""
    found: dict[str, float | None] = {}
    for quota in QUOTAS:
        text = field(f"limit_{quota.key}")
        try:
            value = float(text) if text else None
        except ValueError:
            value = -1.0
        if value is not None and (value < 0 or not math.isfinite(value)):
            raise UserInputError(
                f"{text[:40]!r} is no limit.", where=quota.title, next="Type a number, or nothing."
            )
        found[quota.key] = value
    return found


async def own_limits(registry: RegistryClient, subject: str, name: str) -> dict[str, float]:
    """The limits that are set for this person, group or default, by quota."""
    # A default has no name, and the client leaves empty parameters out.
    found = await registry.get("/api/quotas", subject=subject, name=name)
    return {row["quota"]: row["limit"] for row in found["quotas"]}


async def set_limits(
    registry: RegistryClient, subject: str, name: str, limits: dict[str, float | None]
) -> str:
    """Set those limits that differ from the ones set now. Returns what was changed, in words."""
    now = await own_limits(registry, subject, name)
    changed = []
    for quota in QUOTAS:
        if limits[quota.key] != now.get(quota.key):
            body = {"subject": subject, "name": name, "quota": quota.key, "limit": limits[quota.key]}
            await registry.call("PUT", "/api/quotas", body)
            changed.append(quota.title)
    return f"Changed: {', '.join(changed)}." if changed else "No limit was changed."
