"""Applications and their commands as Python functions, generated from what the registry says."""

from __future__ import annotations

import difflib
import inspect
import keyword
import re
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.notebook import show
from qcrbox.notebook.parameters import Parameter, missing_arguments, unknown_option

if TYPE_CHECKING:
    from qcrbox.notebook.box import Box
    from qcrbox.notebook.calculations import Calculation
    from qcrbox.notebook.results import Result

_FRESH_S = 60.0


def identifier(name: str) -> str:
    """A Python name for a slug or command name: `crysalis-pro` → `crysalis_pro`."""
    made = re.sub(r"\W", "_", name)
    if not made or made[0].isdigit():
        made = f"_{made}"
    return f"{made}_" if keyword.iskeyword(made) else made


class Command:
    """One command of an application. Calling it starts a calculation and returns at once.

    `.run(…)` waits and returns the result, `.form()` shows a form, `.params` the options as a table.
    """

    name: str
    application: Application
    parameters: dict[str, Parameter]
    said: dict[str, Any]

    def __call__(self, *args: Any, **options: Any) -> Calculation:
        raise NotImplementedError  # every command is a class of its own, made by `make_command`

    def submit(
        self, *args: Any, force: bool = False, idempotency_key: str | None = None, **options: Any
    ) -> Calculation:
        """Start a calculation. `force` hands the file over even if items the command needs are missing."""
        arguments = self._bind(args, options)
        return self.application.box.calculations.submit(
            self, arguments, force=force, idempotency_key=idempotency_key
        )

    def run(self, *args: Any, timeout: float | None = None, **options: Any) -> Result:
        """Call and wait: the result, for scripts."""
        return self(*args, **options).result(timeout)

    def _bind(self, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Checked arguments by name; nothing has been sent anywhere yet."""
        called = self.name
        positional = [p.name for p in self.parameters.values() if p.is_file]
        if len(args) > len(positional):
            raise UserInputError(
                f"{called}() takes {len(positional) or 'no'} argument{'s' * (len(positional) != 1)} by position; "
                f"you gave {len(args)}.",
                next="Give the others by name.",
            )
        given = dict(zip(positional, args, strict=False))
        for name, value in options.items():
            if name not in self.parameters:
                raise unknown_option(called, name, self.parameters)
            if name in given:
                raise UserInputError(f"{called}() got {name!r} twice.", parameter=name)
            given[name] = value
        missing = [p for p in self.parameters.values() if p.required and given.get(p.name) is None]
        if missing:
            raise missing_arguments(called, missing)
        return {
            name: self.parameters[name].check(value) for name, value in given.items() if value is not None
        }

    # ------------------------------------------------------------ looking at it

    @property
    def description(self) -> str:
        return str(self.said.get("description") or "").strip()

    @property
    def interactive(self) -> bool:
        return self.said.get("implemented_as") == "interactive_session"

    @property
    def qualified_name(self) -> str:
        return f"qc.{identifier(self.application.slug)}.{identifier(self.name)}"

    @property
    def params(self) -> show.Table:
        """The options as a table: name, what it takes, default, meaning."""
        rows = [
            (
                p.name,
                re.sub(r"^an? ", "", p.kind_in_words),
                "required" if p.required else "–" if p.default is None else repr(p.default),
                p.description,
            )
            for p in self.parameters.values()
        ]
        return show.Table(("option", "takes", "default", "meaning"), rows, title=self.qualified_name)

    def example(self) -> show.Code:
        """A call that runs as it stands when an example dataset exists, with every default spelt out."""
        names = self.application.box.examples.names_for(self.application)
        first = f'qc.examples["{names[0]}"]' if names else 'qc["name"]'
        parts = [first if p.is_cif else f"{p.name}=…" for p in self.parameters.values() if p.is_file]
        parts += [
            f"{p.name}={p.default!r}"
            for p in self.parameters.values()
            if not p.is_file and not p.required and p.default is not None
        ]
        return show.Code(f"calculation = {self.qualified_name}({', '.join(parts)})")

    def form(self, *args: Any, **options: Any) -> Any:
        """A form with every option, the Python line it will run, and a button that runs it."""
        from qcrbox.widgets.command_form import CommandForm

        return CommandForm(self, *args, **options)

    def __repr__(self) -> str:
        return f"{self.qualified_name}{inspect.signature(self)}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        text = f"{self!r}\n\n{self.__doc__}"
        doc = show.escape(self.description)
        return {
            "text/plain": text,
            "text/html": f"<div><code>{show.escape(self.qualified_name)}</code>"
            f"<div>{doc}</div>{self.params.html()}</div>",
        }


def make_command(application: Application, said: dict[str, Any]) -> Command:
    """A command whose signature, docstring and completion are those of its spec."""
    parameters = {
        name: Parameter.from_json(name, described)
        for name, described in (said.get("parameters") or {}).items()
    }
    shown = [p for p in parameters.values() if not p.is_output]
    files_first = sorted(shown, key=lambda p: not p.is_file)
    # A required parameter may not follow an optional one by position; only required files are positional.
    signature = inspect.Signature(
        [p.as_signature(positional=p.is_file and p.required) for p in _positional_first(files_first)]
    )
    name = str(said.get("cmd_name") or said.get("name"))

    def call(self: Command, *args: Any, **options: Any) -> Calculation:
        return self.submit(*args, **options)

    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    call.__signature__ = signature.replace(parameters=[itself, *signature.parameters.values()])  # type: ignore[attr-defined]
    call.__name__ = "__call__"
    call.__doc__ = None
    kind = type(
        identifier(name),
        (Command,),
        {"__call__": call, "__doc__": _docstring(said, files_first, application)},
    )
    command = kind()
    command.name, command.application, command.said = name, application, said
    command.parameters = {p.name: p for p in files_first}
    command.__signature__ = signature
    command.__name__ = command.__qualname__ = identifier(name)
    return command


def _positional_first(parameters: list[Parameter]) -> list[Parameter]:
    return sorted(parameters, key=lambda p: not (p.is_file and p.required))


def _docstring(said: dict[str, Any], parameters: list[Parameter], application: Application) -> str:
    parts = [str(said.get("description") or said.get("name")).strip()]
    if parameters:
        parts.append("Parameters\n----------\n" + "\n".join(p.docstring() for p in parameters))
    parts.append(
        "Returns\n-------\nCalculation\n    at once; `await` it, or ask `.result()`, for the result."
    )
    if said.get("doi"):
        parts.append(f"Reference: doi {said['doi']}")
    parts.append(f"{application.name} {application.version}")
    return "\n\n".join(parts)


class Application:
    """One application; its commands are attributes: `qc.refine.refine_iam(…)`."""

    def __init__(self, box: Box, said: dict[str, Any]) -> None:
        self.box, self.said = box, said
        self.slug, self.name = str(said["slug"]), str(said.get("name") or said["slug"])
        self.version = str(said.get("version", ""))
        self.commands: dict[str, Command] = {}
        for described in said.get("commands", ()):
            command = make_command(self, described)
            if not command.name.startswith("__"):
                self.commands[identifier(command.name)] = command

    @property
    def description(self) -> str:
        return str(self.said.get("description") or "").strip()

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
        near = difflib.get_close_matches(name, commands, 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(commands) or 'none'}."
        raise AttributeError(f"{self.name} has no command {name!r}. {hint}")

    def _gui(self, *args: Any, **options: Any) -> Any:
        """Open the program's own window: the session of its interactive command."""
        interactive = [command for command in self.commands.values() if command.interactive]
        if not interactive:
            raise UserInputError(f"{self.name} has no window of its own.", next="Use its commands.")
        return self.box.sessions.open(interactive[0], *args, **options)

    def __getitem__(self, name: str) -> Command:
        for command in self.commands.values():
            if name in (command.name, identifier(command.name), command.said.get("name")):
                return command
        raise _unknown(f"{self.name} has no command {name!r}.", name, list(self.commands))

    def __dir__(self) -> list[str]:
        own = {"box", "commands", "description", "name", "said", "slug", "version"}
        return sorted(own | set(self.commands) | ({"gui"} if self._has_gui() else set()))

    def _has_gui(self) -> bool:
        return any(command.interactive for command in self.commands.values())

    def __repr__(self) -> str:
        return f"<{self.name} {self.version}: {', '.join(self.commands) or 'no commands'}>"

    def _table(self) -> show.Table:
        rows = [(name, command.description) for name, command in self.commands.items()]
        title = f"{self.name} {self.version}"
        return show.Table(("command", "does"), rows, title=title, caption=self.description)

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
        """Ask the registry again now. It is asked by itself when what is known is a minute old."""
        with self._lock:
            self._read()
        return self

    def _read(self) -> None:
        said = self._box.client.get("/api/applications").get("applications", [])
        self._known = [Application(self._box, one) for one in said]
        self._read_at = time.monotonic()

    def all(self) -> list[Application]:
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
        found = self.find_by_name(name)
        if found is None:
            self.refresh()
            found = self.find_by_name(name)
        if found is None:
            raise _unknown(f"There is no application {name!r}.", name, list(self.newest()))
        return found

    def __getattr__(self, name: str) -> Application:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self.newest().get(name)
        if found is None:
            near = difflib.get_close_matches(name, self.newest(), 1, 0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"There is no application {name!r}.{hint}")
        return found

    def __iter__(self) -> Iterator[Application]:
        return iter(self.newest().values())

    def __len__(self) -> int:
        return len(self.newest())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find_by_name(name) is not None

    def __dir__(self) -> list[str]:
        return sorted({"all", "find", "newest", "refresh", *self.newest()})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.newest())

    def find(self, need: str) -> show.Table:
        """Commands by need: every word of `need` in a name or description, best first."""
        words = need.lower().split()
        hits = []
        for application in self:
            for name, command in application.commands.items():
                text = f"{name} {command.description} {application.name} {application.description}".lower()
                score = sum((word in text) + (word in name.lower()) for word in words)
                if score and all(word in text for word in words):
                    hits.append((score, command.qualified_name, command.description, application.name))
        hits.sort(key=lambda hit: (-hit[0], hit[1]))
        rows = [hit[1:] for hit in hits]
        caption = "" if rows else f"No command speaks of {need!r}. qc.apps lists them all."
        return show.Table(
            ("command", "does", "application"), rows, title=f"Commands for “{need}”", caption=caption
        )

    def table(self) -> show.Table:
        rows = [
            (identifier(a.slug), a.name, a.version, _ready(a), ", ".join(a.commands), a.description)
            for a in sorted(self, key=lambda a: a.slug)
        ]
        heads = ("qc.…", "name", "version", "ready", "commands", "description")
        caption = "" if rows else "No application is registered yet. An administrator can add some."
        return show.Table(heads, rows, title="Applications", caption=caption)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


def _ready(application: Application) -> str:
    state = application.said.get("state") or application.said.get("readiness")
    if state:
        return str(state).replace("_", " ")
    ready = application.said.get("ready")
    return "" if ready is None else "✓ ready" if ready else "starts on demand"


def _registered(application: Application) -> tuple[str, int]:
    return str(application.said.get("registered_at") or ""), int(application.said.get("id") or 0)


def _unknown(what: str, name: str, known: list[str]) -> NotFound:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known)) or 'none'}."
    return NotFound(what, next=hint)
