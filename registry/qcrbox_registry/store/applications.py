"""Applications and their commands: registered for good, until an administrator retires them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from qcrbox.spec.model import Application as Spec
from sqlalchemy.engine import Connection

from qcrbox_registry.store.records import Records
from qcrbox_registry.store.tables import applications, commands


@dataclass(frozen=True, slots=True)
class Application:
    """A row of `applications`."""

    id: int
    slug: str
    version: str
    yaml_file_path: str | None
    gui_port: str | None
    qcrbox_version: str
    spec: dict[str, Any]
    notes: list[str]
    reuse: str
    limits: dict[str, Any]
    warm: int
    most_agents: int | None
    approved: bool
    retired_at: float | None
    licence_state: str
    licence_note: str
    restricted_to: list[str] | None
    registered_at: float


_records = Records(Application, applications)


def everything(conn: Connection) -> list[Application]:
    """Every application, retired ones too, in the order of registration."""
    return _records.all(conn, _records.select.order_by(applications.c.id))


def command_ids(conn: Connection) -> dict[int, dict[str, int]]:
    """Application id -> name of a present command -> its id."""
    ids: dict[int, dict[str, int]] = {}
    query = sa.select(commands.c.id, commands.c.name, commands.c.application_id)
    for row in conn.execute(query.where(commands.c.retired_at.is_(None))):
        ids.setdefault(row.application_id, {})[row.name] = row.id
    return ids


def slugs_of(conn: Connection, ids: Iterable[int]) -> dict[int, str]:
    """The slug of each of these applications."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    query = sa.select(applications.c.id, applications.c.slug).where(applications.c.id.in_(wanted))
    return {row.id: row.slug for row in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the scheduler needs of an application."""

    id: int
    slug: str
    version: str
    reuse: str  # never | same-owner | any
    warm: int
    most_agents: int | None
    limits: dict[str, Any]
    approved: bool
    retired_at: float | None


_scheduled = Records(Scheduled, applications)


def scheduled(conn: Connection) -> list[Scheduled]:
    """Every application as the scheduler needs it."""
    return _scheduled.all(conn, _scheduled.select)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a registered spec came from."""

    path: str | None = None
    qcrbox_version: str = ""


def register(conn: Connection, spec: Spec, origin: Origin, now: float) -> tuple[int, bool]:
    """Write an application; (id, whether anything changed).

    The same slug and version again replaces the commands; a command that keeps its name keeps its id.
    """
    text = spec.model_dump_json()
    spec_hash = hashlib.sha256(text.encode()).hexdigest()
    row = conn.execute(
        sa.select(applications.c.id, applications.c.spec_hash, applications.c.yaml_file_path).where(
            applications.c.slug == spec.slug, applications.c.version == spec.version
        )
    ).first()
    values = {
        "name": spec.name,
        "description": spec.description,
        "url": spec.url,
        "email": spec.email,
        "doi": ", ".join(spec.doi) or None,
        "yaml_file_path": origin.path,
        "qcrbox_version": origin.qcrbox_version,
        "spec": spec.model_dump(mode="json"),
        "spec_hash": spec_hash,
        "notes": [str(note) for note in spec.notes],
        "updated_at": now,
    }
    if row is None:
        # Administrators may change these later; they start with the values of the spec.
        values |= {
            "slug": spec.slug,
            "version": spec.version,
            "reuse": spec.reuse,
            "registered_at": now,
            "limits": _limits(spec),
        }
        made = conn.execute(sa.insert(applications).values(values).returning(applications.c.id))
        application_id: int = made.scalar_one()
    elif row.spec_hash == spec_hash and row.yaml_file_path == origin.path:
        return row.id, False
    else:
        application_id = row.id
        conn.execute(sa.update(applications).where(applications.c.id == application_id).values(values))
    _replace_commands(conn, application_id, spec, now)
    return application_id, True


def _limits(spec: Spec) -> dict[str, Any]:
    memory = [command.memory_bytes for command in spec.commands if command.memory_bytes]
    cpus = [command.cpus for command in spec.commands if command.cpus]
    limits: dict[str, Any] = {}
    if memory:
        limits["memory_bytes"] = max(memory)
    if cpus:
        limits["cpus"] = max(cpus)
    return limits


def _replace_commands(conn: Connection, application_id: int, spec: Spec, now: float) -> None:
    there = {
        row.name: row.id
        for row in conn.execute(
            sa.select(commands.c.id, commands.c.name).where(commands.c.application_id == application_id)
        )
    }
    for command in spec.commands:
        rest = command.to_rest(spec)
        values = {
            "description": rest["description"],
            "implemented_as": rest["implemented_as"],
            "parameters": rest["parameters"],
            "merge_cif_su": rest["merge_cif_su"],
            "doi": rest["doi"],
            "hidden": command.hidden,
            "retired_at": None,
        }
        if command.name in there:
            conn.execute(sa.update(commands).where(commands.c.id == there[command.name]).values(values))
        else:
            conn.execute(
                sa.insert(commands).values(application_id=application_id, name=command.name, **values)
            )
    gone = set(there) - {command.name for command in spec.commands}
    if gone:
        conn.execute(
            sa.update(commands)
            .where(commands.c.application_id == application_id, commands.c.name.in_(sorted(gone)))
            .values(retired_at=now)
        )


def retire(conn: Connection, application_id: int, now: float | None) -> None:
    """Take an application out of the list, or (None) bring it back. Its calculations stay."""
    conn.execute(sa.update(applications).where(applications.c.id == application_id).values(retired_at=now))


def change(conn: Connection, application_id: int, values: Mapping[str, Any], now: float) -> None:
    """Set what an administrator may: restricted_to, reuse, warm, most_agents, approved, licence_state, licence_note."""
    # None is SQL's NULL here, not the JSON value null.
    if values.get("restricted_to", ...) is None:
        values = {**values, "restricted_to": sa.null()}
    conn.execute(
        sa.update(applications).where(applications.c.id == application_id).values(updated_at=now, **values)
    )
