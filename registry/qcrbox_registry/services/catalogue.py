"""The registered applications and commands in memory, for submissions and lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso
from qcrbox.spec.model import Application as Spec
from qcrbox.spec.model import Command as CommandSpec

from qcrbox_registry.access.rights import Resource
from qcrbox_registry.store import applications, holds, people
from qcrbox_registry.store.engine import Connection

_UNKNOWN_GROUP = -1  # no person is in it


@dataclass(slots=True)
class KnownCommand:
    """A command with its row's id. `rest` is what GET /api/commands answers."""

    id: int
    spec: CommandSpec
    rest: dict[str, Any]
    entry_sets: dict[str, Any]  # of the application, for CIF inputs


@dataclass(slots=True)
class KnownApplication:
    """An application with its row's id. `rest` is what GET /api/applications answers."""

    id: int
    slug: str
    version: str
    spec: Spec
    restricted_to: frozenset[int] | None  # ids of groups; None: everybody
    retired: bool
    approved: bool
    commands: dict[str, KnownCommand] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)

    @property
    def resource(self) -> Resource:
        """What the rights need to know of it."""
        return Resource("application", self.slug, restricted_to=self.restricted_to)

    @property
    def shown_commands(self) -> list[KnownCommand]:
        """The commands that lists show."""
        return [command for command in self.commands.values() if not command.spec.hidden]

    @property
    def interactive_commands(self) -> list[KnownCommand]:
        """The shown commands that open a session."""
        return [command for command in self.shown_commands if command.spec.is_interactive]


Sees = Callable[[KnownApplication], bool]


class Catalogue:
    """Every application. `load` again after a change of the rows."""

    def __init__(self) -> None:
        self._applications: dict[tuple[str, str], KnownApplication] = {}
        self._commands: dict[int, tuple[KnownApplication, KnownCommand]] = {}

    def load(self, conn: Connection) -> None:
        """Read every application again."""
        group_ids = people.group_ids(conn)
        reasons = {
            hold.object_id: hold.reason for hold in holds.everything(conn) if hold.kind == "application"
        }
        command_ids = applications.command_ids(conn)
        self._applications = {
            (row.slug, row.version): _known(
                row, command_ids.get(row.id, {}), group_ids, reasons.get(str(row.id), "")
            )
            for row in applications.everything(conn)
        }
        self._commands = {
            command.id: (application, command)
            for application in self._applications.values()
            for command in application.commands.values()
        }

    def all(self, *, retired: bool = False) -> list[KnownApplication]:
        """The approved applications that are not retired; `retired`: every one."""
        return [
            application
            for application in self._applications.values()
            if retired or (not application.retired and application.approved)
        ]

    def by_id(self, application_id: int) -> KnownApplication | None:
        """The application with this id, retired ones too."""
        return next((known for known in self._applications.values() if known.id == application_id), None)

    def command_by_id(self, command_id: int) -> tuple[KnownApplication, KnownCommand] | None:
        """The command with this id and its application."""
        return self._commands.get(command_id)

    def find(self, slug: str, version: str, sees: Sees = lambda _: True) -> KnownApplication:
        """The application of this version, else the newest one that stands in for it.

        Raises NotFound with the versions and applications that the person sees, UserInputError for a retired one.
        """
        known = self._applications.get((slug, version))
        if known is None or not known.approved or not sees(known):
            known = self._stand_in(slug, version, sees)
        if known is None:
            raise NotFound(
                f"There is no application {slug[:200]!r} in version {version[:200]!r}.",
                next=self._others(slug, version, sees),
            )
        if known.retired:
            raise UserInputError(
                f"{known.spec.name} {version} has been retired.", next=self._others(slug, version, sees)
            )
        return known

    def _stand_in(self, slug: str, version: str, sees: Sees) -> KnownApplication | None:
        """The newest registered version whose spec says that it replaces this one, for clients that ask for it."""
        fitting = [
            known
            for known in self.all()
            if known.slug == slug and version in known.spec.older_versions and sees(known)
        ]
        return max(fitting, key=lambda known: known.id, default=None)

    def _others(self, slug: str, version: str, sees: Sees) -> str:
        seen = [known for known in self.all() if sees(known)]
        versions = [known.version for known in seen if known.slug == slug and known.version != version]
        if versions:
            return f"There is version {', '.join(versions)}."
        slugs = sorted({known.slug for known in seen})
        return f"Applications here: {', '.join(slugs)}." if slugs else "No application is registered yet."

    def command_of(self, application: KnownApplication, name: str) -> tuple[KnownApplication, KnownCommand]:
        """Raises NotFound with the commands there are. Commands that begin with `__` cannot be called."""
        command = application.commands.get(name)
        if command is None or name.startswith("__"):
            names = ", ".join(command.spec.name for command in application.shown_commands)
            raise NotFound(
                f"{application.spec.name} {application.version} has no command {name[:100]!r}.",
                next=f"Its commands are: {names}." if names else "",
            )
        return application, command


def _known(
    row: applications.Application, command_ids: Mapping[str, int], group_ids: Mapping[str, int], held: str
) -> KnownApplication:
    spec = Spec.model_validate(row.spec)
    restricted_to = None
    if row.restricted_to is not None:
        restricted_to = frozenset(group_ids.get(name, _UNKNOWN_GROUP) for name in row.restricted_to)
    known = KnownApplication(
        id=row.id,
        slug=row.slug,
        version=row.version,
        spec=spec,
        restricted_to=restricted_to,
        retired=row.retired_at is not None,
        approved=row.approved,
    )
    for command in spec.commands:
        if command.name in command_ids:
            known.commands[command.name] = _known_command(row.id, spec, command, command_ids[command.name])
    known.rest = {
        **{name: value for name, value in spec.to_rest().items() if name != "commands"},
        "id": row.id,
        "registered_at": iso(row.registered_at),
        "yaml_file_path": row.yaml_file_path,
        "gui_port": row.gui_port,
        "pyqcrbox_version": row.qcrbox_version,
        "notes": row.notes,
        "licence_state": row.licence_state,
        "licence_note": row.licence_note,
        "held": held,
        "missing": "",
        "retired": known.retired,
        "restricted_to": row.restricted_to,
        "commands": [command.rest for command in known.shown_commands],
    }
    return known


def _known_command(application_id: int, spec: Spec, command: CommandSpec, command_id: int) -> KnownCommand:
    rest = {
        "id": command_id,
        "application_id": application_id,
        **command.to_rest(spec),
        "interactive": command.is_interactive,
        "missing": "",
    }
    return KnownCommand(command_id, command, rest, spec.entry_sets)
