"""Backup and restore of everything: SQL and file contents together, checked by hashes.

A backup is one tar file: `tables/<name>.jsonl` (one row a line, the same for SQLite and PostgreSQL, so a backup of one
can be restored into the other), `files/<sha256>`, and at its end `manifest.json` with the hash of every part. Secrets and tokens are
not in it. The platform may keep running while it is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotFound, QcError, UserInputError
from sqlalchemy.engine import Connection

from qcrbox_registry.store import schema
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.objects import ObjectStore
from qcrbox_registry.store.tables import file_contents, metadata

FORMAT = 1
_READ = 1024 * 1024
_MANIFEST = "manifest.json"
Progress = Callable[[str], None]


@dataclass
class Outcome:
    """What a backup or restore did. `missing` and `damaged` are hashes of contents."""

    rows: int = 0
    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether no file is missing or damaged."""
        return not self.missing and not self.damaged


# ---------------------------------------------------------------- writing


async def write_backup(
    database: Database, objects: ObjectStore, target: Path, progress: Progress = lambda text: None
) -> Outcome:
    """Write `target` in one step: a backup that was cut off never stands under that name.

    Contents that are missing or damaged in the store are left out and named in the outcome.
    """
    outcome = Outcome()
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    hashes: dict[str, str] = {}
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file, tarfile.open(fileobj=file, mode="w|") as archive:
            revision, wanted = await asyncio.to_thread(
                _add_tables, database, archive, hashes, outcome, progress
            )
            for sha256, size in wanted:
                await _add_contents(objects, archive, sha256, size, outcome)
                if outcome.files and outcome.files % 1000 == 0:
                    progress(f"{outcome.files} of {len(wanted)} files")
            manifest = {
                "format": FORMAT,
                "revision": revision,
                "made_at": time.time(),
                "rows": outcome.rows,
                "tables": hashes,
                "files": outcome.files,
                "missing": outcome.missing,
                "damaged": outcome.damaged,
            }
            _add_bytes(archive, _MANIFEST, json.dumps(manifest, indent=1).encode())
            archive.close()
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return outcome


def _add_tables(
    database: Database, archive: tarfile.TarFile, hashes: dict[str, str], outcome: Outcome, progress: Progress
) -> tuple[str | None, list[tuple[str, int]]]:
    """All rows as of one moment. The revision, and (hash, size) of the contents that they need."""

    def read(conn: Connection) -> tuple[str | None, list[tuple[str, int]]]:
        if not database.is_sqlite:
            conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for table in metadata.sorted_tables:
            progress(f"table {table.name}")
            outcome.rows += _add_table(conn, archive, table, hashes)
        query = sa.select(file_contents.c.sha256, file_contents.c.size).where(
            file_contents.c.refcount > 0, file_contents.c.state != "removed"
        )
        return schema.revision(conn), [tuple(row) for row in conn.execute(query)]

    return database.read_sync(read)


def _add_table(conn: Connection, archive: tarfile.TarFile, table: sa.Table, hashes: dict[str, str]) -> int:
    digest, rows = hashlib.sha256(), 0
    # The size must stand before the content in a tar, so a large table waits in a file.
    with tempfile.SpooledTemporaryFile(max_size=32 * 1024 * 1024) as spool:
        stored = sa.select(*map(_as_stored, table.c))
        result = conn.execution_options(yield_per=1000).execute(stored)
        for row in result.mappings():
            line = json.dumps(dict(row), separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
            digest.update(line)
            spool.write(line)
            rows += 1
        info = tarfile.TarInfo(f"tables/{table.name}.jsonl")
        info.size, info.mtime, info.mode = spool.tell(), int(time.time()), 0o600
        spool.seek(0)
        archive.addfile(info, spool)
    hashes[table.name] = digest.hexdigest()
    return rows


def _as_stored(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Ids as they are in the database: a restore fills tables of whatever schema, which know no prefix."""
    if isinstance(column.type, sa.types.TypeDecorator):
        return sa.type_coerce(column, column.type.impl_instance).label(column.name)
    return column


async def _add_contents(
    objects: ObjectStore, archive: tarfile.TarFile, sha256: str, size: int, outcome: Outcome
) -> None:
    with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as spool:
        try:
            async for chunk in objects.get(sha256):
                spool.write(chunk)
        except NotFound:
            outcome.missing.append(sha256)
            return
        except QcError as error:
            if error.kind != "damaged":
                raise
            outcome.damaged.append(sha256)
            return
        info = tarfile.TarInfo(f"files/{sha256}")
        info.size, info.mtime, info.mode = spool.tell(), int(time.time()), 0o600
        spool.seek(0)
        await asyncio.to_thread(archive.addfile, info, spool)
    outcome.files += 1
    outcome.bytes += size


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(time.time()), 0o600
    archive.addfile(info, io.BytesIO(content))


# ---------------------------------------------------------------- reading


async def restore_backup(
    source: Path, database: Database, objects: ObjectStore, progress: Progress = lambda text: None
) -> Outcome:
    """Fill an empty database and object store. Raises Conflict when the database is not empty, UserInputError for a file
    that is no whole backup; then nothing was changed in the database."""
    manifest = await asyncio.to_thread(read_manifest, source)
    outcome = Outcome(missing=list(manifest["missing"]), damaged=list(manifest["damaged"]))
    await asyncio.to_thread(_require_empty, database)
    for name, reader in _members(source):
        if name.startswith("files/"):
            sha256 = name.removeprefix("files/")
            try:
                _, size = await objects.put(_chunks(reader), sha256=sha256)
            except Conflict:
                outcome.damaged.append(sha256)
                continue
            outcome.files += 1
            outcome.bytes += size
    # The rows last, in one transaction: a restore that is cut off leaves an empty database.
    await asyncio.to_thread(_fill, source, database, manifest, outcome, progress)
    return outcome


def read_manifest(source: Path) -> dict[str, Any]:
    """The manifest after comparing the hash of every table. Raises UserInputError."""
    hashes: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        for name, reader in _members(source):
            if name == _MANIFEST:
                manifest = json.loads(reader.read())
            elif name.startswith("tables/"):
                hashes[Path(name).stem] = hashlib.file_digest(reader, "sha256").hexdigest()  # type: ignore[arg-type]
    except (OSError, tarfile.TarError, ValueError) as error:
        raise UserInputError("This backup cannot be read.", where=str(source), why=str(error)) from error
    if manifest is None:
        raise UserInputError(
            "This backup is not complete.", where=str(source), why="It has no manifest at its end."
        )
    if manifest.get("format") != FORMAT:
        raise UserInputError(
            "This backup was made by a newer version.",
            where=str(source),
            next="Restore it with that version.",
        )
    wrong = [name for name, digest in manifest["tables"].items() if hashes.get(name) != digest]
    if wrong:
        raise UserInputError("This backup is damaged.", where=str(source), why=f"Tables: {', '.join(wrong)}.")
    return manifest


def _members(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(source, mode="r|") as archive:
        for member in archive:
            reader = archive.extractfile(member) if member.isfile() else None
            if reader is not None:
                yield member.name, reader


async def _chunks(reader: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(reader.read, _READ):
        yield chunk


def _require_empty(database: Database) -> None:
    def read(conn: Connection) -> bool:
        found = schema.revision(conn)
        return found is None or all(
            conn.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0
            for table in metadata.sorted_tables
        )

    if not database.read_sync(read):
        raise Conflict(
            "The database is not empty.",
            why="A restore never overwrites anything.",
            next="Choose an empty data folder (and, with PostgreSQL, an empty database).",
        )


def _fill(
    source: Path, database: Database, manifest: dict[str, Any], outcome: Outcome, progress: Progress
) -> None:
    schema.migrate(database, to=manifest["revision"] or "head")

    def write(conn: Connection) -> None:
        # The tables as they were at the backup's revision, which may be older than the present ones.
        there = sa.MetaData()
        there.reflect(conn)
        waiting: dict[str, Path] = {}
        with tempfile.TemporaryDirectory() as folder:
            for name, reader in _members(source):
                if name.startswith("tables/"):
                    path = waiting[Path(name).stem] = Path(folder) / Path(name).name
                    with path.open("wb") as file:
                        while chunk := reader.read(_READ):
                            file.write(chunk)
            for table in there.sorted_tables:
                if table.name in waiting:
                    progress(f"table {table.name}")
                    outcome.rows += _fill_table(conn, _json_columns(table), waiting[table.name])
        if not database.is_sqlite:
            _advance_sequences(conn, there)

    database.write_sync(write, timeout_s=None)
    schema.migrate(database)


def _json_columns(table: sa.Table) -> sa.Table:
    """SQLite reflects JSON as it was declared; this makes sure."""
    declared = metadata.tables.get(table.name)
    if declared is not None:
        for column in table.c:
            same = declared.c.get(column.name)
            if same is not None and isinstance(same.type, sa.JSON | sa.Boolean):
                column.type = same.type
    return table


def _fill_table(conn: Connection, table: sa.Table, path: Path) -> int:
    rows, batch = 0, []
    known = set(table.c.keys())
    with path.open("rb") as file:
        for line in file:
            batch.append({name: value for name, value in json.loads(line).items() if name in known})
            if len(batch) == 1000:
                conn.execute(sa.insert(table), batch)
                rows += len(batch)
                batch = []
    if batch:
        conn.execute(sa.insert(table), batch)
        rows += len(batch)
    return rows


def _advance_sequences(conn: Connection, there: sa.MetaData) -> None:
    for table in there.sorted_tables:
        for column in table.primary_key.columns:
            name = conn.exec_driver_sql(
                "SELECT pg_get_serial_sequence(%s, %s)", (table.name, column.name)
            ).scalar()
            if name:
                top = conn.execute(sa.select(sa.func.max(column))).scalar()
                if top:
                    conn.exec_driver_sql("SELECT setval(%s, %s)", (name, top))
