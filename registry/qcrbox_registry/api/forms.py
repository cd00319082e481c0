"""What arrives as a form: file parts stored as they come, the other fields, and the home group they name."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from qcrbox.contract.errors import UserInputError

from qcrbox_registry.access.quota import QuotaHeadroom
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.multipart import Form
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.uploads import Stored, UploadService
from qcrbox_registry.store import people

UPLOAD_DOCS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string"},
                        "description": {"type": "string"},
                        "group": {"type": "string"},
                    },
                }
            }
        },
    }
}


def upload_service(request: Request) -> UploadService:
    return request.app.state.uploads


async def received(request: Request, headroom: QuotaHeadroom) -> tuple[list[Stored], dict[str, str]]:
    """The file parts of the form, stored, and its other fields.

    Raises UserInputError for what is no such form, TooLarge, and QuotaExceeded as soon as more arrives than `headroom`.
    """
    taken: list[Stored] = []
    fields: dict[str, str] = {}
    async for part in Form(request).parts():
        if part.name == "file":
            if part.filename is None:
                raise UserInputError("The part `file` has no file name.")
            stored = await upload_service(request).store(part.chunks(), part.filename, headroom=headroom)
            if part.filename == "" and stored.size == 0:
                raise UserInputError("The part `file` is empty and has no name.", why="No file was chosen.")
            headroom = headroom.without(stored.size)
            taken.append(stored)
        else:
            fields[part.name] = await part.text()
    if not taken:
        raise UserInputError(
            "The form has no part named `file`.", next='For example: curl -F "file=@structure.cif" …'
        )
    for file in taken:
        await upload_service(request).look(file)
    return taken, fields


async def home_group(core: Core, actor: Actor, name: str | None) -> int | None:
    """The group that is named, else the one used last; "" = none, privately. Raises UserInputError."""
    if name is None:
        if not actor.groups:
            return None
        last = await core.db.read(lambda conn: people.last_group(conn, actor.person_id))
        return last if last in actor.group_ids else None
    return named_group(actor, name)


def named_group(actor: Actor, name: str) -> int | None:
    """The id of a group of the actor's; None for an empty name. Raises UserInputError."""
    if name == "":
        return None
    if name not in actor.groups:
        raise UserInputError(
            f"You are not in a group {name[:100]!r}.",
            next=f"Your groups: {', '.join(sorted(actor.groups)) or 'none'}.",
        )
    return actor.groups[name]
