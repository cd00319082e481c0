"""Files that a student submits beside the notebook: kept with the snapshot, never changed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.errors import NotFound, UserInputError

from qcrbox_registry.services.contents import ContentService, Stored
from qcrbox_registry.store import datasets
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.teaching import courses
from qcrbox_registry.store.teaching.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class HandedFile:
    """A file of a submission with its contents."""

    filename: str
    content: bytes


def decoded(files: Iterable[tuple[str, str]]) -> list[HandedFile]:
    """Files from (name, base64). Raises UserInputError for a name that is none, two equal names, wrong base64."""
    found: dict[str, HandedFile] = {}
    for name, text in files:
        if datasets.safe_name(name) != name:
            raise UserInputError(
                f"{name[:100]!r} cannot be the name of a submitted file.",
                why='Names have no folder and none of the characters : * ? " < > |.',
            )
        if name.casefold() in found:
            raise UserInputError(f"Two submitted files are called {name!r}.")
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise UserInputError(f"The contents of {name!r} are not base64.") from None
        found[name.casefold()] = HandedFile(name, content)
    return list(found.values())


async def stored(contents: ContentService, files: Sequence[HandedFile]) -> list[Stored]:
    """The files in the object store. Raises what the store raises."""

    async def chunks(content: bytes) -> AsyncIterator[bytes]:
        yield content

    return [await contents.store(chunks(file.content), file.filename) for file in files]


def keep(conn: Connection, files: Sequence[Stored], at: float) -> dict[str, Any]:
    """Write rows that belong to the site; what the snapshot says of them: name -> data file id and SHA-256."""
    rows = [datasets.NewFile(file.filename, file.sha256, file.size) for file in files]
    datasets.add_files(conn, rows, datasets.Place(courses.site_account(conn, at)), at)
    return {row.filename: {"data_file_id": row.id, "sha256": row.sha256} for row in rows}


def names_of(snapshot: Snapshot) -> list[str]:
    """The names of the files that were submitted beside the notebook."""
    return sorted(snapshot.content.get("files") or {})


def data_file_of(snapshot: Snapshot, filename: str) -> str:
    """The data file of a submitted file. Raises NotFound."""
    found = (snapshot.content.get("files") or {}).get(filename)
    if found is None:
        raise NotFound(f"This snapshot has no file {filename[:200]!r}.")
    return str(found["data_file_id"])
