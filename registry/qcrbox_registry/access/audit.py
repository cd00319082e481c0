"""Entries of the audit trail about what an actor did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qcrbox_registry.access.rights import Actor
from qcrbox_registry.store.audit import Entry

LONGEST_ID = 64


def entry(
    actor: Actor, action: str, now: float, *, kind: str = "", object_id: str = "", **details: Any
) -> Entry:
    """What the actor did to an object, ready for `store.audit.record`. Of a preview account it says whose it is."""
    if actor.preview is not None:
        details["account"] = f"preview of {actor.preview.owner} in {actor.preview.group}"
    return Entry(
        at=now,
        who=actor.name,
        who_id=actor.person_id,
        address=actor.address,
        action=action,
        kind=kind,
        object_id=object_id[:LONGEST_ID],
        details=details,
    )


def refusal(actor: Actor, action: str, now: float, *, kind: str = "", object_id: str = "") -> Entry:
    """What was refused to the actor."""
    return replace(entry(actor, action, now, kind=kind, object_id=object_id), allowed=False)
