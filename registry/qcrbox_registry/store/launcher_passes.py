"""Passes of launchers: a join code that works once, and what it opened until that is revoked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotFound
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import launcher_passes, new_id, people

State = Literal["open", "expired", "joined", "revoked"]
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class NewPass:
    """A pass to store. code_hash: of the join code; code_expires_at: Unix time, s."""

    launcher: str
    code_hash: str
    code_expires_at: float


@dataclass(frozen=True, slots=True)
class LauncherPass:
    """A pass. Times: Unix, s. address: where its code was used."""

    id: str
    launcher: str
    by: str
    at: float
    code_expires_at: float
    joined_at: float | None
    address: str
    revoked_at: float | None

    def state(self, now: float) -> State:
        """What it is worth at this time."""
        if self.revoked_at is not None:
            return "revoked"
        if self.joined_at is not None:
            return "joined"
        return "open" if self.code_expires_at > now else "expired"


_records = Records(
    LauncherPass,
    launcher_passes,
    {"by": people.c.name},
    launcher_passes.join(people, people.c.id == launcher_passes.c.by_id),
)


def listed(conn: Connection) -> list[LauncherPass]:
    """The newest passes."""
    return _records.all(conn, _records.select.order_by(launcher_passes.c.id.desc()).limit(MOST_LISTED))


def get(conn: Connection, pass_id: str) -> LauncherPass:
    """The pass with this id. Raises NotFound."""
    return _records.require(conn, pass_id, "launcher pass")


def add(conn: Connection, new: NewPass, by_id: int, now: float) -> LauncherPass:
    """Store a pass. Raises Conflict while another one of this name is open or joined."""
    usable = [each for each in listed(conn) if each.state(now) in ("open", "joined")]
    if any(each.launcher == new.launcher for each in usable):
        raise Conflict(
            f"There is a pass for the launcher {new.launcher} already.",
            next="Revoke it first, or choose another name.",
        )
    pass_id = new_id()
    conn.execute(sa.insert(launcher_passes).values(id=pass_id, **asdict(new), by_id=by_id, at=now))
    return get(conn, pass_id)


def use_code(conn: Connection, code_hash: str, address: str, now: float) -> LauncherPass:
    """Use a join code, which works once. Raises NotFound for any other code."""
    used = conn.execute(
        sa.update(launcher_passes)
        .where(
            launcher_passes.c.code_hash == code_hash,
            launcher_passes.c.joined_at.is_(None),
            launcher_passes.c.revoked_at.is_(None),
            launcher_passes.c.code_expires_at > now,
        )
        .values(joined_at=now, address=address[:64])
    )
    if not used.rowcount:
        raise NotFound(
            "This join code does not hold: it was used, has expired, was revoked, or was mistyped."
        )
    found = _records.first(conn, _records.select.where(launcher_passes.c.code_hash == code_hash))
    assert found is not None
    return found


def revoke(conn: Connection, pass_id: str, now: float) -> LauncherPass:
    """End a pass; returns it as it was. Revoking twice changes nothing. Raises NotFound."""
    found = get(conn, pass_id)
    mine = sa.update(launcher_passes).where(launcher_passes.c.id == pass_id)
    conn.execute(mine.where(launcher_passes.c.revoked_at.is_(None)).values(revoked_at=now))
    return found


def is_valid(conn: Connection, pass_id: str, launcher: str) -> bool:
    """Whether the pass was used to join, as this launcher, and was not revoked."""
    found = _records.by_key(conn, pass_id)
    return (
        found is not None
        and found.launcher == launcher
        and found.joined_at is not None
        and found.revoked_at is None
    )
