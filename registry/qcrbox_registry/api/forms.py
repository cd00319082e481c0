"""What arrives as a form: file parts stored as they come, the other fields, and the home group they name."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from qcrbox.contract.errors import TooLarge, UserInputError

from qcrbox_registry.access.quota import QuotaHeadroom
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.api.multipart import Form, Part
from qcrbox_registry.services.core import Core
from qcrbox_registry.services.uploads import Stored, UploadService
from qcrbox_registry.store import people

_FIELDS = frozenset({"name", "description", "group"})
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
    others: list[str] = []
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
            others.append(part.name)
            fields[part.name] = await _text_of(part, others, taken)
    if not taken:
        raise _missing_file(others)
    for file in taken:
        await upload_service(request).look(file)
    return taken, fields


async def _text_of(part: Part, others: list[str], taken: list[Stored]) -> str:
    """A field. Raises UserInputError for what must be the file under another name, TooLarge for a long text."""
    try:
        return await part.text()
    except TooLarge:
        if part.name in _FIELDS or taken:
            raise
        # Its bytes need not arrive for nothing.
        raise _missing_file(others) from None


def _missing_file(others: list[str]) -> UserInputError:
    names = ", ".join(f"`{name[:50]}`" for name in others[:10])
    return UserInputError(
        "The form has no part named `file`.",
        why=f"Its parts: {names}." if names else "",
        next='For example: curl -F "file=@structure.cif" …',
    )


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
