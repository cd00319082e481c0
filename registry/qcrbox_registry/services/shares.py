"""Shares of datasets, data files and calculations with persons or groups."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import events, people, shares
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection

Kind = Literal["dataset", "data_file", "calculation"]
_FIND: dict[str, Callable[[Connection, Actor, str, str], events.Owned]] = {
    "dataset": authorized.dataset,
    "data_file": authorized.data_file,
    "calculation": authorized.calculation,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A requested share: with a person or a group, by name. expires_at: Unix time, s."""

    kind: Kind
    object_id: str
    mode: Literal["read", "write"]
    person: str | None
    group: str | None
    expires_at: float | None


def _shown(share: shares.Share) -> Json:
    return {
        "id": share.id,
        "kind": share.kind,
        "object_id": share.object_id,
        "person": share.person,
        "group": share.group,
        "mode": share.mode,
        "by": share.by,
        "at": iso(share.at),
        "expires_at": iso(share.expires_at),
    }


class ShareService:
    """Gives, lists and revokes shares."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def give(self, actor: Actor, wanted: Wanted) -> Json:
        """Share an object. Raises NotFound (object, person, group), NotAllowed, UserInputError."""
        now = time.time()
        _check(actor, wanted, now)

        def write(conn: Connection) -> tuple[shares.Share, list[events.Event]]:
            row = _FIND[wanted.kind](conn, actor, "share", wanted.object_id)
            receiver = _receiver(conn, wanted.person, wanted.group)
            new = shares.NewShare(
                kind=wanted.kind,
                object_id=row.id,
                mode=wanted.mode,
                by_id=actor.person_id,
                person_id=receiver["person_id"],
                group_id=receiver["group_id"],
                expires_at=wanted.expires_at,
            )
            share_id = shares.give(conn, new, now)
            to = f"person {wanted.person}" if wanted.person else f"group {wanted.group}"
            entry = audit.entry(
                actor, "share", now, kind=wanted.kind, object_id=row.id, to=to, mode=wanted.mode
            )
            record(conn, [entry])
            return shares.get(conn, share_id), _event(conn, row, wanted.kind, now, "shared", receiver)

        share, made = await self._context.db.write(write)
        self._context.publish(made)
        return _shown(share)

    async def listed(self, actor: Actor, kind: Kind | None, object_id: str | None) -> list[Json]:
        """The shares of one object of the actor, or all that the actor gave. Raises NotFound, NotAllowed."""
        now = time.time()

        def read(conn: Connection) -> list[Json]:
            if object_id is None:
                return [_shown(share) for share in shares.given_by(conn, actor.person_id, now)]
            if kind is None:
                raise UserInputError("object_id needs kind.")
            row = _FIND[kind](conn, actor, "share", object_id)
            return [_shown(share) for share in shares.of_object(conn, row.id, now)]

        return await self._context.db.read(read)

    async def revoke(self, actor: Actor, share_id: str) -> None:
        """Revoke a share. Raises NotFound, NotAllowed."""
        now = time.time()

        def write(conn: Connection) -> list[events.Event]:
            share = shares.get(conn, share_id)
            try:
                row = _FIND[share.kind](conn, actor, "share", share.object_id)
            except NotFound:
                raise NotFound(f"There is no share {share_id[:64]!r}.") from None
            shares.revoke(conn, share_id, now)
            entry = audit.entry(actor, "unshare", now, kind=share.kind, object_id=share.object_id)
            record(conn, [entry])
            # An account or a group that was deleted meanwhile has no stream.
            receiver: dict[str, int | None] = {}
            with contextlib.suppress(NotFound):
                receiver = _receiver(conn, share.person, share.group)
            return _event(conn, row, share.kind, now, "unshared", receiver)

        self._context.publish(await self._context.db.write(write))


def _check(actor: Actor, wanted: Wanted, now: float) -> None:
    if (wanted.person is None) == (wanted.group is None):
        raise UserInputError("Give either person or group.")
    if wanted.kind == "calculation" and wanted.mode != "read":
        raise UserInputError("A calculation can be shared for reading only: its record is never changed.")
    if wanted.group is not None and wanted.group not in actor.groups and not actor.admin:
        raise NotFound(f"There is no group {wanted.group!r} that you are in.")
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise UserInputError("expires_at lies in the past.")


def _receiver(conn: Connection, person: str | None, group: str | None) -> dict[str, int | None]:
    """Ids of the person or the group by name. Raises NotFound."""
    return {
        "person_id": None if person is None else people.find_person(conn, person),
        "group_id": None if group is None else people.find_group(conn, group),
    }


def _event(
    conn: Connection, row: events.Owned, kind: str, now: float, status: str, to: dict[str, int | None]
) -> list[events.Event]:
    """to: who receives the share. The right is too new, or gone, for their streams to know it by themselves."""
    return list(events.write(conn, [events.about("share", row, now, status, of=kind, to=to)]))
