"""Calculations that have ended, for the hub, which tells their owners by e-mail."""

from __future__ import annotations

from qcrbox.contract.models import iso
from qcrbox.contract.states import FINAL

from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import calculations, events, titles
from qcrbox_registry.store.calculations import Calculation
from qcrbox_registry.store.engine import Connection

MOST = 500


class EndedService:
    """Reads only; the route checks that the hub asks."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def since(self, seq: int | None) -> Json:
        """Calculations whose end is an event after `seq`, at most MOST, and the number to ask from next time.

        None: no calculations, only the number of the newest event. Sessions are left out: who ends them is there.
        """

        def read(conn: Connection) -> Json:
            newest = events.newest(conn)
            if seq is None:
                return {"ended": [], "seq": newest}
            found = events.ends_after(conn, seq, newest, [str(state) for state in FINAL], MOST)
            rows = {row.id: row for row in calculations.by_ids(conn, [each.object_id for each in found])}
            ended = [rows[each.object_id] for each in found if each.object_id in rows]
            return {
                "ended": [_shown(row) for row in ended if not row.interactive],
                "seq": found[-1].seq if len(found) == MOST else newest,
            }

        return await self._context.db.read(read)


def _shown(row: Calculation) -> Json:
    return {
        "calculation_id": row.id,
        "owner": row.owner,
        "title": titles.title_of(row),
        "status": row.state,
        "warnings": row.warnings,
        "error_msg": row.error_msg,
        "submitted_at": iso(row.submitted_at),
        "finished_at": iso(row.finished_at),
    }
