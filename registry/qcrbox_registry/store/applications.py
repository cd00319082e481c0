"""Applications and their commands: registered for good, until an administrator retires them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso
from qcrbox.spec.model import Application as Spec
from qcrbox.spec.model import Command as CommandSpec
from sqlalchemy.engine import Connection

from qcrbox_registry.store.tables import applications, commands, groups, holds


def register(
    conn: Connection, spec: Spec, *, now: float, path: str | None = None, qcrbox_version: str = ""
) -> tuple[int, bool]:
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
        "yaml_file_path": path,
        "qcrbox_version": qcrbox_version,
        "spec": spec.model_dump(mode="json"),
        "spec_hash": spec_hash,
        "notes": [str(note) for note in spec.notes],
        "updated_at": now,
    }
    if row is None:
        # What an administrator may set later starts as the spec says.
        values |= {
            "slug": spec.slug,
            "version": spec.version,
            "reuse": spec.reuse,
            "registered_at": now,
            "limits": _limits(spec),
        }
        application_id = conn.scalar(sa.insert(applications).values(values).returning(applications.c.id))
    elif row.spec_hash == spec_hash and row.yaml_file_path == path:
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


def change(conn: Connection, application_id: int, values: dict[str, Any], now: float) -> None:
    """Set what an administrator may: restricted_to, reuse, warm, most_agents, approved."""
    # None is SQL's NULL here, not the JSON value null.
    if values.get("restricted_to", ...) is None:
        values = {**values, "restricted_to": sa.null()}
    conn.execute(
        sa.update(applications).where(applications.c.id == application_id).values(updated_at=now, **values)
    )


def set_hold(
    conn: Connection, kind: str, object_id: str, mode: str | None, reason: str, by_id: int | None, now: float
) -> None:
    """Hold (nothing new starts) or drain (and warm agents end) an application or launcher; None lifts it."""
    conn.execute(sa.delete(holds).where(holds.c.kind == kind, holds.c.object_id == object_id))
    if mode is not None:
        conn.execute(
            sa.insert(holds).values(
                kind=kind, object_id=object_id, mode=mode, reason=reason, by_id=by_id, at=now
            )
        )


# ---------------------------------------------------------------- in memory


@dataclass(slots=True)
class KnownCommand:
    id: int
    spec: CommandSpec
    rest: dict[str, Any]  # as GET /api/commands shows it
    entry_sets: dict[str, Any] = field(default_factory=dict)  # of the application, for CIF inputs


@dataclass(slots=True)
class KnownApplication:
    id: int
    slug: str
    version: str
    spec: Spec
    rest: dict[str, Any]  # as GET /api/applications shows it
    commands: dict[str, KnownCommand] = field(default_factory=dict)
    restricted_to: frozenset[int] | None = None
    retired: bool = False
    approved: bool = True
    path: str | None = None
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def interactive_commands(self) -> list[KnownCommand]:
        return [one for one in self.commands.values() if one.spec.is_interactive and not one.spec.hidden]


Sees = Callable[[KnownApplication], bool]


class Catalogue:
    """All applications in memory: every submission looks here. `load` again after a change."""

    def __init__(self) -> None:
        self._applications: dict[tuple[str, str], KnownApplication] = {}
        self._commands: dict[int, tuple[KnownApplication, KnownCommand]] = {}

    def load(self, conn: Connection) -> None:
        group_ids = {row.name: row.id for row in conn.execute(sa.select(groups.c.name, groups.c.id))}
        held = {
            row.object_id: row.reason
            for row in conn.execute(sa.select(holds).where(holds.c.kind == "application"))
        }
        ids: dict[int, dict[str, int]] = {}
        for row in conn.execute(
            sa.select(commands.c.id, commands.c.name, commands.c.application_id).where(
                commands.c.retired_at.is_(None)
            )
        ):
            ids.setdefault(row.application_id, {})[row.name] = row.id
        found: dict[tuple[str, str], KnownApplication] = {}
        for row in conn.execute(sa.select(applications).order_by(applications.c.id)):
            found[row.slug, row.version] = _known(row, ids.get(row.id, {}), group_ids, held)
        self._applications = found
        self._commands = {
            command.id: (application, command)
            for application in found.values()
            for command in application.commands.values()
        }

    def all(self, *, retired: bool = False) -> list[KnownApplication]:
        return [one for one in self._applications.values() if retired or (not one.retired and one.approved)]

    def get(self, slug: str, version: str) -> KnownApplication | None:
        return self._applications.get((slug, version))

    def by_id(self, application_id: int) -> KnownApplication | None:
        return next((one for one in self._applications.values() if one.id == application_id), None)

    def command_by_id(self, command_id: int) -> tuple[KnownApplication, KnownCommand] | None:
        return self._commands.get(command_id)

    def find(self, slug: str, version: str, sees: Sees = lambda _: True) -> KnownApplication:
        """The application of this version, else the one that stands for it.

        Raises NotFound with the versions there are. What the person does not see is not there, for the words too.
        """
        known = self.get(slug, version)
        if known is not None and known.approved and sees(known):
            if known.retired:
                raise UserInputError(
                    f"{known.spec.name} {version} has been retired.",
                    next=self._others(slug, version, sees),
                )
            return known
        standing_in = self._standing_in(slug, version, sees)
        if standing_in is not None:
            return standing_in
        raise NotFound(
            f"There is no application {slug[:200]!r} in version {version[:200]!r}.",
            next=self._others(slug, version, sees),
        )

    def _standing_in(self, slug: str, version: str, sees: Sees) -> KnownApplication | None:
        """The newest registered version that says it stands for an older one, for clients that still ask for that."""
        fitting = [
            one for one in self.all() if one.slug == slug and version in one.spec.older_versions and sees(one)
        ]
        return max(fitting, key=lambda one: one.id, default=None)

    def _others(self, slug: str, version: str, sees: Sees) -> str:
        seen = [one for one in self.all() if sees(one)]
        versions = [one.version for one in seen if one.slug == slug and one.version != version]
        if versions:
            return f"There is version {', '.join(versions)}."
        slugs = sorted({one.slug for one in seen})
        return (
            f"Applications here: {', '.join(slugs)}." if slugs else "No application is registered here yet."
        )

    def find_command(self, slug: str, version: str, name: str) -> tuple[KnownApplication, KnownCommand]:
        """Raises NotFound with the commands there are. Commands that begin with `__` are nobody's to call."""
        application = self.find(slug, version)
        command = application.commands.get(name)
        if command is None or name.startswith("__"):
            names = ", ".join(one for one, known in application.commands.items() if not known.spec.hidden)
            raise NotFound(
                f"{application.spec.name} {version} has no command {name[:100]!r}.",
                next=f"Its commands are: {names}." if names else "",
            )
        return application, command


def _known(
    row: sa.Row, ids: dict[str, int], group_ids: dict[str, int], held: dict[str, str]
) -> KnownApplication:
    spec = Spec.model_validate(row.spec)
    rest_of_spec = spec.to_rest()
    known = KnownApplication(
        id=row.id,
        slug=row.slug,
        version=row.version,
        spec=spec,
        rest={},
        restricted_to=None
        if row.restricted_to is None
        else frozenset(group_ids.get(name, -1) for name in row.restricted_to),
        retired=row.retired_at is not None,
        approved=row.approved,
        path=row.yaml_file_path,
        row={"reuse": row.reuse, "limits": row.limits, "warm": row.warm, "most_agents": row.most_agents},
    )
    for command in spec.commands:
        if command.name not in ids:
            continue
        rest = {
            "id": ids[command.name],
            "application_id": row.id,
            **command.to_rest(spec),
            "interactive": command.is_interactive,
        }
        known.commands[command.name] = KnownCommand(ids[command.name], command, rest, spec.entry_sets)
    hold = held.get(str(row.id), "")
    known.rest = {
        **{name: value for name, value in rest_of_spec.items() if name != "commands"},
        "id": row.id,
        "registered_at": iso(row.registered_at),
        "yaml_file_path": row.yaml_file_path,
        "gui_port": row.gui_port,
        "pyqcrbox_version": row.qcrbox_version,
        "notes": row.notes,
        "held": hold,
        "retired": known.retired,
        "restricted_to": row.restricted_to,
        "commands": [one.rest for one in known.commands.values() if not one.spec.hidden],
    }
    return known
