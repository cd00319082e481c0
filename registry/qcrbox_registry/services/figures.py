"""Figures for administrators and group managers: who uses how much, and what is stored."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence

from qcrbox.contract.models import iso

from qcrbox_registry.access.quota import QUOTAS
from qcrbox_registry.access.rights import EVERY_GROUP, SITE, Actor, authorize
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.store import figures
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.figures import FileFilter, Holder, HolderFilter, LargeFile, Used
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import GIB


class FigureService:
    """Reads only."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def usage(self, actor: Actor, people: Sequence[str], groups: Sequence[str]) -> list[Json]:
        """What these persons and groups use, with their limits.

        Administrators see everyone; others themselves and groups they manage. Names that the actor may not see are
        left out like names that do not exist.
        """
        now = time.time()

        def read(conn: Connection) -> list[Json]:
            rows: list[Json] = []
            for subject, names in (("person", people), ("group", groups)):
                ids = {
                    name: subject_id
                    for name, subject_id in figures.ids_of(conn, subject, names).items()
                    if _may_see(actor, subject, subject_id)
                }
                used = figures.used_by(conn, subject, list(ids.values()), now)
                rows += [
                    self._shown(subject, subject_id, name, used[subject_id])
                    for name, subject_id in ids.items()
                ]
            return rows

        return await self._context.db.read(read)

    def _shown(self, subject: str, subject_id: int, name: str, used: Used) -> Json:
        return {
            "subject": subject,
            "name": name,
            "gib": used.bytes / GIB,
            "running": used.running,
            "queued": used.queued,
            "sessions": used.sessions,
            "cpu_hours": used.cpu_s / 3600,
            "limits": {quota: self._context.quotas.of(subject, subject_id, quota) for quota in QUOTAS},
        }

    async def storage(self, actor: Actor, most: int) -> Json:
        """Totals of what is stored, the largest holders and files, and the disk. Raises NotFound or NotAllowed."""
        authorize(actor, "read", SITE)
        found = await self._context.db.read(lambda conn: figures.stored(conn, most))
        disk = shutil.disk_usage(self._context.settings.data)
        return {
            "contents": {"number": found.contents, "bytes": found.content_bytes},
            "files": {"number": found.files, "bytes": found.file_bytes},
            "trash": {"number": found.trash_files, "bytes": found.trash_bytes},
            "unused": {"number": found.unused_contents, "bytes": found.unused_bytes},
            "undo_days": self._context.settings.undo_days,
            "disk": {"total": disk.total, "free": disk.free},
            "holders": [_holder(holder) for holder in found.holders],
            "largest": [_file(file) for file in found.largest],
        }

    async def holders(self, actor: Actor, asked: HolderFilter, cut: Cut) -> Json:
        """A part of the persons and groups with stored bytes, and how many there are. Raises NotFound or NotAllowed."""
        authorize(actor, "read", SITE)
        rows, total = await self._context.db.read(lambda conn: figures.holders(conn, asked, cut))
        return {"holders": [_holder(holder) for holder in rows], "total": total}

    async def files(self, actor: Actor, asked: FileFilter, cut: Cut) -> Json:
        """A part of the present data files, and how many there are. Raises NotFound or NotAllowed."""
        authorize(actor, "read", SITE)
        rows, total = await self._context.db.read(lambda conn: figures.files(conn, asked, cut))
        return {"files": [_file(file) for file in rows], "total": total}


def _holder(holder: Holder) -> Json:
    return {
        "subject": holder.subject,
        "id": holder.id,
        "name": holder.name,
        "bytes": holder.bytes,
        "gone_at": iso(holder.gone_at),
    }


def _file(file: LargeFile) -> Json:
    return {
        "qcrbox_file_id": file.id,
        "filename": file.filename,
        "size": file.size,
        "owner": file.owner,
        "group": file.group,
        "created_at": iso(file.created_at),
    }


def _may_see(actor: Actor, subject: str, subject_id: int) -> bool:
    if actor.admin:
        return True
    if subject == "person":
        return subject_id == actor.person_id
    return bool({subject_id, EVERY_GROUP} & actor.manages)
