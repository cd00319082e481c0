"""`python -m qcrbox_registry backup|restore|migrate|check|audit --data DIR …`: work on a data folder without serving it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from qcrbox.contract.errors import QcError, UserInputError

from qcrbox_registry.access.audit_heads import heads_of
from qcrbox_registry.messaging import server as nats_server
from qcrbox_registry.messaging.bus import Bus
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import audit, contents, schema
from qcrbox_registry.store.backup import Outcome, restore_backup, write_backup
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.objects import DamagedObject, ObjectStore


def main(words: list[str]) -> int:
    """Exit code 0 when all is sound, 1 when something was found, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m qcrbox_registry")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, about in (
        ("backup", "write everything into one file; the platform may run"),
        ("restore", "fill an empty data folder from a backup"),
        ("migrate", "bring the database to this version's schema"),
        ("check", "database, file contents and audit trail"),
        ("audit", "audit trail alone: its chain, and the heads that were signed and exported"),
    ):
        made = verbs.add_parser(verb, help=about)
        made.add_argument("--data", type=Path, required=True)
        made.add_argument("--database-url", default=os.environ.get("QCRBOX_REGISTRY_DATABASE_URL", ""))
        made.add_argument("--nats-url", default=os.environ.get("QCRBOX_REGISTRY_NATS_URL", ""))
        if verb in ("backup", "restore"):
            made.add_argument("path", type=Path, help="backup file (backup: or an existing folder for it)")
        if verb == "audit":
            made.add_argument("path", type=Path, nargs="?", help="a further exported copy of the heads")
    given = parser.parse_args(words)
    settings = Settings(
        data=given.data, database_url=given.database_url, nats_url=given.nats_url, auth="token"
    )
    act = {"backup": _backup, "restore": _restore, "migrate": _migrate, "check": _check, "audit": _audit}[
        given.verb
    ]
    return asyncio.run(act(settings, getattr(given, "path", None)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _progress(text: str) -> None:
    sys.stderr.write(text + "\n")


async def _backup(settings: Settings, path: Path | None) -> int:
    assert path is not None
    if not settings.database_url and not (settings.data / "qcrbox.sqlite").is_file():
        raise UserInputError("There is no registry in this data folder.", where=str(settings.data))
    if path.is_dir():
        path = path / time.strftime("qcrbox-%Y%m%d-%H%M%S.tar", time.gmtime())
    path.parent.mkdir(parents=True, exist_ok=True)
    database = Database(settings.sql_url)
    try:
        async with object_store(settings) as objects:
            outcome = await write_backup(database, objects, path.absolute(), _progress)
        await _audit_outcome(database, "backup", outcome)
    finally:
        database.close()
    return _report(outcome, f"Backup written: {path}")


async def _restore(settings: Settings, path: Path | None) -> int:
    assert path is not None
    if not path.is_file():
        raise UserInputError("There is no such backup.", where=str(path))
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.sql_url)
    try:
        async with object_store(settings) as objects:
            outcome = await restore_backup(path, database, objects, _progress)
        await _audit_outcome(database, "restore", outcome)
    finally:
        database.close()
    return _report(outcome, f"Restored into {settings.data}")


async def _audit_outcome(database: Database, action: str, outcome: Outcome) -> None:
    details = {"rows": outcome.rows, "files": outcome.files}
    entry = audit.Entry(time.time(), "site", action, details=details)
    await database.write(lambda conn: audit.record(conn, [entry]))


def _report(outcome: Outcome, text: str) -> int:
    _say(f"{text} ({outcome.rows} rows, {outcome.files} files, {outcome.bytes / 1024**2:.1f} MiB)")
    for word, hashes in (("missing", outcome.missing), ("damaged", outcome.damaged)):
        for sha256 in hashes:
            _say(f"{word}: {sha256}")
    return 0 if outcome.is_sound else 1


async def _migrate(settings: Settings, _: Path | None) -> int:
    database = Database(settings.sql_url)
    try:
        before, after = await asyncio.to_thread(schema.migrate, database)
    finally:
        database.close()
    _say(f"Schema {after}" if before == after else f"Schema {before or 'empty'} -> {after}")
    return 0


async def _check(settings: Settings, _: Path | None) -> int:
    database = Database(settings.sql_url)
    try:
        faults = await asyncio.to_thread(schema.integrity_faults, database, thorough=True)
        faults += await database.read(contents.faulty_references)
        faults += [f"audit entry {seq} was changed" for seq in await database.read(audit.broken_links)]
        heads = heads_of(settings, Secrets(settings.data))
        faults += await database.read(heads.faults)
        async with object_store(settings) as objects:
            faults += [fault async for fault in faulty_contents(database, objects)]
    finally:
        database.close()
    for fault in faults:
        _say(fault)
    _say(json.dumps({"sound": not faults, "faults": len(faults)}))
    return 1 if faults else 0


async def _audit(settings: Settings, copy: Path | None) -> int:
    """Reads only; needs no NATS, so a copy of a data folder can be checked elsewhere."""
    if copy is not None and not copy.is_file():
        raise UserInputError("There is no such file of signed heads.", where=str(copy))
    database = Database(settings.sql_url)
    try:
        heads = heads_of(settings, Secrets(settings.data), *([copy] if copy else []))
        faults = [f"audit entry {seq} was changed" for seq in await database.read(audit.broken_links)]
        faults += await database.read(heads.faults)
        newest, _ = await database.read(audit.head)
    finally:
        database.close()
    for fault in faults:
        _say(fault)
    _say(json.dumps({"sound": not faults, "entries": newest, "faults": len(faults)}))
    return 1 if faults else 0


async def faulty_contents(database: Database, objects: ObjectStore) -> AsyncIterator[str]:
    """Read all contents; a text for each that is missing or damaged."""
    after = ""
    while rows := await database.read(partial(contents.known, after=after)):
        for row in rows:
            after = row.sha256
            try:
                async for _chunk in objects.get(row.sha256):
                    pass
            except DamagedObject:
                yield f"{row.sha256}: damaged"
            except QcError:
                if row.refcount:
                    yield f"{row.sha256}: missing"


@contextlib.asynccontextmanager
async def object_store(settings: Settings) -> AsyncIterator[ObjectStore]:
    """The object store: through the NATS server that runs on this data folder, else through one started for this."""
    url, server = settings.nats_url or _running_nats(settings.data), None
    if not url:
        server = await asyncio.to_thread(nats_server.start, nats_server.ServerPlan(data=settings.data))
        url = server.url
    try:
        bus = Bus(url, Secrets(settings.data).user("registry"), name="registry")
        await bus.connect()
        try:
            objects = ObjectStore(bus)
            await objects.start()
            yield objects
        finally:
            await bus.close()
    finally:
        if server is not None:
            await asyncio.to_thread(server.stop)


def _running_nats(data: Path) -> str:
    """The URL of this folder's NATS when it answers, else an empty text."""
    try:
        known = json.loads((data / "run" / "nats.json").read_text())
        host, _, port = str(known["url"]).removeprefix("nats://").rpartition(":")
        with socket.create_connection((host, int(port)), 0.5) as client:
            return str(known["url"]) if client.recv(16).startswith(b"INFO") else ""
    except (OSError, ValueError, KeyError):
        return ""
