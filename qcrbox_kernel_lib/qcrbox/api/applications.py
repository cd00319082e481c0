"""Applications and their commands as Python functions, generated from the records of the registry."""

from __future__ import annotations

import difflib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.command import Command, make_command
from qcrbox.api.names import has_name, offered, require_name, require_text, unknown_name
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.python_names import identifier, is_private
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.box import Box

__all__ = ["Application", "Applications", "Command", "identifier", "make_command"]
_FRESH_S = 60.0


class Application:
    """One application; its commands are attributes: `qc.refine.refine_iam(…)`."""

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box, self.record = box, record
        self.slug, self.name = str(record["slug"]), str(record.get("name") or record["slug"])
        self.version = str(record.get("version", ""))
        self.commands: dict[str, Command] = {}
        for described in record.get("commands", ()):
            command = make_command(self, described)
            if not command.name.startswith("__"):
                self.commands[identifier(command.name)] = command

    @property
    def description(self) -> str:
        """The description of the spec."""
        return str(self.record.get("description") or "").strip()

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        lines = [f"{self.name} {self.version}", self.description, ""]
        lines += [f"{name}: {command.description}" for name, command in self.commands.items()]
        return "\n".join(lines)

    def __getattr__(self, name: str) -> Any:
        commands = self.__dict__.get("commands", {})
        if name in commands:
            return commands[name]
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "gui":
            return self._gui
        there = f"It has: {', '.join(commands) or 'none'}."
        raise unknown_name(f"{self.name} has no command {name!r}.", name, commands, there)

    def _gui(self, *args: Any, **options: Any) -> Any:
        """Open the program's own window: the session of its interactive command."""
        interactive = [command for command in self.commands.values() if command.interactive]
        if not interactive:
            raise UserInputError(f"{self.name} has no window of its own.", next="Use its commands.")
        return self.box.sessions.open(interactive[0], *args, **options)

    def __getitem__(self, name: str) -> Command:
        require_name(name, f"qc.{identifier(self.slug)}")
        for command in self.commands.values():
            if name in (command.name, identifier(command.name), command.record.get("name")):
                return command
        raise _unknown(f"{self.name} has no command {name!r}.", name, list(self.commands))

    def __contains__(self, name: object) -> bool:
        return has_name(self, name)

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands.values())

    def __len__(self) -> int:
        return len(self.commands)

    def __bool__(self) -> bool:
        return True

    def __dir__(self) -> list[str]:
        own = {"box", "commands", "description", "name", "record", "slug", "version"}
        return sorted(own | set(self.commands) | ({"gui"} if self._has_gui() else set()))

    def _has_gui(self) -> bool:
        return any(command.interactive for command in self.commands.values())

    def __copy__(self) -> Application:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Application:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _application_again, (self.box, f"{self.slug}=={self.version}")

    def __repr__(self) -> str:
        return f"<{self.name} {self.version}: {', '.join(self.commands) or 'no commands'}>"

    def _table(self) -> Table:
        rows = [(name, command.description) for name, command in self.commands.items()]
        title = f"{self.name} {self.version}"
        return Table(("command", "does"), rows, title=title, caption=self.description)

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self._table()._repr_mimebundle_(**more)


class Applications:
    """`qc.apps`: every application, by slug, by display name or as attribute."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._known: list[Application] = []
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def refresh(self) -> Applications:
        """Read the applications again now; otherwise they are read again after a minute."""
        with self._lock:
            self._read()
        return self

    def _read(self) -> None:
        payload = self._box.client.get("/api/applications").get("applications", [])
        self._known = [Application(self._box, record) for record in payload]
        self._read_at = time.monotonic()

    def all(self) -> list[Application]:
        """Every version of every application; the registry is asked again after a minute."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > _FRESH_S:
                self._read()
            return list(self._known)

    def newest(self) -> dict[str, Application]:
        """By Python name, the version registered last of each."""
        best: dict[str, Application] = {}
        for application in self.all():
            name = identifier(application.slug)
            other = best.get(name)
            if other is None or _registered(application) >= _registered(other):
                best[name] = application
        return best

    def find_by_name(self, name: str) -> Application | None:
        """The application of this slug, Python name, display name or `slug==version`; None when there is none."""
        for slug, application in self.newest().items():
            if name in (slug, application.slug, application.name):
                return application
        for application in self.all():
            if name in (
                f"{application.slug}=={application.version}",
                f"{application.name} {application.version}",
            ):
                return application
        return None

    def __getitem__(self, name: str) -> Application:
        found = self.find_by_name(require_name(name, "qc.apps"))
        if found is None:
            self.refresh()
            found = self.find_by_name(name)
        if found is None:
            raise _unknown(f"There is no application {name!r}.", name, list(self.newest()))
        return found

    def __getattr__(self, name: str) -> Application:
        if is_private(name):
            raise AttributeError(name)
        found = self.newest().get(name)
        if found is None:
            raise unknown_name(f"There is no application {name!r}.", name, self.newest(), "")
        return found

    def __iter__(self) -> Iterator[Application]:
        return iter(self.newest().values())

    def __len__(self) -> int:
        return len(self.newest())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find_by_name(name) is not None

    def __dir__(self) -> list[str]:
        return sorted({"all", "find", "newest", "refresh", *offered(self.newest)})

    def _ipython_key_completions_(self) -> list[str]:
        return offered(self.newest)

    def find(self, need: str) -> Table:
        """Commands that have every word of `need` in their name or description, best matches first."""
        words = require_text(need, "need").lower().split()
        hits = []
        for application in self:
            for name, command in application.commands.items():
                text = f"{name} {command.description} {application.name} {application.description}".lower()
                score = sum((word in text) + (word in name.lower()) for word in words)
                if score and all(word in text for word in words):
                    hits.append((score, command.qualified_name, command.description, application.name))
        hits.sort(key=lambda hit: (-hit[0], hit[1]))
        rows = [hit[1:] for hit in hits]
        caption = "" if rows else f"No command matches {need!r}. qc.apps lists them all."
        return Table(
            ("command", "does", "application"), rows, title=f"Commands for “{need}”", caption=caption
        )

    def table(self) -> Table:
        """The newest version of each application with its commands."""
        rows = [
            (identifier(a.slug), a.name, a.version, _ready(a), ", ".join(a.commands), a.description)
            for a in sorted(self, key=lambda a: a.slug)
        ]
        heads = ("qc.…", "name", "version", "ready", "commands", "description")
        # One line for each reason, however many commands it concerns.
        reasons = {
            f"{a.name}: {command.record['missing']}": None
            for a in sorted(self, key=lambda a: a.slug)
            for command in a.commands.values()
            if command.record.get("missing")
        }
        caption = (
            " ".join(reasons) if rows else "No application is registered yet. An administrator can add some."
        )
        return Table(heads, rows, title="Applications", caption=caption)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


def _application_again(box: Box, name: str) -> Application:
    return box.apps[name]


def _ready(application: Application) -> str:
    if application.record.get("missing"):
        return "not installed"
    absent = [name for name, command in application.commands.items() if command.record.get("missing")]
    if absent:
        return f"not installed: {', '.join(absent)}"
    state = application.record.get("state") or application.record.get("readiness")
    if state:
        return str(state).replace("_", " ")
    ready = application.record.get("ready")
    return "" if ready is None else "✓ ready" if ready else "starts on demand"


def _registered(application: Application) -> tuple[str, int]:
    return str(application.record.get("registered_at") or ""), int(application.record.get("id") or 0)


def _unknown(what: str, name: str, known: list[str]) -> NotFound:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known)) or 'none'}."
    return NotFound(what, next=hint)
