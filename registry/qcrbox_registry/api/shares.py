"""Shares of datasets, data files and calculations with persons or groups."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from qcrbox.contract import models
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api import schemas
from qcrbox_registry.api.dependencies import Body, Caller, TheCore, read_body
from qcrbox_registry.api.openapi import takes
from qcrbox_registry.api.responses import success
from qcrbox_registry.store import events, people, shares
from qcrbox_registry.store.tables import shares as table

router = APIRouter(prefix="/api", tags=["shares"])
Kind = Literal["dataset", "data_file", "calculation"]
_FIND: dict[str, Callable[..., Any]] = {
    "dataset": shares.dataset,
    "data_file": shares.data_file,
    "calculation": shares.calculation,
}


class NewShare(Body):
    kind: Kind
    object_id: str = Field(min_length=1, max_length=64)
    person: str | None = Field(default=None, max_length=255)
    group: str | None = Field(default=None, max_length=255)
    mode: Literal["read", "write"] = "read"
    expires_at: datetime | None = None


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "object_id": row.object_id,
        "person": row.person,
        "group": row.group,
        "mode": row.mode,
        "by": row.by,
        "at": iso(row.at),
        "expires_at": iso(row.expires_at),
    }


@router.post(
    "/shares",
    status_code=201,
    response_model=models.Success[schemas.Shares],
    openapi_extra=takes(NewShare),
)
async def share(request: Request, core: TheCore, actor: Caller) -> Response:
    """Let a person or a group read (or, datasets and files, also add versions)."""
    body, _ = await read_body(request, NewShare)
    if (body.person is None) == (body.group is None):
        raise UserInputError("Say either person or group.")
    if body.kind == "calculation" and body.mode != "read":
        raise UserInputError("A calculation's record is never changed, so it can be shared to read only.")
    if body.group is not None and body.group not in actor.groups and not actor.admin:
        raise NotFound(f"There is no group {body.group!r} that you are in.")
    now = time.time()
    expires = _moment(body.expires_at)
    if expires is not None and expires <= now:
        raise UserInputError("expires_at lies in the past.")

    def write(conn: Any) -> tuple[Any, list[events.Event]]:
        row = _FIND[body.kind](conn, actor, "share", body.object_id)
        person_id = None if body.person is None else people.find_person(conn, body.person).id
        group_id = None if body.group is None else people.find_group(conn, body.group).id
        share_id = shares.give(
            conn,
            kind=body.kind,
            object_id=row.id,
            mode=body.mode,
            by_id=actor.person_id,
            now=now,
            person_id=person_id,
            group_id=group_id,
            expires_at=expires,
        )
        to = f"person {body.person}" if body.person else f"group {body.group}"
        audit.record(
            conn, [audit.entry(actor, "share", now, kind=body.kind, object_id=row.id, to=to, mode=body.mode)]
        )
        made = next(one for one in shares.listed(conn, row.id, now) if one.id == share_id)
        return made, _told(conn, row, body.kind, now, "shared")

    made, told = await core.db.write(write)
    core.publish(told)
    return success({"shares": [_shown(made)]}, "Shared.", 201)


def _moment(at: datetime | None) -> float | None:
    """Unix s; a time without a zone is UTC."""
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _told(conn: Any, row: Any, kind: str, now: float, status: str) -> list[events.Event]:
    event = events.Event(
        "share",
        row.id,
        now,
        status=status,
        owner_id=row.owner_id,
        group_id=row.group_id,
        payload={"of": kind},
    )
    return list(events.write(conn, [event]))


@router.get("/shares", response_model=models.Success[schemas.Shares])
async def list_shares(
    core: TheCore,
    actor: Caller,
    kind: Kind | None = None,
    object_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """The shares of one object of yours, or all that you gave."""
    now = time.time()

    def read(conn: Any) -> list[dict[str, Any]]:
        if object_id is not None:
            if kind is None:
                raise UserInputError("object_id needs kind.")
            row = _FIND[kind](conn, actor, "share", object_id)
            return [_shown(one) for one in shares.listed(conn, row.id, now)]
        return [_shown(one) for one in shares.given_by(conn, actor.person_id, now)]

    return success({"shares": await core.db.read(read)})


@router.delete("/shares/{share_id}", status_code=204)
async def unshare(core: TheCore, actor: Caller, share_id: str) -> Response:
    """Take a share back; it ends at once, also for open streams within 5 s."""
    now = time.time()

    def write(conn: Any) -> list[events.Event]:
        row = conn.execute(sa.select(table).where(table.c.id == share_id)).first()
        if row is None or row.revoked_at is not None:
            raise NotFound(f"There is no share {share_id[:64]!r}.")
        resource = _may_share(conn, actor, row, share_id)
        shares.revoke(conn, row.object_id, share_id, now)
        audit.record(conn, [audit.entry(actor, "unshare", now, kind=row.kind, object_id=row.object_id)])
        return _told(conn, resource, row.kind, now, "unshared")

    core.publish(await core.db.write(write))
    return Response(status_code=204)


def _may_share(conn: Any, actor: Actor, row: Any, share_id: str) -> Any:
    try:
        return _FIND[row.kind](conn, actor, "share", row.object_id)
    except NotFound:
        raise NotFound(f"There is no share {share_id[:64]!r}.") from None
